"""A block on offer: opened, opened again at a price that never fell, or given up. Inner verbs; the block is
locked."""

from __future__ import annotations

import datetime as dt

from django.db import connection

from deliveries import manifests
from offers import facts, freshness, limits, moves, pricing, terms
from offers.models import Block, Offer
from retaildelivery.outbox import recording


def publish(*, block: Block, at: dt.datetime) -> Offer:
    """Offer a drafted block for the first time, at its own rate."""
    moves.move_block(block, Block.Status.OFFERED, at=at, published_at=at)
    offer = open_at_price(block=block, hourly_cents=block.hourly_cents, at=at)
    recording.record(facts.block_published(block, offer, at=at))
    return offer


def open_at_price(*, block: Block, hourly_cents: int, at: dt.datetime) -> Offer:
    """A new open offer of an offered block at this rate, with a ladder of its own from here on."""
    return open_on_ladder(block=block, steps=terms.ladder(block, hourly_cents=hourly_cents, at=at), at=at)


def open_on_ladder(*, block: Block, steps: tuple[pricing.Step, ...], at: dt.datetime) -> Offer:
    """A new open offer at the rate of the first step, until the next step or the block's start."""
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
        step=step_number(block, hourly_cents),
        hourly_cents=hourly_cents,
        pay_cents=terms.pay_cents(block, hourly_cents=hourly_cents),
        ladder=written(steps[1:]),
        opens_at=at,
        closes_at=steps[1].at if len(steps) > 1 else block.starts_at,
    )


def step_number(block: Block, hourly_cents: int) -> int:
    """How many steps above its base the rate is, a part of a step counted whole."""
    return -(-(hourly_cents - block.base_hourly_cents) // (block.policy.step_cents or 1))


def written(steps: tuple[pricing.Step, ...]) -> list[dict[str, str | int]]:
    return [
        {"at": step.at.astimezone(dt.UTC).isoformat(), "hourly_cents": step.hourly_cents} for step in steps
    ]


def reoffer(*, block: Block, at: dt.datetime) -> Offer | None:
    """Offer a block again that its driver gave back, at no less than it was; None when its start is too near,
    and then it has expired and its orders wait for the next wave."""
    if block.manifest is not None:
        manifests.unassign(manifest=block.manifest, at=at)
    if block.starts_at - at < limits.OFFER_LEAST:
        give_up(block=block, to=Block.Status.EXPIRED, reason="given_back_too_late", at=at)
        recording.record(facts.block_expired(block, at=at, reason="given_back_too_late"))
        return None
    moves.move_block(block, Block.Status.OFFERED, at=at)
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
