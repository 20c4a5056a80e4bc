"""Blocks, offers, claims and pay rules in the admin. Blocks can be withdrawn; history is never edited."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter

from offers import admin_draws, admin_extras, admin_pay, admin_plans, admin_schedule, withdrawing
from offers.models import (
    Block,
    Claim,
    Decline,
    Fit,
    Freeze,
    HandOver,
    MallBlockade,
    MallPreference,
    Offer,
    StandBy,
    StoreBlockade,
    Wish,
)
from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox.recording import Actor
from retaildelivery.web.admin import HistoryAdmin, HistoryInline, KeptAdmin

# Importing them registers their pages.
__all__ = ["admin_draws", "admin_extras", "admin_pay", "admin_plans", "admin_schedule"]


class OfferInline(HistoryInline):
    model = Offer
    fields = (
        "code",
        "mode",
        "status",
        "step",
        "hourly_cents",
        "pay_cents",
        "opens_at",
        "closes_at",
        "ended_at",
    )
    readonly_fields = fields


class ClaimInline(HistoryInline):
    model = Claim
    fields = ("driver", "hourly_cents", "pay_cents", "claimed_at", "ended_at", "ending", "reason")
    readonly_fields = fields


@admin.register(Block)
class BlockAdmin(HistoryAdmin):
    list_display = (
        "code",
        "status",
        "mall",
        "window",
        "shift_kind",
        "hourly_cents",
        "orders_count",
        "parcels_count",
        "origin",
    )
    list_filter = ("status", "mall", "shift_kind", "origin", ("published_at", RangeDateTimeFilter))
    list_filter_submit = True
    list_select_related = ("mall",)
    search_fields = ("code", "manifest__code")
    ordering = ("-id",)
    inlines = (OfferInline, ClaimInline)
    actions = ("withdraw",)

    @admin.action(description=_("Withdraw (its orders are planned again)"), permissions=["view"])
    def withdraw(self, request: HttpRequest, queryset: QuerySet[Block]) -> None:
        actor = Actor(kind="operations", name=str(request.user), source="admin")
        for code in queryset.values_list("code", flat=True):
            try:
                withdrawing.withdraw(block_code=code, reason="", actor=actor, at=timezone.now())
            except Refused as refusal:
                self.message_user(request, f"{code}: {refusal.message}", messages.ERROR)
            else:
                self.message_user(request, _("%(code)s was withdrawn.") % {"code": code})


@admin.register(Offer)
class OfferAdmin(HistoryAdmin):
    list_display = (
        "code",
        "block",
        "mode",
        "status",
        "step",
        "hourly_cents",
        "pay_cents",
        "opens_at",
        "closes_at",
    )
    list_filter = ("status", "mode", ("opens_at", RangeDateTimeFilter))
    list_filter_submit = True
    list_select_related = ("block",)
    search_fields = ("code", "block__code")
    ordering = ("-id",)


@admin.register(Claim)
class ClaimAdmin(HistoryAdmin):
    list_display = ("block", "driver", "window", "pay_cents", "claimed_at", "ended_at", "ending", "reason")
    list_filter = ("ending", ("claimed_at", RangeDateTimeFilter))
    list_filter_submit = True
    list_select_related = ("block", "driver__user")
    search_fields = ("block__code", "driver__code", "driver__user__email")
    ordering = ("-id",)


@admin.register(HandOver)
class HandOverAdmin(HistoryAdmin):
    list_display = ("code", "claim", "receiver", "proposed_at", "expires_at", "ended_at", "ending")
    list_filter = ("ending", ("proposed_at", RangeDateTimeFilter))
    list_filter_submit = True
    list_select_related = ("claim__block", "receiver__user")
    search_fields = ("code", "claim__block__code", "receiver__code")
    ordering = ("-id",)


@admin.register(StandBy)
class StandByAdmin(HistoryAdmin):
    list_display = ("code", "mall", "driver", "on", "window", "joined_at", "left_at")
    list_filter = ("mall", "on")
    list_select_related = ("mall", "driver__user")
    search_fields = ("code", "driver__code")
    ordering = ("-id",)


@admin.register(Wish)
class WishAdmin(HistoryAdmin):
    list_display = (
        "driver",
        "weekdays",
        "starts_from",
        "starts_until",
        "least_hourly_cents",
        "by_email",
        "by_push",
    )
    list_filter = ("by_email", "by_push")
    list_select_related = ("driver__user",)
    search_fields = ("driver__code",)
    ordering = ("-id",)
    exclude = ("token",)


@admin.register(MallPreference)
class MallPreferenceAdmin(HistoryAdmin):
    """A driver's own choice: to be looked at, changed by the driver alone."""

    list_display = ("driver", "mall")
    list_filter = ("mall",)
    list_select_related = ("driver__user", "mall")
    search_fields = ("driver__code", "driver__user__email", "mall__code", "mall__name")
    ordering = ("mall", "driver")


@admin.register(Fit)
class FitAdmin(HistoryAdmin):
    list_display = ("block", "driver", "due_at", "told_at", "dropped_at")
    list_filter = (("due_at", RangeDateTimeFilter),)
    list_filter_submit = True
    list_select_related = ("block", "wish__driver__user")
    search_fields = ("block__code", "wish__driver__code")
    show_full_result_count = False
    ordering = ("-id",)

    @admin.display(description=_("driver"))
    def driver(self, fit: Fit) -> str:
        return str(fit.wish.driver)


@admin.register(Decline)
class DeclineAdmin(HistoryAdmin):
    list_display = ("at", "block", "driver", "reason")
    list_filter = ("reason",)
    list_select_related = ("block", "driver__user")
    search_fields = ("block__code", "driver__code")
    ordering = ("-id",)


@admin.register(Freeze)
class FreezeAdmin(HistoryAdmin):
    list_display = ("block", "reason", "frozen_by", "frozen_at", "lifted_by", "lifted_at")
    list_select_related = ("block", "frozen_by", "lifted_by")
    search_fields = ("block__code", "reason")
    ordering = ("-frozen_at",)


@admin.register(MallBlockade)
class MallBlockadeAdmin(KeptAdmin):
    list_display = ("mall", "driver", "reason", "created_by", "created_at", "lifted_at")
    list_filter = ("mall",)
    list_select_related = ("mall", "driver__user", "created_by")
    raw_id_fields = ("driver",)
    autocomplete_fields = ("mall", "created_by")
    ordering = ("-created_at",)


@admin.register(StoreBlockade)
class StoreBlockadeAdmin(HistoryAdmin):
    list_display = (
        "code",
        "store",
        "driver",
        "reason",
        "asked_by",
        "asked_at",
        "granted_by",
        "granted_at",
        "ended_at",
        "ended_reason",
    )
    list_filter = ("store__mall", ("asked_at", RangeDateTimeFilter))
    list_filter_submit = True
    list_select_related = ("store", "driver__user", "asked_by", "granted_by")
    search_fields = ("code", "driver__code", "store__name")
    ordering = ("-id",)
