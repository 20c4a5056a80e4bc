"""The same afternoons by VROOM and by OR-Tools as their users call them, beside ours, all costed by the exact rule.

    pip install --target /tmp/rivals --no-deps pyvroom ortools absl-py protobuf immutabledict pandas python-dateutil
    PYTHONPATH=/tmp/rivals python benchmarks/planner_rivals.py --cases DIRECTORY --seconds 10

Neither is a requirement of the project; they live beside it. Both are given each length of block as a type of vehicle
with the block's pay as its fixed cost, both capacities, the windows and the way's price:

- VROOM: an order is a shipment from its store, whose dwell is a set-up (so that it counts once a store), ready from its
  moment on. Its vehicles have fixed hours, so there is one for each start of half an hour and each length. It knows no
  price of lateness: windows are hard.
- OR-Tools: a vehicle starts when it likes once the last of its orders is ready, bound to its type's length;
  loading takes the usual number of stores on leaving the mall and each parcel's seconds; lateness is a soft bound
  with its price, leaving an order a disjunction with its price. Cheapest insertion, then guided local search.

What they return is costed by `offers.planning`, each route at its best start and in the shortest length that holds it.
A route which the exact rules do not allow is cut into the fewest blocks that they do; orders in none are left at their
price. One thread each. Prints a table of gaps to the best known cost, and one JSON object last.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import planner as ours

try:
    import numpy as np
    from ortools.constraint_solver import pywrapcp, routing_enums_pb2
    from vroom import Amount, Input, ShipmentStep, TimeWindow, Vehicle, VehicleCosts
except ImportError as missing:
    sys.exit(f"{missing}: install both beside the project, as this file's first lines say.")

from offers.planning import planner, search
from offers.planning.afternoon import Afternoon

HALF_HOUR = 1800
COPIES = 2  # vehicles of VROOM's for each start and length
PER_CAR = 5  # orders, at least, that make one more vehicle of each of OR-Tools' types worth having
SCALE = 1000  # OR-Tools' costs are integers: thousandths of a cent keep a metre's share

Routes = list[list[int]]


def by_vroom(afternoon: Afternoon, *, seconds: float) -> Routes:
    """Shipments from their stores to their doors."""
    stores = {name: n for n, name in enumerate(dict.fromkeys(order.store for order in afternoon.orders))}
    first = len(afternoon.orders) + 1
    at = [place if place < first else 0 for place in range(first + len(stores))]
    problem = Input()
    problem.set_durations_matrix("car", np.array(afternoon.seconds, dtype=np.uint32)[np.ix_(at, at)])
    problem.set_distances_matrix("car", np.array(afternoon.metres, dtype=np.uint32)[np.ix_(at, at)])
    slots = [
        (length, start)
        for length in afternoon.lengths
        for start in range(0, afternoon.close - length.length_s + 1, HALF_HOUR)
        for _copy in range(COPIES)
    ]
    for number, (length, start) in enumerate(slots):
        problem.add_vehicle(
            Vehicle(
                number,
                start=0,
                end=0,
                capacity=[afternoon.litres, afternoon.grams],
                time_window=TimeWindow(start, start + length.length_s),
                costs=VehicleCosts(fixed=length.pay_cents, per_hour=0, per_km=int(afternoon.km_cents)),
            )
        )
    dwell = afternoon.dwell
    for i, order in enumerate(afternoon.orders, 1):
        pickup = ShipmentStep(
            i,
            location=first + stores[order.store],
            default_setup=dwell.store_s,
            default_service=dwell.load_parcel_s * order.parcels,
            time_windows=[TimeWindow(order.ready, afternoon.close)],
        )
        delivery = ShipmentStep(
            i,
            location=i,
            default_service=dwell.stop_s + dwell.stop_parcel_s * order.parcels,
            time_windows=[TimeWindow(order.early, order.due)],
        )
        problem.add_shipment(pickup, delivery, amount=Amount([order.litres, order.grams]))
    steps = problem.solve(exploration_level=5, nb_threads=1, timeout=timedelta(seconds=seconds)).routes
    routes: dict[int, list[int]] = {}
    for vehicle, kind, task in zip(steps["vehicle_id"], steps["type"], steps["id"], strict=True):
        if kind == "delivery":
            routes.setdefault(int(vehicle), []).append(int(task))
    return list(routes.values())


class OrTools:
    """One afternoon as a routing model."""

    def __init__(self, afternoon: Afternoon) -> None:
        self.afternoon = afternoon
        size = len(afternoon.orders)
        self.cars = [length for length in afternoon.lengths for _car in range(max(3, size // PER_CAR))]
        self.manager = pywrapcp.RoutingIndexManager(size + 1, len(self.cars), 0)
        self.model = pywrapcp.RoutingModel(self.manager)
        self._ways()
        self._loads()
        self._orders()

    def _ways(self) -> None:
        """The way's price, and the time from leaving for a place to leaving it, within the length of the block."""
        given, dwell = self.afternoon, self.afternoon.dwell
        stores = len({order.store for order in given.orders})
        loading = min(5, max(1, round(0.6 * stores))) * dwell.store_s
        cents = (np.array(given.metres) * (given.km_cents * SCALE / 1000)).astype(int)
        times = np.array(given.seconds, dtype=int)
        for i, order in enumerate(given.orders, 1):
            times[i] += dwell.stop_s + dwell.stop_parcel_s * order.parcels
            times[:, i] += dwell.load_parcel_s * order.parcels
        times[0, 1:] += loading
        times[0, 0] = 0
        self.model.SetArcCostEvaluatorOfAllVehicles(self.model.RegisterTransitMatrix(cents.tolist()))
        self.model.AddDimension(
            self.model.RegisterTransitMatrix(times.tolist()), given.close, given.close, False, "time"
        )
        self.time = self.model.GetDimensionOrDie("time")
        for number, length in enumerate(self.cars):
            self.model.SetFixedCostOfVehicle(length.pay_cents * SCALE, number)
            self.time.SetSpanUpperBoundForVehicle(length.length_s, number)

    def _loads(self) -> None:
        given = self.afternoon
        for name, sizes, room in (
            ("litres", [0, *(order.litres for order in given.orders)], given.litres),
            ("grams", [0, *(order.grams for order in given.orders)], given.grams),
        ):
            self.model.AddDimensionWithVehicleCapacity(
                self.model.RegisterUnaryTransitVector(sizes), 0, [room] * len(self.cars), True, name
            )

    def _orders(self) -> None:
        """Windows, the price of being late and of being left, and readiness."""
        given, solver = self.afternoon, self.model.solver()
        # Behind the number of a vehicle plus one; who is in none needs no start.
        starts = [solver.IntConst(given.close)]
        starts += [self.time.CumulVar(self.model.Start(number)) for number in range(len(self.cars))]
        for i, order in enumerate(given.orders, 1):
            index = self.manager.NodeToIndex(i)
            self.time.CumulVar(index).SetRange(order.early, order.due + given.late_max_s)
            late = max(1, round(given.late_cents_min * SCALE / 60))
            self.time.SetCumulVarSoftUpperBound(index, order.due, late)
            self.model.AddDisjunction([index], int(given.defer_cents * SCALE))
            car = (self.model.VehicleVar(index) + 1).Var()
            solver.Add(solver.Element(starts, car) >= order.ready)

    def solve(self, *, seconds: float) -> Routes:
        """What it finds in so many seconds; nothing when it finds nothing."""
        asked = pywrapcp.DefaultRoutingSearchParameters()
        asked.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
        asked.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
        asked.time_limit.FromMilliseconds(int(seconds * 1000))
        found = self.model.SolveWithParameters(asked)
        routes: Routes = [[] for _car in self.cars]
        for number, route in enumerate(routes if found else []):
            index = found.Value(self.model.NextVar(self.model.Start(number)))
            while not self.model.IsEnd(index):
                route.append(self.manager.IndexToNode(index))
                index = found.Value(self.model.NextVar(index))
        return [route for route in routes if route]


def by_ortools(afternoon: Afternoon, *, seconds: float) -> Routes:
    """One trip per vehicle, its start free."""
    return OrTools(afternoon).solve(seconds=seconds)


RIVALS: dict[str, Callable[..., Routes]] = {"VROOM": by_vroom, "OR-Tools": by_ortools}


def legal_pieces(world: search.World, routes: Routes) -> tuple[tuple[int, ...], ...]:
    """Each route as the fewest blocks in its own order that the exact rules allow."""
    pieces: list[tuple[int, ...]] = []
    for route in routes:
        piece: tuple[int, ...] = ()
        for order in route:
            if world.block((*piece, order)):
                piece = (*piece, order)
            else:
                pieces.append(piece)
                piece = (order,) if world.singles[order] else ()
        pieces.append(piece)
    return tuple(piece for piece in pieces if piece)


def compare(folder: Path, *, seconds: float, seed: int) -> dict[str, dict[str, float]]:
    """Gaps in % to the best known cost, per case and planner, with what rivals left and how many routes were cut."""
    known = json.loads((folder / "best-known.json").read_text())
    print(f"compiled in {ours.warm()} s, before any clock; load {os.getloadavg()[0]:.1f}")
    print(f"{'case':28}{'ours':>8}" + "".join(f"{name:>10}{'left':>6}{'cut':>5}" for name in RIVALS))
    gaps: dict[str, dict[str, float]] = {}
    for name in sorted(known):
        afternoon = ours.read(folder / f"{name}.json")
        world, base = search.World(afternoon), known[name]["cents"]
        plan = planner.plan(afternoon, seconds=seconds, seed=seed)
        row = gaps[name] = {"ours": round(100 * (plan.cost_cents / base - 1), 1)}
        line = f"{name:28}{row['ours']:8.1f}"
        for rival, propose in RIVALS.items():
            routes = propose(afternoon, seconds=seconds)
            blocks = legal_pieces(world, routes)
            row[rival] = round(100 * (planner.total(world, blocks) / base - 1), 1)
            row[f"{rival} left"] = len(afternoon.orders) - sum(map(len, blocks))
            row[f"{rival} cut"] = sum(not world.block(tuple(route)) for route in routes)
            line += f"{row[rival]:10.1f}{row[f'{rival} left']:6}{row[f'{rival} cut']:5}"
        print(line, flush=True)
    means = {
        name: round(sum(row[name] for row in gaps.values()) / len(gaps), 1) for name in ("ours", *RIVALS)
    }
    print("mean: " + ", ".join(f"{name} {gap:+.1f} %" for name, gap in means.items()))
    return {**gaps, "mean": means}


def main() -> int:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=Path, default=os.environ.get("CASES"), help="directory of cases")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    if not given.cases:
        parser.error("give --cases DIRECTORY (or CASES in the environment)")
    print(json.dumps(compare(Path(given.cases), seconds=given.seconds, seed=given.seed)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
