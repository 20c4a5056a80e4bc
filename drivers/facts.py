"""What drivers records: applications, papers, approvals and suspensions."""

from __future__ import annotations

import datetime as dt
from typing import Any

from drivers.models import Appeal, Dispute, Document, Driver, Likeness, Payout, PayoutBatch, StandingEvent
from retaildelivery.accounts.models import User
from retaildelivery.outbox.models import Fact
from retaildelivery.outbox.recording import SYSTEM, Actor, Happening


def of_driver(driver: Driver) -> Actor:
    return Actor(kind=Fact.Actor.DRIVER, name=driver.code)


def driver_changed(
    name: str, driver: Driver, *, at: dt.datetime, actor: Actor = SYSTEM, **data: Any
) -> Happening:
    """driver.applied, .approved, .suspended, .reinstated, .left."""
    return Happening(
        name=name,
        at=at,
        subjects=[f"driver:{driver.code}"],
        actor=actor,
        data={"driver": driver.code, "status": driver.status, "market": driver.market_code, **data},
    )


def document_changed(
    name: str, document: Document, *, at: dt.datetime, actor: Actor, **data: Any
) -> Happening:
    """document.submitted, .verified, .rejected. The number of the paper is in none of them."""
    return Happening(
        name=name,
        at=at,
        subjects=[f"driver:{document.driver.code}"],
        actor=actor,
        data={
            "driver": document.driver.code,
            "kind": document.kind,
            "expires_on": document.expires_on.isoformat(),
            **data,
        },
    )


def appeal_changed(name: str, appeal: Appeal, *, at: dt.datetime, actor: Actor = SYSTEM) -> Happening:
    """appeal.filed, .decided, .overdue."""
    driver = appeal.event.driver
    return Happening(
        name=name,
        at=at,
        subjects=[f"driver:{driver.code}", f"appeal:{appeal.code}", appeal.event.subject],
        actor=actor,
        data={
            "appeal": appeal.code,
            "driver": driver.code,
            "event": appeal.event.key,
            "round": appeal.round,
            "outcome": appeal.outcome or None,
            "reason": appeal.reason,
        },
    )


def event_excused(
    event: StandingEvent, *, counted: int, reason: str, at: dt.datetime, actor: Actor
) -> Happening:
    """driver.event_excused: an event was not the driver's fault; `counted` is what it had counted until then."""
    return Happening(
        name="driver.event_excused",
        at=at,
        subjects=[f"driver:{event.driver.code}", event.subject],
        actor=actor,
        data={
            "driver": event.driver.code,
            "event": event.key,
            "fault": event.fault,
            "counted": counted,
            "reason": reason,
        },
    )


def likeness_found(row: Likeness, *, at: dt.datetime) -> Happening:
    """driver.likeness_found: two accounts may be one person. What they share is in it only by its kind."""
    return Happening(
        name="driver.likeness_found",
        at=at,
        subjects=[f"driver:{row.first.code}", f"driver:{row.second.code}"],
        data={"kind": str(row.kind), "detail": row.detail},
    )


def likeness_settled(row: Likeness, *, at: dt.datetime, by: User) -> Happening:
    return Happening(
        name="driver.likeness_settled",
        at=at,
        subjects=[f"driver:{row.first.code}", f"driver:{row.second.code}"],
        actor=Actor(kind=Fact.Actor.OPERATIONS, name=str(by)),
        data={"kind": str(row.kind), "detail": row.detail},
    )


def dispute_changed(name: str, dispute: Dispute, *, at: dt.datetime, actor: Actor) -> Happening:
    """dispute.opened, .granted, .refused, .withdrawn, .overdue."""
    return Happening(
        name=name,
        at=at,
        subjects=[f"dispute:{dispute.code}", f"driver:{dispute.driver.code}", dispute.posting.subject],
        actor=actor,
        data={"dispute": dispute.code, "line": dispute.posting.key, "due_at": dispute.due_at.isoformat()},
    )


def batch_released(batch: PayoutBatch, *, at: dt.datetime, actor: Actor, sent: int) -> Happening:
    return Happening(
        name="payout.sent",
        at=at,
        subjects=[f"payout:{batch.code}"],
        actor=actor,
        data={"batch": batch.code, "market": batch.market_code, "payouts": sent},
    )


def payout_returned(payout: Payout, *, at: dt.datetime) -> Happening:
    return Happening(
        name="payout.returned",
        at=at,
        subjects=[f"payout:{payout.batch.code}", f"driver:{payout.driver.code}"],
        data={"payout": payout.code, "cents": payout.cents, "code": payout.return_code},
    )
