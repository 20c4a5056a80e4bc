"""What this app records: names and payloads. A fact says what became true; `recording.record` writes it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from drivers.models import Driver
from offers.models import (
    AutoSchedule,
    Award,
    Block,
    Claim,
    Draw,
    HandOver,
    Offer,
    PayPolicy,
    PlanRun,
    Publication,
    ReliefRequest,
    StandBy,
    StoreBlockade,
)
from retaildelivery.accounts.models import User
from retaildelivery.outbox.models import Fact
from retaildelivery.outbox.recording import SYSTEM, Actor, Happening


def by_driver(driver: Driver, source: str = "") -> Actor:
    return Actor(kind=Fact.Actor.DRIVER, name=driver.code, source=source)


def by_operations(user: User) -> Actor:
    return Actor(kind=Fact.Actor.OPERATIONS, name=str(user))


def snapshot(block: Block) -> dict[str, Any]:
    """The block as facts carry it: times RFC 3339 in UTC, money in cents, distance in metres."""
    return {
        "code": block.code,
        "mall": block.mall.code,
        "status": str(block.status),
        "origin": str(block.origin),
        "shift_kind": str(block.shift_kind),
        "start": block.starts_at.astimezone(dt.UTC).isoformat(),
        "end": block.ends_at.astimezone(dt.UTC).isoformat(),
        "hourly_cents": block.hourly_cents,
        "orders": block.orders_count,
        "parcels": block.parcels_count,
        "doors": block.doors_count,
        "stores": block.stores_count,
        "distance_m": block.distance_m,
    }


def _subjects(block: Block, driver: Driver | None = None) -> list[str]:
    subjects = [f"block:{block.code}", f"mall:{block.mall.code}"]
    return [*subjects, f"driver:{driver.code}"] if driver else subjects


def _block(
    name: str,
    block: Block,
    *,
    at: dt.datetime,
    actor: Actor = SYSTEM,
    driver: Driver | None = None,
    **data: Any,
) -> Happening:
    return Happening(
        name=name,
        at=at,
        subjects=_subjects(block, driver),
        actor=actor,
        data={"block": snapshot(block), **data},
    )


def _offer(offer: Offer) -> dict[str, Any]:
    return {
        "code": offer.code,
        "mode": str(offer.mode),
        "step": offer.step,
        "hourly_cents": offer.hourly_cents,
        "pay_cents": offer.pay_cents,
        "opens_at": offer.opens_at.astimezone(dt.UTC).isoformat(),
        "closes_at": offer.closes_at.astimezone(dt.UTC).isoformat(),
        "ladder": offer.ladder,
        # Before anybody can enter it is on record what the seed will have to fit.
        **({"seed_hash": offer.draw.seed_hash} if offer.mode == Offer.Mode.DRAW else {}),
    }


def block_published(block: Block, offer: Offer, *, at: dt.datetime, again: bool = False) -> Happening:
    return _block("block.published", block, at=at, offer=_offer(offer), again=again)


def block_repriced(block: Block, offer: Offer, *, at: dt.datetime) -> Happening:
    """`at_cap`: the ladder has ended and operations should look."""
    return _block("block.repriced", block, at=at, offer=_offer(offer), at_cap=not offer.ladder)


def draw_drawn(draw: Draw, block: Block, *, entries: int, at: dt.datetime) -> Happening:
    return _block(
        "draw.drawn",
        block,
        at=at,
        offer=draw.offer.code,
        seed=draw.seed,
        seed_hash=draw.seed_hash,
        entries=entries,
        entries_digest=draw.entries_digest,
        result_digest=draw.result_digest,
    )


def award_made(award: Award, block: Block, *, at: dt.datetime) -> Happening:
    """A drawn driver is asked and has until `holds_until` to confirm."""
    return _block(
        "award.made",
        block,
        at=at,
        driver=award.driver,
        offer=award.offer.code,
        rank=award.entry.rank,
        holds_until=award.holds_until.astimezone(dt.UTC).isoformat(),
    )


def award_ended(award: Award, block: Block, *, at: dt.datetime) -> Happening:
    """`award.declined` or `award.lapsed`; a confirmed one is `block.claimed`. Nothing counts against anybody."""
    return _block(f"award.{award.ending}", block, at=at, driver=award.driver, offer=award.offer.code)


def block_expired(block: Block, *, at: dt.datetime, reason: str) -> Happening:
    return _block("block.expired", block, at=at, reason=reason)


def block_claimed(claim: Claim, *, at: dt.datetime) -> Happening:
    return _block(
        "block.claimed",
        claim.block,
        at=at,
        actor=by_driver(claim.driver),
        driver=claim.driver,
        pay_cents=claim.pay_cents,
        offer=claim.offer.code,
    )


def claim_ended(claim: Claim, *, at: dt.datetime, actor: Actor) -> Happening:
    """`block.released`, `block.forfeited` or `block.no_show`, by how the claim ended; a suspended driver's
    claim is released."""
    names = {
        Claim.Ending.FORFEITED: "block.forfeited",
        Claim.Ending.NO_SHOW: "block.no_show",
    }
    return _block(
        names.get(Claim.Ending(claim.ending), "block.released"),
        claim.block,
        at=at,
        actor=actor,
        driver=claim.driver,
        ending=str(claim.ending),
        reason=claim.reason,
    )


def block_running_late(claim: Claim, *, at: dt.datetime) -> Happening:
    assert claim.late_eta_at is not None, "Told with a time."
    return _block(
        "block.running_late",
        claim.block,
        at=at,
        actor=by_driver(claim.driver),
        driver=claim.driver,
        eta_at=claim.late_eta_at.astimezone(dt.UTC).isoformat(),
    )


def hand_over_changed(name: str, hand_over: HandOver, *, at: dt.datetime, actor: Actor) -> Happening:
    """block.hand_over_proposed, .hand_over_declined, .hand_over_taken_back; block.handed_over names both."""
    claim = hand_over.claim
    happening = _block(
        name,
        claim.block,
        at=at,
        actor=actor,
        driver=claim.driver,
        hand_over=hand_over.code,
        giver=claim.driver.code,
        receiver=hand_over.receiver.code,
    )
    return replace(happening, subjects=[*happening.subjects, f"driver:{hand_over.receiver.code}"])


def block_withdrawn(
    block: Block, *, at: dt.datetime, actor: Actor, reason: str, driver: Driver | None, paid_cents: int
) -> Happening:
    return _block(
        "block.withdrawn", block, at=at, actor=actor, driver=driver, reason=reason, paid_cents=paid_cents
    )


def block_stood_down(
    block: Block, *, at: dt.datetime, driver: Driver, lines: list[dict[str, Any]], total_cents: int
) -> Happening:
    """No orders came for it: its driver is free, and paid in full."""
    return _block("block.stood_down", block, at=at, driver=driver, lines=lines, total_cents=total_cents)


def blocks_scheduled(publication: Publication, *, at: dt.datetime) -> Happening:
    """Blocks were published ahead of their orders; each has its own `block.published` as well."""
    by = publication.published_by
    return Happening(
        name="blocks.scheduled",
        at=at,
        subjects=[f"mall:{publication.mall.code}"],
        actor=Actor(kind=Fact.Actor.OPERATIONS, name=str(by)) if by else SYSTEM,
        data={
            "start": publication.starts_at.astimezone(dt.UTC).isoformat(),
            "end": publication.ends_at.astimezone(dt.UTC).isoformat(),
            "count": publication.count,
            "recommended": publication.recommended,
            "method": str(publication.method),
            "reckoning": publication.reckoning,
        },
    )


def schedule_switched(auto: AutoSchedule, *, at: dt.datetime) -> Happening:
    return Happening(
        name="schedule.switched",
        at=at,
        subjects=[f"mall:{auto.mall.code}"],
        actor=Actor(kind=Fact.Actor.OPERATIONS, name=str(auto.changed_by)),
        data={"on": auto.on, "days_ahead": auto.days_ahead, "hour": auto.hour},
    )


def pay_policy_announced(row: PayPolicy, *, at: dt.datetime, actor: Actor) -> Happening:
    """A row of pay was added or changed before its time: the drivers of its market are told."""
    return Happening(
        name="pay_policy.announced",
        at=at,
        subjects=[f"market:{row.market.code}"],
        actor=actor,
        data={"code": row.code, "valid_from": row.valid_from.isoformat()},
    )


def block_checked_in(
    block: Block, *, at: dt.datetime, driver: Driver, how: str, late: bool, off_by_m: int | None
) -> Happening:
    return _block(
        "block.checked_in",
        block,
        at=at,
        actor=by_driver(driver),
        driver=driver,
        how=how,
        late=late,
        off_by_m=off_by_m,
    )


def block_departed(block: Block, *, at: dt.datetime, driver: Driver) -> Happening:
    return _block("block.departed", block, at=at, actor=by_driver(driver), driver=driver)


def block_completed(block: Block, *, at: dt.datetime, driver: Driver) -> Happening:
    return _block("block.completed", block, at=at, actor=by_driver(driver), driver=driver)


def block_replanned(block: Block, *, at: dt.datetime, gone: str, actor: Actor = SYSTEM) -> Happening:
    """An order fell out of the block; what the driver was promised stays."""
    return _block("block.replanned", block, at=at, actor=actor, gone=gone)


def block_rearranged(
    block: Block,
    *,
    at: dt.datetime,
    actor: Actor,
    driver: Driver | None,
    added: list[str],
    removed: list[str],
) -> Happening:
    """Operations moved an order into the block or out of it; its window, its pay and its terms stay."""
    return _block("block.rearranged", block, at=at, actor=actor, driver=driver, added=added, removed=removed)


def block_frozen(block: Block, *, at: dt.datetime, actor: Actor, reason: str) -> Happening:
    """Waves, late orders and map edits leave the block alone from here on."""
    return _block("block.frozen", block, at=at, actor=actor, reason=reason)


def block_unfrozen(block: Block, *, at: dt.datetime, actor: Actor) -> Happening:
    return _block("block.unfrozen", block, at=at, actor=actor)


def block_extended(block: Block, *, at: dt.datetime, driver: Driver | None, added: list[str]) -> Happening:
    """Late orders joined the block before its check-in; its window, its pay and its terms stay."""
    return _block("block.extended", block, at=at, driver=driver, added=added)


def block_aborted(
    block: Block, *, at: dt.datetime, actor: Actor, driver: Driver, reason: str, holds: bool
) -> Happening:
    """Its driver cannot go on; `holds` when parcels wait with them for another driver."""
    return _block("block.aborted", block, at=at, actor=actor, driver=driver, reason=reason, holds=holds)


def block_split(
    block: Block, made: Block, *, at: dt.datetime, actor: Actor, driver: Driver | None, removed: list[str]
) -> Happening:
    """Its tail is a block of its own now; window and pay stay."""
    return _block("block.split", block, at=at, actor=actor, driver=driver, into=made.code, removed=removed)


def relief_opened(block: Block, relief: Block, *, at: dt.datetime, actor: Actor) -> Happening:
    """Another block takes over stops of this one."""
    return _block("block.relief_opened", block, at=at, actor=actor, relief=relief.code)


def relief_found(block: Block, claim: Claim, *, at: dt.datetime) -> Happening:
    """A driver has claimed the relief that takes over stops of this block."""
    return _block("block.relief_found", block, at=at, actor=by_driver(claim.driver), relief=claim.block.code)


def relief_request_changed(name: str, asked: ReliefRequest, *, at: dt.datetime, actor: Actor) -> Happening:
    """block.relief_asked, .relief_granted, .relief_declined, .relief_taken_back, .relief_overtaken."""
    return _block(
        name,
        asked.claim.block,
        at=at,
        actor=actor,
        driver=asked.claim.driver,
        request=asked.code,
        stops=sorted(asked.stops.values_list("code", flat=True)),
        reason=asked.answer if asked.ended_at else asked.note,
        relief=asked.relief.code if asked.relief else None,
    )


def pay_settled(
    block: Block, *, at: dt.datetime, driver: Driver, lines: list[dict[str, Any]], total_cents: int
) -> Happening:
    return _block("pay.settled", block, at=at, driver=driver, lines=lines, total_cents=total_cents)


def plan_ran(run: PlanRun, *, at: dt.datetime) -> Happening:
    return Happening(
        name="plan.ran",
        at=at,
        subjects=[f"mall:{run.mall.code}"],
        data={
            "orders_seen": run.orders_seen,
            "orders_planned": run.orders_planned,
            "blocks_made": run.blocks_made,
            "orders_joined": run.orders_joined,
            "filled": run.filled,
            "cause": str(run.cause),
            "cost_cents": run.cost_cents,
            "alone_cents": run.alone_cents,
            "engine": run.engine,
            "notes": run.notes,
            "left": run.left,
            "failure": run.failure,
        },
    )


def refusal_changed(name: str, refusal: StoreBlockade, *, by: User, at: dt.datetime) -> Happening:
    """store_refusal.asked, .granted, .declined, .lifted. The reason stays with the record."""
    asked = name == "store_refusal.asked"
    return Happening(
        name=name,
        at=at,
        subjects=[f"driver:{refusal.driver.code}", f"store:{refusal.store.code}"],
        actor=Actor(kind=Fact.Actor.STAFF if asked else Fact.Actor.OPERATIONS, name=str(by)),
        data={"refusal": refusal.code, "driver": refusal.driver.code, "store": refusal.store.code},
    )


def stand_by_changed(name: str, row: StandBy, *, at: dt.datetime, actor: Actor | None = None) -> Happening:
    """stand_by.joined, .left; by the driver, unless somebody else is named."""
    return Happening(
        name=name,
        at=at,
        subjects=[f"mall:{row.mall.code}", f"driver:{row.driver.code}"],
        actor=actor or by_driver(row.driver),
        data={
            "stand_by": row.code,
            "start": row.window.lower.astimezone(dt.UTC).isoformat(),
            "end": row.window.upper.astimezone(dt.UTC).isoformat(),
        },
    )


def stand_by_asked(row: StandBy, block: Block, offer: Offer, *, at: dt.datetime) -> Happening:
    return _block(
        "block.stand_by_asked",
        block,
        at=at,
        driver=row.driver,
        stand_by=row.code,
        offer=offer.code,
        until=offer.closes_at.astimezone(dt.UTC).isoformat(),
    )
