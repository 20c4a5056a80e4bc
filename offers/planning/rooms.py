"""A block that is there already, and an afternoon of some orders only. Plain Python."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from offers.planning.afternoon import Afternoon, OpenBlock


@dataclass(frozen=True, slots=True)
class Room:
    """A block that may take more: work from `start` to `end`, `orders` on it already in the order of visit, and what
    its car, trip by trip, and its market allow. `ready_by` is the latest an order may be packed to join its first
    trip; `reloads` are after how many of its orders it is loaded again."""

    code: str
    start: int
    end: int
    ready_by: int
    litres: int
    grams: int
    orders: tuple[str, ...]
    max_orders: int | None = None
    car: str = ""
    reloads: tuple[int, ...] = ()

    @property
    def opened(self) -> OpenBlock:
        """The block as the planner takes it."""
        return OpenBlock(
            code=self.code,
            start=self.start,
            length_s=self.end - self.start,
            orders=self.orders,
            litres=self.litres,
            grams=self.grams,
            car=self.car,
            ready_by=self.ready_by,
            reloads=self.reloads,
        )

    @property
    def trips(self) -> tuple[tuple[str, ...], ...]:
        """Its orders, those of each trip by themselves."""
        return self.opened.trips


def only(afternoon: Afternoon, codes: Sequence[str]) -> Afternoon:
    """The afternoon with these orders alone, in this order, and without open blocks."""
    numbers = {order.code: number for number, order in enumerate(afternoon.orders, 1)}
    keep = [0, *(numbers[code] for code in codes)]
    return replace(
        afternoon,
        orders=tuple(afternoon.orders[number - 1] for number in keep[1:]),
        seconds=tuple(tuple(afternoon.seconds[a][b] for b in keep) for a in keep),
        metres=tuple(tuple(afternoon.metres[a][b] for b in keep) for a in keep),
        open_blocks=(),
    )
