"""Work done becomes money: the only place that turns rules into postings. Every line has a key, so that the
second attempt at paying the same thing is a no-op by constraint."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet, Sum
from django.utils import translation
from django.utils.translation import gettext as _

from deliveries.models import Consignment, Manifest, Order
from drivers import ledger
from drivers.models import DriverPosting
from offers import conduct, freshness, guarantees, locks, moves, paywords, pricing, terms, worked
from offers import facts as told
from offers.models import Block, Claim, FloorFinding
from retaildelivery.outbox import recording
from retaildelivery.outbox.models import Fact
from retaildelivery.outbox.recording import Together
from stores import billing
from stores.models import Store


@dataclass(frozen=True, slots=True)
class Job:
    """Work to be paid; its block is locked."""

    claim: Claim
    work: pricing.Work


@dataclass(frozen=True, slots=True)
class Paid:
    """What a job came to: its lines as facts tell them, and their sum."""

    claim: Claim
    lines: list[dict[str, Any]]
    total_cents: int


@Together
def settle(*, facts: Sequence[Fact], at: dt.datetime) -> None:
    """Reaction to completed manifests: each block is completed, paid line by line, and settled.

    The stores that kept the driver are charged for it. Done before, it does nothing.
    """
    ended_at = {code: fact.at for fact in facts for code in _named(fact, "manifest:")}
    found = Block.objects.filter(manifest__code__in=ended_at)
    blocks = _held(found, Block.Status.CHECKED_IN, Block.Status.WORKING, Block.Status.COMPLETED)
    ends = {block.pk: ended_at[block.manifest.code] for block in blocks if block.manifest}
    claims = _live_claims(blocks)
    for block in blocks:
        if block.status != Block.Status.COMPLETED:
            moves.complete(block, at=ends[block.pk])
    moves.end_claims([(claim, ends[claim.block_id]) for claim in claims], Claim.Ending.COMPLETED)
    recording.record_all(
        [told.block_completed(each.block, at=ends[each.block_id], driver=each.driver) for each in claims]
    )
    conduct.note_completed(claims)
    done = {
        block.pk: worked.completed(block, stops, at=ends[block.pk], given=tips)
        for block, stops, tips in worked.of_blocks(blocks)
    }
    _settle([Job(claim, done[claim.block_id]) for claim in claims], at=at)


@Together
def settle_aborted(*, facts: Sequence[Fact], at: dt.datetime) -> None:
    """Reaction to blocks that were broken off, and to the last parcel leaving their drivers' hands: with the second of
    them the time so far and the handover are paid. Done before, it does nothing."""
    blocks = [code for fact in facts for code in _named(fact, "block:")]
    manifests = [code for fact in facts for code in _named(fact, "manifest:")]
    named = Block.objects.filter(Q(code__in=blocks) | Q(manifest__code__in=manifests))
    over = [
        block
        for block in _held(named.filter(status=Block.Status.ABORTED), Block.Status.ABORTED)
        if block.manifest is None or block.manifest.status == Manifest.Status.ABORTED
    ]
    claims = _live_claims(over)
    for claim in claims:
        claim.reason = claim.block.ended_reason
    moves.end_claims([(claim, at) for claim in claims], Claim.Ending.ABORTED)
    done = {
        block.pk: worked.aborted(
            block, stops, over_at=block.manifest.aborted_at if block.manifest else None, given=tips
        )
        for block, stops, tips in worked.of_blocks(over)
    }
    _settle([Job(claim, done[claim.block_id]) for claim in claims], at=at)


def _named(fact: Fact, kind: str) -> list[str]:
    return [subject.removeprefix(kind) for subject in fact.subjects if subject.startswith(kind)]


def _held(found: QuerySet[Block], *states: str) -> list[Block]:
    """Of these blocks, locked, those that are in one of the states."""
    codes = list(found.values_list("code", flat=True))
    return [block for block in locks.blocks(codes) if block.status in states] if codes else []


def _live_claims(blocks: Sequence[Block]) -> list[Claim]:
    """The claim of each block, by the blocks' keys."""
    held = {block.pk: block for block in blocks}
    rows = Claim.objects.live().filter(block__in=held).select_related("driver__user").order_by("block")  # type: ignore[attr-defined]
    claims = list(rows) if held else []
    for claim in claims:
        claim.block = held[claim.block_id]
    assert len(claims) == len(held), "A block at work has its claim."
    return claims


def _settle(jobs: Sequence[Job], *, at: dt.datetime) -> None:
    """Pay work that was done, and what the law has due for each block by itself."""
    if not jobs:
        return
    paid = pay_all(jobs, at=at)
    blocks = [job.claim.block for job in jobs]
    moves.settle_all(blocks, at=at)
    recording.record_all(
        [
            told.pay_settled(
                each.claim.block,
                at=at,
                driver=each.claim.driver,
                lines=each.lines,
                total_cents=each.total_cents,
            )
            for each in paid
        ]
    )
    freshness.touch_all(
        market_codes={block.mall.market.code for block in blocks},
        driver_ids={job.claim.driver_id for job in jobs},
    )


def pay_all(jobs: Sequence[Job], *, at: dt.datetime) -> list[Paid]:
    """Post what each of these pays, line by line, and keep what laws came to. Inner verb; the blocks are locked."""
    held = guarantees.of_blocks([job.claim.block for job in jobs])
    postings: list[tuple[int, ledger.Line]] = []
    charges: list[tuple[Claim, pricing.PayLine]] = []
    findings: list[FloorFinding] = []
    priced = []
    for job in jobs:
        claim, block = job.claim, job.claim.block
        laws = held[block.mall.code, worked.local_day(block)]
        agreed = terms.of_block(
            block, hourly_cents=claim.hourly_cents, floors=tuple(law.rule for law in laws)
        )
        earned = pricing.earned(agreed, job.work)
        dues = pricing.dues_of_offer(agreed, job.work, earned)
        pay = pricing.Pay((*earned, *(line for each in dues for line in each.lines() if line.cents)))
        priced.append((job, pay, guarantees.said(laws, dues)))
        charges += [(claim, line) for line in pay.lines if line.charged_to is not None]
        findings += guarantees.of_block(claim, laws, dues, at=at)
    stores = _stores(charges)
    paid = []
    for job, pay, said in priced:
        claim = job.claim
        with translation.override(claim.driver.user.locale):
            lines = _lines(claim, pay, job.work, said=said, stores=stores)
        postings += [(claim.driver_id, line) for line in lines]
        paid.append(Paid(claim, [_told(line) for line in lines], pay.total_cents))
    guarantees.keep_all(findings)
    # Accounts last of all locks: drivers' before sellers'.
    ledger.post_many(postings, at=at)
    _charge(charges, stores, at=at)
    return paid


def _stores(charges: Sequence[tuple[Claim, pricing.PayLine]]) -> dict[str, Store]:
    """The stores that bear these lines, by code. One query, none for no line."""
    codes = {line.charged_to for _claim, line in charges}
    return {store.code: store for store in Store.objects.filter(code__in=codes)} if codes else {}


def _name_of(line: pricing.PayLine, stores: Mapping[str, Store]) -> str:
    store = stores.get(line.charged_to or "")
    return store.name if store else ""


def pay_stood_down(claim: Claim, *, at: dt.datetime) -> tuple[list[dict[str, Any]], int]:
    """Pay the whole block to a driver for whom there was nothing to do: the lines, and their sum. Inner verb; the
    block is locked."""
    work = pricing.Work(claim.block.length, outcome=pricing.Outcome.STOOD_DOWN)
    (paid,) = pay_all([Job(claim, work)], at=at)
    return paid.lines, paid.total_cents


def pay_withdrawn(claim: Claim, *, at: dt.datetime) -> int:
    """Pay a driver whose block is taken back for the notice that was too short (`pricing.NOTICE`); the sum. Inner verb;
    the block is locked."""
    block = claim.block
    work = pricing.Work(
        scheduled=block.length, outcome=pricing.Outcome.WITHDRAWN, notice=block.starts_at - at
    )
    (paid,) = pay_all([Job(claim, work)], at=at)
    return paid.total_cents


def key_of(block: Block, line: pricing.PayLine) -> str:
    """What the line pays for, such as ``block:BX7K2M:base`` or ``block:BX7K2M:wait:T3K9QP``, of a second visit to that
    store ``block:BX7K2M:wait:T3K9QP:2``."""
    named = dict(line.params)
    about = named.get("store") or named.get("order") or named.get("name")
    if line.kind in {pricing.LineKind.FLOOR, pricing.LineKind.MILEAGE}:
        about = line.rule
    return ":".join(filter(None, ("block", block.code, str(line.kind), about, named.get("visit"))))


def _lines(
    claim: Claim,
    pay: pricing.Pay,
    work: pricing.Work,
    *,
    said: Mapping[str, Mapping[str, str]],
    stores: Mapping[str, Store],
) -> list[ledger.Line]:
    """The lines as the driver's account has them, in the language in force."""
    subject = f"block:{claim.block.code}"
    return [
        ledger.Line(
            key=key_of(claim.block, line),
            kind=str(line.kind),
            cents=line.cents,
            text=paywords.sentence(line, claim.block.mall.market.currency, store=_name_of(line, stores)),
            rule=line.rule,
            subject=subject,
            params={**exact_params(line, work, claim), **said.get(line.rule, {})},
        )
        for line in pay.lines
    ]


def _told(line: ledger.Line) -> dict[str, Any]:
    return {
        "key": line.key,
        "kind": line.kind,
        "cents": line.cents,
        "rule": line.rule,
        "params": dict(line.params),
    }


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


def _charge(
    charges: Sequence[tuple[Claim, pricing.PayLine]], stores: Mapping[str, Store], *, at: dt.datetime
) -> None:
    """The stores at fault bear the waits. Their accounts are kept in English, whatever the drivers read."""
    if not charges:
        return
    made = []
    with translation.override("en"):
        for claim, line in charges:
            store = stores[str(line.charged_to)]
            made.append(
                billing.Charge(
                    key=key_of(claim.block, line),
                    seller_id=store.seller_id,
                    store_id=store.pk,
                    kind=str(line.kind),
                    cents=line.cents,
                    text=paywords.sentence(line, claim.block.mall.market.currency, store=store.name),
                    rule=line.rule,
                    subject=f"block:{claim.block.code}",
                    params=dict(line.params),
                )
            )
    billing.post_all(made, at=at)


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
    of_block = DriverPosting.objects.filter(subject=f"block:{block.code}")
    paid = of_block.filter(key__startswith=first).aggregate(cents=Sum("cents"))["cents"] or 0
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
