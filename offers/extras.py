"""What a driver asks to be paid beside the plan of a block, and the answer."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.core.files.base import File
from django.db import connection, transaction
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from deliveries import photos
from deliveries.limits import PHOTO_BYTES
from drivers import ledger
from drivers.models import Driver
from offers import freshness, limits, locks, paywords, pricing, terms
from offers.models import Block, Claim, Extra
from retaildelivery.accounts.models import User
from retaildelivery.lib.refusals import Refused

MILE = pricing.METRES["mi"]
# Whose work was at the block; who released it has paid no toll for it.
AT_WORK = ("", Claim.Ending.COMPLETED, Claim.Ending.ABORTED, Claim.Ending.STOOD_DOWN)


class ExtraRefused(Refused):
    """Base of what can be said against an extra."""

    code = "extra_refused"


class TollsNotRefunded(ExtraRefused):
    code = "tolls_not_refunded"
    sentence = _("Tolls are not given back in this market; they count among your costs.")


class ExtraTooLate(ExtraRefused):
    code = "extra_too_late"
    sentence = _("Extras are asked for from check-in until %(days)d days after the block.")


class TooManyExtras(ExtraRefused):
    code = "too_many_extras"
    sentence = _("%(most)d extras of one block wait for an answer already.")


class ReceiptKnown(ExtraRefused):
    code = "receipt_known"
    sentence = _("This photo was sent before: one receipt counts once.")


class ExtraDecided(ExtraRefused):
    code = "extra_decided"
    sentence = _("%(code)s was decided already.")


def ask_toll(
    *, block_code: str, driver: Driver, what: str, cents: int, receipt: File[bytes], at: dt.datetime
) -> Extra:
    """A toll with a photo of its receipt. Raises Block.DoesNotExist, PictureRefused, TollsNotRefunded, ExtraTooLate,
    TooManyExtras, ReceiptKnown."""
    with photos.keeping(receipt, field="receipt", most=PHOTO_BYTES, at=at) as kept:
        assert kept is not None, "A toll has a receipt."
        given = {"what": what, "cents": cents, "receipt": kept.name, "receipt_sha256": kept.sha256}
        return _ask(block_code, driver, Extra.Kind.TOLL, given, at=at)


def ask_trip(
    *, block_code: str, driver: Driver, what: str, minutes: int, miles: Decimal, at: dt.datetime
) -> Extra:
    """A way that nobody planned. Raises Block.DoesNotExist, ExtraTooLate, TooManyExtras."""
    given = {"what": what, "minutes": minutes, "miles": miles}
    return _ask(block_code, driver, Extra.Kind.TRIP, given, at=at)


@transaction.atomic(durable=True)
def _ask(block_code: str, driver: Driver, kind: str, given: dict[str, object], *, at: dt.datetime) -> Extra:
    block = locks.block(block_code)
    if not Claim.objects.filter(block=block, driver=driver, ending__in=AT_WORK).exists():
        raise Block.DoesNotExist
    if kind == Extra.Kind.TOLL and not block.policy.tolls_refunded:
        raise TollsNotRefunded
    if block.checked_in_at is None or at > block.ends_at + limits.EXTRA_WITHIN:
        raise ExtraTooLate(days=limits.EXTRA_WITHIN.days)
    if Extra.objects.filter(block=block, granted_at=None, declined_at=None).count() >= limits.EXTRAS_OPEN:
        raise TooManyExtras(most=limits.EXTRAS_OPEN)
    sha256 = given.get("receipt_sha256")
    if sha256 and Extra.objects.filter(driver=driver, receipt_sha256=sha256, declined_at=None).exists():
        raise ReceiptKnown
    return Extra.objects.create(block=block, driver=driver, kind=kind, asked_at=at, **given)


@transaction.atomic(durable=True)
def grant(*, code: str, by: User, at: dt.datetime) -> Extra:
    """Pay it as a line of its block, by the block's own policy. Raises ExtraDecided."""
    extra = _undecided(code)
    block, driver = extra.block, extra.driver
    claim = Claim.objects.filter(block=block, driver=driver, ending__in=AT_WORK).latest("pk")
    extra.granted_at, extra.decided_by = at, by
    extra.save(update_fields=["granted_at", "decided_by"])
    agreed = terms.of_block(block, hourly_cents=claim.hourly_cents)
    for line in pricing.earned(agreed, _work(extra)):
        with translation.override(driver.user.locale):
            text = paywords.sentence(line, block.mall.market.currency)
        ledger.post(
            key=f"block:{block.code}:{line.kind}:{extra.code}",
            driver=driver,
            kind=str(line.kind),
            cents=line.cents,
            text=text,
            rule=line.rule,
            subject=f"block:{block.code}",
            at=at,
            params={**dict(line.params), "extra": extra.code},
        )
    freshness.touch_driver(driver.pk)
    return extra


def _work(extra: Extra) -> pricing.Work:
    if extra.kind == Extra.Kind.TOLL:
        return pricing.Work(tolls_cents=extra.cents)
    time = dt.timedelta(minutes=extra.minutes)
    return pricing.Work(extra_trips=(pricing.ExtraTrip(extra.what, time, extra.miles * MILE),))


@transaction.atomic(durable=True)
def decline(*, code: str, reason: str, by: User, at: dt.datetime) -> Extra:
    """Raises ExtraDecided."""
    extra = _undecided(code)
    extra.declined_at, extra.decided_by, extra.declined_reason = at, by, reason[:200]
    extra.save(update_fields=["declined_at", "decided_by", "declined_reason"])
    return extra


def _undecided(code: str) -> Extra:
    assert connection.in_atomic_block, "It is decided in the transaction that holds it."
    extra = locks.one_extra(code)
    if extra.granted_at or extra.declined_at:
        raise ExtraDecided(code=code)
    return extra
