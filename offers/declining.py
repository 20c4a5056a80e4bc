"""Not for me: a driver hides a block. Never counts against anybody."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from drivers.models import Driver
from offers import awarding, drawing, freshness
from offers.models import Block, Decline, Offer


@transaction.atomic(durable=True)
def decline(*, offer_code: str, driver_id: int, reason: str, at: dt.datetime) -> Decline:
    """Hide the offer's block from this driver, take their entry back and, if they are the one who is asked, ask the
    next; a repeat returns the first decline.

    `reason` is one of Decline.Reason. Raises Offer.DoesNotExist.
    """
    offer = Offer.objects.select_related("block").get(code=offer_code)
    driver = Driver(pk=driver_id)
    hide(block=offer.block, driver=driver, at=at, reason=reason)
    drawing.give_place_back(offer=offer, driver=driver, at=at)
    awarding.pass_on(offer=offer, driver_id=driver_id, at=at)
    return Decline.objects.get(block=offer.block, driver_id=driver_id)


def hide(*, block: Block, driver: Driver, at: dt.datetime, reason: str = Decline.Reason.OTHER) -> None:
    """Inner verb: who gave a block back is not shown it again; the first reason stays."""
    Decline.objects.bulk_create(
        [Decline(block=block, driver=driver, reason=reason, at=at)], ignore_conflicts=True
    )
    freshness.touch_driver(driver.pk)
