"""Form 1099-NEC: what a driver was paid in a calendar year, which lines count, and the file for the tax office.

Box 1 goes by when money was paid, not by when it was earned. A payout pays what stands in the account before it, so a
line counts in the year in which the banks booked the first payout after it; one that came back pays nothing, and the
lines wait for the next.

What counts (Instructions for Forms 1099-MISC and 1099-NEC, box 1, https://www.irs.gov/instructions/i1099mec): fees and
tips, and "travel reimbursement for which the nonemployee did not account to the payer". Tolls given back and allowances
for distance beside the pay are accounted for: time, place, purpose and miles of each are in the block they name
(Publication 463, chapter 6, "Rules for Independent Contractors and Clients", https://www.irs.gov/publications/p463). So
neither is in box 1, and a driver who deducts mileage leaves the reimbursed part out. Money for distance inside a floor
(California, Seattle) only raises the pay and counts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import connection

from drivers import taxpaying
from drivers.models import W9, Driver
from retaildelivery.lib.spreadsheets import csv_of

# Money that moves and earns none.
MOVED = ("payout", "payout_returned")
ACCOUNTED_FOR = ("toll", "mileage")

# From which year the form is due from how many cents on. 26 U.S.C. 6041(a) and 6041A(a); from 2026 on as amended by
# section 70433 of Public Law 119-21 of July 4, 2025. From 2027 on the amount follows prices in steps of $100
# (6041(h)): the tax office's figure of each year is a row here.
THRESHOLDS: tuple[tuple[int, int], ...] = ((1954, 60_000), (2026, 200_000))
LAST_KNOWN = 2026

# The columns of the tax office's template for 1099-NEC in its filing portal (IRIS, Publication 5717), one file for at
# most a hundred forms.
FORMS_PER_FILE = 100
PAYER = (
    "Form Type", "Tax Year", "Payer TIN Type", "Payer Taxpayer ID Number", "Payer Name Type",
    "Payer Business or Entity Name Line 1", "Payer Business or Entity Name Line 2", "Payer First Name",
    "Payer Middle Name", "Payer Last Name (Surname)", "Payer Suffix", "Payer Country", "Payer Address Line 1",
    "Payer Address Line 2", "Payer City/Town", "Payer State/Province/Territory", "Payer ZIP/Postal Code",
    "Payer Phone Type", "Payer Phone", "Payer Email Address",
)  # fmt: skip
RECIPIENT = (
    "Recipient TIN Type", "Recipient Taxpayer ID Number", "Recipient Name Type",
    "Recipient Business or Entity Name Line 1", "Recipient Business or Entity Name Line 2", "Recipient First Name",
    "Recipient Middle Name", "Recipient Last Name (Surname)", "Recipient Suffix", "Recipient Country",
    "Recipient Address Line 1", "Recipient Address Line 2", "Recipient City/Town",
    "Recipient State/Province/Territory", "Recipient ZIP/Postal Code", "Office Code", "Form Account Number",
    "2nd TIN Notice",
)  # fmt: skip
BOXES = (
    "Box 1 - Nonemployee Compensation",
    "Box 2 - Payer made direct sales totaling $5000 or more of consumer products to a recipient for resale",
    "Box 4 - Federal income tax withheld", "Combined Federal/State Filing",
)  # fmt: skip


def is_year(year: int) -> bool:
    """Whether there can be a form for it: the duty began in the first of these years, and dates end in 9999."""
    return THRESHOLDS[0][0] <= year < dt.MAXYEAR


def threshold(year: int) -> int:
    """From how many cents on the form is due for this year."""
    return max((since, cents) for since, cents in THRESHOLDS if since <= year)[1]


@dataclass(frozen=True, slots=True)
class Paid:
    """What one driver was paid in a year, in cents: box 1, tips among it, and what was given back beside it."""

    driver_id: int
    box1_cents: int
    tips_cents: int
    given_back_cents: int


# The last line that a payout of that year or earlier paid, at both ends of the year.
PAID = """
WITH payouts AS (
    SELECT line.driver_id, line.sequence, batch.effective_on FROM drivers_driverposting line
    JOIN drivers_driver driver ON driver.id = line.driver_id
    JOIN drivers_payoutbatch batch ON line.subject = 'payout:' || batch.code
    WHERE line.kind = 'payout' AND (driver.market_code = %(market)s OR driver.id = %(driver)s) AND NOT EXISTS (
        SELECT 1 FROM drivers_driverposting back WHERE back.key = line.key || ':returned')
), years AS (
    SELECT driver_id, coalesce(max(sequence) FILTER (WHERE effective_on < %(first)s), 0) AS after,
        max(sequence) FILTER (WHERE effective_on < %(next)s) AS until
    FROM payouts GROUP BY driver_id
)
SELECT line.driver_id, sum(cents) FILTER (WHERE NOT kind = ANY(%(given_back)s)),
    coalesce(sum(cents) FILTER (WHERE kind = 'tip'), 0),
    coalesce(sum(cents) FILTER (WHERE kind = ANY(%(given_back)s)), 0)
FROM years JOIN drivers_driverposting line ON line.driver_id = years.driver_id
    AND line.sequence > years.after AND line.sequence <= years.until
WHERE NOT kind = ANY(%(moved)s)
GROUP BY line.driver_id ORDER BY line.driver_id
"""


def paid(year: int, *, market_code: str = "", driver: Driver | None = None) -> list[Paid]:
    """Everybody of a market who was paid in this year, or one driver."""
    with connection.cursor() as cursor:
        cursor.execute(
            PAID,
            {
                "market": market_code,
                "driver": driver.pk if driver else None,
                "first": dt.date(year, 1, 1),
                "next": dt.date(year + 1, 1, 1),
                "given_back": list(ACCOUNTED_FOR),
                "moved": list(MOVED),
            },
        )
        return [Paid(row[0], int(row[1] or 0), int(row[2]), int(row[3])) for row in cursor.fetchall()]


def of_driver(driver: Driver, year: int) -> Paid:
    """Nothing for a year in which nothing was paid."""
    found = paid(year, driver=driver)
    return found[0] if found else Paid(driver.pk, 0, 0, 0)


def is_due(row: Paid, year: int) -> bool:
    """Whether the form is filed: at the threshold and above."""
    return row.box1_cents >= threshold(year)


@dataclass(frozen=True, slots=True)
class Form:
    """One row of the list: the driver, what was paid, and the Form W-9 in force."""

    driver: Driver
    paid: Paid
    due: bool
    w9: W9 | None = None

    @property
    def incomplete(self) -> bool:
        """It is to be filed, and nobody knows the number and address to file it with."""
        return self.due and self.w9 is None


def forms(year: int, *, market_code: str) -> list[Form]:
    """Everybody of a market who was paid in this year, the most first."""
    rows = {row.driver_id: row for row in paid(year, market_code=market_code)}
    drivers = Driver.objects.filter(pk__in=rows).select_related("user")
    certified = {form.driver_id: form for form in W9.objects.filter(driver__in=rows, replaced_at=None)}
    found = []
    for driver in drivers:
        row, w9 = rows[driver.pk], certified.get(driver.pk)
        found.append(Form(driver, row, is_due(row, year) and (w9 is None or w9.is_reported), w9))
    return sorted(found, key=lambda form: (-form.paid.box1_cents, form.driver.code))


def file_of(forms_: Sequence[Form], year: int) -> str:
    """The forms that are due, in the tax office's columns, taxpayer numbers open. Where a Form W-9 is missing its
    columns are empty: such a file is not complete."""
    return csv_of((*PAYER, *RECIPIENT, *BOXES), _rows(forms_, year))


def _rows(forms_: Sequence[Form], year: int) -> Iterator[list[object]]:
    payer = settings.COMPANY
    tax_id = payer["tax_id"].replace("-", "")
    for form in forms_:
        if not form.due:
            continue
        yield [
            "1099-NEC", year, "EIN" if tax_id else "", tax_id, "B", payer["name"], "", "", "", "", "", "US",
            payer["street"], "", payer["city"], payer["region"], payer["postal_code"],
            "D" if payer["phone"] else "", payer["phone"], payer["email"],
            *_recipient(form), "", form.driver.code, "N",
            f"{form.paid.box1_cents / 100:.2f}", "N", "", "N",
        ]  # fmt: skip


def _recipient(form: Form) -> list[str]:
    """From the number's kind to the postal code: by the Form W-9, or the name alone."""
    w9 = form.w9
    if w9 is None:
        first, _space, last = str(form.driver.user.name).strip().rpartition(" ")
        return ["", "", "I", "", "", first, "", last, "", "US", "", "", "", "", ""]
    number = [w9.tin_kind.upper(), taxpaying.number_of(w9)]
    if w9.classification == W9.Classification.INDIVIDUAL:
        first, _space, last = w9.name.rpartition(" ")
        who = ["I", "", w9.business_name, first, "", last, ""]
    else:
        who = ["B", w9.name, w9.business_name, "", "", "", ""]
    return [*number, *who, "US", w9.street, "", w9.city, w9.region, w9.postal_code]


def missing_of(forms_: Sequence[Form]) -> str:
    """Whose Form W-9 is missing, as a table for people."""
    rows = [
        [form.driver.code, form.driver.user.name, form.driver.user.email, f"{form.paid.box1_cents / 100:.2f}"]
        for form in forms_
        if form.incomplete
    ]
    return csv_of(("Driver", "Name", "E-mail", "Box 1"), rows)
