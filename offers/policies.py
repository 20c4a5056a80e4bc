"""A change of pay: what a new row lowers, what it would have made of the last 30 days, and who is told.

A row that lowers anything begins at least `limits.PAY_NOTICE` ahead; raising may begin at once. What was claimed keeps
the row it was priced with.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection
from django.utils.translation import gettext_lazy as _

from deliveries.models import Stop
from offers import facts, limits, pricing, terms, worked
from offers.models import Block, Claim, PayPolicy
from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox import recording
from retaildelivery.outbox.recording import Actor

# What drivers get less of when the number falls, and when it rises.
FALLING = (
    "weekday_cents",
    "evening_cents",
    "weekend_cents",
    "holiday_cents",
    "short_notice_cents",
    "cap_cents",
    "step_cents",
    "return_cents",
    "extra_trip_cents",
    "extra_mile_cents",
    "tolls_refunded",
)
RISING = ("step_minutes", "wait_free_minutes")
EARNED = (Claim.Ending.COMPLETED, Claim.Ending.ABORTED)


class NoticeTooShort(Refused):
    code = "notice_too_short"
    sentence = _(
        "This row lowers %(what)s, so drivers have %(days)d days' notice: choose %(day)s or later, or lower nothing."
    )


@dataclass(slots=True)
class Effect:
    """Blocks of one kind, or of one driver, as they were priced and as they would be."""

    blocks: int = 0
    was_cents: int = 0
    would_cents: int = 0

    @property
    def change_cents(self) -> int:
        return self.would_cents - self.was_cents

    def add(self, was: int, would: int) -> None:
        self.blocks += 1
        self.was_cents += was
        self.would_cents += would


@dataclass(frozen=True, slots=True)
class Preview:
    """A change on the blocks of the last 30 days: in all, by kind of shift and by driver."""

    total: Effect
    kinds: dict[str, Effect]
    drivers: dict[int, Effect]


def before(row: PayPolicy) -> PayPolicy | None:
    """The row of the market that holds on the day before this one begins, or held last."""
    rows = PayPolicy.objects.filter(market=row.market_id, valid_from__lt=row.valid_from).exclude(pk=row.pk)
    found: PayPolicy | None = rows.order_by("-valid_from").first()
    return found


def lowered(row: PayPolicy, old: PayPolicy) -> list[str]:
    """The names of what drivers would get less of."""
    less = [name for name in FALLING if getattr(row, name) < getattr(old, name)]
    return less + [name for name in RISING if getattr(row, name) > getattr(old, name)]


def named(fields: Iterable[str]) -> list[str]:
    """The fields as the admin calls them."""
    names = {field.name: str(field.verbose_name) for field in PayPolicy._meta.fields}
    return [names[each] for each in fields]


def refuse_short_notice(row: PayPolicy, *, at: dt.datetime) -> None:
    """Raises NoticeTooShort."""
    old = before(row)
    less = lowered(row, old) if old is not None else []
    earliest = at.astimezone(row.market.zone).date() + limits.PAY_NOTICE
    if less and row.valid_from < earliest:
        names = ", ".join(named(less))
        raise NoticeTooShort(what=names, days=limits.PAY_NOTICE.days, day=earliest.isoformat())


def preview(row: PayPolicy, *, at: dt.datetime, drivers: Sequence[int] | None = None) -> Preview:
    """Price the market's settled blocks of the last 30 days again under this row. Steps of the ladder stay as they
    were climbed, up to the row's cap; tips, tolls and floors are the same under both. Two queries."""
    since = at - limits.PREVIEW_BACK
    claims = Claim.objects.filter(
        block__mall__market=row.market_id,
        block__settled_at__gte=since,
        block__settled_at__lte=at,
        ending__in=EARNED,
    ).select_related("block__policy", "block__mall__market", "block__manifest")
    if drivers is not None:
        claims = claims.filter(driver__in=drivers)
    found = list(claims.order_by("-block__settled_at")[: limits.PREVIEW_BLOCKS])
    stops = worked.stops_of(claim.block for claim in found)
    made = Preview(Effect(), {}, {})
    for claim in found:
        work = _work(claim, stops.get(claim.block.manifest_id or 0, []))
        was = _paid(claim.block, claim.block.policy, claim.hourly_cents, work)
        would = _paid(claim.block, row, claim.hourly_cents, work)
        kind = str(claim.block.shift_kind)
        for effect in (
            made.total,
            made.kinds.setdefault(kind, Effect()),
            made.drivers.setdefault(claim.driver_id, Effect()),
        ):
            effect.add(was, would)
    return made


def _work(claim: Claim, stops: Sequence[Stop]) -> pricing.Work:
    block = claim.block
    if claim.ending == Claim.Ending.ABORTED:
        over_at = block.manifest.aborted_at if block.manifest else None
        return worked.aborted(block, stops, over_at=over_at)
    assert block.completed_at is not None, "A completed block has its time."
    return worked.completed(block, stops, at=block.completed_at)


def _paid(block: Block, policy: PayPolicy, hourly_cents: int, work: pricing.Work) -> int:
    """What the work pays under a policy, at the steps that were climbed."""
    base, hourly = block.base_hourly_cents, hourly_cents
    if policy.pk != block.policy_id:
        step = hourly_cents - block.base_hourly_cents
        base = terms.base_cents(policy, pricing.ShiftKind(block.shift_kind))
        hourly = max(base, min(base + step, policy.cap_cents))
    agreed = pricing.Terms(
        rule=policy.code,
        base_cents_h=base,
        step_cents_h=hourly - base,
        free_wait=dt.timedelta(minutes=policy.wait_free_minutes),
        return_cents=policy.return_cents,
    )
    return pricing.price(agreed, work).total_cents


def announce(row: PayPolicy, *, actor: Actor, at: dt.datetime) -> None:
    """Inner verb: record a row that was added or changed; its market's drivers are told by the reaction."""
    assert connection.in_atomic_block, "It is recorded with the row."
    recording.record(facts.pay_policy_announced(row, at=at, actor=actor))
