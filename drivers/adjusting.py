"""Corrections of an account: proposed by one person, signed by another, posted once."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from drivers import ledger, limits, locks, paymoves
from drivers.models import Adjustment, Driver
from retaildelivery.accounts.models import User
from retaildelivery.lib.refusals import Refused


class OwnProposal(Refused):
    code = "own_proposal"
    sentence = _("Who proposed %(code)s cannot sign it: a second person must.")


class AdjustmentInvalid(Refused):
    code = "adjustment_invalid"
    sentence = _("An adjustment needs an amount within ±$%(most)d, a reason and evidence.")


@transaction.atomic
def propose(
    *, driver: Driver, cents: int, reason: str, evidence: str, subject: str, by: User, at: dt.datetime
) -> Adjustment:
    """Raises AdjustmentInvalid."""
    if not cents or abs(cents) > limits.ADJUSTMENT_CENTS or not reason.strip() or not evidence.strip():
        raise AdjustmentInvalid(most=limits.ADJUSTMENT_CENTS // 100)
    return Adjustment.objects.create(
        driver=driver, cents=cents, reason=reason.strip()[:200], evidence=evidence.strip()[:1000],
        subject=subject[:80], proposed_by=by, proposed_at=at,
    )  # fmt: skip


@transaction.atomic(durable=True)
def sign(*, code: str, by: User, at: dt.datetime) -> Adjustment:
    """The second signature: the correction is posted. Raises OwnProposal, AlreadyDecided."""
    adjustment = locks.adjustment(code)
    if adjustment.proposed_by_id == by.pk:
        raise OwnProposal(code=code)
    paymoves.move(adjustment, Adjustment.Status.POSTED, decided_by=by, decided_at=at)
    post(adjustment, at=at)
    return adjustment


@transaction.atomic(durable=True)
def decline(*, code: str, by: User, at: dt.datetime) -> Adjustment:
    """Raises OwnProposal, AlreadyDecided."""
    adjustment = locks.adjustment(code)
    if adjustment.proposed_by_id == by.pk:
        raise OwnProposal(code=code)
    if adjustment.is_on_account:
        # Small grants are posted before anybody signs: what was paid cannot be declined, only corrected.
        raise paymoves.AlreadyDecided(noun=str(adjustment), status=Adjustment.Status.POSTED.label)
    paymoves.move(adjustment, Adjustment.Status.DECLINED, decided_by=by, decided_at=at)
    return adjustment


def post(adjustment: Adjustment, *, at: dt.datetime) -> None:
    """The line of a signed adjustment."""
    with translation.override(adjustment.driver.user.locale):
        text = gettext("Correction: %(reason)s") % {"reason": adjustment.reason}
    ledger.post(
        key=f"adjustment:{adjustment.code}",
        driver=adjustment.driver,
        kind="adjustment",
        cents=adjustment.cents,
        text=text,
        rule="",
        subject=adjustment.subject or f"adjustment:{adjustment.code}",
        at=at,
        params={"adjustment": adjustment.code},
    )
