"""The demo market as data: four malls, fictional shops, doors, people, couriers and goods.

Malls have their true positions. Shops, people and house numbers are invented; phone numbers lie in the range
555-0100 to 555-0199, which is kept for fiction, and e-mail addresses at example.com (RFC 2606).
"""

import csv
import math
from dataclasses import dataclass
from datetime import time
from functools import cache
from pathlib import Path

from retaildelivery.lib.geo import Point

FOLDER = Path(__file__).with_name("data")
DOORS_LIMIT = 5_000  # a file with more is not a list of doors someone would try


class DoorsUnreadable(ValueError):
    """A file of doors cannot be used; the message names the line and the column."""

    code = "doors_unreadable"


@dataclass(frozen=True, slots=True)
class DemoMarket:
    """`area_code` and `region` are those of the phone numbers and addresses made up in it."""

    code: str
    name: str
    time_zone: str
    area_code: str
    region: str


@dataclass(frozen=True, slots=True)
class DemoMall:
    """`hours` by weekday, Monday first: (opens, closes) in the mall's local time."""

    code: str
    market: str
    name: str
    address: str
    point: Point
    geofence_m: int
    desk_code: str
    desk_note: str
    hours: tuple[tuple[time, time], ...]


@dataclass(frozen=True, slots=True)
class DemoSeller:
    key: str
    name: str
    email: str
    kind: str


@dataclass(frozen=True, slots=True)
class DemoStore:
    """A shop of a seller in a mall. `kind` is the seller's and says which goods it sells."""

    mall: str
    market: str
    seller: str
    kind: str
    name: str
    unit: str
    phone: str
    prep_minutes: int
    opens: time
    closes: time
    pickup_note: str

    @property
    def key(self) -> str:
        return f"{self.mall}/{self.seller}"


@dataclass(frozen=True, slots=True)
class Door:
    """An address parcels go to. `note` is what a courier has to know to get in."""

    address1: str
    address2: str
    city: str
    region: str
    postal_code: str
    point: Point
    note: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    locale: str
    phone: str
    email: str


@dataclass(frozen=True, slots=True)
class Courier:
    """A driver of the demo. `temper` names a row of `retaildelivery.demo.city.TEMPERS`."""

    market: str
    key: str
    name: str
    temper: str
    kind: str
    make: str
    model: str
    year: int
    colour: str
    plate: str
    cost_cents_per_mile: str
    phone: str

    @property
    def email(self) -> str:
        return f"{self.key}@drivers.example.com"


@dataclass(frozen=True, slots=True)
class Goods:
    """Something a kind of shop sells, as one parcel: size class, litres, grams, range of price."""

    kind: str
    description: str
    size: str
    litres: int
    grams: int
    low_cents: int
    high_cents: int


def fictional_phone(area_code: str, last: str) -> str:
    """E.164; `last` is four digits from 0100 to 0199."""
    return f"+1{area_code}555{last}"


def _rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def markets() -> tuple[DemoMarket, ...]:
    return tuple(DemoMarket(**row) for row in _rows("markets.csv"))


def market(code: str) -> DemoMarket:
    """Raises KeyError when there is no such market in the demo."""
    return {market.code: market for market in markets()}[code]


@cache
def malls() -> tuple[DemoMall, ...]:
    found = []
    for row in _rows("malls.csv"):
        weekday = (time.fromisoformat(row["opens"]), time.fromisoformat(row["closes"]))
        sunday = (time.fromisoformat(row["sunday_opens"]), time.fromisoformat(row["sunday_closes"]))
        found.append(
            DemoMall(
                code=row["code"],
                market=row["market"],
                name=row["name"],
                address=row["address"],
                point=Point(float(row["lat"]), float(row["lng"])),
                geofence_m=int(row["geofence_m"]),
                desk_code=row["desk_code"],
                desk_note=row["desk_note"],
                hours=(weekday,) * 6 + (sunday,),
            )
        )
    return tuple(found)


def mall_of(market_code: str) -> DemoMall:
    """The one mall of a demo market. Raises KeyError when there is none."""
    return {mall.market: mall for mall in malls()}[market_code]


@cache
def sellers() -> tuple[DemoSeller, ...]:
    return tuple(DemoSeller(**row) for row in _rows("sellers.csv"))


@cache
def stores() -> tuple[DemoStore, ...]:
    kinds = {seller.key: seller.kind for seller in sellers()}
    places = {mall.code: market(mall.market) for mall in malls()}
    return tuple(
        DemoStore(
            mall=row["mall"],
            market=places[row["mall"]].code,
            seller=row["seller"],
            kind=kinds[row["seller"]],
            name=row["name"],
            unit=row["unit"],
            phone=fictional_phone(places[row["mall"]].area_code, row["phone_last"]),
            prep_minutes=int(row["prep_minutes"]),
            opens=time.fromisoformat(row["opens"]),
            closes=time.fromisoformat(row["closes"]),
            pickup_note=row["pickup_note"],
        )
        for row in _rows("stores.csv")
    )


def stores_in(market_code: str) -> tuple[DemoStore, ...]:
    return tuple(store for store in stores() if store.market == market_code)


@cache
def goods_of(kind: str) -> tuple[Goods, ...]:
    return tuple(
        Goods(
            kind=row["kind"],
            description=row["description"],
            size=row["size"],
            litres=int(row["litres"]),
            grams=int(row["grams"]),
            low_cents=int(row["low_cents"]),
            high_cents=int(row["high_cents"]),
        )
        for row in _rows("goods.csv")
        if row["kind"] == kind
    )


@cache
def people_in(market_code: str) -> tuple[Person, ...]:
    """Recipients: the same names everywhere, with phones of the market's area code."""
    area_code = market(market_code).area_code
    return tuple(
        Person(
            name=row["name"],
            locale=row["locale"],
            phone=fictional_phone(area_code, f"{100 + number:04d}"),
            email=f"recipient{number:02d}.{market_code}@example.com",
        )
        for number, row in enumerate(_rows("people.csv"))
    )


@cache
def couriers() -> tuple[Courier, ...]:
    found: list[Courier] = []
    for row in _rows("drivers.csv"):
        before = sum(courier.market == row["market"] for courier in found)
        found.append(
            Courier(
                market=row["market"],
                key=row["key"],
                name=row["name"],
                temper=row["temper"],
                kind=row["kind"],
                make=row["make"],
                model=row["model"],
                year=int(row["year"]),
                colour=row["colour"],
                plate=row["plate"],
                cost_cents_per_mile=row["cost_cents_per_mile"],
                phone=fictional_phone(market(row["market"]).area_code, f"{170 + before:04d}"),
            )
        )
    return tuple(found)


def couriers_in(market_code: str) -> tuple[Courier, ...]:
    return tuple(courier for courier in couriers() if courier.market == market_code)


@cache
def doors_in(market_code: str) -> tuple[Door, ...]:
    """Doors around the market's mall. Raises KeyError when there is no such market."""
    return read_doors(FOLDER / f"doors_{market(market_code).code}.csv")


def read_doors(path: Path) -> tuple[Door, ...]:
    """Doors from a CSV file with columns address1, city, region or state, postal_code or zip, lat, lng and,
    optionally, address2 and note; other columns are ignored.

    Raises DoorsUnreadable naming the line and column at fault, or when there is no door or too many.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            found = tuple(_door(row, line) for line, row in enumerate(csv.DictReader(file), start=2))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DoorsUnreadable(f"{path.name}: {error}") from error
    if not found:
        raise DoorsUnreadable(f"{path.name}: no door in it")
    if len(found) > DOORS_LIMIT:
        raise DoorsUnreadable(f"{path.name}: {len(found)} doors, at most {DOORS_LIMIT}")
    return found


def _door(row: dict[str, str], line: int) -> Door:
    def text(*names: str) -> str:
        for name in names:
            value = row.get(name)
            if isinstance(value, str) and value.strip():
                return value.strip()
        raise DoorsUnreadable(f"line {line}: no {' or '.join(names)}")

    def degrees(name: str) -> float:
        try:
            value = float(text(name))
        except ValueError as error:
            raise DoorsUnreadable(f"line {line}: {name} is not a number") from error
        if not math.isfinite(value):
            raise DoorsUnreadable(f"line {line}: {name} is not a number")
        return value

    try:
        point = Point(degrees("lat"), degrees("lng"))
    except DoorsUnreadable:
        raise
    except ValueError as error:
        raise DoorsUnreadable(f"line {line}: {error}") from error
    return Door(
        address1=text("address1"),
        address2=(row.get("address2") or "").strip(),
        city=text("city"),
        region=text("region", "state"),
        postal_code=text("postal_code", "zip"),
        point=point,
        note=(row.get("note") or "").strip(),
    )
