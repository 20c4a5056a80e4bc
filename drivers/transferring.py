"""Released payouts that Stripe carries: sent outside any transaction, each until its answer is known."""

from __future__ import annotations

import datetime as dt

import structlog
from django.db import transaction

from drivers import limits, locks, payouts, sealing, stripe
from drivers.models import Payout
from retaildelivery.outbox import sweeping

log = structlog.get_logger(__name__)


def sweep(*, at: dt.datetime) -> int:
    """Send what is due, one by one; how many were answered."""
    due = Payout.objects.to_transfer(at).order_by("next_attempt_at", "pk")  # type: ignore[attr-defined]
    keys = list(due.values_list("pk", flat=True)[: limits.TRANSFERS_SWEPT])
    return sweeping.each(keys, lambda key: send(payout_id=key, at=at), of="transfers", at=at)


def send(*, payout_id: int, at: dt.datetime) -> bool:
    """Ask for one transfer and note the answer. False when nobody knows yet, or another sender is at it."""
    payout = _take(payout_id=payout_id, at=at)
    if payout is None:
        return False
    assert payout.batch.released_at is not None, "Only what was released is sent."
    try:
        # Stripe forgets a key after a day: from then on its list says whether the money went.
        forgotten = at - payout.batch.released_at >= limits.STRIPE_KEY_LASTS
        found = stripe.find(payout.code) if forgotten else ""
        found = found or stripe.send(
            stripe.Transfer(
                reference=payout.code,
                account=sealing.unseal(payout.account.number_sealed),
                cents=payout.cents,
                currency="usd",
            )
        )
    except stripe.TransferRefused as refused:
        payouts.not_transferred(payout_id=payout.pk, code=refused.code, account=refused.account, at=at)
        return True
    except stripe.StripeTrouble as trouble:
        log.warning("payouts.transfer_unknown", payout=payout.code, trouble=str(trouble))
        return False
    Payout.objects.filter(pk=payout.pk, transfer="").update(transfer=found, next_attempt_at=None)
    return True


@transaction.atomic(durable=True)
def _take(*, payout_id: int, at: dt.datetime) -> Payout | None:
    payout = locks.payout_to_transfer(payout_id, at=at)
    if payout is None:
        return None
    # Until the answer is noted nobody else asks; a sender that dies leaves it to the sweep.
    payout.attempts += 1
    payout.next_attempt_at = at + limits.TRANSFER_RETRY
    payout.save(update_fields=["attempts", "next_attempt_at"])
    return payout
