"""Drivers are told of a change of pay, each with what it would have made of their own last 30 days."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from deliveries.notices import DAYS, written
from drivers.models import Driver
from offers import limits, policies
from offers.models import PayPolicy
from offers.policies import Effect
from retaildelivery.lib import money
from retaildelivery.outbox import messages
from retaildelivery.outbox.models import Fact

RATES = {
    "weekday_cents": _("Weekday, an hour"),
    "evening_cents": _("Evening, an hour"),
    "weekend_cents": _("Weekend, an hour"),
    "holiday_cents": _("Holiday, an hour"),
    "short_notice_cents": _("Short notice, an hour"),
    "cap_cents": _("Where the ladder ends, an hour"),
    "step_cents": _("A step of the ladder, an hour"),
    "return_cents": _("A way back to a store"),
    "extra_trip_cents": _("A way that was not planned, beside its minutes"),
    "extra_mile_cents": _("A mile of such a way"),
}


@dataclass(frozen=True, slots=True)
class Change:
    """A row that holds from a day on, the one before it, and the effect on a driver's own blocks."""

    row: PayPolicy
    old: PayPolicy
    effect: Effect

    @property
    def rates(self) -> list[dict[str, object]]:
        """Every rate in cents, before and from then on."""
        names = [name for name in policies.FALLING if name.endswith("_cents")]
        return [
            {
                "name": RATES[name],
                "was": int(getattr(self.old, name)),
                "now": int(getattr(self.row, name)),
            }
            for name in names
        ]


def tell(*, fact: Fact, at: dt.datetime) -> None:
    """Reaction to a row of pay that was added or changed: a mail to every driver of the market who may drive."""
    row = PayPolicy.objects.select_related("market").filter(code=fact.data["code"]).first()
    if row is None or policies.before(row) is None:
        return
    effects = policies.preview(row, at=at).drivers
    drivers = Driver.objects.filter(market_code=row.market.code, status=Driver.Status.APPROVED)
    for driver in drivers.select_related("user").order_by("pk").iterator(chunk_size=500):
        if driver.user.email:
            _write(driver, row, effects.get(driver.pk, Effect()), key=f"{fact.code}:{driver.code}", at=at)


def _write(driver: Driver, row: PayPolicy, effect: Effect, *, key: str, at: dt.datetime) -> None:
    user = driver.user
    locale = user.locale if user.locale in dict(settings.LANGUAGES) else "en"
    with translation.override(locale):
        context = {
            "name": user.first_name,
            "market": row.market.name,
            "day": date_format(row.valid_from, DAYS[locale]),
            "blocks": effect.blocks,
            "was": money.format_cents(effect.was_cents, row.market.currency),
            "would": money.format_cents(effect.would_cents, row.market.currency),
            "url": f"{settings.BASE_URL}/drive/earnings/changes/",
        }
        subject, text = written(f"notices/{locale}/pay_policy_announced.txt", context)
        paragraphs = [part.replace("\n", " ") for part in text.split("\n\n") if part.strip()]
        html = render_to_string(
            "notices/_mail.html", {"subject": subject, "locale": locale, "paragraphs": paragraphs}
        )
    messages.write(
        key=key,
        name="pay_policy_announced",
        to=user.email,
        subject=subject,
        text=text,
        html=html,
        about=f"driver:{driver.code}",
        at=at,
    )


def changes(driver: Driver, *, at: dt.datetime) -> list[Change]:
    """Rows of the driver's market that begin soon or began lately, the next first, with their own last 30 days."""
    since = (at - limits.PREVIEW_BACK).date()
    rows = PayPolicy.objects.filter(market__code=driver.market_code, valid_from__gte=since).select_related(
        "market"
    )
    found = []
    for row in rows.order_by("-valid_from")[: limits.CHANGES_SHOWN]:
        old = policies.before(row)
        if old is not None:
            effect = policies.preview(row, at=at, drivers=[driver.pk]).total
            found.append(Change(row, old, effect))
    return found


def coming(driver: Driver, *, at: dt.datetime) -> PayPolicy | None:
    """The next row of the driver's market that has not begun."""
    rows = PayPolicy.objects.filter(market__code=driver.market_code, valid_from__gt=at.date())
    row: PayPolicy | None = rows.select_related("market").order_by("valid_from").first()
    return row
