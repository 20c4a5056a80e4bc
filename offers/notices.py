"""What a driver is told by e-mail about a block they hold, in their own language and the mall's time."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.formats import date_format

from deliveries.notices import CLOCKS, DAYS, written
from offers.models import Block, Claim
from retaildelivery.outbox import messages
from retaildelivery.outbox.models import Fact


def tell_driver(*, fact: Fact, at: dt.datetime) -> None:
    """Reaction: write the mail of this fact to whoever holds its block, once, while they still do."""
    claim = (
        Claim.objects.live()  # type: ignore[attr-defined]
        .filter(block__code=fact.data["block"]["code"], driver__code__in=_drivers(fact))
        .select_related("block__mall__market", "driver__user")
        .first()
    )
    if claim is None or not claim.driver.user.email:
        return
    told = claim.driver.user.locale
    locale = told if told in dict(settings.LANGUAGES) else "en"
    name = fact.name.replace(".", "_")
    with translation.override(locale):
        subject, text = written(f"notices/{locale}/{name}.txt", _context(claim, fact, locale))
        html = render_to_string(
            "notices/_mail.html",
            {
                "subject": subject,
                "locale": locale,
                "paragraphs": [part.replace("\n", " ") for part in text.split("\n\n") if part.strip()],
            },
        )
    messages.write(
        key=f"{fact.code}:driver",
        name=name,
        to=claim.driver.user.email,
        subject=subject,
        text=text,
        html=html,
        about=f"block:{claim.block.code}",
        at=at,
    )


def _drivers(fact: Fact) -> list[str]:
    return [each.removeprefix("driver:") for each in fact.subjects if each.startswith("driver:")]


def _context(claim: Claim, fact: Fact, locale: str) -> dict[str, Any]:
    block: Block = claim.block
    zone = block.mall.zone
    start, end = block.starts_at.astimezone(zone), block.ends_at.astimezone(zone)
    hours = " – ".join(date_format(moment, CLOCKS[locale]) for moment in (start, end))
    return {
        "code": block.code,
        "name": claim.driver.user.first_name,
        "mall": block.mall.name,
        "window": f"{date_format(start, DAYS[locale])}, {hours}",
        "added": len(fact.data.get("added", [])),
        "removed": len(fact.data.get("removed", [])),
        "stops": len(fact.data.get("stops", [])),
        "reason": fact.data.get("reason", ""),
        "orders": fact.data["block"]["orders"],
        "doors": fact.data["block"]["doors"],
        "url": f"{settings.BASE_URL}/drive/blocks/{block.code}/",
    }
