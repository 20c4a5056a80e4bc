"""Blocks published ahead of their orders: by operations, or by the forecast where a mall has switched that on."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from drivers.models import Vehicle
from offers import drafting, facts, forecast, limits, offering
from offers.forecast import Recommendation
from offers.models import AutoSchedule, Publication, ScheduledDay
from retaildelivery.accounts.models import User
from retaildelivery.lib.refusals import Refused
from retaildelivery.lib.windows import Window
from retaildelivery.outbox import recording, sweeping
from stores.models import Mall

DAY = dt.timedelta(days=1)


class TooNear(Refused):
    code = "too_near_to_publish"
    sentence = _("A block without orders is published at least %(minutes)s minutes before its start.")


class TooFar(Refused):
    code = "too_far_to_publish"
    sentence = _("Blocks are published at most %(days)s days ahead.")


class BadLength(Refused):
    code = "bad_block_length"
    sentence = _("Blocks are sold in lengths of %(hours)s hours.")


class BadCount(Refused):
    code = "bad_block_count"
    sentence = _("Publish between 1 and %(most)s blocks of one start at a time.")


class AlreadyPublished(Refused):
    code = "already_published"
    sentence = _("That was published meanwhile by %(who)s: %(count)s. Look at the day again.")


@transaction.atomic(durable=True)
def publish(
    *,
    mall: Mall,
    window: Window,
    count: int,
    key: str,
    by: User,
    recommendation: Recommendation | None,
    at: dt.datetime,
) -> Publication:
    """Publish so many blocks of this start and length. `key` says what was answered on the page that was looked at:
    of two who answer the same only one publishes.

    Raises TooNear, TooFar, BadLength, BadCount, AlreadyPublished, terms.NoPayPolicy.
    """
    refuse_unless_sold(window, count, at=at)
    made = _publish(
        mall=mall, window=window, count=count, key=key, by=by, recommendation=recommendation, at=at
    )
    if made is None:
        earlier = Publication.objects.select_related("published_by").get(key=key)
        raise AlreadyPublished(who=earlier.published_by or _("the forecast"), count=earlier.count)
    return made


def refuse_unless_sold(window: Window, count: int, *, at: dt.datetime) -> None:
    if window.start - at < limits.PUBLISH_LEAST:
        raise TooNear(field="start", minutes=limits.PUBLISH_LEAST // dt.timedelta(minutes=1))
    if window.start - at > limits.PUBLISH_AHEAD:
        raise TooFar(field="start", days=limits.PUBLISH_AHEAD.days)
    if window.duration not in limits.BLOCK_LENGTHS:
        hours = ", ".join(f"{length / dt.timedelta(hours=1):g}" for length in limits.BLOCK_LENGTHS)
        raise BadLength(field="hours", hours=hours)
    if not 1 <= count <= limits.PUBLISH_BLOCKS:
        raise BadCount(field="count", most=limits.PUBLISH_BLOCKS)


def _publish(
    *,
    mall: Mall,
    window: Window,
    count: int,
    key: str,
    by: User | None,
    recommendation: Recommendation | None,
    at: dt.datetime,
) -> Publication | None:
    """Inner verb. None when that key was published before."""
    publication, new = Publication.objects.get_or_create(
        key=key,
        defaults={
            "mall": mall,
            "starts_at": window.start,
            "length": window.duration,
            "count": count,
            "recommended": recommendation.count if recommendation else None,
            "method": recommendation.expected.method if recommendation else Publication.Method.NONE,
            "reckoning": recommendation.reckoning() if recommendation else {},
            "automatic": by is None,
            "published_by": by,
            "published_at": at,
        },
    )
    if not new:
        return None
    for _number in range(count):
        block = drafting.draft_empty(
            mall=mall, window=window, publication=publication, vehicle_kind=Vehicle.Kind.SEDAN, at=at
        )
        offering.publish(block=block, at=at)
    recording.record(facts.blocks_scheduled(publication, at=at))
    return publication


def key_of(mall: Mall, window: Window, *, publications: int) -> str:
    """What a page answers: this start and length, after so many publications of it."""
    minutes = window.duration // dt.timedelta(minutes=1)
    return f"{mall.code}:{window.start.isoformat()}:{minutes}:{publications}"


def due_day(auto: AutoSchedule, *, at: dt.datetime) -> dt.date | None:
    """The local day that publishes itself now, if its hour has come."""
    local = at.astimezone(auto.mall.zone)
    return local.date() + auto.days_ahead * DAY if auto.on and local.hour >= auto.hour else None


def sweep(*, at: dt.datetime) -> int:
    """Publish each mall's day that is due and was not yet; returns how many blocks."""
    rows = AutoSchedule.objects.filter(on=True, mall__active=True).select_related("mall__market")

    def publish_due(auto: AutoSchedule) -> int:
        day = due_day(auto, at=at)
        if day is None or ScheduledDay.objects.filter(mall=auto.mall, day=day).exists():
            return 0
        return run(mall=auto.mall, day=day, at=at)

    return sweeping.each(rows.order_by("mall__code"), publish_due, of="schedules", at=at)


@transaction.atomic(durable=True)
def run(*, mall: Mall, day: dt.date, at: dt.datetime) -> int:
    """Publish what is recommended for a mall's day, once, however often this is called: the row of the day lets one
    through, and everybody else waits for it to commit and then finds it done."""
    done, new = ScheduledDay.objects.get_or_create(mall=mall, day=day, defaults={"at": at})
    if not new:
        return 0
    for each in forecast.recommendations(mall, day, at=at):
        count = min(each.count, limits.PUBLISH_BLOCKS)
        near = each.window.start - at < limits.PUBLISH_LEAST
        if count and not near:
            made = _publish(
                mall=mall,
                window=each.window,
                count=count,
                key=key_of(mall, each.window, publications=each.publications),
                by=None,
                recommendation=each,
                at=at,
            )
            done.blocks += made.count if made else 0
    done.save(update_fields=["blocks"])
    return done.blocks


@transaction.atomic(durable=True)
def switch(*, mall: Mall, on: bool, days_ahead: int, hour: int, by: User, at: dt.datetime) -> AutoSchedule:
    """Have a mall publish what is recommended by itself, or no more."""
    auto, _new = AutoSchedule.objects.update_or_create(
        mall=mall,
        defaults={"on": on, "days_ahead": days_ahead, "hour": hour, "changed_by": by, "changed_at": at},
    )
    recording.record(facts.schedule_switched(auto, at=at))
    return auto
