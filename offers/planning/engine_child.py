"""The child of `engine`: a pickled problem on standard input, pyvrp's routes as JSON on standard output."""

import json
import math
import pickle
import resource
import sys
import time
from typing import Any

import numpy as np
import pyvrp
from pyvrp.stop import MaxIterations, MaxRuntime, StoppingCriterion

from offers.planning import cost
from offers.planning.afternoon import Afternoon
from offers.planning.engine import Problem

# pyvrp knows no price of lateness; this much is let through and priced by the exact cost afterwards.
ALLOWED_LATE_S = 600
# Seconds of solving even after a slow start: the first feasible routes come within this.
LEAST_S = 0.2
# Seconds of work beyond the budget that the kernel lets pass.
SPARE_CPU_S = 5
UNBOUNDED = int(np.iinfo(np.int64).max)

# pyvrp's own annotations want the shape as an int.
Matrix = Any


def data_of(afternoon: Afternoon) -> pyvrp.ProblemData:
    """The overtime form: the shortest block is a car's fixed cost, what it lasts longer costs by the second.

    Dwell per store is in no model of pyvrp's without its shipments; the mean number of stores a block visits
    is put on the way out of the mall, and the exact cost corrects it afterwards.
    """
    tab = cost.tables(afternoon)
    first, last = afternoon.lengths[0], afternoon.lengths[-1]
    stores = len({order.store for order in afternoon.orders})
    per_block = min(5, max(1, round(0.6 * stores)))
    size = len(afternoon.orders) + 1
    duration: Matrix = np.array(tab.seconds, dtype=np.int64)
    duration[0, 1:] += per_block * afternoon.dwell.store_s
    # Costs in hundredths of a cent, so that metres have whole prices.
    metre = max(1, round(afternoon.km_cents / 10))
    distance: Matrix = np.array(tab.metres, dtype=np.int64)
    overtime = last.length_s - first.length_s
    overtime_cost = round(100 * (last.pay_cents - first.pay_cents) / overtime) if overtime else 0
    max_orders = min(afternoon.max_orders or size, size)
    clients = [
        pyvrp.Client(
            location=i,
            delivery=[order.litres, order.grams, 1],
            service_duration=tab.load[i] + tab.service[0][i],
            tw_early=max(0, order.early),
            tw_late=max(0, order.early, order.due + min(ALLOWED_LATE_S, afternoon.late_max_s)),
            release_time=max(0, tab.ready[i]),
            # Above what a block of its own costs: the fixed cost is held against one order at a time, and
            # at the true price of waiting nearly all would wait.
            prize=100 * max(afternoon.defer_cents, 2 * last.pay_cents),
            required=False,
        )
        for i, order in enumerate(afternoon.orders, 1)
    ]
    vehicle = pyvrp.VehicleType(
        num_available=size,
        capacity=[afternoon.litres, afternoon.grams, max_orders],
        fixed_cost=100 * first.pay_cents,
        tw_early=0,
        tw_late=max(0, afternoon.close),
        shift_duration=first.length_s,
        max_overtime=overtime,
        unit_overtime_cost=overtime_cost,
        unit_distance_cost=metre,
        max_distance=min(cost.bounds(afternoon)[1], UNBOUNDED),
    )
    return pyvrp.ProblemData(
        locations=[pyvrp.Location(0, 0) for _ in range(size)],
        clients=clients,
        depots=[pyvrp.Depot(location=0)],
        vehicle_types=[vehicle],
        distance_matrices=[distance],
        duration_matrices=[duration],
    )


def solve(problem: Problem) -> list[list[int]]:
    """Routes of the best solution found, as order numbers."""
    if problem.iterations is None:
        limit: StoppingCriterion = MaxRuntime(max(LEAST_S, problem.until - time.time()))
    else:
        limit = MaxIterations(problem.iterations)
    result = pyvrp.solve(data_of(problem.afternoon), limit, seed=problem.seed, collect_stats=False)
    schedules = [route.schedule() for route in result.best.routes()]
    return [[visit.idx + 1 for visit in schedule if visit.is_client()] for schedule in schedules]


def bound_cpu(seconds: float) -> None:
    """Let the kernel end this process after so much work: it may loop for ever, and its parent may be gone."""
    limit = max(1, math.ceil(seconds))
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))


def main() -> None:
    """The child: one problem in, its routes out."""
    problem = pickle.load(sys.stdin.buffer)  # noqa: S301 - written by our own parent a moment ago
    bound_cpu(problem.until - time.time() + SPARE_CPU_S)
    sys.stdout.write(json.dumps(solve(problem)))


if __name__ == "__main__":
    main()
