"""Which cars a plan may ask for: those that drivers of the market have, less those that are spoken for."""

from __future__ import annotations

from collections import Counter

from django.db.models import Count

from drivers.models import Driver, Vehicle
from offers.models import Block, Claim
from offers.planning.afternoon import CarClass
from offers.planning.rules import KINDS, Rules
from retaildelivery.lib.windows import Window
from stores.models import Market


def cars(market: Market, rules: Rules, window: Window) -> tuple[CarClass, ...]:
    """The kinds of car from the smallest on, each with how many blocks of this window may ask for it.

    The smallest may be asked for without a limit: every car will do. Of a larger kind there are as many as approved
    drivers have and no other block of the time has or asks for. A market without any driver is planned for every car.
    """
    smallest = KINDS[0]
    owned = _owned(market)
    free = _free(market, owned, window)
    sizes = []
    for kind in KINDS:
        count = None if kind == smallest or not owned else free[kind]
        if kind != smallest and owned and not owned[kind]:
            continue
        most = rules.car_blocks.get(kind)
        if most is not None:
            count = most if count is None else min(count, most)
        litres, grams = Vehicle.CAPACITY[kind]
        sizes.append(CarClass(str(kind), litres, grams, rules.car_cents.get(kind, 0), count))
    return tuple(sizes)


def _owned(market: Market) -> Counter[str]:
    approved = Vehicle.objects.in_use().filter(  # type: ignore[attr-defined]
        driver__status=Driver.Status.APPROVED, driver__market_code=market.code
    )
    return Counter(dict(approved.values_list("kind").annotate(Count("pk")).order_by("kind")))


def _free(market: Market, owned: Counter[str], window: Window) -> Counter[str]:
    """The cars that no block of this time has, or will need when it is claimed: the smallest that will do."""
    free = Counter(owned)
    if not owned:
        return free
    span = (window.start, window.end)
    held = Claim.objects.live().filter(block__mall__market=market, window__overlap=span)  # type: ignore[attr-defined]
    free.subtract(Counter(held.values_list("vehicle__kind", flat=True)))
    asked = Block.objects.offered().filter(mall__market=market, window__overlap=span)  # type: ignore[attr-defined]
    for kind in sorted(asked.exclude(vehicle_kind=KINDS[0]).values_list("vehicle_kind", flat=True)):
        larger = KINDS[KINDS.index(kind) :]
        free[next((each for each in larger if free[each] > 0), kind)] -= 1
    return Counter({kind: max(0, count) for kind, count in free.items()})
