"""Every locking query of offers. Order: driver, block, then what deliveries locks (manifest, stop, orders).

Nothing waits for a row longer than `limits.LOCK_WAIT`; PostgreSQL then ends the statement and the edge
answers 503 with Retry-After. `for no key update` lets rows that refer to these be written meanwhile.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db import connection

from drivers.models import Driver
from offers import limits
from offers.models import Audience, Block, Claim, Draw, Extra, Fit, PlanRun, StoreBlockade
from retaildelivery.prepared import Given, Prepared, call_of


def one_extra(code: str) -> Extra:
    """An extra, locked, with its block and driver. Raises Extra.DoesNotExist."""
    bound_waiting()
    return (
        Extra.objects.select_for_update(of=("self",), no_key=True)
        .select_related("block__policy", "block__mall__market", "driver__user")
        .get(code=code)
    )


# What `bound_waiting` sends, for a statement that takes it along.
_PATIENTLY = f"SET LOCAL lock_timeout = '{limits.LOCK_WAIT.total_seconds():.0f}s';"


def bound_waiting() -> None:
    """From here to the end of the transaction no lock is waited for longer than the limit."""
    with connection.cursor() as cursor:
        cursor.execute(_PATIENTLY)


_DRIVER = Prepared(
    lambda: (
        Driver.objects.filter(pk=Given("key"))
        .select_related("user")
        .select_for_update(of=("self",), no_key=True)
    ),
    before=_PATIENTLY,
)


def driver(driver_id: int) -> Driver:
    """The driver, locked: this driver's own attempts come one after the other.

    Raises Driver.DoesNotExist.
    """
    found = _DRIVER.one(key=driver_id)
    if found is None:
        raise Driver.DoesNotExist
    return found


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


def blocks(codes: Collection[str]) -> list[Block]:
    """`block` for several, locked by ascending key."""
    bound_waiting()
    rows = Block.objects.select_for_update(of=("self",), no_key=True).filter(code__in=codes)
    return list(rows.select_related("mall__market", "manifest", "policy").order_by("pk"))


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


def claims_to_measure(most: int) -> list[Claim]:
    """Claims that ended with something driven and not yet read, locked; what another sweep holds is left to it."""
    due = Claim.objects.filter(measured_at=None, ending__in=Claim.DRIVEN).order_by("ended_at")
    locked = due.select_for_update(of=("self",), no_key=True, skip_locked=True)
    return list(locked.select_related("block__mall__market", "block__manifest")[:most])


def audience(block_id: int) -> Audience:
    """Who has seen a block, locked; nobody yet, where nothing was noted."""
    bound_waiting()
    Audience.objects.bulk_create([Audience(block_id=block_id)], ignore_conflicts=True)
    return Audience.objects.select_for_update(of=("self",), no_key=True).get(block=block_id)


def drivers(driver_ids: Collection[int]) -> dict[int, Driver]:
    """Several drivers, locked by ascending key, by key."""
    bound_waiting()
    rows = Driver.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=driver_ids)
    return {row.pk: row for row in rows.order_by("pk")}


def draw(draw_id: int) -> Draw:
    """The draw, locked against entries: those being written now are waited for, later ones find it drawn.

    Raises Draw.DoesNotExist.
    """
    bound_waiting()
    return Draw.objects.select_for_update(of=("self",)).get(pk=draw_id)


def fits_due(at: dt.datetime) -> list[Fit]:
    """Blocks to tell of now, locked; what another sweep holds is left to it. Of those due at the same time nobody
    is always the first."""
    due = Fit.objects.due(at).order_by("due_at", "?")  # type: ignore[attr-defined]
    locked = due.select_for_update(of=("self",), no_key=True, skip_locked=True)
    return list(locked.select_related("wish__driver__user", "block")[: limits.FITS_TOLD])


# The shared lock lets any number enter at once, and none while the draw is being drawn: who had to wait for that
# sees its row as it is afterwards, and enters nothing.
_PUT_ENTRY = """
INSERT INTO offers_entry (draw_id, driver_id, entrant, entered_at, key)
SELECT d.id, %(driver)s::bigint, %(entrant)s::varchar, %(at)s::timestamptz, ''
FROM offers_draw d JOIN offers_offer o ON o.id = d.offer_id
WHERE d.offer_id = %(offer)s AND d.drawn_at IS NULL AND o.status = 'open' AND o.closes_at > %(at)s
FOR SHARE OF d
ON CONFLICT (draw_id, driver_id) DO UPDATE SET
    withdrawn_at = NULL,
    entered_at = CASE WHEN offers_entry.withdrawn_at IS NULL THEN offers_entry.entered_at ELSE %(at)s END
"""
_TAKE_ENTRY_BACK = """
WITH d AS (
    SELECT id FROM offers_draw WHERE offer_id = %(offer)s FOR SHARE
)
UPDATE offers_entry e SET withdrawn_at = %(at)s FROM d
WHERE e.draw_id = d.id AND e.driver_id = %(driver)s AND e.withdrawn_at IS NULL
"""


def put_entry(*, offer_id: int, driver_id: int, entrant: str, at: dt.datetime) -> bool:
    """Write an entry while its draw is open, in one statement; False when it is not."""
    with connection.cursor() as cursor:
        cursor.execute(
            call_of(_PUT_ENTRY), {"offer": offer_id, "driver": driver_id, "entrant": entrant, "at": at}
        )
        return bool(cursor.rowcount)


def take_entry_back(*, offer_id: int, driver_id: int, at: dt.datetime) -> bool:
    """Note that a driver no longer takes part; False when there is nothing to take back."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_ENTRY_BACK, {"offer": offer_id, "driver": driver_id, "at": at})
        return bool(cursor.rowcount)
