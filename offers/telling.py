"""E-mail to people about blocks: to stores whose driver runs late, to drivers who are asked to take one over."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.formats import date_format

from deliveries.models import Stop
from deliveries.notices import CLOCKS, DAYS, written
from offers import limits
from offers.models import Award, Block, Claim, HandOver, Offer
from retaildelivery.accounts.models import User
from retaildelivery.lib import money
from retaildelivery.outbox import messages
from retaildelivery.outbox.models import Fact
from stores.models import StaffMembership


def warn_stores(*, fact: Fact, at: dt.datetime) -> None:
    """Reaction to a driver who runs late: the managers of each store on the way are told when to expect them."""
    claim = (
        Claim.objects.live()  # type: ignore[attr-defined]
        .filter(block__code=fact.data["block"]["code"], late_eta_at__isnull=False)
        .select_related("block__mall__market", "driver__user")
        .first()
    )
    if claim is None:
        return
    pickups = Stop.objects.filter(manifest=claim.block.manifest_id, kind=Stop.Kind.PICKUP)
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
                driver=claim.driver.user.first_name,
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
    write(
        asked.receiver.user,
        "block_hand_over_proposed",
        key=f"{fact.code}:receiver",
        block=asked.claim.block,
        at=at,
        driver=asked.claim.driver.user.first_name,
        moment=asked.expires_at,
        url=f"{settings.BASE_URL}/drive/hand-overs/{asked.code}/",
    )


def tell_giver(*, fact: Fact, at: dt.datetime) -> None:
    """Reaction to a hand-over that took place: the giver is free of the block, in writing."""
    made = (
        HandOver.objects.filter(code=fact.data["hand_over"], ending=HandOver.Ending.ACCEPTED)
        .select_related("claim__block__mall__market", "claim__driver__user", "receiver__user")
        .first()
    )
    if made is not None:
        write(
            made.claim.driver.user,
            "block_handed_over",
            key=f"{fact.code}:giver",
            block=made.claim.block,
            at=at,
            driver=made.receiver.user.first_name,
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
        write(
            offer.reserved_for.user,
            "block_stand_by_asked",
            key=f"{fact.code}:driver",
            block=offer.block,
            at=at,
            moment=offer.closes_at,
            url=f"{settings.BASE_URL}/drive/offers/{offer.code}/",
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
        write(
            award.driver.user,
            "award_made",
            key=f"{fact.code}:driver",
            block=award.offer.block,
            at=at,
            moment=award.holds_until,
            url=f"{settings.BASE_URL}/drive/offers/{award.offer.code}/",
        )


def tell_stood_down(*, fact: Fact, at: dt.datetime) -> None:
    """Reaction to a block that was stood down: its driver need not come, is paid, and nothing counts against them."""
    claim = (
        Claim.objects.filter(block__code=fact.data["block"]["code"], ending=Claim.Ending.STOOD_DOWN)
        .select_related("block__mall__market", "driver__user")
        .first()
    )
    if claim is not None:
        write(
            claim.driver.user,
            "block_stood_down",
            key=f"{fact.code}:driver",
            block=claim.block,
            at=at,
            pay=money.format_cents(int(fact.data["total_cents"])),
            url=f"{settings.BASE_URL}/drive/offers/",
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
    """A mail in the person's language with the block's window in the mall's time; nothing without an address."""
    if not user.email:
        return
    locale = user.locale if user.locale in dict(settings.LANGUAGES) else "en"
    zone = block.mall.zone
    start, end = block.starts_at.astimezone(zone), block.ends_at.astimezone(zone)
    with translation.override(locale):
        hours = " – ".join(date_format(each, CLOCKS[locale]) for each in (start, end))
        context = {
            "code": block.code,
            "name": user.first_name,
            "mall": block.mall.name,
            "window": f"{date_format(start, DAYS[locale])}, {hours}",
            "time": date_format(moment.astimezone(zone), CLOCKS[locale]) if moment else "",
            **more,
        }
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
        key=key,
        name=name,
        to=user.email,
        subject=subject,
        text=text,
        html=html,
        about=f"block:{block.code}",
        at=at,
    )
