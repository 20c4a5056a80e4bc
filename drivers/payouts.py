"""Payouts: bank details, a batch that one person makes and another lets go, and what the bank sends back."""

from __future__ import annotations

import datetime as dt
import re

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext_lazy as _

from drivers import facts, ledger, limits, locks, nacha, paymoves, sealing
from drivers.models import Driver, Payout, PayoutAccount, PayoutBatch
from retaildelivery.accounts.models import User
from retaildelivery.lib.refusals import Refused
from retaildelivery.lib.spreadsheets import csv_of
from retaildelivery.outbox import recording
from retaildelivery.outbox.models import Fact
from retaildelivery.outbox.recording import Actor


class RoutingInvalid(Refused):
    code = "routing_invalid"
    sentence = _("This is no routing number: it has nine digits, the last of which checks the others.")


class AccountNumberInvalid(Refused):
    code = "account_number_invalid"
    sentence = _("An account number has 4 to 17 digits.")


class ConnectedAccountInvalid(Refused):
    code = "connected_account_invalid"
    sentence = _("This is no account at Stripe: it begins with acct_.")


class ProviderOff(Refused):
    code = "provider_off"
    sentence = _("Pay does not go by this way here.")


class NotForTheBank(Refused):
    code = "not_for_the_bank"
    sentence = _("%(code)s is not paid by a file for the bank.")


class NothingToPay(Refused):
    code = "nothing_to_pay"
    sentence = _("Nobody in this market has both money to be paid and a bank account.")


class BatchOpen(Refused):
    code = "batch_open"
    sentence = _("A batch of this market waits already: release or discard it first.")


class OwnBatch(Refused):
    code = "own_batch"
    sentence = _("Who made %(code)s cannot release it: a second person must.")


# An account at Stripe, as its API writes it.
CONNECTED = re.compile(r"acct_[A-Za-z0-9]{8,40}", re.ASCII)


def by_stripe() -> bool:
    """Whether pay goes by Stripe here; otherwise by a file for the bank."""
    return bool(settings.PAYOUT_PROVIDER == PayoutBatch.Provider.STRIPE)


def _check_numbers(routing: str, number: str) -> None:
    if not nacha.routing_is_valid(routing):
        raise RoutingInvalid(field="routing")
    if not (number.isascii() and number.isdigit() and 4 <= len(number) <= 17):
        raise AccountNumberInvalid(field="number")


@transaction.atomic(durable=True)
def use_account(
    *, driver: Driver, holder: str, kind: str, routing: str, number: str, at: dt.datetime
) -> PayoutAccount:
    """Pay to this bank account from now on; the one in use already stays as it is.

    Raises RoutingInvalid, AccountNumberInvalid, ConnectedAccountInvalid, ProviderOff.
    """
    if (kind == PayoutAccount.Kind.STRIPE) != by_stripe():
        raise ProviderOff(field="kind")
    if kind == PayoutAccount.Kind.STRIPE:
        if routing or not CONNECTED.fullmatch(number):
            raise ConnectedAccountInvalid(field="number")
    else:
        _check_numbers(routing, number)
    locks.driver(driver.pk)
    current = PayoutAccount.objects.filter(driver=driver, replaced_at=None).first()
    if current is not None and current.refused_at is None and _same(current, holder, kind, routing, number):
        return current
    PayoutAccount.objects.filter(driver=driver, replaced_at=None).update(replaced_at=at)
    made = PayoutAccount.objects.create(
        driver=driver, holder=holder.strip()[:80], kind=kind, routing_sealed=sealing.seal(routing),
        number_sealed=sealing.seal(number), number_digest=sealing.digest(f"{routing}:{number}"),
        last4=number[-4:], added_at=at,
    )  # fmt: skip
    recording.record(
        facts.driver_changed(
            "driver.bank_changed", driver, at=at, actor=facts.of_driver(driver), last4=made.last4
        )
    )
    return made


def _same(account: PayoutAccount, holder: str, kind: str, routing: str, number: str) -> bool:
    """Whether these are the details already in use: a repeat changes nothing."""
    known = (
        account.holder,
        account.kind,
        sealing.unseal(account.routing_sealed),
        sealing.unseal(account.number_sealed),
    )
    return known == (holder.strip()[:80], kind, routing, number)


FILL = """
INSERT INTO drivers_payout
    (batch_id, number, driver_id, account_id, cents, status, return_code, transfer, attempts)
SELECT %s, row_number() OVER (ORDER BY driver.id), driver.id, account.id, owed.cents, 'waiting', '', '', 0
FROM drivers_driver driver
JOIN drivers_payoutaccount account
    ON account.driver_id = driver.id AND account.replaced_at IS NULL AND account.refused_at IS NULL
    AND (account.kind = 'stripe') = %s
CROSS JOIN LATERAL (SELECT sum(cents) AS cents FROM drivers_driverposting WHERE driver_id = driver.id) owed
WHERE driver.market_code = %s AND owed.cents >= %s
"""
# Whoever was corrected downwards since the batch was made is not paid more than is there.
DROP_UNCOVERED = """
UPDATE drivers_payout payout SET status = 'dropped'
WHERE batch_id = %s AND status = 'waiting'
    AND cents > (SELECT coalesce(sum(cents), 0) FROM drivers_driverposting WHERE driver_id = payout.driver_id)
"""
# In the order of the drivers: each account is a lock.
POST_SENT = """
INSERT INTO drivers_driverposting
    (key, driver_id, kind, cents, text, rule, subject, at, params, sequence, previous, digest)
SELECT 'payout:' || %(code)s || ':' || number, payout.driver_id, 'payout', -payout.cents,
    'Paid out to account ending in ' || account.last4, '', 'payout:' || %(code)s, %(at)s,
    jsonb_build_object('batch', %(code)s, 'number', number::text), 0, '', ''
FROM drivers_payout payout JOIN drivers_payoutaccount account ON account.id = payout.account_id
WHERE payout.batch_id = %(batch)s AND payout.status = 'waiting' ORDER BY payout.driver_id
"""
LOCK_ACCOUNTS = """
SELECT 1 FROM drivers_driveraccount account JOIN drivers_payout payout USING (driver_id)
WHERE payout.batch_id = %s ORDER BY account.driver_id FOR NO KEY UPDATE OF account
"""


@transaction.atomic
def draft(*, market_code: str, effective_on: dt.date, by: User, at: dt.datetime) -> PayoutBatch:
    """Everybody of the market with a bank account and at least `limits.PAYOUT_LEAST_CENTS` to be paid.

    Raises BatchOpen, NothingToPay.
    """
    try:
        with transaction.atomic():
            batch = PayoutBatch.objects.create(
                market_code=market_code, effective_on=effective_on, created_by=by, created_at=at,
                provider=settings.PAYOUT_PROVIDER,
            )  # fmt: skip
    except IntegrityError as clash:
        raise BatchOpen from clash
    with connection.cursor() as cursor:
        cursor.execute(FILL, [batch.pk, by_stripe(), market_code, limits.PAYOUT_LEAST_CENTS])
        if not cursor.rowcount:
            raise NothingToPay
    return batch


@transaction.atomic(durable=True)
def release(*, code: str, by: User, at: dt.datetime) -> PayoutBatch:
    """The second person lets the batch go: every payout is posted, once. Raises OwnBatch, AlreadyDecided."""
    batch = locks.payout_batch(code)
    if batch.created_by_id == by.pk:
        raise OwnBatch(code=code)
    paymoves.move(batch, PayoutBatch.Status.RELEASED, released_by=by, released_at=at)
    with connection.cursor() as cursor:
        cursor.execute(LOCK_ACCOUNTS, [batch.pk])
        cursor.execute(DROP_UNCOVERED, [batch.pk])
        cursor.execute(POST_SENT, {"code": batch.code, "batch": batch.pk, "at": at})
    # Stripe is asked afterwards, outside this transaction, by the sweep that finds the time.
    due = at if batch.provider == PayoutBatch.Provider.STRIPE else None
    waiting = batch.payouts.filter(status=Payout.Status.WAITING)
    sent = waiting.update(status=Payout.Status.SENT, next_attempt_at=due)
    actor = Actor(kind=Fact.Actor.OPERATIONS, name=str(by))
    recording.record(facts.batch_released(batch, at=at, actor=actor, sent=sent))
    return batch


@transaction.atomic(durable=True)
def discard(*, code: str, at: dt.datetime) -> PayoutBatch:
    """Nothing of it is paid. Raises AlreadyDecided."""
    batch = locks.payout_batch(code)
    paymoves.move(batch, PayoutBatch.Status.DISCARDED)
    batch.payouts.update(status=Payout.Status.DROPPED)
    return batch


@transaction.atomic(durable=True)
def came_back(*, batch_code: str, number: int, return_code: str, at: dt.datetime) -> Payout:
    """The bank sent it back (R01 and the like): the money is the driver's again, and the account must be looked at.

    Raises Payout.DoesNotExist, AlreadyDecided.
    """
    payout = locks.payout(batch_code, number)
    _give_back(payout, code=return_code[:3].upper(), text="Sent back by the bank", account=True, at=at)
    return payout


@transaction.atomic(durable=True)
def not_transferred(*, payout_id: int, code: str, account: bool, at: dt.datetime) -> Payout:
    """Stripe refused the transfer: the money is the driver's again. `account` says whether theirs was at fault.

    Raises AlreadyDecided.
    """
    payout = locks.payout_by_id(payout_id)
    _give_back(payout, code=code[:40], text="Not transferred", account=account, at=at)
    return payout


def _give_back(payout: Payout, *, code: str, text: str, account: bool, at: dt.datetime) -> None:
    paymoves.move(payout, Payout.Status.RETURNED, returned_at=at, return_code=code, next_attempt_at=None)
    if account:
        PayoutAccount.objects.filter(pk=payout.account_id).update(refused_at=at, refused_code=code)
    ledger.post(
        key=f"payout:{payout.batch.code}:{payout.number}:returned",
        driver=payout.driver,
        kind="payout_returned",
        cents=payout.cents,
        text=f"{text}: {code}",
        rule="",
        subject=f"payout:{payout.batch.code}",
        at=at,
        params={"code": code},
    )
    recording.record(facts.payout_returned(payout, at=at))


def paid(batch: PayoutBatch) -> list[Payout]:
    """What the files of the batch pay, in their order."""
    rows = batch.payouts.exclude(status=Payout.Status.DROPPED).select_related("account", "driver__user")
    return list(rows.order_by("number"))


def nacha_file(batch: PayoutBatch) -> str:
    """The batch for the bank. Raises NotForTheBank."""
    assert batch.released_at is not None, "Only a released batch has a file."
    if batch.provider != PayoutBatch.Provider.BANK:
        raise NotForTheBank(code=batch.code)
    originator = nacha.Originator(**settings.PAYOUT_ORIGINATOR)
    credits_ = [
        nacha.Credit(
            routing=sealing.unseal(payout.account.routing_sealed),
            account=sealing.unseal(payout.account.number_sealed),
            kind=payout.account.kind,
            cents=payout.cents,
            name=payout.account.holder,
            reference=f"{batch.code}-{payout.number}",
        )
        for payout in paid(batch)
    ]
    return nacha.file_of(originator, credits_, created_at=batch.released_at, effective_on=batch.effective_on)


def csv_file(batch: PayoutBatch) -> str:
    """The batch for people: account numbers masked."""
    return csv_of(
        ["payout", "driver", "name", "account", "cents", "status", "return_code", "transfer"],
        (
            (payout.code, payout.driver.code, payout.account.holder, f"****{payout.account.last4}", payout.cents,
             payout.status, payout.return_code, payout.transfer)
            for payout in paid(batch)
        ),
    )  # fmt: skip
