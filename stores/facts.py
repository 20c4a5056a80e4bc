"""What stores records. None of it is in a seller's feed: these are for the audit log."""

from __future__ import annotations

import datetime as dt

from retaildelivery.outbox.recording import Actor, Happening
from stores.models import ApiKey, Contest, Invoice, StaffMembership, Store, WebhookEndpoint


def key_issued(key: ApiKey, *, actor: Actor, at: dt.datetime) -> Happening:
    return _of_key("key.issued", key, actor=actor, at=at)


def key_revoked(key: ApiKey, *, actor: Actor, at: dt.datetime) -> Happening:
    return _of_key("key.revoked", key, actor=actor, at=at)


def key_restricted(key: ApiKey, *, actor: Actor, at: dt.datetime) -> Happening:
    return _of_key("key.restricted", key, actor=actor, at=at)


def _of_key(name: str, key: ApiKey, *, actor: Actor, at: dt.datetime) -> Happening:
    subjects = [f"seller:{key.seller.code}"]
    if key.store is not None:
        subjects.append(f"store:{key.store.code}")
    return Happening(
        name=name,
        at=at,
        subjects=subjects,
        actor=actor,
        data={
            "prefix": key.prefix,
            "name": key.name,
            "scopes": list(key.scopes),
            "networks": list(key.networks),
        },
    )


def endpoint_added(endpoint: WebhookEndpoint, *, actor: Actor, at: dt.datetime) -> Happening:
    return _of_endpoint("endpoint.added", endpoint, actor=actor, at=at)


def endpoint_changed(endpoint: WebhookEndpoint, *, actor: Actor, at: dt.datetime) -> Happening:
    return _of_endpoint("endpoint.changed", endpoint, actor=actor, at=at)


def endpoint_verified(endpoint: WebhookEndpoint, *, actor: Actor, at: dt.datetime) -> Happening:
    return _of_endpoint("endpoint.verified", endpoint, actor=actor, at=at)


def endpoint_replayed(
    endpoint: WebhookEndpoint,
    *,
    messages: int,
    since: dt.datetime,
    until: dt.datetime,
    actor: Actor,
    at: dt.datetime,
) -> Happening:
    told = {"messages": messages, "since": since.isoformat(), "until": until.isoformat()}
    return _of_endpoint("endpoint.replayed", endpoint, actor=actor, at=at, **told)


def endpoint_removed(endpoint: WebhookEndpoint, *, actor: Actor, at: dt.datetime) -> Happening:
    return _of_endpoint("endpoint.removed", endpoint, actor=actor, at=at)


def endpoint_disabled(endpoint: WebhookEndpoint, *, actor: Actor, at: dt.datetime) -> Happening:
    return _of_endpoint("endpoint.disabled", endpoint, actor=actor, at=at)


def _of_endpoint(
    name: str, endpoint: WebhookEndpoint, *, actor: Actor, at: dt.datetime, **more: object
) -> Happening:
    return Happening(
        name=name,
        at=at,
        subjects=[f"seller:{endpoint.seller.code}"],
        actor=actor,
        data={
            "endpoint": endpoint.code,
            "url": endpoint.url,
            "event_types": list(endpoint.event_types),
            "disabled_reason": endpoint.disabled_reason,
            **more,
        },
    )


def _about(store: Store) -> list[str]:
    return [f"store:{store.code}", f"seller:{store.seller.code}", f"mall:{store.mall.code}"]


def store_paused(store: Store, *, at: dt.datetime, actor: Actor) -> Happening:
    until = store.paused_until.isoformat() if store.paused_until else None
    return Happening("store.paused", at, _about(store), actor, {"store": store.code, "until": until})


def store_resumed(store: Store, *, at: dt.datetime, actor: Actor) -> Happening:
    return Happening("store.resumed", at, _about(store), actor, {"store": store.code})


def store_changed(store: Store, *, at: dt.datetime, actor: Actor, changes: dict[str, object]) -> Happening:
    return Happening("store.changed", at, _about(store), actor, {"store": store.code, "changes": changes})


def staff_joined(membership: StaffMembership, *, at: dt.datetime, actor: Actor) -> Happening:
    return Happening("staff.joined", at, _who(membership), actor, _what(membership))


def staff_left(membership: StaffMembership, *, at: dt.datetime, actor: Actor) -> Happening:
    return Happening("staff.left", at, _who(membership), actor, _what(membership))


def _who(membership: StaffMembership) -> list[str]:
    store = [f"store:{membership.store.code}"] if membership.store else []
    return [f"seller:{membership.seller.code}", *store]


def _what(membership: StaffMembership) -> dict[str, object]:
    return {
        "email": membership.user.email,
        "role": membership.role,
        "store": membership.store.code if membership.store else None,
    }


def invoice_issued(invoice: Invoice, *, at: dt.datetime) -> Happening:
    return Happening(
        name="invoice.issued",
        at=at,
        subjects=[f"seller:{invoice.seller.code}", f"invoice:{invoice.number}"],
        data={
            "invoice": invoice.number,
            "month": invoice.month.isoformat(),
            "total_cents": invoice.total_cents,
            "currency": invoice.currency,
        },
    )


def contest_changed(name: str, contest: Contest, *, at: dt.datetime, actor: Actor) -> Happening:
    """contest.opened, .granted, .refused, .withdrawn, .overdue."""
    charge = contest.posting
    return Happening(
        name=name,
        at=at,
        subjects=[f"contest:{contest.code}", f"seller:{charge.seller.code}", charge.subject],
        actor=actor,
        data={
            "contest": contest.code,
            "line": charge.key,
            "fault": contest.fault,
            "reason": contest.decision or contest.text,
            "due_at": contest.due_at.isoformat(),
        },
    )
