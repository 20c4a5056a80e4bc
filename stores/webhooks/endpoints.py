"""What a seller does with endpoints: add, change, switch on, replace the secret, remove, test."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from retaildelivery.lib import codes
from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox import recording, worlds
from retaildelivery.web import guard
from stores import facts, limits, locks
from stores.models import Seller, WebhookAttempt, WebhookEndpoint, WebhookMessage
from stores.webhooks import events, sending, signing


class EndpointRefused(Refused):
    code = "endpoint_refused"
    sentence = _("This endpoint cannot be used.")


class UrlRefused(EndpointRefused):
    code = "url_refused"
    sentence = _(
        "Give an https URL of a public address, without user name, password or fragment (%(failure)s)."
    )


class EventUnknown(EndpointRefused):
    code = "event_unknown"
    sentence = _("There is no event %(name)s.")


class UrlTaken(EndpointRefused):
    code = "url_taken"
    sentence = _("There is an endpoint with this URL already.")


class TooManyEndpoints(EndpointRefused):
    code = "too_many_endpoints"
    sentence = _("There are %(most)d endpoints already. Remove one first.")


class EndpointDisabled(EndpointRefused):
    code = "endpoint_disabled"
    sentence = _("This endpoint is switched off. Switch it on first.")


def _check(url: str, event_types: Sequence[str]) -> list[str]:
    try:
        guard.read(url, private=settings.WEBHOOKS_ALLOW_PRIVATE)
    except guard.AddressRefused as refusal:
        raise UrlRefused(field="url", reason=refusal.failure, failure=refusal.failure) from refusal
    for place, name in enumerate(event_types):
        if name not in events.EVENTS:
            raise EventUnknown(field=f"event_types[{place}]", name=name)
    return sorted(set(event_types))


@transaction.atomic(durable=True)
def add(
    *,
    seller: Seller,
    url: str,
    event_types: Sequence[str],
    description: str,
    actor: recording.Actor,
    at: dt.datetime,
) -> WebhookEndpoint:
    """A new endpoint, with a new secret; no `event_types` means every event.

    Raises UrlRefused, EventUnknown, UrlTaken, TooManyEndpoints.
    """
    event_types = _check(url, event_types)
    seller = locks.seller(seller.pk)
    live = WebhookEndpoint.objects.live().filter(seller=seller, world=worlds.current())
    if live.filter(url=url).exists():
        raise UrlTaken(field="url")
    if live.count() >= limits.ENDPOINTS_PER_SELLER:
        raise TooManyEndpoints(most=limits.ENDPOINTS_PER_SELLER)
    endpoint = WebhookEndpoint.objects.create(
        seller=seller,
        url=url,
        event_types=event_types,
        description=description,
        secret=signing.new_secret(),
        created_at=at,
    )
    recording.record(facts.endpoint_added(endpoint, actor=actor, at=at))
    return endpoint


@transaction.atomic(durable=True)
def change(
    *,
    code: str,
    scope: QuerySet[WebhookEndpoint],
    actor: recording.Actor,
    at: dt.datetime,
    url: str | None = None,
    event_types: Sequence[str] | None = None,
    description: str | None = None,
    enabled: bool | None = None,
) -> WebhookEndpoint:
    """Change what is given; `enabled` switches on (forgetting that it failed) or off.

    Raises WebhookEndpoint.DoesNotExist, UrlRefused, EventUnknown, UrlTaken.
    """
    endpoint = locks.endpoint(scope, code)
    if url is not None and url != endpoint.url:
        endpoint.url, endpoint.verified_at = url, None
    endpoint.event_types = _check(endpoint.url, endpoint.event_types if event_types is None else event_types)
    endpoint.description = endpoint.description if description is None else description
    if enabled is True:
        endpoint.disabled_at, endpoint.disabled_reason = None, ""
        endpoint.failing_since = endpoint.probing_until = None
    elif enabled is False and endpoint.disabled_at is None:
        endpoint.disabled_at, endpoint.disabled_reason = at, "switched_off"
    try:
        with transaction.atomic():
            endpoint.save(
                update_fields=[
                    "url",
                    "verified_at",
                    "event_types",
                    "description",
                    "disabled_at",
                    "disabled_reason",
                    "failing_since",
                    "probing_until",
                ]
            )
    except IntegrityError as clash:
        raise UrlTaken(field="url") from clash
    recording.record(facts.endpoint_changed(endpoint, actor=actor, at=at))
    return endpoint


@transaction.atomic(durable=True)
def rotate_secret(
    *, code: str, scope: QuerySet[WebhookEndpoint], actor: recording.Actor, at: dt.datetime
) -> WebhookEndpoint:
    """A new secret; for a day messages carry a signature by each, so that the receiver can change over."""
    endpoint = locks.endpoint(scope, code)
    endpoint.previous_secret = endpoint.secret
    endpoint.previous_secret_until = at + limits.SECRET_OVERLAP
    endpoint.secret = signing.new_secret()
    endpoint.save(update_fields=["previous_secret", "previous_secret_until", "secret"])
    recording.record(facts.endpoint_changed(endpoint, actor=actor, at=at))
    return endpoint


@transaction.atomic(durable=True)
def remove(
    *, code: str, scope: QuerySet[WebhookEndpoint], actor: recording.Actor, at: dt.datetime
) -> WebhookEndpoint:
    endpoint = locks.endpoint(scope, code)
    endpoint.deleted_at = at
    endpoint.save(update_fields=["deleted_at"])
    recording.record(facts.endpoint_removed(endpoint, actor=actor, at=at))
    return endpoint


def test(
    *, code: str, scope: QuerySet[WebhookEndpoint], at: dt.datetime
) -> tuple[WebhookMessage, WebhookAttempt | None]:
    """Send a test event now and tell what came back; None when the endpoint is failing and was just tried.

    Raises WebhookEndpoint.DoesNotExist, EndpointDisabled.
    """
    message = _test_message(code=code, scope=scope, at=at)
    attempt = sending.send(message_id=message.pk, at=at)
    message.refresh_from_db()
    return message, attempt


@transaction.atomic(durable=True)
def _test_message(*, code: str, scope: QuerySet[WebhookEndpoint], at: dt.datetime) -> WebhookMessage:
    endpoint = scope.get(code=code)
    if endpoint.disabled_at is not None:
        raise EndpointDisabled
    event_id = "evt_test_" + codes.new_code(length=16).lower()
    body = {
        "type": events.TEST,
        "id": event_id,
        "timestamp": events.moment(at),
        "sequence": None,
        "live_mode": endpoint.live_mode,
        "data": {"endpoint": endpoint.code},
    }
    return WebhookMessage.objects.create(
        code=event_id,
        endpoint=endpoint,
        event_type=events.TEST,
        body=events.as_text(body),
        created_at=at,
        next_attempt_at=at,
    )
