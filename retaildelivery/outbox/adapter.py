"""How allauth writes to people: through the outbox, so that a mail is a row that is retried."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from retaildelivery.accounts.models import User
from retaildelivery.lib import codes
from retaildelivery.outbox import messages
from retaildelivery.outbox.models import Message


class AccountAdapter(DefaultAccountAdapter):
    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        mail = self.render_mail(template_prefix, email, {**context, "email": email})
        now = timezone.now()
        with transaction.atomic():
            messages.write(
                key=f"account:{codes.new_code(length=20)}",
                name=template_prefix.rsplit("/", 1)[-1],
                to=email,
                subject=mail.subject,
                text=str(mail.body),
                kind=Message.Kind.ACCOUNT,
                at=now,
            )

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        user.name = form.cleaned_data.get("name", "")
        user.locale = getattr(request, "LANGUAGE_CODE", "en")
        saved: User = super().save_user(request, user, form, commit)
        return saved
