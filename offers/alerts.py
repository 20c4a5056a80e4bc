"""What operations are told by mail, and drivers of what operations ended for them."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from drivers.models import Driver
from offers.models import Offer
from retaildelivery.lib import money
from retaildelivery.outbox import alerting, messages
from retaildelivery.outbox.models import Fact
from stores.models import Mall


def tell_at_cap(*, fact: Fact, at: dt.datetime) -> None:
    """Reaction to a step of the price: when the ladder ends there and nobody has the block yet, operations are told,
    once for each offer. A person can call drivers, cut the block or tell its stores; no rule can."""
    if not fact.data["at_cap"]:
        return
    offer = (
        Offer.objects.open_at(at)  # type: ignore[attr-defined]
        .filter(code=fact.data["offer"]["code"])
        .select_related("block__mall__market")
        .first()
    )
    if offer is None:
        return
    block = offer.block

    def written() -> tuple[str, str]:
        start = date_format(block.starts_at.astimezone(block.mall.zone), _("D, M j, g:i A"))
        subject = _("Block %(code)s is at its highest price, and nobody has taken it") % {"code": block.code}
        text = _(
            "%(mall)s, %(start)s: %(orders)s orders. It is offered at %(price)s an hour, and the price rises no "
            "more. Unless somebody takes it, it ends at its start and its orders are planned again.\n\n%(url)s\n"
        ) % {
            "mall": block.mall.name,
            "start": start,
            "orders": block.orders_count,
            "price": money.format_cents(offer.hourly_cents, block.mall.market.currency),
            "url": f"{settings.BASE_URL}/ops/blocks/{block.code}/",
        }
        return subject, text

    alerting.tell_operations(
        key=f"offer:{offer.code}:at_cap",
        name="offer_at_cap",
        about=f"block:{block.code}",
        written=written,
        at=at,
    )


def tell_stand_by_ended(*, fact: Fact, at: dt.datetime) -> None:
    """Reaction to a stand-by that ended: who did not end it themselves is told."""
    if fact.actor_kind != Fact.Actor.OPERATIONS:
        return
    mall = Mall.objects.get(code=_named(fact, "mall"))
    start = dt.datetime.fromisoformat(fact.data["start"]).astimezone(mall.zone)
    for driver in Driver.objects.filter(code=_named(fact, "driver")).select_related("user"):
        with translation.override(driver.user.locale):
            _write(
                driver,
                fact,
                subject=_("You no longer stand by at %(mall)s") % {"mall": mall.name},
                text=_(
                    "Operations have ended your stand-by of %(start)s. Nothing counts against you, and you may stand "
                    "by again.\n"
                )
                % {"start": date_format(start, _("D, M j, g:i A"))},
                at=at,
            )


def tell_hand_over_ended(*, fact: Fact, at: dt.datetime) -> None:
    """Reaction to a proposal that was taken back: when operations did it, both drivers are told."""
    if fact.actor_kind != Fact.Actor.OPERATIONS:
        return
    drivers = Driver.objects.filter(code__in=[fact.data["giver"], fact.data["receiver"]])
    for driver in drivers.select_related("user").order_by("pk"):
        with translation.override(driver.user.locale):
            code = fact.data["block"]["code"]
            _write(
                driver,
                fact,
                subject=_("Block %(code)s is not handed over") % {"code": code},
                text=_(
                    "Operations have ended the proposal to hand over block %(code)s. Whoever has the block keeps "
                    "it, and nothing counts against anybody.\n"
                )
                % {"code": code},
                at=at,
            )


def _named(fact: Fact, kind: str) -> str:
    return next(each for each in fact.subjects if each.startswith(f"{kind}:")).removeprefix(f"{kind}:")


def _write(driver: Driver, fact: Fact, *, subject: str, text: str, at: dt.datetime) -> None:
    if driver.user.email:
        messages.write(
            key=f"{fact.code}:{driver.code}",
            name=fact.name.replace(".", "_"),
            to=driver.user.email,
            subject=subject,
            text=text,
            about=f"driver:{driver.code}",
            at=at,
        )
