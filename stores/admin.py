"""Markets, malls, sellers and stores in the admin; keys and endpoints to look at; the account read-only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import RangeDateTimeFilter

from retaildelivery.lib.refusals import Refused
from retaildelivery.web.admin import HistoryAdmin, HistoryInline, KeptAdmin, money_column
from retaildelivery.web.admin_deciding import ProposingAdmin
from stores import adjusting
from stores.models import (
    ApiKey,
    Contest,
    Invoice,
    Mall,
    Market,
    Seller,
    SellerAdjustment,
    SellerPosting,
    StaffMembership,
    Store,
    StoreHours,
    WebhookAttempt,
    WebhookEndpoint,
    WebhookMessage,
)


@admin.register(Market)
class MarketAdmin(KeptAdmin):
    list_display = ("name", "code", "time_zone", "currency")
    search_fields = ("name", "code")
    ordering = ("name",)


@admin.register(Mall)
class MallAdmin(KeptAdmin):
    list_display = ("name", "market", "address", "geofence_m", "desk_code", "active")
    list_filter = ("market", "active")
    list_select_related = ("market",)
    search_fields = ("name", "code", "address")
    ordering = ("name",)


class MembershipInline(TabularInline):
    model = StaffMembership
    fields = ("user", "store", "role", "ended_at")
    autocomplete_fields = ("user", "store")
    extra = 0


@admin.register(Seller)
class SellerAdmin(KeptAdmin):
    list_display = ("name", "code", "email", "active", "created_at")
    list_filter = ("active",)
    search_fields = ("name", "code", "email")
    readonly_fields = ("code", "created_at")
    ordering = ("name",)
    inlines = (MembershipInline,)


class HoursInline(TabularInline):
    model = StoreHours
    extra = 0


@admin.register(Store)
class StoreAdmin(KeptAdmin):
    list_display = ("name", "code", "seller", "mall", "unit", "prep_minutes", "paused_until", "active")
    list_filter = ("mall", "seller", "active")
    list_select_related = ("seller", "mall")
    search_fields = ("name", "code", "seller__name")
    autocomplete_fields = ("seller", "mall")
    readonly_fields = ("code",)
    ordering = ("mall", "name")
    inlines = (HoursInline,)
    actions = ("resume",)

    @admin.action(description=_("End the pause"), permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Store]) -> None:
        count = queryset.exclude(paused_until=None).update(paused_until=None)
        self.message_user(
            request, ngettext("%d store is open again.", "%d stores are open again.", count) % count
        )


@admin.register(StaffMembership)
class StaffMembershipAdmin(KeptAdmin):
    list_display = ("user", "seller", "store", "role", "created_at", "ended_at")
    list_filter = ("role", "seller")
    list_select_related = ("user", "seller", "store")
    search_fields = ("user__email", "user__name", "seller__name")
    autocomplete_fields = ("user", "seller", "store")
    ordering = ("-created_at",)


@admin.register(ApiKey)
class ApiKeyAdmin(HistoryAdmin):
    list_display = ("name", "prefix", "seller", "store", "scopes", "last_used_at", "expires_at", "revoked_at")
    list_filter = ("seller",)
    list_select_related = ("seller", "store")
    search_fields = ("name", "prefix", "seller__name")
    exclude = ("digest",)
    ordering = ("-created_at",)
    actions = ("revoke",)

    @admin.action(description=_("Revoke at once"), permissions=["view"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        count = queryset.filter(revoked_at=None).update(revoked_at=timezone.now())
        self.message_user(request, ngettext("%d key was revoked.", "%d keys were revoked.", count) % count)


class AttemptInline(HistoryInline):
    model = WebhookAttempt
    fields = ("at", "duration", "status", "failure", "response")
    readonly_fields = fields


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(HistoryAdmin):
    list_display = ("url", "seller", "code", "failing_since", "disabled_at", "disabled_reason")
    list_filter = ("seller",)
    list_select_related = ("seller",)
    search_fields = ("url", "code", "seller__name")
    exclude = ("secret",)
    ordering = ("-created_at",)


@admin.register(WebhookMessage)
class WebhookMessageAdmin(HistoryAdmin):
    list_display = (
        "created_at",
        "event_type",
        "endpoint",
        "attempts",
        "delivered_at",
        "given_up_at",
        "next_attempt_at",
    )
    list_filter = ("event_type", ("created_at", RangeDateTimeFilter))
    list_filter_submit = True
    list_select_related = ("endpoint",)
    search_fields = ("code", "endpoint__code")
    show_full_result_count = False
    ordering = ("-id",)
    inlines = (AttemptInline,)
    actions = ("send_again",)

    @admin.action(description=_("Send again"), permissions=["view"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[WebhookMessage]) -> None:
        now = timezone.now()
        count = queryset.update(delivered_at=None, given_up_at=None, next_attempt_at=now)
        self.message_user(request, ngettext("%d will be sent.", "%d will be sent.", count) % count)


@admin.register(SellerPosting)
class SellerPostingAdmin(HistoryAdmin):
    list_display = ("at", "seller", "store", "kind", money_column(), "text", "rule", "key")
    list_filter = ("kind", "seller", ("at", RangeDateTimeFilter))
    list_filter_submit = True
    list_select_related = ("seller", "store")
    search_fields = ("key", "subject", "text")
    show_full_result_count = False
    ordering = ("-id",)


@admin.register(Invoice)
class InvoiceAdmin(HistoryAdmin):
    list_display = (
        "number",
        "seller",
        "market",
        "month",
        money_column("total_cents", _("Total")),
        money_column("tax_cents", _("Tax")),
        "issued_at",
        "due_on",
    )
    list_filter = ("market", "seller", "month")
    list_select_related = ("seller", "market")
    search_fields = ("number", "seller__name", "seller__code")
    ordering = ("-id",)


@admin.register(Contest)
class ContestAdmin(HistoryAdmin):
    """Read here; decided on the page of pay disputes."""

    list_display = (
        "code",
        "posting",
        "reason",
        "status",
        "fault",
        "opened_by",
        "opened_at",
        "due_at",
        "decided_by",
    )
    list_filter = ("status", "fault", ("opened_at", RangeDateTimeFilter))
    list_select_related = ("posting", "opened_by", "decided_by")
    search_fields = ("code", "posting__seller__code", "posting__seller__name", "posting__subject")
    ordering = ("-id",)


@admin.register(SellerAdjustment)
class SellerAdjustmentAdmin(ProposingAdmin):
    list_display = (
        "code",
        "seller",
        money_column(),
        "reason",
        "status",
        "proposed_by",
        "decided_by",
        "proposed_at",
    )
    list_filter = ("status", ("proposed_at", RangeDateTimeFilter))
    list_select_related = ("seller", "proposed_by", "decided_by")
    search_fields = ("code", "seller__code", "seller__name", "subject")
    ordering = ("-id",)
    fields = ("seller", "store", "market", "cents", "reason", "evidence", "subject")
    autocomplete_fields = ("seller", "store", "market")
    actions = ("sign", "decline")

    def save_model(self, request: HttpRequest, obj: SellerAdjustment, form: Any, change: bool) -> None:
        """Adding is proposing; there is no other way to save."""
        made = adjusting.propose(by=request.user, at=timezone.now(), **form.cleaned_data)
        obj.pk, obj.code = made.pk, made.code

    def add_view(self, request: HttpRequest, *args: Any, **more: Any) -> HttpResponse:
        try:
            return super().add_view(request, *args, **more)
        except Refused as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
            return redirect("admin:stores_selleradjustment_add")

    @admin.action(description=_("Sign: post the correction"), permissions=["decide"])
    def sign(self, request: HttpRequest, queryset: QuerySet[SellerAdjustment]) -> None:
        at = timezone.now()
        self.each(request, queryset, lambda row: adjusting.sign(code=row.code, by=request.user, at=at))

    @admin.action(description=_("Decline"), permissions=["decide"])
    def decline(self, request: HttpRequest, queryset: QuerySet[SellerAdjustment]) -> None:
        at = timezone.now()
        self.each(request, queryset, lambda row: adjusting.decline(code=row.code, by=request.user, at=at))
