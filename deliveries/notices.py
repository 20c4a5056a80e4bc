"""What the recipient is told by e-mail, in their own language and the mall's time."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.formats import date_format

from deliveries.models import Attempt, Order, ProofOfDelivery
from deliveries.snapshots import courier, live_consignment, tracking_url, with_all
from retaildelivery.outbox import messages
from retaildelivery.outbox.models import Fact

# A notice is worth sending while its order is in one of these states: a late relay tells no old news.
WORTH: dict[str, set[str]] = {
    "order.assigned": {Order.Status.ASSIGNED, Order.Status.AT_PICKUP},
    "order.picked_up": {Order.Status.PICKED_UP, Order.Status.EN_ROUTE, Order.Status.AT_DROPOFF},
    "order.near": {Order.Status.EN_ROUTE, Order.Status.AT_DROPOFF},
    "order.delivered": {Order.Status.DELIVERED},
    "order.attempt_failed": {Order.Status.RETURNING, Order.Status.RETURNED, Order.Status.DISPOSED},
    "order.cancelled": {Order.Status.CANCELLED},
}
# Django's own formats write "noon" and "2 p.m.", which do not read well at the end of a sentence.
DAYS = {"en": "l, F j", "es": r"l j \d\e F"}
CLOCK = "g:i A"
WITH_PIN = {"order.assigned", "order.picked_up", "order.near"}


def tell_recipient(*, fact: Fact, at: dt.datetime) -> None:
    """Reaction: write the mail of this fact, once, if there is an address and it is still news."""
    code = fact.data["order"]["code"]
    order = with_all(Order.objects.filter(code=code)).order_by("pk").first()  # type: ignore[arg-type]
    if order is None or not order.recipient_email or order.status not in WORTH[fact.name]:
        return
    locale = order.recipient_locale if order.recipient_locale in dict(settings.LANGUAGES) else "en"
    name = fact.name.replace(".", "_")
    with translation.override(locale):
        context = _context(order, fact, locale)
        subject, text = written(f"notices/{locale}/{name}.txt", context)
        html = render_to_string(
            "notices/_mail.html",
            {
                "subject": subject,
                "locale": locale,
                "paragraphs": [part.replace("\n", " ") for part in text.split("\n\n") if part.strip()],
            },
        )
    messages.write(
        key=f"{fact.code}:recipient",
        name=name,
        to=order.recipient_email,
        subject=subject,
        text=text,
        html=html,
        about=f"order:{order.code}",
        at=at,
    )


def list_for_recipient(*, fact: Fact, at: dt.datetime) -> None:
    """Reaction in a sandbox: the same mail, at the time of the sandbox, to be looked at and never sent."""
    tell_recipient(fact=fact, at=fact.at)


def written(template: str, context: dict[str, Any]) -> tuple[str, str]:
    """Subject (the first line) and text of a notice, without runs of empty lines."""
    subject, _break, body = render_to_string(template, context).strip().partition("\n")
    paragraphs = [part.strip() for part in body.split("\n\n")]
    lines = [line for part in paragraphs for line in (part, "") if part]
    return subject, "\n".join(lines).strip() + "\n"


def _context(order: Order, fact: Fact, locale: str) -> dict[str, Any]:
    zone = order.store.mall.zone
    place = live_consignment(order)
    told = fact.data["order"]
    driver = courier(place.manifest.driver) if place else told.get("courier")
    proof = fact.data.get("proof") or {}
    start, end = order.window.lower.astimezone(zone), order.window.upper.astimezone(zone)
    hours = " – ".join(date_format(moment, CLOCK) for moment in (start, end))
    return {
        "code": order.code,
        "name": order.recipient_name.split(" ")[0],
        "store": order.store.name,
        "driver": (driver or {}).get("first_name", ""),
        "vehicle": (driver or {}).get("vehicle", ""),
        "window": f"{date_format(start, DAYS[locale])}, {hours}",
        "eta": date_format(place.dropoff.eta_at.astimezone(zone), CLOCK) if place else "",
        "pin": order.pin if order.requires_pin and fact.name in WITH_PIN else "",
        "url": tracking_url(order),
        "ended": date_format(fact.at.astimezone(zone), CLOCK),
        "left_at": _label(ProofOfDelivery.LeftAt, proof.get("left_at")),
        "reason": _label(Attempt.Reason, fact.data.get("reason")),
        "disposed": order.status == Order.Status.DISPOSED,
    }


def _label(choices: Any, value: str | None) -> str:
    return str(choices(value).label) if value in choices.values else ""
