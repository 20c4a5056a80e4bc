"""Where e-mail goes when no SMTP server is configured: nowhere but the table, which `/ops/outbox/` shows."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend


class StoredBackend(BaseEmailBackend):
    """Accepts every message; the `Message` row it came from is the copy a person can read."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        return len(email_messages)
