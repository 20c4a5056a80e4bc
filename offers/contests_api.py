"""The seller's API of charges for waiting: read one with what is known of it, contest it, and read the answer; all that
the pages do."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from offers import evidence
from retaildelivery.web import api, paging
from retaildelivery.web.fields import Choice, Input, Output, Text, WholeNumber
from stores import contesting
from stores.api import SellerView
from stores.models import ApiKey, Contest, SellerPosting
from stores.webhooks.events import moment

TAGS = ["Invoices"]
READ, CONTEST = ApiKey.Scope.BILLING, ApiKey.Scope.CONTESTS
LINE = OpenApiParameter(
    "line", OpenApiTypes.INT, OpenApiParameter.PATH, description="`number` of the charge."
)
# What a store may say; operations' own looking at a charge is no reason of a store.
REASONS = [choice for choice in Contest.Reason.choices if choice[0] != Contest.Reason.REVIEW]


class WaitChargeOut(Output):
    number = serializers.IntegerField(help_text="Of the line in your account.")
    key = serializers.CharField(help_text="What it charges for; no other line has it.")
    at = serializers.DateTimeField()
    store = serializers.CharField(help_text="Code of the store that kept the driver.")
    block = serializers.CharField(help_text="Code of the driver's block.")
    text = serializers.CharField()
    minutes = serializers.CharField(help_text="That were charged, after the free ones.")
    cents = serializers.IntegerField()
    contestable = serializers.BooleanField(help_text="Whether it may be contested now.")


class WaitStop(Output):
    arrived_at = serializers.DateTimeField(allow_null=True, help_text="When the driver was at the counter.")
    off_by_m = serializers.IntegerField(
        allow_null=True, help_text="How far the phone was from the mall's pin."
    )
    handed_over_at = serializers.DateTimeField(allow_null=True)
    by = serializers.CharField(allow_blank=True, help_text="Who handed over.")


class WaitOrder(Output):
    code = serializers.CharField()
    ready_at = serializers.DateTimeField(allow_null=True, help_text="When it was to be packed.")
    packed_at = serializers.DateTimeField(allow_null=True, help_text="When the counter said that it is.")


class WaitScan(Output):
    at = serializers.DateTimeField()
    outcome = serializers.CharField()


class WaitKnown(Output):
    """What the system knows of the wait; of a contested one, what it knew when it was contested."""

    subject = serializers.CharField()
    minutes = serializers.CharField()
    starts_at = serializers.DateTimeField(allow_null=True, help_text="When the block begins.")
    checked_in_at = serializers.DateTimeField(allow_null=True)
    stops = WaitStop(many=True)
    orders = WaitOrder(many=True)
    scans = WaitScan(many=True)


class ContestOut(Output):
    code = serializers.CharField()
    line = serializers.IntegerField(help_text="`number` of the charge.")
    cents = serializers.IntegerField(help_text="Of the charge; given back whole when it is granted.")
    reason = serializers.ChoiceField(choices=Contest.Reason.choices)
    text = serializers.CharField(allow_blank=True)
    status = serializers.ChoiceField(choices=Contest.Status.choices)
    opened_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(help_text="By then a person answers.")
    decided_at = serializers.DateTimeField(allow_null=True)
    decided_by = serializers.CharField(allow_blank=True, help_text="Who answered.")
    fault = serializers.ChoiceField(
        choices=Contest.Fault.choices, allow_blank=True, help_text="Whose it was."
    )
    decision = serializers.CharField(allow_blank=True, help_text="Their reasons.")


class WaitChargeWithKnown(WaitChargeOut):
    known = WaitKnown()
    contests = ContestOut(many=True)


class WaitChargePage(Output):
    results = WaitChargeOut(many=True)
    next = serializers.CharField(allow_null=True)


class ContestPage(Output):
    results = ContestOut(many=True)
    next = serializers.CharField(allow_null=True)


class ContestIn(Input):
    line = WholeNumber(min_value=1, max_value=2_147_483_647, help_text="`number` of the charge.")
    reason = Choice(choices=REASONS)
    text = Text(max_length=1000, help_text="What happened, in your words.")


def contest_json(found: Contest) -> dict[str, Any]:
    return {
        "code": found.code,
        "line": found.posting.sequence,
        "cents": found.posting.cents,
        "reason": found.reason,
        "text": found.text,
        "status": found.status,
        "opened_at": moment(found.opened_at),
        "due_at": moment(found.due_at),
        "decided_at": moment(found.decided_at) if found.decided_at else None,
        "decided_by": str(found.decided_by) if found.decided_by else "",
        "fault": found.fault,
        "decision": found.decision,
    }


class ContestsBase(SellerView):
    """A key of one store reads and contests what that store is charged."""

    scopes: ClassVar[dict[str, str]] = {"GET": READ, "POST": CONTEST, "PUT": CONTEST}

    @property
    def charges(self) -> QuerySet[SellerPosting]:
        # A sandbox costs nothing, so it has no charges.
        own = SellerPosting.objects.none() if self.system.sandbox else SellerPosting.objects.all()
        waits = own.filter(seller=self.system.seller, kind=contesting.WAIT, store__in=self.system.stores)
        return waits.select_related("seller", "store", "market")

    @property
    def contests(self) -> QuerySet[Contest]:
        return Contest.objects.filter(posting__in=self.charges).select_related("posting", "decided_by")

    def charge_json(self, charge: SellerPosting) -> dict[str, Any]:
        assert charge.store is not None, "Only charges of a store are here."
        return {
            "number": charge.sequence,
            "key": charge.key,
            "at": moment(charge.at),
            "store": charge.store.code,
            "block": charge.subject.partition(":")[2],
            "text": charge.text,
            "minutes": charge.params.get("minutes", ""),
            "cents": charge.cents,
            "contestable": contesting.free(charge, at=timezone.now()),
        }


class WaitChargesView(ContestsBase):
    @extend_schema(
        operation_id="list_wait_charges", parameters=[paging.PageQuery], responses=WaitChargePage, tags=TAGS
    )
    def get(self, request: Request) -> Response:
        """What you were charged because a driver was kept waiting, newest first."""
        rows = self.charges.prefetch_related("contests")
        page = paging.newest_first(rows, api.query(request, paging.PageQuery), field="key")
        return Response({"results": [self.charge_json(row) for row in page.rows], "next": page.next})


class WaitChargeView(ContestsBase):
    @extend_schema(
        operation_id="get_wait_charge", responses=WaitChargeWithKnown, parameters=[LINE], tags=TAGS
    )
    def get(self, request: Request, line: int) -> Response:
        """One charge: when the parcels were to be packed and were, when the driver came, and what was scanned."""
        api.query(request, api.NoQuery)
        charge = get_object_or_404(self.charges, sequence=line)
        contests = list(self.contests.filter(posting=charge).order_by("-pk"))
        known = contests[0].evidence if contests else evidence.of_wait(charge)
        told = [contest_json(each) for each in contests]
        return Response({**self.charge_json(charge), "known": known, "contests": told})


class ContestsView(ContestsBase):
    @extend_schema(
        operation_id="list_contests", parameters=[paging.PageQuery], responses=ContestPage, tags=TAGS
    )
    def get(self, request: Request) -> Response:
        """Your contested charges, newest first, with the answers."""
        page = paging.newest_first(self.contests, api.query(request, paging.PageQuery))
        return Response({"results": [contest_json(row) for row in page.rows], "next": page.next})

    @extend_schema(operation_id="contest_charge", request=ContestIn, responses={201: ContestOut}, tags=TAGS)
    def post(self, request: Request) -> Response:
        """Contest a charge for waiting. What the system knows is put with it; a person answers in 72 hours."""
        given = api.body(request, ContestIn)
        charge = get_object_or_404(self.charges, sequence=given["line"])
        made = contesting.contest(
            posting=charge,
            reason=given["reason"],
            text=given["text"],
            evidence=evidence.of_wait(charge),
            actor=self.system.actor,
            key_prefix=self.system.key.prefix,
            at=timezone.now(),
        )
        return Response(contest_json(made), status=status.HTTP_201_CREATED)


class ContestView(ContestsBase):
    @extend_schema(operation_id="get_contest", responses=ContestOut, tags=TAGS)
    def get(self, request: Request, code: str) -> Response:
        """One contested charge, and how it was decided."""
        api.query(request, api.NoQuery)
        return Response(contest_json(get_object_or_404(self.contests, code=code)))


class ContestWithdrawalView(ContestsBase):
    @extend_schema(operation_id="withdraw_contest", request=api.NoBody, responses=ContestOut, tags=TAGS)
    def put(self, request: Request, code: str) -> Response:
        """Take it back; it can be contested again. A repeat is harmless."""
        api.body(request, api.NoBody)
        asked = self.contests.exclude(reason=Contest.Reason.REVIEW)
        found = get_object_or_404(asked, code=code)
        if found.status != Contest.Status.WITHDRAWN:
            contesting.withdraw(code=code, actor=self.system.actor, at=timezone.now())
        return Response(contest_json(get_object_or_404(asked, code=code)))
