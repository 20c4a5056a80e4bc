"""Planning in the admin: by what rules and when a mall is planned, and the plans that were made."""

from __future__ import annotations

from django.contrib import admin
from unfold.admin import ModelAdmin, TabularInline
from unfold.contrib.filters.admin import RangeDateTimeFilter

from offers.models import Apart, Cutoff, PlanCar, PlanRules, PlanRun
from retaildelivery.web.admin import HistoryAdmin, KeptAdmin


class PlanCarInline(TabularInline):
    model = PlanCar
    extra = 0


class ApartInline(TabularInline):
    model = Apart
    extra = 0


@admin.register(PlanRules)
class PlanRulesAdmin(KeptAdmin):
    list_display = (
        "market",
        "valid_from",
        "wait_cents",
        "late_cents",
        "km_cents",
        "max_metres",
        "one_visit",
        "max_trips",
    )
    list_filter = ("market",)
    list_select_related = ("market",)
    ordering = ("market", "-valid_from")
    inlines = (PlanCarInline, ApartInline)


@admin.register(Cutoff)
class CutoffAdmin(ModelAdmin):
    list_display = ("mall", "local_time")
    list_filter = ("mall",)
    list_select_related = ("mall",)
    ordering = ("mall", "local_time")


@admin.register(PlanRun)
class PlanRunAdmin(HistoryAdmin):
    list_display = (
        "started_at",
        "mall",
        "cause",
        "orders_seen",
        "orders_planned",
        "orders_joined",
        "blocks_made",
        "cost_cents",
        "engine",
        "ended_at",
    )
    list_filter = ("mall", ("started_at", RangeDateTimeFilter))
    list_filter_submit = True
    list_select_related = ("mall",)
    ordering = ("-id",)
