"""Sign messages as Standard Webhooks has it: https://www.standardwebhooks.com."""

from __future__ import annotations

import base64
import datetime as dt
import secrets

from standardwebhooks import Webhook

from stores.models import WebhookEndpoint

SECRET_BYTES = 32  # the specification asks for 24 to 64


def new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def headers(*, endpoint: WebhookEndpoint, message_id: str, body: str, at: dt.datetime) -> dict[str, str]:
    """The three headers of a message sent `at`; while a secret is being replaced, signed with both."""
    wanted = [endpoint.secret]
    if endpoint.previous_secret and endpoint.previous_secret_until and at < endpoint.previous_secret_until:
        wanted.append(endpoint.previous_secret)
    moment = at.astimezone(dt.UTC)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(message_id, moment, body) for secret in wanted),
    }
