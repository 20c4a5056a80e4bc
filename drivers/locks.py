"""Every locking query of drivers. The driver comes before the block, the manifest and everything else."""

from __future__ import annotations

from django.db import connection

from drivers import limits
from drivers.models import Driver


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
