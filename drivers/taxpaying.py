"""Form W-9: whom the tax office is told of, certified by the driver; the number is kept as bank details are."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from drivers import facts, locks, sealing
from drivers.models import W9, Driver
from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox import recording


class TinInvalid(Refused):
    code = "tin_invalid"
    sentence = _(
        "This is no such number: it has nine digits, and some are never given out. Look at the letter with it."
    )


class TinOfAnotherKind(Refused):
    code = "tin_of_another_kind"
    sentence = _("Corporations and partnerships give their employer identification number (EIN).")


class NotCertified(Refused):
    code = "not_certified"
    sentence = _("Sign with your name, and confirm the certification.")


@dataclass(frozen=True, slots=True)
class Details:
    """What is on the form. `tin` may be written with hyphens or spaces."""

    name: str
    business_name: str
    classification: str
    street: str
    city: str
    region: str
    postal_code: str
    tin_kind: str
    tin: str
    backup_withholding: bool
    signed_by: str


# Never given out: Social Security Administration, "Social Security Number Randomization" (areas 000, 666 and 900 to
# 999, group 00, serial 0000); ITINs begin with 9 and have 50 to 65, 70 to 88, 90 to 92 or 94 to 99 in the middle (IRS
# Publication 1915); EIN prefixes by the IRS's list of campuses, of which 00 and a few more are none.
SSN = re.compile(r"(?!000|666|9\d\d)\d{3}(?!00)\d{2}(?!0000)\d{4}", re.ASCII)
ITIN = re.compile(r"9\d\d(5\d|6[0-5]|7\d|8[0-8]|9[0-2]|9[4-9])\d{4}", re.ASCII)
EIN = re.compile(r"(?!00|07|08|09|17|18|19|28|29|49|69|70|78|79|89|96|97)\d{9}", re.ASCII)
ZIP = re.compile(r"\d{5}(-\d{4})?", re.ASCII)
SHAPES = {W9.TinKind.SSN: SSN, W9.TinKind.ITIN: ITIN, W9.TinKind.EIN: EIN}
OF_PEOPLE = frozenset({W9.Classification.INDIVIDUAL, W9.Classification.TRUST})


def digits_of(tin: str) -> str:
    return re.sub(r"[\s-]", "", tin)


@transaction.atomic(durable=True)
def certify(*, driver: Driver, details: Details, at: dt.datetime) -> W9:
    """Report to the tax office by this form from now on.

    Raises TinInvalid, TinOfAnotherKind, NotCertified.
    """
    number = digits_of(details.tin)
    if not SHAPES[W9.TinKind(details.tin_kind)].fullmatch(number):
        raise TinInvalid(field="tin")
    if details.classification not in OF_PEOPLE and details.tin_kind != W9.TinKind.EIN:
        raise TinOfAnotherKind(field="tin_kind")
    if not details.signed_by.strip():
        raise NotCertified(field="signed_by")
    locks.driver(driver.pk)
    W9.objects.filter(driver=driver, replaced_at=None).update(replaced_at=at)
    made = W9.objects.create(
        driver=driver, name=details.name.strip()[:80], business_name=details.business_name.strip()[:80],
        classification=details.classification, street=details.street.strip()[:80], city=details.city.strip()[:50],
        region=details.region.strip().upper()[:2], postal_code=details.postal_code.strip()[:10],
        tin_kind=details.tin_kind, tin_sealed=sealing.seal(number), last4=number[-4:],
        backup_withholding=details.backup_withholding, signed_by=details.signed_by.strip()[:80], certified_at=at,
    )  # fmt: skip
    recording.record(
        facts.driver_changed(
            "driver.w9_certified", driver, at=at, actor=facts.of_driver(driver), last4=made.last4
        )
    )
    return made


def current(driver: Driver) -> W9 | None:
    """The form in force."""
    return W9.objects.filter(driver=driver, replaced_at=None).first()


def number_of(form: W9) -> str:
    """The whole number, for the file to the tax office alone."""
    return sealing.unseal(form.tin_sealed)
