"""Work done becomes money: the only place that turns rules into postings. Every line has a key, so that the
second attempt at paying the same thing is a no-op by constraint."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db.models import Q, Sum
from django.utils import translation
from django.utils.translation import gettext as _

from deliveries.models import Consignment, Manifest, Order
from drivers import ledger
from drivers.models import DriverPosting, StandingEvent
from offers import conduct, facts, freshness, guarantees, locks, moves, paywords, pricing, terms, worked
from offers.models import Block, Claim
from retaildelivery.outbox import recording
from retaildelivery.outbox.models import Fact
from stores import billing
from stores.models import Store


def settle(*, fact: Fact, at: dt.datetime) -> None:
    """Reaction to a completed manifest: its block is completed, paid line by line, and settled.

    The stores that kept the driver are charged for it. Done before, it does nothing.
    """
    codes = [s.removeprefix("manifest:") for s in fact.subjects if s.startswith("manifest:")]
    found = Block.objects.filter(manifest__code__in=codes).values_list("code", flat=True).first()
    if found is None:
        return
    block = locks.block(found)
    if block.status not in {Block.Status.CHECKED_IN, Block.Status.WORKING, Block.Status.COMPLETED}:
        return
    claim = Claim.objects.select_related("driver__user", "offer").get(block=block, ended_at=None)
    claim.block = block
    if block.status != Block.Status.COMPLETED:
        moves.move_block(block, Block.Status.COMPLETED, at=at, completed_at=fact.at)
    moves.end_claim(claim, Claim.Ending.COMPLETED, at=fact.at)
    recording.record(facts.block_completed(block, at=fact.at, driver=claim.driver))
    conduct.note(claim, StandingEvent.Kind.COMPLETED, at=fact.at)
    _settle(claim, worked.work_of(block, at=fact.at), at=at)


def settle_aborted(*, fact: Fact, at: dt.datetime) -> None:
    """Reaction to a block that was broken off, and to the last parcel leaving its driver's hands: with the second of
    them the time so far and the handover are paid. Done before, it does nothing."""
    named = {
        kind: [s.removeprefix(kind) for s in fact.subjects if s.startswith(kind)]
        for kind in ("block:", "manifest:")
    }
    found = Block.objects.filter(Q(code__in=named["block:"]) | Q(manifest__code__in=named["manifest:"]))
    code = found.filter(status=Block.Status.ABORTED).values_list("code", flat=True).first()
    if code is None:
        return
    block = locks.block(code)
    manifest = block.manifest
    over = manifest is None or manifest.status == Manifest.Status.ABORTED
    if block.status != Block.Status.ABORTED or not over:
        return
    claim = Claim.objects.select_related("driver__user", "offer").get(block=block, ended_at=None)
    claim.block = block
    moves.end_claim(claim, Claim.Ending.ABORTED, at=at, reason=block.ended_reason)
    _settle(claim, worked.work_until_aborted(block, over_at=manifest.aborted_at if manifest else None), at=at)


def _settle(claim: Claim, work: pricing.Work, *, at: dt.datetime) -> None:
    """Pay work that was done, and what the law has due for this block by itself."""
    block = claim.block
    lines, total_cents = pay_for(claim, work, at=at)
    moves.move_block(block, Block.Status.SETTLED, at=at, settled_at=at)
    recording.record(
        facts.pay_settled(block, at=at, driver=claim.driver, lines=lines, total_cents=total_cents)
    )
    freshness.touch_driver(claim.driver_id)


def pay_for(claim: Claim, work: pricing.Work, *, at: dt.datetime) -> tuple[list[dict[str, Any]], int]:
    """Post what this work pays, line by line: the lines, and their sum. Inner verb; the block is locked."""
    block = claim.block
    laws = guarantees.of_block(block.mall, worked.local_day(block))
    floors = tuple(law.rule for law in laws)
    agreed = terms.of_block(block, hourly_cents=claim.hourly_cents, floors=floors)
    earned = pricing.earned(agreed, work)
    dues = pricing.dues_of_offer(agreed, work, earned)
    due = [line for each in dues for line in each.lines() if line.cents]
    pay = pricing.Pay((*earned, *due))
    with translation.override(claim.driver.user.locale):
        lines = _post(claim, pay, work, at=at, said=guarantees.said(laws, dues))
    guarantees.keep_of_block(claim, laws, dues, at=at)
    return lines, pay.total_cents


def pay_stood_down(claim: Claim, *, at: dt.datetime) -> tuple[list[dict[str, Any]], int]:
    """Pay the whole block to a driver for whom there was nothing to do: the lines, and their sum. Inner verb; the
    block is locked."""
    return pay_for(claim, pricing.Work(claim.block.length, outcome=pricing.Outcome.STOOD_DOWN), at=at)


def pay_withdrawn(claim: Claim, *, at: dt.datetime) -> int:
    """Pay a driver whose block is taken back for the notice that was too short (`pricing.NOTICE`); the sum. Inner verb;
    the block is locked."""
    block = claim.block
    work = pricing.Work(
        scheduled=block.length, outcome=pricing.Outcome.WITHDRAWN, notice=block.starts_at - at
    )
    _lines, total_cents = pay_for(claim, work, at=at)
    return total_cents


def key_of(block: Block, line: pricing.PayLine) -> str:
    """What the line pays for, such as ``block:BX7K2M:base`` or ``block:BX7K2M:wait:T3K9QP``."""
    named = dict(line.params)
    about = named.get("store") or named.get("order") or named.get("name")
    if line.kind in {pricing.LineKind.FLOOR, pricing.LineKind.MILEAGE}:
        about = line.rule
    return ":".join(filter(None, ("block", block.code, str(line.kind), about)))


def _post(
    claim: Claim,
    pay: pricing.Pay,
    work: pricing.Work,
    *,
    at: dt.datetime,
    said: Mapping[str, Mapping[str, str]],
) -> list[dict[str, Any]]:
    """The lines to the driver's account in one statement, and what stores bear to theirs: those by ascending key,
    since each account is a lock."""
    subject = f"block:{claim.block.code}"
    lines = [
        ledger.Line(
            key=key_of(claim.block, line),
            kind=str(line.kind),
            cents=line.cents,
            text=paywords.sentence(line, claim.block.mall.market.currency),
            rule=line.rule,
            subject=subject,
            params={**exact_params(line, work, claim), **said.get(line.rule, {})},
        )
        for line in pay.lines
    ]
    ledger.post_all(driver=claim.driver, lines=lines, at=at)
    charged = {line.charged_to: line for line in pay.lines if line.charged_to is not None}
    if charged:
        stores = Store.objects.select_related("seller").filter(code__in=charged).order_by("seller_id", "pk")
        for store in stores:
            _charge(claim, charged[store.code], store=store, at=at)
    return [
        {
            "key": line.key,
            "kind": line.kind,
            "cents": line.cents,
            "rule": line.rule,
            "params": dict(line.params),
        }
        for line in lines
    ]


def exact_params(line: pricing.PayLine, work: pricing.Work, claim: Claim) -> dict[str, str]:
    """What the line says, and beside hours rounded for people the seconds that were paid: whoever computes the
    line again must come to the same cent."""
    params = dict(line.params)
    if line.kind in {pricing.LineKind.BASE, pricing.LineKind.STEP}:
        params["seconds"] = f"{work.scheduled.total_seconds():g}"
    if line.kind in {pricing.LineKind.STOOD_DOWN, pricing.LineKind.WITHDRAWN}:
        params["pay"] = str(claim.pay_cents)
        params["seconds"] = f"{work.scheduled.total_seconds():g}"
        params["hourly"] = str(claim.hourly_cents)
    return params


def _charge(claim: Claim, line: pricing.PayLine, *, store: Store, at: dt.datetime) -> None:
    """The store at fault bears the wait. Its account is kept in English, whatever the driver reads."""
    with translation.override("en"):
        text = paywords.sentence(line, claim.block.mall.market.currency)
    billing.post(
        key=key_of(claim.block, line),
        seller=store.seller,
        store=store,
        kind=str(line.kind),
        cents=line.cents,
        text=text,
        rule=line.rule,
        subject=f"block:{claim.block.code}",
        at=at,
        params=dict(line.params),
    )


def follow_tip(*, fact: Fact, at: dt.datetime) -> None:
    """Reaction to a tip raised after the block was settled: what was not yet paid of it goes to the
    driver."""
    codes = [s.removeprefix("order:") for s in fact.subjects if s.startswith("order:")]
    for place in Consignment.objects.filter(
        order__code__in=codes, ending=Consignment.Ending.DELIVERED
    ).select_related("order"):
        code = (
            Block.objects.filter(manifest=place.manifest_id, status=Block.Status.SETTLED)
            .values_list("code", flat=True)
            .first()
        )
        if code is not None:
            _pay_rest_of_tip(locks.block(code), place.order, sequence=fact.sequence, at=at)


def _pay_rest_of_tip(block: Block, order: Order, *, sequence: int | None, at: dt.datetime) -> None:
    claim = (
        Claim.objects.filter(block=block, ending__in=[Claim.Ending.COMPLETED, Claim.Ending.ABORTED])
        .select_related("driver__user")
        .get()
    )
    first = f"block:{block.code}:tip:{order.code}"
    paid = DriverPosting.objects.filter(key__startswith=first).aggregate(cents=Sum("cents"))["cents"] or 0
    if order.tip_cents <= paid:
        return
    with translation.override(claim.driver.user.locale):
        text = _(pricing.LINE_SENTENCES[pricing.LineKind.TIP]) % {"order": order.code}
    ledger.post(
        key=f"{first}:{sequence}",
        driver=claim.driver,
        kind=str(pricing.LineKind.TIP),
        cents=order.tip_cents - paid,
        text=text,
        rule=block.policy.code,
        subject=f"block:{block.code}",
        at=at,
        params={"order": order.code},
    )
