"""The only place that assigns the status of a batch, a payout, an adjustment or a dispute."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.utils.translation import gettext_lazy as _

from drivers.models import Adjustment, Dispute, Payout, PayoutBatch
from retaildelivery.lib.refusals import Refused

Moving = Adjustment | Dispute | Payout | PayoutBatch


class AlreadyDecided(Refused):
    code = "already_decided"
    sentence = _("%(noun)s is %(status)s already.")


def move(row: Moving, to: str, **stamps: Any) -> None:
    """Move a row that the caller holds locked; `stamps` are columns set with it. Raises AlreadyDecided."""
    assert connection.in_atomic_block, "A row is moved in the transaction that holds it."
    if not row.may_move_to(to):
        raise AlreadyDecided(noun=str(row), status=row.get_status_display())
    row.status = to
    for name, value in stamps.items():
        setattr(row, name, value)
    row.save(update_fields=["status", *stamps])
