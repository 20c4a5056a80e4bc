"""May this driver have this block? Pure rules over a frozen snapshot, and the loader of that snapshot.

Each rule is a named refusal with a sentence. `check` stops at the first; `why` lists them all. The rules are
those of design section 5: approved, papers valid to the block's end, the car fits, one place at a time, at
most 10 h a day and 40 h a week in the market's own time, 8 h of rest, not refused by the mall, standing.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Q
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from deliveries.models import Stop
from drivers import costing
from drivers.models import Document, Driver, Vehicle
from offers import limits
from offers.models import Block, Claim, Offer
from retaildelivery.lib.refusals import Refused
from retaildelivery.lib.windows import Window, day_window, local_days, monday_of, per_day, per_week
from retaildelivery.prepared import call_of


class Ineligible(Refused):
    """Base of all reasons why a driver may not claim a block."""


class NotApproved(Ineligible):
    code = "not_approved"
    sentence = _("Your account is not approved for work.")


class OtherMarket(Ineligible):
    code = "other_market"
    sentence = _("This block is in a market you do not drive in.")


class DocumentMissing(Ineligible):
    code = "document_missing"
    sentence = _("A paper is missing or not yet checked: %(document)s.")


class DocumentExpired(Ineligible):
    code = "document_expired"
    sentence = _("A paper expires before the block ends: %(document)s, valid until %(day)s.")


class VehicleMissing(Ineligible):
    code = "vehicle_missing"
    sentence = _("You have no car on file.")


class VehicleClass(Ineligible):
    code = "vehicle_class"
    sentence = _("This block needs at least this kind of car: %(least)s. Yours: %(car)s.")


class VehicleTooSmall(Ineligible):
    code = "vehicle_too_small"
    sentence = _("The load does not fit: %(litres)s litres and %(kilograms)s kg; your car takes %(car)s.")


class WindowOverlaps(Ineligible):
    code = "window_overlaps"
    sentence = _("You already have a block at that time.")


class DayHoursExceeded(Ineligible):
    code = "day_hours_exceeded"
    sentence = _("With this block you would work %(hours)s h on %(day)s; %(limit)s h are allowed.")


class WeekHoursExceeded(Ineligible):
    code = "week_hours_exceeded"
    sentence = _(
        "With this block you would work %(hours)s h in the week of %(day)s; %(limit)s h are allowed."
    )


class RestTooShort(Ineligible):
    code = "rest_too_short"
    sentence = _("Between two days of work you need %(limit)s h of rest; it would be %(hours)s h.")


class NightTooLong(Ineligible):
    code = "night_too_long"
    sentence = _(
        "Blocks of one night count together: it would be %(hours)s h without a rest; %(limit)s h are allowed."
    )


class BlockedByMall(Ineligible):
    code = "blocked_by_mall"
    sentence = _("This mall does not accept you as a driver. Operations can tell you why.")


class BlockedByStore(Ineligible):
    code = "blocked_by_store"
    sentence = _("%(store)s does not accept you as a driver. Operations can tell you why.")


class StandingTooLow(Ineligible):
    code = "standing_too_low"
    sentence = _("Your standing is %(points)s; below %(floor)s no new blocks until points decay.")


@dataclass(frozen=True, slots=True)
class Paper:
    """A current document. `expires_on` is the last day it is valid."""

    kind: str
    verified: bool
    expires_on: dt.date


@dataclass(frozen=True, slots=True, order=True)
class Car:
    pk: int
    litres: int
    grams: int
    kind: str = Vehicle.Kind.VAN


@dataclass(frozen=True, slots=True)
class Held:
    """A window the driver holds (live) or has worked."""

    window: Window
    live: bool
    block: str


@dataclass(frozen=True, slots=True)
class Applicant:
    """A driver as the rules see them, at one moment."""

    status: str
    market: str
    papers: tuple[Paper, ...]
    car: Car | None
    held: tuple[Held, ...]
    points: int
    refused_by: frozenset[int]
    refused_at: tuple[
        tuple[str, str], ...
    ] = ()  # code of a block, and the store on it that refuses the driver


@dataclass(frozen=True, slots=True)
class Work:
    """A block as the rules see it."""

    block: str
    market: str
    zone: dt.tzinfo
    mall_id: int
    window: Window
    litres: int
    grams: int
    car: str = Vehicle.Kind.SEDAN  # the least kind


_TENTH = dt.timedelta(minutes=6)
CLASSES = tuple(Vehicle.CAPACITY)  # from the smallest car to the largest

Rule = Callable[[Applicant, Work], Iterator[Ineligible]]
Rows = dict[str, list[tuple[Any, ...]]]


def is_approved(applicant: Applicant, work: Work) -> Iterator[Ineligible]:
    if applicant.status != Driver.Status.APPROVED:
        yield NotApproved()
    if applicant.market != work.market:
        yield OtherMarket()


def has_papers(applicant: Applicant, work: Work) -> Iterator[Ineligible]:
    """Every required paper is verified and valid on the local day on which the block ends."""
    papers = {paper.kind: paper for paper in applicant.papers}
    last_day = local_days(work.window, work.zone)[-1][0]
    for kind in Document.REQUIRED:
        paper = papers.get(kind)
        if paper is None or not paper.verified:
            yield DocumentMissing(reason=str(kind), document=str(Document.Kind(kind).label))
        elif paper.expires_on < last_day:
            yield DocumentExpired(
                reason=str(kind),
                document=str(Document.Kind(kind).label),
                day=date_format(paper.expires_on),
            )


def has_room(applicant: Applicant, work: Work) -> Iterator[Ineligible]:
    car = applicant.car
    if car is None:
        yield VehicleMissing()
    elif car.litres < work.litres or car.grams < work.grams:
        yield VehicleTooSmall(
            litres=work.litres,
            kilograms=-(-work.grams // 1000),
            car=_("%(litres)s litres and %(kilograms)s kg")
            % {"litres": car.litres, "kilograms": car.grams // 1000},
        )
    elif CLASSES.index(car.kind) < CLASSES.index(work.car):
        yield VehicleClass(
            reason=work.car, least=Vehicle.Kind(work.car).label, car=Vehicle.Kind(car.kind).label
        )


def is_free(applicant: Applicant, work: Work) -> Iterator[Ineligible]:
    for held in applicant.held:
        if held.live and held.window.overlaps(work.window):
            yield WindowOverlaps(reason=held.block)
            return


def has_hours(applicant: Applicant, work: Work) -> Iterator[Ineligible]:
    """Hours per local day and per local week (from Monday), a window over midnight split between its days."""
    windows = [*(held.window for held in applicant.held), work.window]
    days, weeks = per_day(windows, work.zone), per_week(windows, work.zone)
    touched = [day for day, _time in local_days(work.window, work.zone)]
    for day in touched:
        if days[day] > limits.DAY_HOURS:
            yield DayHoursExceeded(
                hours=hours(days[day], over=True), day=date_format(day), limit=hours(limits.DAY_HOURS)
            )
            break
    for monday in dict.fromkeys(monday_of(day) for day in touched):
        if weeks[monday] > limits.WEEK_HOURS:
            yield WeekHoursExceeded(
                hours=hours(weeks[monday], over=True), day=date_format(monday), limit=hours(limits.WEEK_HOURS)
            )
            break


def has_rest(applicant: Applicant, work: Work) -> Iterator[Ineligible]:
    """Shifts that begin on different local days lie at least `limits.REST` apart.

    Blocks no more than `limits.SHIFT_BREAK` apart are one shift, so a second block of the same night is no new
    day; but a shift over midnight has no more work in it than a day may have.
    """
    mine, *others = shifts(work.window, [held.window for held in applicant.held])
    day = mine.start.astimezone(work.zone).date()
    gaps = [
        mine.window.gap_to(other.window)
        for other in others
        if other.start.astimezone(work.zone).date() != day
    ]
    if gaps and min(gaps) < limits.REST:
        yield RestTooShort(hours=hours(min(gaps)), limit=hours(limits.REST))
    over_midnight = (mine.end - dt.timedelta(microseconds=1)).astimezone(work.zone).date() != day
    if over_midnight and mine.worked > limits.DAY_HOURS:
        yield NightTooLong(hours=hours(mine.worked, over=True), limit=hours(limits.DAY_HOURS))


@dataclass(frozen=True, slots=True)
class Shift:
    """Blocks with no real break between them."""

    start: dt.datetime
    end: dt.datetime
    worked: dt.timedelta

    @property
    def window(self) -> Window:
        return Window(self.start, self.end)


def shifts(one: Window, others: Sequence[Window]) -> list[Shift]:
    """The shift that this window belongs to, then all the others."""
    found: list[Shift] = []
    mine = 0
    for window in sorted([*others, one], key=lambda each: (each.start, each.end)):
        last = found[-1] if found else None
        if last is not None and window.start - last.end <= limits.SHIFT_BREAK:
            found[-1] = Shift(last.start, max(last.end, window.end), last.worked + window.duration)
        else:
            found.append(Shift(window.start, window.end, window.duration))
        if window is one:
            mine = len(found) - 1
    return [found[mine], *found[:mine], *found[mine + 1 :]]


def is_welcome(applicant: Applicant, work: Work) -> Iterator[Ineligible]:
    if work.mall_id in applicant.refused_by:
        yield BlockedByMall()
    for block, store in applicant.refused_at:
        if block == work.block:
            yield BlockedByStore(store=store)


def stands_well(applicant: Applicant, work: Work) -> Iterator[Ineligible]:
    if applicant.points < limits.STANDING_FLOOR:
        yield StandingTooLow(points=applicant.points, floor=limits.STANDING_FLOOR)


RULES: tuple[Rule, ...] = (
    is_approved,
    has_papers,
    has_room,
    is_free,
    has_hours,
    has_rest,
    is_welcome,
    stands_well,
)


def hours(time: dt.timedelta, *, over: bool = False) -> str:
    """A duration in hours for people, to a tenth: 10, 9.5. Rounded down, or up for what is over a limit, so that
    nobody is refused 10 hours where 10 are allowed."""
    tenths = -(-time // _TENTH) if over else time // _TENTH
    return f"{tenths / 10:.1f}".removesuffix(".0")


def objections(applicant: Applicant, work: Work) -> list[Ineligible]:
    """All refusals, in the order of the rules; an empty list means eligible."""
    return [refusal for rule in RULES for refusal in rule(applicant, work)]


def check(applicant: Applicant, work: Work) -> None:
    """Raises the first refusal of `RULES`, if there is one."""
    for rule in RULES:
        for refusal in rule(applicant, work):
            raise refusal


def work_of(block: Block) -> Work:
    """Takes a block with its mall and market read along."""
    return Work(
        block=block.code,
        market=block.mall.market.code,
        zone=block.mall.zone,
        mall_id=block.mall_id,
        window=Window(block.starts_at, block.ends_at),
        litres=block.litres,
        grams=block.grams,
        car=block.vehicle_kind,
    )


# All that the rules ask of a driver, in one statement: a claim asks it while it holds the driver's lock.
_SNAPSHOT = """
SELECT 'paper', kind, 0::bigint, 0::bigint, 0::bigint, verified_at IS NOT NULL AND rejected_at IS NULL, expires_on,
       NULL::timestamptz, NULL::timestamptz
FROM drivers_document WHERE driver_id = %(driver)s AND replaced_at IS NULL
UNION ALL
SELECT 'car', kind, id, litres, grams, true, NULL, NULL, NULL
FROM drivers_vehicle WHERE driver_id = %(driver)s AND retired_at IS NULL
UNION ALL
SELECT 'held', b.code, 0, 0, 0, c.ended_at IS NULL, NULL, lower(c."window"), coalesce(c.ended_at, upper(c."window"))
FROM offers_claim c JOIN offers_block b ON b.id = c.block_id
WHERE c.driver_id = %(driver)s AND c."window" && tstzrange(%(since)s, %(until)s)
  AND (c.ended_at IS NULL OR c.ending IN ('completed', 'aborted'))
UNION ALL
SELECT 'points', '', coalesce(sum(points), 0), 0, 0, true, NULL, NULL, NULL
FROM drivers_standingevent
WHERE driver_id = %(driver)s AND decays_at > %(at)s AND disputed_at IS NULL AND set_aside_at IS NULL
UNION ALL
SELECT 'mall', '', mall_id, 0, 0, true, NULL, NULL, NULL
FROM offers_mallblockade WHERE driver_id = %(driver)s AND lifted_at IS NULL
UNION ALL
SELECT 'store', '', store_id, 0, 0, true, NULL, NULL, NULL
FROM offers_storeblockade WHERE driver_id = %(driver)s AND ended_at IS NULL AND granted_at IS NOT NULL
"""


# The driver's costs, to be read beside the snapshot: `costing.read` takes the text of the row "costs".
WITH_COSTS = f"""
UNION ALL
SELECT 'costs', {costing.AS_TEXT}, 0, 0, 0, true, NULL, NULL, NULL
"""


def load(driver: Driver, *, around: Window, zone: dt.tzinfo, at: dt.datetime) -> Applicant:
    """The driver as at `at`, with all windows that may matter to a block inside `around`. One query, and two more
    for a driver whom some store refuses."""
    return applicant(driver, read(driver.pk, reach(around, zone), at=at), around=around)


def reach(around: Window, zone: dt.tzinfo) -> Window:
    """In which time claims matter to a block inside `around`: whole weeks, and a day before for the rest."""
    first, last = around.start.astimezone(zone).date(), around.end.astimezone(zone).date()
    return Window(
        day_window(monday_of(first) - dt.timedelta(days=1), zone).start,
        day_window(monday_of(last) + dt.timedelta(days=7), zone).end,
    )


def read(driver_id: int, held_in: Window, *, at: dt.datetime, beside: str = "", **given: Any) -> Rows:
    """What the rules ask of a driver, and what else is read `beside` it in the same statement, by what it is."""
    rows: Rows = defaultdict(list)
    known: dict[str, Any] = {"driver": driver_id, "since": held_in.start, "until": held_in.end, "at": at}
    with connection.cursor() as cursor:
        cursor.execute(call_of(_SNAPSHOT + beside), known | given)
        for what, *row in cursor.fetchall():
            rows[what].append(tuple(row))
    return rows


def applicant(driver: Driver, rows: Rows, *, around: Window) -> Applicant:
    """The driver of these rows. Two queries more for one whom some store refuses."""
    cars = sorted(Car(pk, litres, grams, kind) for kind, pk, litres, grams, *_rest in rows["car"])
    return Applicant(
        status=driver.status,
        market=driver.market_code,
        papers=tuple(Paper(row[0], row[4], row[5]) for row in rows["paper"]),
        car=cars[0] if cars else None,
        # Work that took shorter or longer than scheduled counts as long as it took.
        held=tuple(
            Held(Window(start, end), live, block)
            for block, _a, _b, _c, live, _on, start, end in rows["held"]
            if end > start
        ),
        points=int(rows["points"][0][1]),
        refused_by=frozenset(row[1] for row in rows["mall"]),
        refused_at=_blocks_at([row[1] for row in rows["store"]], around),
    )


def _blocks_at(stores: Sequence[int], around: Window) -> tuple[tuple[str, str], ...]:
    """Blocks of that time which collect at one of these stores, each with the store's name."""
    if not stores:
        return ()
    at_stores = Stop.objects.filter(kind=Stop.Kind.PICKUP, store__in=stores)
    blocks = dict(
        Block.objects.filter(
            window__overlap=(around.start, around.end), manifest__in=at_stores.values("manifest")
        ).values_list("manifest_id", "code")
    )
    touched = at_stores.filter(manifest__in=blocks).order_by("store__name", "pk")
    return tuple((blocks[m], name) for m, name in touched.values_list("manifest_id", "store__name"))


def held_windows(driver: Driver, since: dt.datetime, until: dt.datetime) -> Iterator[Held]:
    """What the driver holds or has worked between these moments. One query."""
    claims = Claim.objects.filter(
        counting(driver, since, until),
    ).values_list("window", "ended_at", "block__code")
    for window, ended_at, block in claims:
        yield from held_as(window.lower, window.upper, ended_at, block)


def counting(driver: Driver, since: dt.datetime, until: dt.datetime) -> Q:
    """Claims whose time counts: live ones, and those that were worked."""
    worked = Q(ending__in=[Claim.Ending.COMPLETED, Claim.Ending.ABORTED])
    return (Q(ended_at=None) | worked) & Q(driver=driver, window__overlap=(since, until))


def held_as(start: dt.datetime, end: dt.datetime, ended_at: dt.datetime | None, block: str) -> Iterator[Held]:
    """Work that took shorter or longer than scheduled counts as long as it took."""
    until = end if ended_at is None else ended_at
    if until > start:
        yield Held(Window(start, until), ended_at is None, block)


def why(driver: Driver, offer: Offer, at: dt.datetime) -> list[Ineligible]:
    """Every reason why this driver may not claim this offer's block; an empty list means they may."""
    work = work_of(offer.block)
    return objections(load(driver, around=work.window, zone=work.zone, at=at), work)
