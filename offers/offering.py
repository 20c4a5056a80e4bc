"""A block on offer: opened, opened again at a price that never fell, or given up. Inner verbs; the block is
locked."""

from __future__ import annotations

import datetime as dt
import secrets

from django.db import connection

from deliveries import manifests
from drivers.models import Driver
from offers import drawrules, facts, freshness, limits, lottery, moves, pricing, terms
from offers.models import Block, Draw, Offer
from retaildelivery.outbox import recording


def publish(*, block: Block, at: dt.datetime) -> Offer:
    """Offer a drafted block for the first time, at its own rate."""
    moves.move_block(block, Block.Status.OFFERED, at=at, published_at=at)
    return first_offer(block=block, at=at)


def first_offer(*, block: Block, at: dt.datetime) -> Offer:
    """Open a block that was just published to all."""
    offer = open_at_price(block=block, hourly_cents=block.hourly_cents, at=at)
    recording.record(facts.block_published(block, offer, at=at))
    return offer


def open_at_price(*, block: Block, hourly_cents: int, at: dt.datetime) -> Offer:
    """A new open offer of an offered block at this rate, with a ladder of its own from here on: a draw, or first
    come when the start is too near for one."""
    steps = terms.ladder(block, hourly_cents=hourly_cents, at=at)
    return open_on_ladder(block=block, steps=steps, mode=None, at=at)


def open_on_ladder(
    *, block: Block, steps: tuple[pricing.Step, ...], mode: Offer.Mode | None, at: dt.datetime
) -> Offer:
    """A new open offer at the rate of the first step; `mode` None lets the rules decide between draw and first
    come. A draw is open for entries as long as the rules say, a first-come price until the next step or the
    block's start."""
    rules = drawrules.of(block, at=at)
    if mode is None:
        mode = mode_of(rules, left=block.starts_at - at)
    if mode == Offer.Mode.FIRST_COME:
        closes_at = steps[1].at if len(steps) > 1 else block.starts_at
        return _open(block=block, steps=steps, mode=mode, closes_at=closes_at, at=at)
    offer = _open(block=block, steps=steps, mode=mode, closes_at=at + rules.entries, at=at)
    seed = secrets.token_hex(32)
    Draw.objects.create(offer=offer, seed=seed, seed_hash=lottery.commitment(seed), hold=rules.hold)
    return offer


def mode_of(rules: drawrules.Rules, *, left: dt.timedelta) -> Offer.Mode:
    """Draw, unless the start is too near for entries and somebody who is asked."""
    enough = left >= rules.first_come_within and left >= rules.entries + limits.OFFER_LEAST
    return Offer.Mode.DRAW if enough else Offer.Mode.FIRST_COME


def reserve(*, block: Block, driver: Driver, until: dt.datetime, at: dt.datetime) -> Offer:
    """Offer an offered block without an open offer to this driver alone, until a time; what comes then is never
    nothing (`awarding.onwards`)."""
    steps = terms.ladder(block, hourly_cents=block.hourly_cents, at=at)
    offer = _open(
        block=block, steps=steps, mode=Offer.Mode.RESERVED, closes_at=until, at=at, reserved_for=driver
    )
    recording.record(facts.block_published(block, offer, at=at, again=True))
    freshness.touch_driver(driver.pk)
    return offer


def _open(
    *,
    block: Block,
    steps: tuple[pricing.Step, ...],
    mode: Offer.Mode,
    closes_at: dt.datetime,
    at: dt.datetime,
    reserved_for: Driver | None = None,
) -> Offer:
    assert connection.in_atomic_block, "An offer opens in the transaction that holds its block."
    assert block.status == Block.Status.OFFERED, "Only an offered block has an open offer."
    hourly_cents = steps[0].hourly_cents
    assert hourly_cents >= block.hourly_cents, "A price never falls."
    if block.hourly_cents != hourly_cents:
        block.hourly_cents = hourly_cents
        block.save(update_fields=["hourly_cents"])
    freshness.touch(block.mall.market.code)
    return Offer.objects.create(
        block=block,
        mode=mode,
        reserved_for=reserved_for,
        step=step_number(block, hourly_cents),
        hourly_cents=hourly_cents,
        pay_cents=terms.pay_cents(block, hourly_cents=hourly_cents),
        ladder=written(steps[1:]),
        opens_at=at,
        closes_at=closes_at,
    )


def step_number(block: Block, hourly_cents: int) -> int:
    """How many steps above its base the rate is, a part of a step counted whole."""
    return -(-(hourly_cents - block.base_hourly_cents) // (block.policy.step_cents or 1))


def written(steps: tuple[pricing.Step, ...]) -> list[dict[str, str | int]]:
    return [
        {"at": step.at.astimezone(dt.UTC).isoformat(), "hourly_cents": step.hourly_cents} for step in steps
    ]


def steps_of(offer: Offer) -> tuple[pricing.Step, ...]:
    """The steps that the offer has published as still to come."""
    return tuple(
        pricing.Step(dt.datetime.fromisoformat(each["at"]), int(each["hourly_cents"]))
        for each in offer.ladder
    )


def go_on(*, offer: Offer, block: Block, mode: Offer.Mode | None, at: dt.datetime) -> Offer | None:
    """After an offer that has ended: a new one at the price that its published ladder has reached by now, or, at
    the block's start, the block has expired (None) and its orders wait again.

    What comes late takes the step that is due now; the rest of the ladder stays as published.
    """
    if at >= block.starts_at:
        give_up(block=block, to=Block.Status.EXPIRED, reason="unclaimed", at=at)
        recording.record(facts.block_expired(block, at=at, reason="unclaimed"))
        return None
    steps = steps_of(offer)
    reached = [step.hourly_cents for step in steps if step.at <= at]
    hourly_cents = max([block.hourly_cents, *reached])
    now = pricing.Step(at, hourly_cents)
    rest = tuple(step for step in steps if step.at > at)
    new = open_on_ladder(block=block, steps=(now, *rest), mode=mode, at=at)
    if hourly_cents > offer.hourly_cents:
        recording.record(facts.block_repriced(block, new, at=at))
    else:
        recording.record(facts.block_published(block, new, at=at, again=True))
    return new


def offer_again(*, block: Block, at: dt.datetime) -> Offer | None:
    """Offer a block again that its driver gave back and no reserve is asked for, at no less than it was; None when
    its start is too near, and then it has expired and its orders wait for the next wave."""
    if block.starts_at - at < limits.OFFER_LEAST:
        give_up(block=block, to=Block.Status.EXPIRED, reason="given_back_too_late", at=at)
        recording.record(facts.block_expired(block, at=at, reason="given_back_too_late"))
        return None
    hourly = block.hourly_cents
    if block.starts_at - at < limits.SHORT_NOTICE:
        hourly = max(hourly, block.policy.short_notice_cents)
    offer = open_at_price(block=block, hourly_cents=hourly, at=at)
    recording.record(facts.block_published(block, offer, at=at, again=True))
    return offer


def give_up(*, block: Block, to: str, reason: str, at: dt.datetime) -> None:
    """End a block that nobody works: its offer ends with it, its orders are placed again."""
    ending = Offer.Status.EXPIRED if to == Block.Status.EXPIRED else Offer.Status.WITHDRAWN
    moves.end_offers(block, ending, at=at)
    moves.move_block(block, to, at=at, ended_reason=reason)
    if block.manifest is not None and block.manifest.status not in {"completed", "aborted"}:
        manifests.dissolve(manifest=block.manifest, at=at, reason=reason)
