"""What people are told about blocks: stores whose driver runs late by e-mail, drivers on their phones or by e-mail."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import F, Q
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.formats import date_format

from deliveries.models import Stop
from deliveries.notices import CLOCK, DAYS, written
from drivers import notifying
from drivers.models import Driver
from offers import limits
from offers.models import Award, Block, Claim, HandOver, Offer
from retaildelivery.accounts.models import User
from retaildelivery.lib import money
from retaildelivery.outbox import messages
from retaildelivery.outbox.models import Fact
from stores.models import StaffMembership


def warn_stores(*, fact: Fact, at: dt.datetime) -> None:
    """Reaction to a driver who runs late: the managers of each store of the first trip are told when to expect them."""
    claim = (
        Claim.objects.live()  # type: ignore[attr-defined]
        .filter(block__code=fact.data["block"]["code"], late_eta_at__isnull=False)
        .select_related("block__mall__market", "driver__user")
        .first()
    )
    if claim is None:
        return
    pickups = Stop.objects.filter(
        manifest=claim.block.manifest_id, kind=Stop.Kind.PICKUP, trip=F("manifest__trip")
    )
    for stop in pickups.select_related("store__seller").order_by("position", "pk"):
        assert stop.store is not None, "A pickup is at a store."
        leads = (
            StaffMembership.objects.live()  # type: ignore[attr-defined]
            .filter(seller=stop.store.seller, role=StaffMembership.Role.MANAGER)
            .filter(Q(store=stop.store) | Q(store=None))
            .select_related("user")
        )
        for user in [each.user for each in leads.order_by("pk")[: limits.WARNED_AT_A_STORE]]:
            write(
                user,
                "block_running_late",
                key=f"{fact.code}:{stop.store.code}:{user.pk}",
                block=claim.block,
                at=at,
                store=stop.store.name,
                driver=claim.driver.called,
                moment=claim.late_eta_at,
            )


def tell_receiver(*, fact: Fact, at: dt.datetime) -> None:
    """Reaction to a proposed hand-over: whoever is asked reads of it, while it is still open."""
    asked = (
        HandOver.objects.open_at(at)  # type: ignore[attr-defined]
        .filter(code=fact.data["hand_over"])
        .select_related("claim__block__mall__market", "claim__driver__user", "receiver__user")
        .first()
    )
    if asked is None:
        return
    tell(
        asked.receiver,
        "block_hand_over_proposed",
        key=f"{fact.code}:receiver",
        block=asked.claim.block,
        path=f"/drive/hand-overs/{asked.code}/",
        until=asked.expires_at,
        at=at,
        driver=asked.claim.driver.called,
        moment=asked.expires_at,
    )


def tell_giver(*, fact: Fact, at: dt.datetime) -> None:
    """Reaction to a hand-over that took place: the giver is free of the block, in writing."""
    made = (
        HandOver.objects.filter(code=fact.data["hand_over"], ending=HandOver.Ending.ACCEPTED)
        .select_related("claim__block__mall__market", "claim__driver__user", "receiver__user")
        .first()
    )
    if made is not None:
        tell(
            made.claim.driver,
            "block_handed_over",
            key=f"{fact.code}:giver",
            block=made.claim.block,
            path="/drive/offers/",
            at=at,
            driver=made.receiver.called,
            moment=made.ended_at,
        )


def tell_stand_by(*, fact: Fact, at: dt.datetime) -> None:
    """Reaction to the turn of somebody who stands by: they have minutes, so it is only news while it is open."""
    offer = (
        Offer.objects.open_at(at)  # type: ignore[attr-defined]
        .filter(code=fact.data["offer"])
        .select_related("block__mall__market", "reserved_for__user")
        .first()
    )
    if offer is not None and offer.reserved_for is not None:
        tell(
            offer.reserved_for,
            "block_stand_by_asked",
            key=f"{fact.code}:driver",
            block=offer.block,
            path=f"/drive/offers/{offer.code}/",
            until=offer.closes_at,
            at=at,
            moment=offer.closes_at,
        )


def tell_drawn(*, fact: Fact, at: dt.datetime) -> None:
    """Reaction to somebody who is asked after a draw: they have minutes, so it is only news while it is theirs."""
    award = (
        Award.objects.holding(at)  # type: ignore[attr-defined]
        .filter(offer__code=fact.data["offer"], entry__rank=fact.data["rank"])
        .select_related("offer__block__mall__market", "driver__user")
        .first()
    )
    if award is not None:
        tell(
            award.driver,
            "award_made",
            key=f"{fact.code}:driver",
            block=award.offer.block,
            path=f"/drive/offers/{award.offer.code}/",
            until=award.holds_until,
            at=at,
            moment=award.holds_until,
        )


def tell_ended(*, fact: Fact, at: dt.datetime) -> None:
    """Reaction to a block that was stood down or withdrawn: its driver need not come, what they are paid, and that
    nothing counts against them."""
    ending, cents = {
        "block.stood_down": (Claim.Ending.STOOD_DOWN, "total_cents"),
        "block.withdrawn": (Claim.Ending.WITHDRAWN, "paid_cents"),
    }[fact.name]
    claim = (
        Claim.objects.filter(block__code=fact.data["block"]["code"], ending=ending)
        .filter(driver__code__in=drivers_of(fact))
        .select_related("block__mall__market", "driver__user")
        .first()
    )
    if claim is not None:
        paid = int(fact.data[cents])
        tell(
            claim.driver,
            fact.name.replace(".", "_"),
            key=f"{fact.code}:driver",
            block=claim.block,
            path="/drive/offers/",
            at=at,
            pay=money.format_cents(paid) if paid else "",
        )


def tell_no_show(*, fact: Fact, at: dt.datetime) -> None:
    """Reaction to a driver who did not come: what that counts, and how to object."""
    claim = (
        Claim.objects.filter(block__code=fact.data["block"]["code"], ending=Claim.Ending.NO_SHOW)
        .filter(driver__code__in=drivers_of(fact))
        .select_related("block__mall__market", "driver__user")
        .first()
    )
    if claim is not None:
        tell(
            claim.driver,
            "block_no_show",
            key=f"{fact.code}:driver",
            block=claim.block,
            path="/drive/standing/",
            at=at,
            moment=claim.block.starts_at + limits.NO_SHOW_AFTER,
            points=-limits.NO_SHOW_POINTS,
        )


def drivers_of(fact: Fact) -> list[str]:
    """Codes of the drivers that a fact names."""
    return [each.removeprefix("driver:") for each in fact.subjects if each.startswith("driver:")]


def tell(
    driver: Driver,
    name: str,
    /,
    *,
    key: str,
    block: Block,
    path: str,
    at: dt.datetime,
    until: dt.datetime | None = None,
    moment: dt.datetime | None = None,
    by_push: bool = True,
    by_email: bool = True,
    **more: Any,
) -> None:
    """Tell a driver on their phones, by e-mail when there are none; the page of ours that it opens is its `url`."""
    url = f"{settings.BASE_URL}{path}"
    letter = _written(driver.user, name, block=block, moment=moment, url=url, **more)
    notifying.notify(
        driver=driver,
        key=key,
        name=name,
        subject=letter.subject,
        # After the greeting, the first paragraph says it.
        brief=letter.text.split("\n\n")[1],
        text=letter.text,
        html=letter.html,
        path=path,
        about=f"block:{block.code}",
        until=until,
        by_push=by_push,
        by_email=by_email,
        at=at,
    )


def write(
    user: User,
    name: str,
    *,
    key: str,
    block: Block,
    at: dt.datetime,
    moment: dt.datetime | None = None,
    **more: Any,
) -> None:
    """A mail to somebody of a store; nothing without an address."""
    if user.email:
        letter = _written(user, name, block=block, moment=moment, **more)
        messages.write(
            key=key,
            name=name,
            to=user.email,
            subject=letter.subject,
            text=letter.text,
            html=letter.html,
            about=f"block:{block.code}",
            at=at,
        )


@dataclass(frozen=True, slots=True)
class _Letter:
    subject: str
    text: str
    html: str


def _written(user: User, name: str, *, block: Block, moment: dt.datetime | None, **more: Any) -> _Letter:
    """In the person's language, with the block's window in the mall's time."""
    locale = user.locale if user.locale in dict(settings.LANGUAGES) else "en"
    zone = block.mall.zone
    start, end = block.starts_at.astimezone(zone), block.ends_at.astimezone(zone)
    with translation.override(locale):
        hours = " – ".join(date_format(each, CLOCK) for each in (start, end))
        context = {
            "code": block.code,
            "name": user.first_name,
            "mall": block.mall.name,
            "window": f"{date_format(start, DAYS[locale])}, {hours}",
            "time": date_format(moment.astimezone(zone), CLOCK) if moment else "",
            **more,
        }
        subject, text = written(f"notices/{locale}/{name}.txt", context)
        paragraphs = [part.replace("\n", " ") for part in text.split("\n\n") if part.strip()]
        html = render_to_string(
            "notices/_mail.html", {"subject": subject, "locale": locale, "paragraphs": paragraphs}
        )
    return _Letter(subject, text, html)
