"""A first proposal by pyvrp, in a process of its own that is killed when its time is up.

pyvrp 0.14.1 has inputs on which it never returns, inside compiled code that no signal handler of Python can
interrupt; so it never runs in the worker. The child reads one pickled `Problem` from its standard input and
writes the routes found so far to its standard output as JSON. Plain `subprocess` also works inside a
prefork worker, whose processes are daemons and may not have children of `multiprocessing`.
"""

import json
import os
import pickle
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from offers.planning.afternoon import Afternoon

# What a child that does not answer gets beyond its budget, which includes its start, before it is killed: so
# many seconds, and at most this share of the budget, since the rest belongs to the search.
GRACE_S, GRACE_SHARE = 1.5, 0.4
ROOT = Path(__file__).resolve().parents[2]
CHILD = "offers.planning.engine_child"


@dataclass(frozen=True, slots=True)
class Problem:
    """What the child needs to know. `until` is by `time.time()`, so that a slow start costs the solver."""

    afternoon: Afternoon
    until: float
    seed: int
    iterations: int | None


@dataclass(frozen=True, slots=True)
class Proposal:
    """Routes as order numbers, or none with the reason: `engine_timed_out`, `engine_failed`."""

    routes: tuple[tuple[int, ...], ...]
    trouble: str | None = None


def propose(afternoon: Afternoon, *, seconds: float, seed: int, iterations: int | None = None) -> Proposal:
    """Routes by pyvrp after `seconds`, or after `iterations` if given and faster, or why there are none."""
    problem = pickle.dumps(Problem(afternoon, time.time() + seconds, seed, iterations))
    try:
        done = subprocess.run(
            [sys.executable, "-m", CHILD],
            input=problem,
            capture_output=True,
            check=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            timeout=seconds + min(GRACE_S, GRACE_SHARE * seconds),
        )
        routes = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        return Proposal((), "engine_timed_out")
    except (subprocess.CalledProcessError, OSError, ValueError):
        return Proposal((), "engine_failed")
    return Proposal(tuple(tuple(int(i) for i in route) for route in routes))
