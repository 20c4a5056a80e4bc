"""Blocks published ahead, in the admin: only read; operations publish on their own page."""

from __future__ import annotations

from django.contrib import admin

from offers.models import AutoSchedule, Publication, ScheduledDay
from retaildelivery.web.admin import HistoryAdmin


@admin.register(Publication)
class PublicationAdmin(HistoryAdmin):
    list_display = (
        "mall", "starts_at", "length", "count", "recommended", "method", "automatic", "published_by", "published_at",
    )  # fmt: skip
    list_filter = ("method", "automatic")
    list_select_related = ("mall", "published_by")
    search_fields = ("mall__code", "key")
    ordering = ("-id",)


@admin.register(AutoSchedule)
class AutoScheduleAdmin(HistoryAdmin):
    list_display = ("mall", "on", "days_ahead", "hour", "changed_by", "changed_at")
    list_select_related = ("mall", "changed_by")
    ordering = ("mall",)


@admin.register(ScheduledDay)
class ScheduledDayAdmin(HistoryAdmin):
    list_display = ("mall", "day", "blocks", "at")
    list_select_related = ("mall",)
    ordering = ("-day", "mall")
