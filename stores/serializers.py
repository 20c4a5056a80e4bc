"""What the API of stores reads and writes."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from retaildelivery.outbox.models import Fact
from retaildelivery.web import fields, paging
from retaildelivery.web import limits as web_limits
from retaildelivery.web.fields import Input, Output, Text
from stores import audit, limits
from stores.models import Mall, Store, WebhookAttempt, WebhookEndpoint, WebhookMessage
from stores.webhooks import events


class SellerMall(Output):
    code = serializers.CharField()
    name = serializers.CharField()
    address = serializers.CharField()
    latitude = serializers.FloatField()
    longitude = serializers.FloatField()
    time_zone = serializers.CharField()
    currency = serializers.CharField()
    delivery_radius_m = serializers.IntegerField()


def mall(found: Mall) -> dict[str, Any]:
    return {
        "code": found.code,
        "name": found.name,
        "address": found.address,
        "latitude": float(found.latitude),
        "longitude": float(found.longitude),
        "time_zone": found.market.time_zone,
        "currency": found.market.currency,
        "delivery_radius_m": found.delivery_radius_m,
    }


class StoreOut(Output):
    code = serializers.CharField()
    name = serializers.CharField()
    mall = serializers.CharField(help_text="Code of the mall.")
    unit = serializers.CharField(allow_blank=True)
    phone = serializers.CharField(allow_blank=True)
    pickup_note = serializers.CharField(allow_blank=True)
    prep_minutes = serializers.IntegerField()
    paused_until = serializers.DateTimeField(allow_null=True)
    active = serializers.BooleanField()


def store(found: Store) -> dict[str, Any]:
    return {
        "code": found.code,
        "name": found.name,
        "mall": found.mall.code,
        "unit": found.unit,
        "phone": found.phone,
        "pickup_note": found.pickup_note,
        "prep_minutes": found.prep_minutes,
        "paused_until": events.moment(found.paused_until) if found.paused_until else None,
        "active": found.active,
    }


class MallPage(Output):
    results = SellerMall(many=True)
    next = serializers.CharField(allow_null=True)


class StorePage(Output):
    results = StoreOut(many=True)
    next = serializers.CharField(allow_null=True)


# -- Events ------------------------------------------------------------------------------------------------


class EventOut(Output):
    type = serializers.CharField(help_text="Name of the fact, such as order.picked_up.")
    id = serializers.CharField()
    timestamp = serializers.DateTimeField()
    sequence = serializers.IntegerField(
        allow_null=True, help_text="Number of this event within its order: a gap is one you have missed."
    )
    live_mode = serializers.BooleanField()
    data = fields.Document()


class EventQuery(Input):
    after = Text(required=False, max_length=60, help_text="`id` of the last event you have.")
    limit = fields.QueryNumber(
        required=False, min_value=1, max_value=limits.EVENTS_PAGE, default=web_limits.PAGE
    )


class EventPage(Output):
    results = EventOut(many=True)
    next = serializers.CharField(
        allow_null=True, help_text="Ask again with `after=` this; it moves on when there is more."
    )


class AuditQuery(paging.PageQuery):
    since = fields.Moment(required=False)
    until = fields.Moment(required=False, help_text="Up to, and without, this moment.")


class AuditEntry(Output):
    id = serializers.CharField()
    at = serializers.DateTimeField()
    what = serializers.CharField(help_text="Name of the fact, such as key.revoked.")
    subjects = serializers.ListField(child=serializers.CharField(), help_text="Such as order:K7QX4M2P.")
    actor_kind = serializers.ChoiceField(choices=Fact.Actor.choices)
    actor = serializers.CharField(allow_blank=True, help_text="A person, a key's name, a driver's code.")
    source = serializers.CharField(allow_blank=True, help_text="Which page or key, and the address.")
    details = fields.Document()


def audit_entry(fact: Fact) -> dict[str, Any]:
    return {**audit.entry(fact), "at": events.moment(fact.at)}


class AuditPage(Output):
    results = AuditEntry(many=True)
    next = serializers.CharField(allow_null=True)


# -- Webhook endpoints --------------------------------------------------------------------------------------


ONE_OF_OURS = {"enum": list(events.EVENTS)}
AT_HTTPS = {"pattern": "^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[!$-;=?-Z_a-z~-]*)?$"}


class EndpointIn(Input):
    url = Text(max_length=500, help_text="https, at a public address.", described=AT_HTTPS)
    description = Text(max_length=120, required=False, allow_blank=True, default="")
    event_types = serializers.ListField(
        child=Text(max_length=60, described=ONE_OF_OURS),
        required=False,
        default=list,
        max_length=100,
        help_text="Empty: every event.",
    )


class EndpointChange(Input):
    url = Text(max_length=500, required=False, described=AT_HTTPS)
    description = Text(max_length=120, required=False, allow_blank=True)
    event_types = serializers.ListField(
        child=Text(max_length=60, described=ONE_OF_OURS), required=False, max_length=100
    )
    enabled = fields.Flag(required=False, help_text="false switches it off; true forgets that it failed.")


class EndpointOut(Output):
    code = serializers.CharField()
    url = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    event_types = serializers.ListField(child=serializers.CharField())
    enabled = serializers.BooleanField()
    disabled_reason = serializers.CharField(allow_blank=True)
    failing_since = serializers.DateTimeField(allow_null=True)
    verified_at = serializers.DateTimeField(
        allow_null=True,
        help_text="When it answered our check; until then it gets a few hundred messages only.",
    )
    created_at = serializers.DateTimeField()


class EndpointWithSecret(EndpointOut):
    secret = serializers.CharField(help_text="whsec_…: verify signatures with it. Shown only here.")


def endpoint(found: WebhookEndpoint) -> dict[str, Any]:
    return {
        "code": found.code,
        "url": found.url,
        "description": found.description,
        "event_types": list(found.event_types),
        "enabled": found.disabled_at is None,
        "disabled_reason": found.disabled_reason,
        "failing_since": events.moment(found.failing_since) if found.failing_since else None,
        "verified_at": events.moment(found.verified_at) if found.verified_at else None,
        "created_at": events.moment(found.created_at),
    }


class EndpointPage(Output):
    results = EndpointOut(many=True)
    next = serializers.CharField(allow_null=True)


class AttemptOut(Output):
    at = serializers.DateTimeField()
    duration_ms = serializers.IntegerField()
    status = serializers.IntegerField(allow_null=True, help_text="HTTP status, when there was an answer.")
    failure = serializers.CharField(allow_blank=True, help_text="timeout, private_address, …")
    response = serializers.CharField(allow_blank=True, help_text="The first bytes of the answer.")


class MessageOut(Output):
    id = serializers.CharField(help_text="The webhook-id header: the id of the event.")
    type = serializers.CharField()
    created_at = serializers.DateTimeField()
    status = serializers.ChoiceField(choices=["pending", "delivered", "given_up"])
    delivered_at = serializers.DateTimeField(allow_null=True)
    next_attempt_at = serializers.DateTimeField(allow_null=True)
    attempts = AttemptOut(many=True)


class ReplayIn(Input):
    since = fields.Moment(help_text="From this moment on, by `created_at` of the message.")
    until = fields.Moment(required=False, help_text="Up to, and without, this moment. Default: now.")
    undelivered_only = fields.Flag(required=False, default=False)
    event_types = serializers.ListField(
        child=Text(max_length=60, described=ONE_OF_OURS),
        required=False,
        default=list,
        max_length=100,
        help_text="Empty: every event.",
    )


class ReplayOut(Output):
    messages = serializers.IntegerField(help_text="How many are on their way again.")


class MessagePage(Output):
    results = MessageOut(many=True)
    next = serializers.CharField(allow_null=True)


def attempt(found: WebhookAttempt) -> dict[str, Any]:
    return {
        "at": events.moment(found.at),
        "duration_ms": round(found.duration.total_seconds() * 1000),
        "status": found.status,
        "failure": found.failure,
        "response": found.response,
    }


def message(found: WebhookMessage) -> dict[str, Any]:
    """A message with its attempts, which the caller has prefetched."""
    done = found.delivered_at or found.given_up_at
    state = "delivered" if found.delivered_at else "given_up" if found.given_up_at else "pending"
    return {
        "id": found.code,
        "type": found.event_type,
        "created_at": events.moment(found.created_at),
        "status": state,
        "delivered_at": events.moment(found.delivered_at) if found.delivered_at else None,
        "next_attempt_at": None if done else events.moment(found.next_attempt_at),
        "attempts": [attempt(row) for row in sorted(found.tries.all(), key=lambda row: row.pk)],
    }
