"""Standing by: a driver is ready at a mall for some hours, and is asked first when somebody drops out.

The order is published: who has claimed fewer blocks of late comes first, then who stands better, then who joined
earlier. The reserves of a block's draw come before all of them. Nobody is asked twice about one block.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Count, Q, Sum
from django.utils.translation import gettext_lazy as _

from drivers.models import Driver, StandingEvent
from offers import drawrules, eligibility, facts, limits, locks, offering
from offers.models import Block, Claim, Decline, Offer, StandBy
from retaildelivery.accounts.models import User
from retaildelivery.lib.refusals import Refused
from retaildelivery.lib.windows import Window
from retaildelivery.outbox import recording
from retaildelivery.outbox.recording import Actor
from stores.models import Mall


class StandByRefused(Refused):
    """Base of what can be said against standing by."""

    code = "stand_by_refused"


class StandByNotApproved(StandByRefused):
    code = "stand_by_not_approved"
    sentence = _("Only approved drivers of this market can stand by.")


class StandByHours(StandByRefused):
    code = "stand_by_hours"
    sentence = _("Give hours that are still to come, end after they begin, and are %(most)s h at most.")


class StandByTooFar(StandByRefused):
    code = "stand_by_too_far"
    sentence = _("You can stand by up to %(days)s days ahead.")


class AlreadyStandingBy(StandByRefused):
    code = "already_standing_by"
    sentence = _("You stand by at this mall on that day already. Leave first to change the hours.")


@transaction.atomic(durable=True)
def join(*, mall: Mall, driver_id: int, start: dt.datetime, end: dt.datetime, at: dt.datetime) -> StandBy:
    """Stand by at the mall between these moments; a repeat with the same hours returns the same record.

    Takes a mall with its market. Raises StandByNotApproved, StandByHours, StandByTooFar, AlreadyStandingBy.
    """
    driver = locks.driver(driver_id)
    if driver.status != Driver.Status.APPROVED or driver.market_code != mall.market.code:
        raise StandByNotApproved
    if end <= max(start, at) or end - start > limits.DAY_HOURS:
        raise StandByHours(field="end", most=eligibility.hours(limits.DAY_HOURS))
    if start - at > limits.STAND_BY_AHEAD:
        raise StandByTooFar(field="start", days=limits.STAND_BY_AHEAD.days)
    day = start.astimezone(mall.zone).date()
    before = StandBy.objects.live().filter(driver=driver, mall=mall, on=day).first()  # type: ignore[attr-defined]
    if before is not None:
        if (before.window.lower, before.window.upper) != (start, end):
            raise AlreadyStandingBy
        return before  # type: ignore[no-any-return]
    made = StandBy.objects.create(
        driver=driver, mall=mall, on=day, window=DateTimeTZRange(start, end, "[)"), joined_at=at
    )
    recording.record(facts.stand_by_changed("stand_by.joined", made, at=at))
    return made


@transaction.atomic(durable=True)
def leave(*, code: str, driver_id: int, at: dt.datetime) -> StandBy:
    """No longer stand by; a repeat changes nothing. Raises StandBy.DoesNotExist."""
    driver = locks.driver(driver_id)
    return _leave(StandBy.objects.select_related("mall").get(code=code, driver=driver), driver, at=at)


@transaction.atomic(durable=True)
def end(*, code: str, by: User, at: dt.datetime) -> StandBy:
    """Operations end a stand-by; the driver is told. A repeat changes nothing. Raises StandBy.DoesNotExist."""
    found = StandBy.objects.select_related("mall").get(code=code)
    driver = locks.driver(found.driver_id)
    found.refresh_from_db(fields=["left_at"])
    return _leave(found, driver, at=at, actor=facts.by_operations(by))


def _leave(found: StandBy, driver: Driver, *, at: dt.datetime, actor: Actor | None = None) -> StandBy:
    if found.left_at is None:
        found.left_at, found.driver = at, driver
        found.save(update_fields=["left_at"])
        recording.record(facts.stand_by_changed("stand_by.left", found, at=at, actor=actor))
    return found


def ranked(block: Block, *, at: dt.datetime, but_not: Collection[int] = ()) -> list[StandBy]:
    """Who stands by for the whole of the block and was not asked about it yet, in the published order."""
    told = Offer.objects.filter(block=block, reserved_for__isnull=False).values("reserved_for")
    rows = (
        StandBy.objects.live()  # type: ignore[attr-defined]
        .filter(mall=block.mall_id, window__contains=block.window)
        .exclude(driver__in=told)
        .exclude(driver__in=Decline.objects.filter(block=block).values("driver"))
        .exclude(driver__in=list(but_not))
        .select_related("driver__user")
        .order_by("joined_at", "pk")[: limits.STAND_BYS_WEIGHED]
    )
    waiting = list(rows)
    drivers = [row.driver_id for row in waiting]
    taken_back = Q(ending=Claim.Ending.WITHDRAWN)
    won = Claim.objects.filter(driver__in=drivers, claimed_at__gt=at - limits.RECENT_WINS).exclude(taken_back)
    wins = dict(won.values_list("driver").annotate(Count("pk")))
    counting = StandingEvent.objects.counting(at)  # type: ignore[attr-defined]
    events = counting.filter(driver__in=drivers, at__lte=at)
    points = dict(events.values_list("driver").annotate(Sum("points")))
    return sorted(
        waiting,
        key=lambda row: (wins.get(row.driver_id, 0), -points.get(row.driver_id, 0), row.joined_at, row.pk),
    )


def promote(*, block: Block, at: dt.datetime, but_not: Collection[int] = ()) -> Offer | None:
    """Reserve an offered block without an open offer for the first who stands by and may have it, for a few
    minutes. None when there is nobody, or no time to ask. Inner verb; the block is locked."""
    assert connection.in_atomic_block, "An inner verb."
    until = drawrules.hold_until(hold=limits.STAND_BY_HOLD, start=block.starts_at, at=at)
    if until is None:
        return None
    around, work = Window(block.starts_at, block.ends_at), eligibility.work_of(block)
    for row in ranked(block, at=at, but_not=but_not)[: limits.RESERVES_ASKED]:
        applicant = eligibility.load(row.driver, around=around, zone=block.mall.zone, at=at)
        if not eligibility.objections(applicant, work):
            offer = offering.reserve(block=block, driver=row.driver, until=until, at=at)
            recording.record(facts.stand_by_asked(row, block, offer, at=at))
            return offer
    return None
