"""A plan in the caller's words: codes, moments, lines of cost, reasons."""

from collections.abc import Sequence

from offers.planning import cost, reasons
from offers.planning.afternoon import Afternoon, Plan
from offers.planning.numbered import Route


def written(
    afternoon: Afternoon,
    tab: cost.Tables,
    routes: Sequence[Route],
    *,
    engine_used: str,
    rounds: int,
    notes: tuple[str, ...],
) -> Plan:
    """The plan of these routes, blocks by start."""
    price = cost.Pricing(afternoon, tab)
    planned = []
    for route in routes:
        costed = price(route.seq, route.car if route.opened < 0 else None, route.opened)
        assert costed is not None, "What is planned is legal."
        planned.append(cost.schedule(afternoon, tab, route.seq, costed, route.opened))
    taken = {i for route in routes for i in route.seq}
    waiting = [i for i in range(1, len(afternoon.orders) + 1) if i not in taken]
    left = reasons.left_overs(afternoon, waiting, [route.seq for route in routes], routes)
    return Plan(
        blocks=tuple(sorted(planned, key=lambda block: (block.start, block.orders, block.opened))),
        left=left,
        cost_cents=sum(block.cost_cents for block in planned)
        + sum(afternoon.wait_of(afternoon.orders[i - 1]) for i in waiting),
        engine=engine_used,
        rounds=rounds,
        notes=notes,
    )
