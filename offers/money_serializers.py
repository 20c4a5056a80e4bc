"""What the driver's API of money reads and writes."""

from __future__ import annotations

import datetime as dt
from typing import Any

from rest_framework import serializers

from drivers import statements, taxforms
from drivers.ledger import exported
from drivers.models import W9, Dispute, PayoutAccount, Statement
from drivers.taxpaying import ZIP
from offers import reckoning
from offers.tax_forms import REGIONS
from retaildelivery.web.fields import Choice, Flag, Input, Output, Text, WholeNumber
from stores.webhooks.events import moment


class StatementOut(Output):
    code = serializers.CharField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(help_text="The first moment after the week, by the market's clocks.")
    opening_cents = serializers.IntegerField(help_text="Carried over.")
    closing_cents = serializers.IntegerField(help_text="What was left to be paid out.")
    issued_at = serializers.DateTimeField()


class AccountLineOut(Output):
    sequence = serializers.IntegerField(help_text="Number of the line in your account.")
    key = serializers.CharField(help_text="What it pays for; no other line has it.")
    kind = serializers.CharField()
    cents = serializers.IntegerField()
    text = serializers.CharField()
    rule = serializers.CharField(allow_blank=True, help_text="The policy row it follows from.")
    subject = serializers.CharField(help_text="Such as block:BX7K2M.")
    at = serializers.CharField(help_text="UTC to the microsecond, as the hash covers it.")
    params = serializers.DictField(help_text="What its cents were computed from.")
    previous = serializers.CharField(help_text="Hash of the line before.")
    digest = serializers.CharField(help_text="Hash of this line.")


class SumOut(Output):
    pay_cents = serializers.IntegerField(help_text="What was expected is without tips.")
    distance_m = serializers.IntegerField(help_text="Back to the mall, and from home where one is known.")
    cost_cents = serializers.IntegerField()
    minutes = serializers.IntegerField()
    left_cents = serializers.IntegerField()
    left_hourly_cents = serializers.IntegerField()


class LeftOfWeekOut(Output):
    """Of the blocks that ended in the week, by your own cost profile, with all that they have paid until today."""

    blocks = serializers.IntegerField()
    expected = SumOut(allow_null=True, help_text="What their offers had said; null where one has no record.")
    actual = SumOut()


class StatementWithLines(StatementOut):
    earned_cents = serializers.IntegerField(help_text="Blocks, without tips.")
    tips_cents = serializers.IntegerField(help_text="All of them.")
    corrected_cents = serializers.IntegerField()
    paid_out_cents = serializers.IntegerField(help_text="Below nothing: it left.")
    left = LeftOfWeekOut()
    lines = AccountLineOut(many=True)


class StatementPage(Output):
    results = StatementOut(many=True)
    next = serializers.CharField(allow_null=True)


def statement_json(found: Statement) -> dict[str, Any]:
    return {
        "code": found.code,
        "starts_at": moment(found.starts_at),
        "ends_at": moment(found.ends_at),
        "opening_cents": found.opening_cents,
        "closing_cents": found.closing_cents,
        "issued_at": moment(found.issued_at),
    }


def sum_json(found: reckoning.Sum) -> dict[str, int]:
    return {
        "pay_cents": found.pay_cents,
        "distance_m": found.metres,
        "cost_cents": found.cost_cents,
        "minutes": found.time // dt.timedelta(minutes=1),
        "left_cents": found.left_cents,
        "left_hourly_cents": found.left_hourly_cents,
    }


def left_json(found: reckoning.Together) -> dict[str, Any]:
    return {
        "blocks": found.blocks,
        "expected": None if found.expected is None else sum_json(found.expected),
        "actual": sum_json(found.actual),
    }


def statement_with_lines(found: Statement, left: reckoning.Together) -> dict[str, Any]:
    lines = list(statements.lines_of(found))
    sums = statements.sums(lines)
    return {
        **statement_json(found),
        "earned_cents": sums.earned_cents,
        "tips_cents": sums.tips_cents,
        "corrected_cents": sums.corrected_cents,
        "paid_out_cents": sums.paid_out_cents,
        "left": left_json(left),
        "lines": [exported(line) for line in lines],
    }


class TaxYearOut(Output):
    year = serializers.IntegerField()
    box1_cents = serializers.IntegerField(
        help_text="Nonemployee compensation, tips among it, by day of payment."
    )
    tips_cents = serializers.IntegerField()
    given_back_cents = serializers.IntegerField(help_text="Tolls and allowances for distance, not in box 1.")
    threshold_cents = serializers.IntegerField(help_text="From here on the form is filed.")
    filed = serializers.BooleanField(help_text="Whether it comes to the threshold.")


def tax_year_json(paid: taxforms.Paid, year: int) -> dict[str, Any]:
    return {
        "year": year,
        "box1_cents": paid.box1_cents,
        "tips_cents": paid.tips_cents,
        "given_back_cents": paid.given_back_cents,
        "threshold_cents": taxforms.threshold(year),
        "filed": taxforms.is_due(paid, year),
    }


class TaxDetailsIn(Input):
    """Form W-9 (Rev. March 2024), as far as it concerns a driver."""

    name = Text(max_length=80, help_text="As on the tax return.")
    business_name = Text(max_length=80, required=False, default="", allow_blank=True)
    classification = Choice(choices=W9.Classification.choices)
    street = Text(max_length=80)
    city = Text(max_length=50)
    region = Choice(choices=REGIONS, help_text="State by its postal code.")
    postal_code = Text(
        max_length=10,
        described={"pattern": "^[0-9]{5}(-[0-9]{4})?$"},
        help_text="Five digits, or nine as in 89109-1234.",
    )
    tin_kind = Choice(choices=W9.TinKind.choices)
    tin = Text(
        max_length=14, help_text="Nine digits, with or without hyphens. Encrypted, and never shown again."
    )
    backup_withholding = Flag(
        required=False, default=False, help_text="The tax office said that part of the pay is to be withheld."
    )
    signed_by = Text(max_length=80, help_text="The driver's name, typed in place of a signature.")
    certified = Flag(help_text="True: the driver read the certification of the form and confirms it.")

    def validate_postal_code(self, value: str) -> str:
        if not ZIP.fullmatch(value):
            raise serializers.ValidationError("Five digits, or nine as in 89109-1234.")
        return value


class TaxDetailsOut(Output):
    name = serializers.CharField()
    business_name = serializers.CharField(allow_blank=True)
    classification = serializers.ChoiceField(choices=W9.Classification.choices)
    street = serializers.CharField()
    city = serializers.CharField()
    region = serializers.CharField()
    postal_code = serializers.CharField()
    tin_kind = serializers.ChoiceField(choices=W9.TinKind.choices)
    last4 = serializers.CharField(help_text="Of the taxpayer number.")
    backup_withholding = serializers.BooleanField()
    signed_by = serializers.CharField()
    certified_at = serializers.DateTimeField()


def tax_details_json(found: W9) -> dict[str, Any]:
    return {
        "name": found.name,
        "business_name": found.business_name,
        "classification": found.classification,
        "street": found.street,
        "city": found.city,
        "region": found.region,
        "postal_code": found.postal_code,
        "tin_kind": found.tin_kind,
        "last4": found.last4,
        "backup_withholding": found.backup_withholding,
        "signed_by": found.signed_by,
        "certified_at": moment(found.certified_at),
    }


class AccountOut(Output):
    form = serializers.CharField(help_text="Name and version of this form.")
    driver = serializers.CharField()
    exported_at = serializers.CharField()
    balance_cents = serializers.IntegerField()
    rules = serializers.DictField(help_text="Rows of law that floors name, by code.")
    lines = AccountLineOut(many=True)


class PayoutAccountIn(Input):
    holder = Text(max_length=80, help_text="Name on the account.")
    kind = Choice(choices=PayoutAccount.Kind.choices)
    routing = Text(
        max_length=9,
        required=False,
        default="",
        help_text="Nine digits; the last checks the others. None at Stripe.",
    )
    number = Text(max_length=60, help_text="4 to 17 digits; of an account at Stripe acct_….")


class PayoutAccountOut(Output):
    holder = serializers.CharField()
    kind = serializers.ChoiceField(choices=PayoutAccount.Kind.choices)
    last4 = serializers.CharField()
    added_at = serializers.DateTimeField()
    refused_code = serializers.CharField(
        allow_blank=True, help_text="Why the bank sent a payout back, such as R01; enter the account anew."
    )


def payout_account_json(found: PayoutAccount) -> dict[str, Any]:
    return {
        "holder": found.holder,
        "kind": found.kind,
        "last4": found.last4,
        "added_at": moment(found.added_at),
        "refused_code": found.refused_code,
    }


class DisputeIn(Input):
    line = WholeNumber(min_value=1, max_value=2_147_483_647, help_text="`sequence` of the line.")
    reason = Choice(choices=Dispute.Reason.choices)
    text = Text(max_length=1000, help_text="What happened, in your words.")


class DisputeOut(Output):
    code = serializers.CharField()
    line = serializers.IntegerField(help_text="`sequence` of the line.")
    key = serializers.CharField()
    cents = serializers.IntegerField(help_text="Of the line.")
    reason = serializers.ChoiceField(choices=Dispute.Reason.choices)
    text = serializers.CharField()
    status = serializers.ChoiceField(choices=Dispute.Status.choices)
    opened_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(help_text="By then a person answers.")
    decided_at = serializers.DateTimeField(allow_null=True)
    decided_by = serializers.CharField(allow_blank=True, help_text="Who answered.")
    decision = serializers.CharField(allow_blank=True, help_text="Their reasons.")


class DisputePage(Output):
    results = DisputeOut(many=True)
    next = serializers.CharField(allow_null=True)


def dispute_json(found: Dispute) -> dict[str, Any]:
    return {
        "code": found.code,
        "line": found.posting.sequence,
        "key": found.posting.key,
        "cents": found.posting.cents,
        "reason": found.reason,
        "text": found.text,
        "status": found.status,
        "opened_at": moment(found.opened_at),
        "due_at": moment(found.due_at),
        "decided_at": moment(found.decided_at) if found.decided_at else None,
        "decided_by": str(found.decided_by) if found.decided_by else "",
        "decision": found.decision,
    }
