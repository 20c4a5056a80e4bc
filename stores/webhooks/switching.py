"""Switch off an endpoint that is gone, fails for days, or has never shown whose it is; and tell its owner."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _

from retaildelivery.outbox import messages, recording, worlds
from stores import facts, limits
from stores.models import WebhookEndpoint, WebhookMessage


def disable(endpoint: WebhookEndpoint, *, reason: str, at: dt.datetime) -> bool:
    """Switch an endpoint off and tell its owner, inside the caller's transaction. False when it was off."""
    if not WebhookEndpoint.objects.filter(pk=endpoint.pk, disabled_at=None).update(
        disabled_at=at, disabled_reason=reason
    ):
        return False
    endpoint.disabled_at, endpoint.disabled_reason = at, reason
    # Of a sandbox's endpoint the owner is told where the sandbox's messages are.
    with worlds.entered(endpoint.world):
        _tell(endpoint, reason, at=at)
    return True


def _tell(endpoint: WebhookEndpoint, reason: str, *, at: dt.datetime) -> None:
    recording.record(facts.endpoint_disabled(endpoint, actor=recording.SYSTEM, at=at))
    why = {
        "gone": _("It answered 410 Gone, which asks us to stop."),
        "failing": _("It has answered nothing but errors for %(days)d days.")
        % {"days": limits.ENDPOINT_FAILS.days},
        "unverified": _(
            "It has had %(most)d messages without ever showing that it is yours: answer our check (GET with "
            "?check=…) with the text of `check`, and press Verify or call POST …/verify."
        )
        % {"most": limits.UNVERIFIED_MESSAGES},
    }[reason]
    messages.write(
        key=f"endpoint_disabled:{endpoint.code}:{at.isoformat()}",
        name="endpoint_disabled",
        to=endpoint.seller.email,
        subject=_("We have switched off your webhook endpoint %(code)s") % {"code": endpoint.code},
        text=_(
            "We no longer send events to %(url)s.\n\n%(why)s\n\nNothing is lost: once it works again, switch "
            "the endpoint on and read what it missed from GET /api/v1/events, or replay its messages.\n"
        )
        % {"url": endpoint.url, "why": why},
        about=f"seller:{endpoint.seller.code}",
        at=at,
    )


def disable_if_unverified(endpoint: WebhookEndpoint, *, at: dt.datetime) -> bool:
    """Whether the endpoint, never verified, has had all that it may have; it is switched off then."""
    if endpoint.verified_at is not None:
        return False
    had = WebhookMessage.objects.filter(endpoint=endpoint)[: limits.UNVERIFIED_MESSAGES].count()
    return had >= limits.UNVERIFIED_MESSAGES and disable(endpoint, reason="unverified", at=at)
