"""Every locking query of offers. Order: driver, block, then what deliveries locks (manifest, stop, orders).

Nothing waits for a row longer than `limits.LOCK_WAIT`; PostgreSQL then ends the statement and the edge
answers 503 with Retry-After. `for no key update` lets rows that refer to these be written meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection

from drivers.models import Driver
from offers import limits
from offers.models import Block, PlanRun, StoreBlockade


def bound_waiting() -> None:
    """From here to the end of the transaction no lock is waited for longer than the limit."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = %s", [f"{limits.LOCK_WAIT.total_seconds():.0f}s"])


def driver(driver_id: int) -> Driver:
    """The driver, locked: this driver's own attempts come one after the other.

    Raises Driver.DoesNotExist.
    """
    bound_waiting()
    return Driver.objects.select_for_update(of=("self",), no_key=True).get(pk=driver_id)


def block(code: str) -> Block:
    """The block, locked, with its mall and manifest read along.

    Raises Block.DoesNotExist.
    """
    bound_waiting()
    return (
        Block.objects.select_for_update(of=("self",), no_key=True)
        .select_related("mall__market", "manifest", "policy")
        .get(code=code)
    )


def block_unless_busy(block_id: int) -> Block | None:
    """For sweeps: the block, locked, or None when somebody else is at it (the next sweep comes soon)."""
    return (
        Block.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
        .select_related("mall__market", "manifest", "policy")
        .filter(pk=block_id)
        .first()
    )


def wave(run_id: int) -> PlanRun | None:
    """The wave, locked, if it is still the one at work at its mall."""
    bound_waiting()
    return (
        PlanRun.objects.select_for_update(of=("self",), no_key=True)
        .select_related("mall__market")
        .filter(pk=run_id, ended_at=None)
        .first()
    )


def store_blockade(code: str) -> StoreBlockade:
    """A store's refusal of a driver, locked. Raises StoreBlockade.DoesNotExist."""
    bound_waiting()
    return (
        StoreBlockade.objects.select_for_update(of=("self",), no_key=True)
        .select_related("store__mall", "driver")
        .get(code=code)
    )


def drivers(driver_ids: Collection[int]) -> dict[int, Driver]:
    """Several drivers, locked by ascending key, by key."""
    bound_waiting()
    rows = Driver.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=driver_ids)
    return {row.pk: row for row in rows.order_by("pk")}
