"""What the planner is given and what it gives back: plain frozen values, nothing of Django.

All moments are whole seconds from an epoch which the caller chooses (the local midnight of the day serves
well) and keeps: the edge turns datetimes into seconds before planning and back afterwards. Durations are
seconds, distances metres, money integer cents. In the matrices row and column 0 are the mall and i is
`orders[i - 1]`.
"""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise

from retaildelivery.lib.geo import Point


def _(text: str) -> str:
    """Marks a sentence for the catalogue; the page that shows it translates it."""
    return text


class LeftReason(StrEnum):
    """Why an order is in no block of the plan."""

    TOO_BIG = "too_big_for_any_car"
    TOO_HEAVY = "too_heavy_for_any_car"
    TOO_LATE = "too_late_to_deliver"
    NOT_READY = "not_ready_in_time"
    TOO_FAR = "too_far_for_any_block"
    CLOSES_FIRST = "mall_closes_first"
    OPENS_LATER = "promise_opens_later"
    CHEAPER_TO_WAIT = "cheaper_to_wait"
    STORE_SHUTS = "store_shuts_first"
    NO_CAR_LEFT = "no_car_left"
    BLOCK_CHANGED = "block_changed"


# One sentence per reason, with the numbers of `LeftOver.params` in it.
LEFT_SENTENCES: dict[LeftReason, str] = {
    LeftReason.TOO_BIG: _("It takes %(litres)s litres; the largest car there is holds %(limit)s."),
    LeftReason.TOO_HEAVY: _("It weighs %(grams)s g; the largest car there is carries %(limit)s g."),
    LeftReason.TOO_LATE: _("A car leaving now would arrive %(minutes)s minutes after the promise."),
    LeftReason.NOT_READY: _(
        "It will be ready so late that it would arrive %(minutes)s minutes after the promise."
    ),
    LeftReason.TOO_FAR: _("The way there and back does not fit into the longest block."),
    LeftReason.CLOSES_FIRST: _("The driver would be back %(minutes)s minutes after the mall closes."),
    LeftReason.OPENS_LATER: _("Its promise opens so late that a later block should take it."),
    LeftReason.CHEAPER_TO_WAIT: _("Taking it now would cost %(cents)s cents more; waiting costs %(wait)s."),
    LeftReason.STORE_SHUTS: _("Its store shuts %(minutes)s minutes before a car could have loaded it."),
    LeftReason.NO_CAR_LEFT: _("All cars that could take it are spoken for by other orders."),
    LeftReason.BLOCK_CHANGED: _(
        "The block it was to join changed in that moment; the next plan looks at it again."
    ),
}


@dataclass(frozen=True, slots=True)
class BlockLength:
    """A length in which blocks are sold, and the pay for all of it."""

    length_s: int
    pay_cents: int


@dataclass(frozen=True, slots=True)
class Dwell:
    """Seconds that hands take. `same_door_s` stands for `stop_s` when the car already is at the door."""

    store_s: int = 240
    load_parcel_s: int = 20
    stop_s: int = 120
    stop_parcel_s: int = 45
    same_door_s: int = 30


@dataclass(frozen=True, slots=True)
class WaitingOrder:
    """One order on the mall's floor. Delivery begins at `early` or later; after `due` it is late."""

    code: str
    point: Point
    store: str
    ready: int
    early: int
    due: int
    litres: int
    grams: int
    parcels: int
    # What leaving it costs, when not the afternoon's price for all; whether it may be left at all where a block
    # can hold it; its kind, of which `Afternoon.apart` says what may not ride with what.
    wait_cents: int | None = field(default=None, compare=False)
    may_wait: bool = field(default=True, compare=False)
    kind: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class CarClass:
    """Cars of one size: what one holds, what it adds to the pay of a block, and how many blocks may ask for it
    (None: as many as wanted)."""

    code: str
    litres: int
    grams: int
    extra_cents: int = 0
    count: int | None = None


@dataclass(frozen=True, slots=True)
class OpenBlock:
    """A block that is offered or claimed already, with room: its pay is spent, so only way and lateness count.

    `orders` are codes of the afternoon's orders that are in it; they stay, in this sequence, and others may be
    put between them, as far as no promise on it gets later for that: each is kept, or as late as it was.
    `litres` and `grams` are all that its car holds. Its window is fixed: whatever is put into it is ready by
    its start, or `ready_by`, and all is done by its end. `reloads` are after how many of its orders it comes back to
    load again; what is put into a later trip is ready when that is loaded.
    """

    code: str
    start: int
    length_s: int
    orders: tuple[str, ...]
    litres: int
    grams: int
    car: str = ""
    ready_by: int | None = None
    reloads: tuple[int, ...] = ()

    @property
    def trips(self) -> tuple[tuple[str, ...], ...]:
        """Its orders, those of each trip by themselves."""
        cuts = (0, *self.reloads, len(self.orders))
        return tuple(self.orders[a:b] for a, b in pairwise(cuts))

    @property
    def packed_by(self) -> int:
        """The latest moment by which an order is packed that may be put into its first trip."""
        return self.start if self.ready_by is None else max(self.start, self.ready_by)


@dataclass(frozen=True, slots=True)
class Afternoon:
    """Everything a plan depends on.

    A block starts at `now`, to which the caller has added the time a driver needs to claim it and to come, or
    when the last of its orders is ready, whichever is later, or up to `start_slack_s` after that; its driver
    is back at the mall by `close`. `late_cents_min` is paid for each late minute up to `late_max_s` an order,
    `km_cents` for each kilometre, `defer_cents` for each order left.
    `max_orders` and `max_metres` bound one block, where a law does.

    `cars` replace `litres` and `grams` where there is more than one size. `max_trips` above 1 lets a block come
    back to the mall and load again. `apart` are pairs of kinds which may not share a car (a kind with itself:
    one of it at most). `one_visit` keeps orders for one door in one visit where that is possible, at any price
    short of leaving one. `shuts` are moments by which a car must have loaded at a store.

    Raises ValueError for lengths, codes or matrices that do not fit together.
    """

    mall: Point
    now: int
    close: int
    orders: tuple[WaitingOrder, ...]
    lengths: tuple[BlockLength, ...]
    seconds: tuple[tuple[int, ...], ...] = field(repr=False)
    metres: tuple[tuple[int, ...], ...] = field(repr=False)
    litres: int
    grams: int
    dwell: Dwell = Dwell()
    km_cents: int = 40
    late_cents_min: int = 50
    late_max_s: int = 3600
    defer_cents: int = 3000
    max_orders: int | None = None
    max_metres: int | None = None
    start_slack_s: int = 10_800
    notes: tuple[str, ...] = ()
    cars: tuple[CarClass, ...] = ()
    open_blocks: tuple[OpenBlock, ...] = ()
    max_trips: int = 1
    apart: tuple[tuple[str, str], ...] = ()
    one_visit: bool = False
    shuts: tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        size = len(self.orders) + 1
        for matrix in (self.seconds, self.metres):
            if len(matrix) != size or any(len(row) != size for row in matrix):
                raise ValueError(f"a travel matrix is not {size} by {size}")
            if any(min(row) < 0 for row in matrix):
                raise ValueError("a travel matrix has a negative entry")
        if not self.lengths or any(length.length_s <= 0 for length in self.lengths):
            raise ValueError("an afternoon needs lengths of block above zero")
        steps = list(zip(self.lengths, self.lengths[1:], strict=False))
        if any(b.length_s <= a.length_s or b.pay_cents < a.pay_cents for a, b in steps):
            raise ValueError("lengths of block go from short to long, and the longer never pays less")
        twice = [code for code, times in Counter(order.code for order in self.orders).items() if times > 1]
        if twice:
            raise ValueError(f"order {twice[0]} is there twice")
        known = {order.code for order in self.orders}
        kept = Counter(code for block in self.open_blocks for code in block.orders)
        if any(times > 1 for times in kept.values()) or kept.keys() - known:
            raise ValueError("an open block has an order twice, or one that is not in the afternoon")

    @property
    def plain(self) -> bool:
        """Whether one price of waiting and one size of car are all there is to know."""
        return (
            not (self.cars or self.open_blocks or self.apart or self.one_visit or self.shuts)
            and self.max_trips == 1
            and all(order.may_wait and order.wait_cents is None for order in self.orders)
        )

    @property
    def sizes(self) -> tuple[CarClass, ...]:
        """The sizes of car there are, the cheapest first."""
        return tuple(sorted(self.cars, key=lambda car: car.extra_cents)) or (
            CarClass("", self.litres, self.grams),
        )

    def wait_of(self, order: WaitingOrder) -> int:
        """What leaving this order costs."""
        return self.defer_cents if order.wait_cents is None else order.wait_cents


@dataclass(frozen=True, slots=True)
class PlannedStop:
    """One door: `arrive` the car is there, `serve` the promise lets it begin, `leave` all is handed over."""

    orders: tuple[str, ...]
    point: Point
    arrive: int
    serve: int
    leave: int
    late_s: int


@dataclass(frozen=True, slots=True)
class CostLine:
    """A part of what a block costs: `pay`, `travel` or `lateness`."""

    kind: str
    cents: int


@dataclass(frozen=True, slots=True)
class Reload:
    """A return to the mall inside a block, after so many of its orders: `arrive`, load from `begin`, `depart`."""

    after: int
    arrive: int
    begin: int
    stores: tuple[str, ...]
    depart: int


@dataclass(frozen=True, slots=True)
class PlannedTrip:
    """Loading from `begin` at these stores, then these doors."""

    begin: int
    stores: tuple[str, ...]
    depart: int
    stops: tuple[PlannedStop, ...]

    @property
    def orders(self) -> tuple[str, ...]:
        return tuple(code for stop in self.stops for code in stop.orders)


@dataclass(frozen=True, slots=True)
class PlannedBlock:
    """Work for one car: load at the stores from `start`, leave at `depart`, be back at `finish`.

    `stores` are in the order in which the first stop needs them, of the first trip where there are `reloads`.
    `late_s` sums over the orders. `car` is the size of car, `opened` the code of the open block this one is;
    loading of such a block may begin a little after its window does, when the last of its orders is packed.
    """

    start: int
    length_s: int
    stores: tuple[str, ...]
    depart: int
    stops: tuple[PlannedStop, ...]
    finish: int
    metres: int
    litres: int
    grams: int
    parcels: int
    late_s: int
    lines: tuple[CostLine, ...]
    car: str = ""
    opened: str = ""
    reloads: tuple[Reload, ...] = ()

    @property
    def cost_cents(self) -> int:
        """The sum of the lines."""
        return sum(line.cents for line in self.lines)

    @property
    def orders(self) -> tuple[str, ...]:
        """Codes in the order of delivery."""
        return tuple(code for stop in self.stops for code in stop.orders)

    @property
    def trips(self) -> tuple[PlannedTrip, ...]:
        """The block between one loading and the next."""
        loads = (Reload(0, self.start, self.start, self.stores, self.depart), *self.reloads)
        ends = (*(load.after for load in self.reloads), len(self.orders))
        found, place, done = [], 0, 0
        for load, end in zip(loads, ends, strict=True):
            first = place
            while done < end:
                done += len(self.stops[place].orders)
                place += 1
            found.append(PlannedTrip(load.begin, load.stores, load.depart, self.stops[first:place]))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class LeftOver:
    """An order in no block, and why: `LEFT_SENTENCES[reason] % dict(params)` says it to a person."""

    order: str
    reason: LeftReason
    params: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """Blocks by start, what is left by code, and the cost of both together.

    `engine` names what the first proposal came from ("pyvrp" or "greedy"); `notes` are codes of things a
    reader should know, such as an engine that was stopped.
    """

    blocks: tuple[PlannedBlock, ...]
    left: tuple[LeftOver, ...]
    cost_cents: int
    engine: str
    rounds: int
    notes: tuple[str, ...] = ()
