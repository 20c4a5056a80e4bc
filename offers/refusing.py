"""A store asks to see a driver no more; operations decide; what was granted can be lifted."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from deliveries.models import Manifest
from drivers.models import Driver
from offers import facts, freshness, limits, locks
from offers.models import StoreBlockade
from retaildelivery.accounts.models import User
from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox import recording
from stores.models import Store


class RefusalRefused(Refused):
    """Base of what can be said against a store's refusal of a driver."""

    code = "refusal_refused"


class DriverUnknownHere(RefusalRefused):
    code = "driver_unknown_here"
    sentence = _("This driver has not collected at the store lately.")


class AlreadyRefused(RefusalRefused):
    code = "already_refused"
    sentence = _("The store has asked for this already.")


class RefusalDecided(RefusalRefused):
    code = "refusal_decided"
    sentence = _("This was decided or ended already.")


def visitors(store: Store, *, at: dt.datetime) -> list[Driver]:
    """Drivers who had parcels to collect at the store lately: whom it may speak about."""
    lately = Manifest.objects.filter(
        stops__store=store, driver__isnull=False, created_at__gte=at - limits.REFUSAL_VISITS
    )
    drivers = Driver.objects.filter(pk__in=lately.values("driver")).select_related("user")
    return list(drivers.order_by("user__name", "pk"))


@transaction.atomic(durable=True)
def ask(*, store: Store, driver_code: str, reason: str, by: User, at: dt.datetime) -> StoreBlockade:
    """Raises DriverUnknownHere, AlreadyRefused."""
    driver = next((each for each in visitors(store, at=at) if each.code == driver_code), None)
    if driver is None:
        raise DriverUnknownHere(field="driver")
    driver = locks.driver(driver.pk)
    if StoreBlockade.objects.live().filter(store=store, driver=driver).exists():  # type: ignore[attr-defined]
        raise AlreadyRefused(field="driver")
    made = StoreBlockade.objects.create(
        store=store, driver=driver, reason=reason[:200], asked_by=by, asked_at=at
    )
    recording.record(facts.refusal_changed("store_refusal.asked", made, by=by, at=at))
    return made


@transaction.atomic(durable=True)
def grant(*, code: str, by: User, at: dt.datetime) -> StoreBlockade:
    """From now on blocks that collect at the store are refused to the driver; a block already held stays held.

    Raises StoreBlockade.DoesNotExist, RefusalDecided.
    """
    found = locks.store_blockade(code)
    if found.ended_at is not None or found.granted_at is not None:
        raise RefusalDecided
    found.granted_by, found.granted_at = by, at
    found.save(update_fields=["granted_by", "granted_at"])
    recording.record(facts.refusal_changed("store_refusal.granted", found, by=by, at=at))
    freshness.touch_driver(found.driver_id)
    return found


@transaction.atomic(durable=True)
def end(*, code: str, reason: str, by: User, at: dt.datetime) -> StoreBlockade:
    """Decline what was asked, or lift what was granted; the record stays.

    Raises StoreBlockade.DoesNotExist, RefusalDecided.
    """
    found = locks.store_blockade(code)
    if found.ended_at is not None:
        raise RefusalDecided
    name = "store_refusal.lifted" if found.granted_at else "store_refusal.declined"
    found.ended_by, found.ended_at, found.ended_reason = by, at, reason[:200]
    found.save(update_fields=["ended_by", "ended_at", "ended_reason"])
    recording.record(facts.refusal_changed(name, found, by=by, at=at))
    freshness.touch_driver(found.driver_id)
    return found
