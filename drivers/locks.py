"""Every locking query of drivers. The driver comes before the block, the manifest and everything else."""

from __future__ import annotations

import datetime as dt

from django.db import connection

from drivers import limits
from drivers.models import Adjustment, Appeal, Dispute, Driver, Notice, Payout, PayoutBatch, Push


def be_patient() -> None:
    """A wait for a lock that takes longer than this ends as 503, not as a pile of waiting workers."""
    assert connection.in_atomic_block, "A lock is held to the end of a transaction."
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = {limits.LOCK_WAIT_MS}")


def driver(pk: int) -> Driver:
    """This driver, with the person, locked: what one driver does at the same time happens one by one."""
    be_patient()
    return Driver.objects.select_related("user").select_for_update(of=("self",), no_key=True).get(pk=pk)


def driver_by_code(code: str) -> Driver | None:
    be_patient()
    return (
        Driver.objects.select_related("user")
        .select_for_update(of=("self",), no_key=True)
        .filter(code=code)
        .order_by("pk")
        .first()
    )


def appeal(code: str) -> Appeal:
    """The appeal, locked, with its event and driver; the driver is locked before it.

    Raises Appeal.DoesNotExist.
    """
    found = Appeal.objects.only("event__driver_id").select_related("event").get(code=code)
    driver(found.event.driver_id)
    return (
        Appeal.objects.select_for_update(of=("self",), no_key=True)
        .select_related("event__driver__user")
        .get(code=code)
    )


def appeals_overdue(at: dt.datetime) -> list[Appeal]:
    """Undecided after their time and not yet told of, locked; what another sweep holds is left to it."""
    overdue = Appeal.objects.overdue(at).order_by("answer_by", "pk")  # type: ignore[attr-defined]
    locked = overdue.select_for_update(of=("self",), no_key=True, skip_locked=True)
    return list(locked.select_related("event__driver__user")[: limits.APPEALS_SWEPT])


def adjustment(code: str) -> Adjustment:
    """Raises Adjustment.DoesNotExist."""
    be_patient()
    rows = Adjustment.objects.select_related("driver__user")
    return rows.select_for_update(of=("self",), no_key=True).get(code=code)


def dispute(code: str, driver: Driver | None = None) -> Dispute:
    """Raises Dispute.DoesNotExist; of another driver as well."""
    be_patient()
    rows = Dispute.objects.select_related("driver__user", "posting")
    if driver is not None:
        rows = rows.filter(driver=driver)
    return rows.select_for_update(of=("self",), no_key=True).get(code=code)


def payout_batch(code: str) -> PayoutBatch:
    """Raises PayoutBatch.DoesNotExist."""
    be_patient()
    return PayoutBatch.objects.select_for_update(of=("self",), no_key=True).get(code=code)


def payout(batch_code: str, number: int) -> Payout:
    """Raises Payout.DoesNotExist."""
    be_patient()
    rows = Payout.objects.select_related("driver__user", "account", "batch")
    return rows.select_for_update(of=("self",), no_key=True).get(batch__code=batch_code, number=number)


def payout_by_id(pk: int) -> Payout:
    """Raises Payout.DoesNotExist."""
    be_patient()
    rows = Payout.objects.select_related("driver__user", "account", "batch")
    return rows.select_for_update(of=("self",), no_key=True).get(pk=pk)


def payout_to_transfer(pk: int, *, at: dt.datetime) -> Payout | None:
    """The payout, locked, unless the provider has answered for it or another sender is at it."""
    rows = Payout.objects.to_transfer(at).filter(pk=pk)  # type: ignore[attr-defined]
    locked = rows.select_for_update(of=("self",), no_key=True, skip_locked=True)
    found: Payout | None = locked.select_related("account", "batch").first()
    return found


def push_to_send(push_id: int) -> Push | None:
    """The push with its notice and phone, locked, if it is still to be sent and nobody else is at it."""
    rows = Push.objects.open().filter(pk=push_id)  # type: ignore[attr-defined]
    found: Push | None = (
        rows.select_for_update(of=("self",), no_key=True, skip_locked=True)
        .select_related("notice", "subscription")
        .first()
    )
    return found


def notice(notice_id: int) -> Notice:
    """Locked, so that of several phones that fail together the last one knows it."""
    be_patient()
    rows = Notice.objects.select_related("driver__user")
    return rows.select_for_update(of=("self",), no_key=True).get(pk=notice_id)
