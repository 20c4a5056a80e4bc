"""Corrections, payouts and bank accounts for operations: one proposes, another signs."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.widgets import UnfoldAdminSelectWidget

from drivers import adjusting, payouts
from drivers.models import W9, Adjustment, Driver, Payout, PayoutAccount, PayoutBatch
from retaildelivery.lib.refusals import Refused
from retaildelivery.web.admin import HistoryAdmin, money_column
from retaildelivery.web.admin_deciding import DecidingAdmin, ProposingAdmin


@admin.register(Adjustment)
class AdjustmentAdmin(ProposingAdmin):
    list_display = (
        "code",
        "driver",
        money_column(),
        "reason",
        "status",
        "proposed_by",
        "decided_by",
        "proposed_at",
    )
    list_filter = ("status", ("proposed_at", RangeDateTimeFilter))
    list_select_related = ("driver__user", "proposed_by", "decided_by")
    search_fields = ("code", "driver__code", "subject")
    ordering = ("-id",)
    fields = ("driver", "cents", "reason", "evidence", "subject")
    autocomplete_fields = ("driver",)
    actions = ("sign", "decline")

    def save_model(self, request: HttpRequest, obj: Adjustment, form: Any, change: bool) -> None:
        """Adding is proposing; there is no other way to save."""
        made = adjusting.propose(by=request.user, at=timezone.now(), **form.cleaned_data)
        obj.pk, obj.code = made.pk, made.code

    @admin.action(description=_("Sign: post the correction"), permissions=["decide"])
    def sign(self, request: HttpRequest, queryset: QuerySet[Adjustment]) -> None:
        at = timezone.now()
        self.each(request, queryset, lambda row: adjusting.sign(code=row.code, by=request.user, at=at))

    @admin.action(description=_("Decline"), permissions=["decide"])
    def decline(self, request: HttpRequest, queryset: QuerySet[Adjustment]) -> None:
        at = timezone.now()
        self.each(request, queryset, lambda row: adjusting.decline(code=row.code, by=request.user, at=at))


@admin.register(PayoutBatch)
class PayoutBatchAdmin(ProposingAdmin):
    list_display = (
        "code",
        "market_code",
        "provider",
        "status",
        "effective_on",
        "created_by",
        "released_by",
        "files",
    )
    list_filter = ("status", "market_code")
    list_select_related = ("created_by", "released_by")
    ordering = ("-id",)
    fields = ("market_code", "effective_on")
    actions = ("release", "discard")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **more: Any) -> Any:
        """The market is chosen among those that have drivers; the banks book tomorrow unless it is said otherwise."""
        if db_field.name == "market_code":
            codes = Driver.objects.order_by("market_code").values_list("market_code", flat=True).distinct()
            return forms.ChoiceField(
                label=_("Market"), choices=[(code, code) for code in codes], widget=UnfoldAdminSelectWidget
            )
        if db_field.name == "effective_on":
            more["initial"] = timezone.localdate() + dt.timedelta(days=1)
        return super().formfield_for_dbfield(db_field, request, **more)

    def save_model(self, request: HttpRequest, obj: PayoutBatch, form: Any, change: bool) -> None:
        made = payouts.draft(
            market_code=obj.market_code, effective_on=obj.effective_on, by=request.user, at=timezone.now()
        )
        obj.pk, obj.code = made.pk, made.code

    def add_view(self, request: HttpRequest, *args: Any, **more: Any) -> HttpResponse:
        try:
            return super().add_view(request, *args, **more)
        except Refused as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
            return redirect("admin:drivers_payoutbatch_changelist")

    def get_urls(self) -> list[URLPattern]:
        own = path(
            "<int:pk>/<slug:form>/", self.admin_site.admin_view(self.file), name="drivers_payoutbatch_file"
        )
        return [own, *super().get_urls()]

    def file(self, request: HttpRequest, pk: int, form: str) -> HttpResponse:
        """The file for the bank, or the table for people, of a released batch."""
        if not self.has_decide_permission(request):
            raise PermissionDenied
        batch = get_object_or_404(PayoutBatch.objects.filter(status=PayoutBatch.Status.RELEASED), pk=pk)
        if form == "nacha" and batch.provider != PayoutBatch.Provider.BANK:
            raise Http404
        text = payouts.nacha_file(batch) if form == "nacha" else payouts.csv_file(batch)
        answer = HttpResponse(text, content_type="text/plain" if form == "nacha" else "text/csv")
        ending = "ach" if form == "nacha" else "csv"
        answer["Content-Disposition"] = f'attachment; filename="{batch.code}.{ending}"'
        answer["Cache-Control"] = "no-store"
        return answer

    @admin.display(description=_("Files"))
    def files(self, batch: PayoutBatch) -> SafeString | str:
        if batch.status != PayoutBatch.Status.RELEASED:
            return "–"
        nacha, table = (
            reverse("admin:drivers_payoutbatch_file", args=[batch.pk, form]) for form in ("nacha", "csv")
        )
        if batch.provider != PayoutBatch.Provider.BANK:
            return format_html('<a href="{}">CSV</a>', table)
        return format_html('<a href="{}">NACHA</a> · <a href="{}">CSV</a>', nacha, table)

    @admin.action(description=_("Release: the money goes"), permissions=["decide"])
    def release(self, request: HttpRequest, queryset: QuerySet[PayoutBatch]) -> None:
        at = timezone.now()
        self.each(request, queryset, lambda row: payouts.release(code=row.code, by=request.user, at=at))

    @admin.action(description=_("Discard"), permissions=["decide"])
    def discard(self, request: HttpRequest, queryset: QuerySet[PayoutBatch]) -> None:
        at = timezone.now()
        self.each(request, queryset, lambda row: payouts.discard(code=row.code, at=at))


@admin.register(Payout)
class PayoutAdmin(DecidingAdmin):
    list_display = (
        "__str__",
        "driver",
        "account",
        money_column(),
        "status",
        "transfer",
        "return_code",
        "returned_at",
    )
    list_filter = ("status",)
    list_select_related = ("batch", "driver__user", "account")
    search_fields = ("batch__code", "driver__code")
    show_full_result_count = False
    ordering = ("-id",)
    actions = ("came_back",)

    @admin.action(description=_("The bank sent it back (code such as R01)"), permissions=["decide"])
    def came_back(self, request: HttpRequest, queryset: QuerySet[Payout]) -> HttpResponse | None:
        return self.with_reason(
            request,
            queryset,
            action="came_back",
            title=_("The bank sent it back"),
            verb=lambda row, code: payouts.came_back(
                batch_code=row.batch.code, number=row.number, return_code=code, at=timezone.now()
            ),
        )


@admin.register(PayoutAccount)
class PayoutAccountAdmin(HistoryAdmin):
    list_display = ("driver", "holder", "kind", "last4", "added_at", "replaced_at", "refused_code")
    list_select_related = ("driver__user",)
    search_fields = ("driver__code",)
    exclude = ("routing_sealed", "number_sealed")
    ordering = ("-id",)


@admin.register(W9)
class W9Admin(HistoryAdmin):
    """Read here; drivers certify theirs. The number is shown by its last four digits."""

    list_display = ("driver", "name", "classification", "masked", "region", "certified_at", "replaced_at")
    list_filter = ("classification", "backup_withholding", ("certified_at", RangeDateTimeFilter))
    list_select_related = ("driver__user",)
    search_fields = ("driver__code", "name", "business_name")
    exclude = ("tin_sealed",)
    ordering = ("-id",)
