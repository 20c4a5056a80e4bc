"""Reading a case by its fields: every mistake is named with the field it is in and the mend."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from datetime import MAXYEAR, UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any
from unicodedata import category
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from offers.pricing.rates import METRES

MOST_MONEY = Decimal(10_000_000)
MOST_TIME = timedelta(days=3660)
MOST_METRES = Decimal(100_000_000)
MOST_ITEMS = 20_000
MOST_CHARACTERS = 4_000_000

_TIMES = {
    "hours": Decimal(3600),
    "minutes": Decimal(60),
    "seconds": Decimal(1),
}
_WAYS = {
    "miles": METRES["mi"],
    "km": METRES["km"],
    "kilometres": METRES["km"],
    "kilometers": METRES["km"],
    "metres": Decimal(1),
    "meters": Decimal(1),
}


# One way to write each: what else Python takes for a date ("20260131", "2026-W05-6", "10") is a slip of the pen.
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
CLOCK = re.compile(r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?")
_OFFSET = r"(Z|[+-][0-9]{2}:?[0-9]{2})"
_MOMENT = re.compile(rf"{_DAY.pattern}([T ]{CLOCK.pattern} ?{_OFFSET}?)?|{CLOCK.pattern}")
_CLOCK_AWAY = re.compile(rf"{CLOCK.pattern} ?{_OFFSET}")


# Control characters, which a terminal would obey, and halves of characters, which cannot be written.
_UNWRITABLE = {"Cc", "Cs"}


class CaseError(ValueError):
    """A case that cannot be priced: where, and what to write instead."""

    def __init__(self, where: str, mend: str) -> None:
        super().__init__(f"{where}: {mend}")
        self.where, self.mend = where, mend


def read_json(text: str) -> Any:
    """The document, with every number exact. Raises CaseError."""
    if len(text) > MOST_CHARACTERS:
        raise CaseError("case", f"at most {MOST_CHARACTERS} characters; split it into several cases.")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in pairs:
            if name in found:
                raise CaseError(name, "is written twice in one object; keep one.")
            found[name] = value
        return found

    def refuse(word: str) -> None:
        raise CaseError("case", f"{word} is no number of JSON; write a number.")

    try:
        return json.loads(
            text,
            parse_float=Decimal,
            parse_int=Decimal,
            parse_constant=refuse,
            object_pairs_hook=once,
        )
    except json.JSONDecodeError as error:
        raise CaseError(f"line {error.lineno}, column {error.colno}", f"not JSON: {error.msg}.") from error
    except RecursionError as error:
        raise CaseError("case", "nested too deeply; a case has five levels.") from error
    except InvalidOperation as error:
        raise CaseError("case", "a number is out of range; write it without an exponent.") from error


class Fields:
    """One object of a case. Each field is taken once; what is left at the end is unknown."""

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, Mapping):
            raise CaseError(where or "case", "write an object, {…}.")
        self.where = where
        self._left = dict(value)
        self._known: set[str] = set()

    def at(self, name: str) -> str:
        return f"{self.where}.{name}" if self.where else name

    def wrong(self, name: str, mend: str) -> CaseError:
        return CaseError(self.at(name), mend)

    def inner(self, name: str) -> Fields:
        """The object under this name; one without fields when there is none."""
        value = self.take(name)[1]
        return Fields({} if value is None else value, self.at(name))

    def dated(self, *names: str) -> bool:
        """Whether the moment under one of these names says its day."""
        given = [self._left.get(name) for name in names]
        return any(isinstance(value, str) and _DAY.match(value) for value in given)

    def has(self, *names: str) -> bool:
        self._known.update(names)
        return any(self._left.get(name) is not None for name in names)

    def take(self, *names: str) -> tuple[str, Any]:
        """The name under which a value is given, and the value; None when under none of them."""
        self._known.update(names)
        given = [name for name in names if self._left.get(name) is not None]
        if len(given) > 1:
            raise self.wrong(given[1], f"says the same as {given[0]}; keep one of them.")
        for name in names:
            if name not in given:
                self._left.pop(name, None)
        return (given[0], self._left.pop(given[0])) if given else (names[0], None)

    def done(self) -> None:
        """Raise CaseError for the first field nobody took."""
        for name in self._left:
            near = difflib.get_close_matches(name, sorted(self._known), n=1)
            mend = f"did you mean {near[0]}?" if near else f"known here: {', '.join(sorted(self._known))}."
            raise self.wrong(name, f"is not a field; {mend}")

    def number(
        self, *names: str, least: Decimal = Decimal(0), most: Decimal, places: int = 10
    ) -> Decimal | None:
        name, value = self.take(*names)
        return None if value is None else exact(value, self.at(name), least=least, most=most, places=places)

    def cents(self, *names: str) -> int | None:
        """An amount paid: whole cents."""
        name, value = self.take(*names)
        return None if value is None else whole_cents(value, self.at(name))

    def rate(self, *names: str) -> Decimal | None:
        """An amount per something, in cents; parts of a cent are allowed."""
        amount = self.number(*names, most=MOST_MONEY)
        return None if amount is None else amount * 100

    def percent(self, *names: str, most: int = 100) -> Decimal | None:
        return self.number(*names, most=Decimal(most))

    def count(self, *names: str) -> int | None:
        number = self.number(*names, most=Decimal(MOST_ITEMS), places=0)
        return None if number is None else int(number)

    def flag(self, *names: str) -> bool | None:
        name, value = self.take(*names)
        if value is not None and not isinstance(value, bool):
            raise self.wrong(name, "write true or false.")
        return value

    def text(self, *names: str) -> str | None:
        name, value = self.take(*names)
        if value is None:
            return None
        return plain_text(value, self.at(name))

    def texts(self, *names: str) -> frozenset[str]:
        """Several texts; one may stand without brackets."""
        return frozenset(plain_text(each, where) for where, each in self.items(*names))

    def choice(self, options: Iterable[str], *names: str) -> str | None:
        name, value = self.take(*names)
        if value is not None and value not in list(options):
            raise self.wrong(name, f"write one of {', '.join(options)}.")
        return None if value is None else str(value)

    def items(self, *names: str) -> list[tuple[str, Any]]:
        """The values of a list, each with where it stands; a single value is a list of one."""
        name, value = self.take(*names)
        if value is None:
            return []
        if not isinstance(value, list):
            return [(self.at(name), value)]
        if len(value) > MOST_ITEMS:
            raise self.wrong(name, f"at most {MOST_ITEMS} of them.")
        return [(f"{self.at(name)}[{number}]", each) for number, each in enumerate(value)]

    def duration(self, *stems: str) -> timedelta | None:
        """`scheduled_hours`, `scheduled_minutes` or `scheduled_seconds`; the stem "" is for plain `hours`."""
        units = {f"{stem}_{unit}" if stem else unit: size for stem in stems for unit, size in _TIMES.items()}
        name, value = self.take(*units)
        if value is None:
            return None
        most = Decimal(MOST_TIME // timedelta(seconds=1)) / units[name]
        number = exact(value, self.at(name), least=Decimal(0), most=most, places=8)
        return timedelta(microseconds=int((number * units[name] * 1_000_000).to_integral_value()))

    def metres(self, *, stem: str = "") -> Decimal | None:
        """`miles`, `km` or `metres`."""
        units = {f"{stem}_{unit}" if stem else unit: size for unit, size in _WAYS.items()}
        name, value = self.take(*units)
        if value is None:
            return None
        most = MOST_METRES / units[name]
        return exact(value, self.at(name), least=Decimal(0), most=most, places=8) * units[name]

    def day(self, *names: str) -> date | None:
        name, value = self.take(*names)
        return None if value is None else a_day(value, self.at(name))

    def moment(
        self, *names: str, zone: tzinfo, day: date | None, after: datetime | None = None
    ) -> datetime | None:
        name, value = self.take(*names)
        return None if value is None else moment(value, self.at(name), zone=zone, day=day, after=after)


def exact(value: Any, where: str, *, least: Decimal, most: Decimal, places: int) -> Decimal:
    """A number, or one written as a text. Raises CaseError."""
    mend = "write a number such as 12.5, without signs of currency or thousands."
    if isinstance(value, bool) or not isinstance(value, Decimal | str):
        raise CaseError(where, mend)
    if isinstance(value, str) and (len(value) > 40 or not value.isascii() or "_" in value):
        raise CaseError(where, mend)
    try:
        number = Decimal(value)
    except InvalidOperation as error:
        raise CaseError(where, mend) from error
    if not number.is_finite():
        raise CaseError(where, mend)
    if not least <= number <= most:
        raise CaseError(where, f"write a number from {least:f} to {most.normalize():f}.")
    exponent = number.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > places:
        raise CaseError(where, f"write at most {places} decimals." if places else "write a whole number.")
    return number


def plain_text(value: Any, where: str) -> str:
    """A text, or a number written as one. Raises CaseError."""
    if isinstance(value, Decimal):
        value = str(value)
    if not isinstance(value, str) or not value.strip() or len(value) > 200:
        raise CaseError(where, "write a text of 1 to 200 characters.")
    if any(category(letter) in _UNWRITABLE for letter in value):
        raise CaseError(where, "write a text without line breaks and control characters.")
    return value.strip()


def whole_cents(value: Any, where: str) -> int:
    return int(exact(value, where, least=Decimal(0), most=MOST_MONEY, places=2) * 100)


def a_day(value: Any, where: str) -> date:
    """`2026-01-31`. Raises CaseError."""
    try:
        if not isinstance(value, str) or not _DAY.fullmatch(value):
            raise ValueError(value)
        return date.fromisoformat(value)
    except ValueError as error:
        raise CaseError(where, "write a date such as 2026-01-31.") from error


def moment(value: Any, where: str, *, zone: tzinfo, day: date | None, after: datetime | None) -> datetime:
    """`2026-01-31T23:10`, with or without an offset, or `23:10` on the day at hand (the next one, when it would
    be before `after`). In UTC, so that differences are true in the night the clocks change."""
    mend = "write a time such as 2026-01-31T23:10 or 23:10."
    if not isinstance(value, str):
        raise CaseError(where, mend)
    if _CLOCK_AWAY.fullmatch(value):
        raise CaseError(where, "write the date before a time with an offset, 2026-01-31T23:10-08:00.")
    if not _MOMENT.fullmatch(value):
        raise CaseError(where, mend)
    try:
        found = _moment(value, zone=zone, day=day, after=after)
    except (ValueError, OverflowError) as error:
        raise CaseError(where, mend) from error
    # Other zones and the next day are reckoned from it, which the calendar must still have.
    if not 1 < found.year < MAXYEAR:
        raise CaseError(where, f"write a year from 2 to {MAXYEAR - 1}.")
    return found


def _moment(value: str, *, zone: tzinfo, day: date | None, after: datetime | None) -> datetime:
    if _DAY.match(value):
        found = datetime.fromisoformat(value)
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    clock = time.fromisoformat(value)
    base = after.astimezone(zone).date() if after else day or date(2000, 1, 1)
    found = datetime.combine(base, clock, tzinfo=zone).astimezone(UTC)
    if after and found < after:
        found = datetime.combine(base + timedelta(days=1), clock, tzinfo=zone).astimezone(UTC)
    return found


def time_zone(name: str | None) -> tzinfo:
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise CaseError("time_zone", "write a zone such as America/Los_Angeles.") from error
