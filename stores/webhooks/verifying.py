"""Does an endpoint belong to the seller who named it? Whoever can make it answer our check has shown that."""

from __future__ import annotations

import dataclasses
import datetime as dt
from urllib.parse import urlencode

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from retaildelivery.lib import codes
from retaildelivery.outbox import recording
from retaildelivery.web import guard, posting
from stores import facts, locks
from stores.models import WebhookEndpoint
from stores.webhooks import sending
from stores.webhooks.endpoints import EndpointRefused


class OwnershipNotShown(EndpointRefused):
    code = "ownership_not_shown"
    sentence = _(
        "We asked GET %(url)s?check=… and expected the text of `check` as the whole answer, but got: %(got)s."
    )


def verify(
    *, code: str, scope: QuerySet[WebhookEndpoint], actor: recording.Actor, at: dt.datetime
) -> WebhookEndpoint:
    """Ask the URL with a random `check`; it is the seller's when the answer is 200 with that very text.

    Asked outside any transaction. Raises WebhookEndpoint.DoesNotExist, OwnershipNotShown.
    """
    endpoint = scope.get(code=code)
    check = codes.new_token()
    got = _ask(endpoint.url, check)
    if got != check:
        raise OwnershipNotShown(field="url", reason=got[:40], url=endpoint.url, got=got[:80])
    return _note(code=code, scope=scope, url=endpoint.url, actor=actor, at=at)


def _ask(url: str, check: str) -> str:
    """The text of the answer when it is a 200, else one word for what came instead."""
    try:
        target = guard.resolve(url, private=settings.WEBHOOKS_ALLOW_PRIVATE)
    except guard.AddressRefused as refusal:
        return refusal.failure
    path = target.path + ("&" if "?" in target.path else "?") + urlencode({"check": check})
    headers = {"User-Agent": sending.USER_AGENT, "Accept": "text/plain"}
    outcome = posting.get(dataclasses.replace(target, path=path), headers=headers, bounds=sending.bounds())
    if outcome.status != 200:
        return outcome.failure or f"status_{outcome.status}"
    return outcome.response.strip() or "an_empty_answer"


@transaction.atomic(durable=True)
def _note(
    *, code: str, scope: QuerySet[WebhookEndpoint], url: str, actor: recording.Actor, at: dt.datetime
) -> WebhookEndpoint:
    endpoint = locks.endpoint(scope, code)
    # Another URL was named while the old one was asked: that one has shown nothing.
    if endpoint.url != url:
        raise OwnershipNotShown(field="url", reason="url_changed", url=endpoint.url, got="url_changed")
    if endpoint.verified_at is None:
        endpoint.verified_at = at
        endpoint.save(update_fields=["verified_at"])
        recording.record(facts.endpoint_verified(endpoint, actor=actor, at=at))
    return endpoint
