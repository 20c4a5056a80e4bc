"""What the planner takes beyond the public afternoons: size, memory, many malls, the published VRPTW instances.

    python benchmarks/planner_scale.py
    python benchmarks/planner_scale.py --vrptw DIRECTORY

The first plans 1,000 orders over one mall, and 50 malls one after another by one process and by two at once. The
second asks the engine through its adapter for distance only, and prints the gaps to the best distances known. The
last line is one JSON object.
"""

import argparse
import json
import math
import resource
import subprocess
import sys
import time
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from offers.planning import cost, engine, judge, planner
from offers.planning.afternoon import Afternoon, BlockLength, Dwell, WaitingOrder
from offers.planning.travel import Estimate
from retaildelivery.lib.geo import Point

MALL = Point(36.1277, -115.1723)
LENGTHS = tuple(BlockLength(hours * 3600, hours * 2000) for hours in (2, 3, 4))
MALLS, MALL_ORDERS, MALL_SECONDS = 50, 40, 0.5


def drawn(size: int, seed: int) -> Afternoon:
    """`size` orders over five hours, doors within some 15 km, promises of 2 h, 4 h and the evening."""
    random, orders = Random(seed), []
    for number in range(size):
        ready = random.randrange(0, 18_000)
        early, due = random.choice([(0, ready + 8400), (0, ready + 14_400), (28_800, 39_600)])
        point = Point(MALL.lat + random.gauss(0, 0.06), MALL.lng + random.gauss(0, 0.07))
        orders.append(
            WaitingOrder(
                f"O{number}", point, f"S{random.randrange(8)}", ready, early, due,
                random.choice([3, 10, 30, 60, 120]), random.randrange(300, 20_000), random.choice([1, 1, 2]),
            )
        )  # fmt: skip
    matrix = Estimate().matrix([MALL, *(order.point for order in orders)], hour=12)
    return Afternoon(
        MALL, 0, 43_200, tuple(orders), LENGTHS, matrix.seconds, matrix.metres, litres=350, grams=150_000
    )


def thousand() -> dict[str, float]:
    """1,000 orders in 20 seconds."""
    afternoon = drawn(1000, seed=1)
    begin = time.perf_counter()
    plan = planner.plan(afternoon, seconds=18, seed=1)
    took = time.perf_counter() - begin
    assert judge.verdict(afternoon, plan) == ()
    return {
        "seconds": round(took, 1),
        "blocks": len(plan.blocks),
        "left": len(plan.left),
        "cents": plan.cost_cents,
        "rounds": plan.rounds,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def work(first: int, step: int) -> None:
    """The share of the malls that one of several workers plans, for a fixed number of rounds."""
    planner.COMPILING.done(wait_s=600)
    begin, worked = time.perf_counter(), time.process_time()
    for number in range(first, MALLS, step):
        afternoon = drawn(MALL_ORDERS, seed=number)
        plan = planner.plan(afternoon, seconds=60, seed=1, iterations=10_000, propose=None)
        assert judge.verdict(afternoon, plan) == ()
    print(json.dumps([time.perf_counter() - begin, time.process_time() - worked]))


def fifty() -> dict[str, float]:
    """50 malls by one worker, then by two at once: seconds until the last is done, and of processor in all. The latter
    says whether two are in each other's way also where other work shares the machine."""
    took = {}
    for workers in (1, 2):
        running = [
            subprocess.Popen(
                [sys.executable, __file__, "--work", str(n), str(workers)], stdout=subprocess.PIPE, text=True
            )
            for n in range(workers)
        ]
        spent = [json.loads(each.communicate()[0]) for each in running]
        took[f"{workers}_workers_s"] = round(max(wall for wall, _cpu in spent), 1)
        took[f"{workers}_workers_cpu_s"] = round(sum(cpu for _wall, cpu in spent), 1)
    return took


def instance(file: Path) -> Afternoon:
    """A VRPTW instance as an afternoon in which only the way counts: tenths of its units are metres and seconds."""
    lines = file.read_text().split("\n")
    capacity = next(
        int(line.split()[1]) for line in lines if len(line.split()) == 2 and line.split()[0].isdigit()
    )
    rows = [[float(x) for x in line.split()] for line in lines if len(line.split()) == 7]
    rows = [row for row in rows if row]
    ways = tuple(tuple(int(10 * math.dist(a[1:3], b[1:3])) for b in rows) for a in rows)
    orders = tuple(
        WaitingOrder(str(int(row[0])), Point(0.0, n / 1000), "S", 0, int(10 * row[4]),
                     int(10 * row[5]), int(row[3]), 0, 1)
        for n, row in enumerate(rows[1:], 1)
    )  # fmt: skip
    horizon, service = int(10 * rows[0][5]), int(10 * rows[1][6])
    return Afternoon(
        Point(0.0, 0.0), 0, horizon, orders, (BlockLength(horizon, 0),), ways, ways, litres=capacity, grams=0,
        dwell=Dwell(0, 0, service, 0, service), km_cents=1000, late_cents_min=0, late_max_s=0,
        defer_cents=10_000_000, start_slack_s=horizon,
    )  # fmt: skip


def vrptw(folder: Path, *, seconds: float, most: int) -> dict[str, float]:
    """Gaps in % of the engine alone to the best distance known, on instances of up to `most` customers."""
    known, gaps = json.loads((folder / "bks.json").read_text()), {}
    for file in sorted(folder.glob("*.txt")):
        best = known.get(file.stem, {}).get("bks_distance_dimacs")
        afternoon = instance(file) if best else None
        if afternoon is None or len(afternoon.orders) > most:
            continue
        proposal = engine.propose(afternoon, seconds=seconds, seed=1)
        assert sorted(i for route in proposal.routes for i in route) == list(
            range(1, len(afternoon.orders) + 1)
        )
        price = cost.Pricing(afternoon, cost.tables(afternoon))
        costed = [price(route) for route in proposal.routes]
        assert all(costed), "the engine's routes keep every window"
        gaps[file.stem] = round(100 * (sum(each.metres for each in costed if each) / 10 / best - 1), 2)
        print(f"{file.stem:10}{gaps[file.stem]:8.2f} %", flush=True)
    return {**gaps, "mean": round(sum(gaps.values()) / max(1, len(gaps)), 2)}


def main() -> int:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--vrptw", type=Path, help="directory of instances with their bks.json")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--most", type=int, default=200, help="customers, with --vrptw")
    parser.add_argument("--work", type=int, nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        work(*given.work)
    elif given.vrptw:
        print(json.dumps(vrptw(given.vrptw, seconds=given.seconds, most=given.most)))
    else:
        planner.COMPILING.done(wait_s=600)
        print(json.dumps({"thousand": thousand(), "fifty": fifty()}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
