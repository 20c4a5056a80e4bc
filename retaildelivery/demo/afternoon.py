"""The orders of one afternoon at one mall, repeatable: the same arguments give the same orders."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from retaildelivery.demo import data
from retaildelivery.demo.data import DemoStore, Door, Goods, Person
from retaildelivery.lib.windows import Window

OPENS = timedelta(hours=11)  # local time of the first order
CLOSES = timedelta(hours=19)  # and after which none is posted
# How orders come in: a small wave at lunch, a large one when offices close, and a trickle all day.
# (share, middle in minutes after OPENS, spread in minutes)
WAVES = ((0.3, 100, 40), (0.5, 330, 55))

PROMISES = (("two_hours", 0.30), ("four_hours", 0.35), ("evening", 0.20), ("today", 0.15))
TWO_HOURS = timedelta(hours=2)
FOUR_HOURS = timedelta(hours=4)
EVENING = (time(17), time(21))
# What is promised later than this on the day is promised for the next hours instead.
EVENING_LEAST = timedelta(minutes=90)

SIGNED_FROM_CENTS = 60_000  # shops ask for a signature from here
INSURED_CENTS = 500_000  # what is worth more is declared at this
PIN_FROM_CENTS = 30_000  # and for a PIN from here
HOUSEMATES = 0.02  # orders to the door of the one before
WISHERS = 0.25  # customers with a word for the driver
EXTRA_PHOTOS = 0.2  # shops that want a photo of what is put into a hand, too
TAKEN_BACK = 0.7  # unattended orders that are to come back rather than be left
MORE_PARCELS = (1, 1, 1, 1, 1, 2, 2, 3)
SHOP_WEIGHT = {"jewelry": 0.4, "wine": 0.6, "home": 0.8, "clothing": 1.4, "electronics": 1.3}
TIPS = (0, 0, 0, 200, 300, 400, 500, 500, 800, 1_200)
WISHES = (
    "Please ring twice.",
    "The baby sleeps: knock, do not ring.",
    "Leave it with the neighbour on the left if I am out.",
    "It is a present, please do not say what is inside.",
    "Call when you are at the gate.",
    "Por favor, toque el timbre y espere.",
)


@dataclass(frozen=True, slots=True)
class ParcelIdea:
    description: str
    size: str
    litres: int
    grams: int


@dataclass(frozen=True, slots=True)
class OrderIdea:
    """An order somebody could post. `posted_after` counts from the opening of the afternoon, `ready_after`
    from the posting. Money in cents."""

    number: int
    store: DemoStore
    door: Door
    recipient: Person
    parcels: tuple[ParcelIdea, ...]
    posted_after: timedelta
    ready_after: timedelta
    promise: str
    requires_photo: bool
    requires_signature: bool
    requires_pin: bool
    minimum_age: int | None
    undeliverable: str
    value_cents: int
    tip_cents: int
    instructions: str


def afternoon(
    market_code: str, *, seed: int, day: date, n: int, doors: Sequence[Door] | None = None
) -> tuple[OrderIdea, ...]:
    """`n` orders of one day at the market's mall, by time of posting. Doors are visited at random but evenly:
    none twice before each was visited once, so that about one order in fifty shares a door.

    Raises KeyError for an unknown market, ValueError for a negative n.
    """
    if n < 0:
        raise ValueError("an afternoon has no negative number of orders")
    dice = random.Random(f"{market_code}:{seed}:{day.isoformat()}")
    stores = data.stores_in(data.market(market_code).code)
    people = data.people_in(market_code)
    households = _dealt(dice, tuple(data.doors_in(market_code) if doors is None else doors), n)
    moments = sorted(_moment(dice) for _ in range(n))
    weights = [SHOP_WEIGHT.get(store.kind, 1.0) for store in stores]
    return tuple(
        _order(dice, number, moment, dice.choices(stores, weights)[0], door, dice.choice(people))
        for number, (moment, door) in enumerate(zip(moments, households, strict=True), start=1)
    )


def promised(promise: str, *, ready_at: datetime, zone: tzinfo) -> Window:
    """The window told to the recipient of an order that is ready at `ready_at`.

    An evening or a day that is nearly over becomes the next four hours.
    """
    if promise == "two_hours":
        return Window(ready_at, ready_at + TWO_HOURS)
    local = ready_at.astimezone(zone)
    ends = datetime.combine(local.date(), EVENING[1], tzinfo=zone)
    if promise in {"evening", "today"} and ends - ready_at >= EVENING_LEAST:
        starts = datetime.combine(local.date(), EVENING[0], tzinfo=zone)
        return Window(max(ready_at, starts) if promise == "evening" else ready_at, ends)
    return Window(ready_at, ready_at + FOUR_HOURS)


def _moment(dice: random.Random) -> timedelta:
    """When an order comes in, after OPENS, to the second."""
    length = (CLOSES - OPENS).total_seconds()
    pick = dice.random()
    for share, middle, spread in WAVES:
        if pick < share:
            seconds = dice.gauss(middle * 60, spread * 60)
            return timedelta(seconds=round(min(max(seconds, 0), length - 1)))
        pick -= share
    return timedelta(seconds=dice.randrange(int(length)))


def _dealt(dice: random.Random, doors: tuple[Door, ...], n: int) -> list[Door]:
    """n doors as cards are dealt: the pack is shuffled again whenever it is empty; now and then the last door
    again, as when two people of one house order on one day. Raises ValueError without doors."""
    if not doors:
        raise ValueError("an afternoon needs doors")
    dealt: list[Door] = []
    pack: list[Door] = []
    while len(dealt) < n:
        if dealt and dice.random() < HOUSEMATES:
            dealt.append(dealt[-1])
            continue
        if not pack:
            pack = list(doors)
            dice.shuffle(pack)
        dealt.append(pack.pop())
    return dealt


def _order(
    dice: random.Random, number: int, moment: timedelta, store: DemoStore, door: Door, recipient: Person
) -> OrderIdea:
    goods = _basket(dice, store)
    value = min(sum(_price(dice, item) for item in goods), INSURED_CENTS)
    asks_age = store.kind == "wine"
    asks_signature = value >= SIGNED_FROM_CENTS
    asks_pin = not asks_age and not asks_signature and value >= PIN_FROM_CENTS
    in_hand = asks_age or asks_signature or asks_pin
    said = [door.note] if door.note else []
    if dice.random() < WISHERS:
        said.append(dice.choice(WISHES))
    return OrderIdea(
        number=number,
        store=store,
        door=door,
        recipient=recipient,
        parcels=tuple(ParcelIdea(item.description, item.size, item.litres, item.grams) for item in goods),
        posted_after=moment,
        ready_after=timedelta(minutes=max(0, round(dice.gauss(store.prep_minutes, 4)))),
        promise=dice.choices([name for name, _ in PROMISES], [share for _, share in PROMISES])[0],
        requires_photo=not in_hand or dice.random() < EXTRA_PHOTOS,
        requires_signature=asks_signature,
        requires_pin=asks_pin,
        minimum_age=21 if asks_age else None,
        undeliverable="return" if in_hand or dice.random() < TAKEN_BACK else "leave",
        value_cents=value,
        tip_cents=dice.choice(TIPS),
        instructions=" ".join(said),
    )


def _basket(dice: random.Random, store: DemoStore) -> list[Goods]:
    """One to three pieces, of which at most one is large: nobody buys three televisions at once."""
    choices = data.goods_of(store.kind)
    handy = [item for item in choices if item.size in {"small", "medium"}]
    basket = [dice.choice(choices)]
    basket += dice.choices(handy, k=dice.choice(MORE_PARCELS) - 1)
    return basket


def _price(dice: random.Random, item: Goods) -> int:
    """In whole dollars less a cent, as shops do."""
    return dice.randint(item.low_cents // 100, item.high_cents // 100) * 100 - 1
