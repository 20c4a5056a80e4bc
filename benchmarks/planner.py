"""What the planner's plans cost, on afternoons from JSON files.

    python benchmarks/planner.py --case FILE --seconds 10 --seed 1 --plan OUT.json
    python benchmarks/planner.py --cases DIRECTORY --seconds 2 10 --seeds 1 2 3

The first plans one case as a worker does and writes the blocks as lists of order numbers (from 1). The second
prints a table over all cases of a directory (or of CASES in the environment), with the gap to the costs in
its best-known.json, next to one order per block, greedy insertion and the engine alone.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from offers.planning import engine, judge, planner, search
from offers.planning.afternoon import Afternoon, BlockLength, Dwell, Plan, WaitingOrder
from offers.planning.travel import Estimate
from retaildelivery.lib.geo import Point


def afternoon_of(case: dict) -> Afternoon:
    """The afternoon described by a case file; moments are seconds from the file's own zero."""
    mall = Point(case["depot"]["lat"], case["depot"]["lng"])
    orders = tuple(
        WaitingOrder(
            each["id"], Point(each["lat"], each["lng"]), str(each["store"]), each["ready"], each["early"],
            each["due"], each["litres"], each["grams"], each["parcels"],
        )
        for each in case["orders"]
    )  # fmt: skip
    matrix = Estimate().matrix([mall, *(order.point for order in orders)], hour=12)
    return Afternoon(
        mall=mall,
        now=0,
        close=case["close"],
        orders=orders,
        lengths=tuple(BlockLength(hours * 3600, hours * case["pay_cents_h"]) for hours in case["blocks_h"]),
        seconds=matrix.seconds,
        metres=matrix.metres,
        litres=case["cap"]["litres"],
        grams=case["cap"]["grams"],
        # These cases know no second order at a door: each is a stop of its own.
        dwell=Dwell(
            case["dwell_store_s"],
            case["load_parcel_s"],
            case["stop_s"],
            case["stop_parcel_s"],
            case["stop_s"],
        ),
        km_cents=case["km_cents"],
        late_cents_min=case["late_cents_min"],
        late_max_s=case["late_max_s"],
        defer_cents=case["defer_cents"],
    )


def read(file: Path) -> Afternoon:
    """The afternoon of a case file."""
    return afternoon_of(json.loads(file.read_text()))


def numbers(afternoon: Afternoon, plan: Plan) -> list[list[int]]:
    """Blocks as order numbers from 1, in the order of delivery."""
    number = {order.code: n for n, order in enumerate(afternoon.orders, 1)}
    return [[number[code] for code in block.orders] for block in plan.blocks]


def plan_one(file: Path, *, seconds: float, seed: int, out: Path | None) -> int:
    """Plan one case, print what came out, write it; 1 when the judge refuses it."""
    afternoon, ready_s = read(file), warm()
    begin = time.perf_counter()
    plan = planner.plan(afternoon, seconds=seconds, seed=seed)
    took = time.perf_counter() - begin
    if out:
        out.write_text(json.dumps(numbers(afternoon, plan)))
    broken = judge.verdict(afternoon, plan)
    told = {
        "case": file.stem, "cents": plan.cost_cents, "blocks": len(plan.blocks), "left": len(plan.left),
        "hours": sum(block.length_s for block in plan.blocks) / 3600, "engine": plan.engine,
        "rounds": plan.rounds, "notes": plan.notes, "seconds": round(took, 2), "compiled_before_in_s": ready_s,
        "violations": len(broken),
    }  # fmt: skip
    print(json.dumps(told))
    return 1 if broken else 0


def warm() -> float:
    """Have the search compiled, as a worker that runs has; seconds that took (little, once it was kept on disk)."""
    begin = time.perf_counter()
    planner.COMPILING.done(wait_s=600)
    return round(time.perf_counter() - begin, 2)


def yardsticks(afternoon: Afternoon, *, seconds: float) -> tuple[list[int], float]:
    """Costs of one order per block, of greedy insertion, of the engine alone; seconds to the greedy plan."""
    begin = time.perf_counter()
    world = search.World(afternoon)
    greedy = search.greedy(world)
    took = time.perf_counter() - begin
    proposal = engine.propose(afternoon, seconds=seconds, seed=1)
    plans = (
        tuple((i,) for i in world.possible if world.singles[i]),
        greedy,
        planner.legal_part(world, proposal.routes),
    )
    return [planner.total(world, blocks) for blocks in plans], took


def table(folder: Path, *, seconds: Sequence[float], seeds: Sequence[int]) -> int:
    """A row per case, a column of gaps per budget; the worst and the mean below."""
    known_file = folder / "best-known.json"
    known = json.loads(known_file.read_text()) if known_file.exists() else {}
    files = sorted(file for file in folder.glob("*.json") if (case := file.stem) and "." not in case)
    files = [file for file in files if "orders" in json.loads(file.read_text())]
    print(f"compiled in {warm()} s, before any clock")
    print("gaps in % to the best known cost; alone: one order per block")
    print(f"{'case':28}{'known':>9}{'alone':>8}{'greedy':>8}{'in s':>6}{'engine':>8}", end="")
    print("".join(f"{f'{each:g} s':>22}" for each in seconds))
    gaps: dict[float, list[float]] = {each: [] for each in seconds}
    refused = 0
    for file in files:
        afternoon = read(file)
        base = known.get(file.stem, {}).get("cents")
        costs, took = yardsticks(afternoon, seconds=max(seconds))
        base = base or costs[1]
        alone, greedy, alone_engine = (100 * (each / base - 1) for each in costs)
        row = f"{file.stem:28}{base:9}{alone:8.0f}{greedy:8.1f}{took:6.2f}{alone_engine:8.1f}"
        for budget in seconds:
            found = []
            for seed in seeds:
                plan = planner.plan(afternoon, seconds=budget, seed=seed)
                refused += len(judge.verdict(afternoon, plan))
                found.append(100 * (plan.cost_cents / base - 1))
            gaps[budget] += found
            row += f"{' '.join(f'{gap:.2f}' for gap in found):>22}"
        print(row, flush=True)
    for budget, found in gaps.items():
        if found:
            print(f"{budget:g} s: mean {sum(found) / len(found):.2f} %, worst {max(found):.2f} %")
    return 1 if refused else 0


def main() -> int:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--case", type=Path, help="plan this file only")
    parser.add_argument("--cases", type=Path, default=os.environ.get("CASES"), help="directory of cases")
    parser.add_argument("--seconds", type=float, nargs="+", default=[10.0])
    parser.add_argument("--seed", type=int, default=1, help="with --case")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], help="of the table")
    parser.add_argument("--plan", type=Path, help="where to write the blocks, with --case")
    given = parser.parse_args()
    if given.case:
        return plan_one(given.case, seconds=given.seconds[0], seed=given.seed, out=given.plan)
    if not given.cases:
        parser.error("give --case FILE, or --cases DIRECTORY (or CASES in the environment)")
    return table(Path(given.cases), seconds=given.seconds, seeds=given.seeds)


if __name__ == "__main__":
    sys.exit(main())
