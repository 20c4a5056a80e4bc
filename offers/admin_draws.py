"""Draws in the admin: their rules can be set from a day on; what was drawn is only read."""

from __future__ import annotations

from django.contrib import admin

from offers.models import Award, Draw, DrawRules, Entry
from retaildelivery.web.admin import HistoryAdmin, HistoryInline, KeptAdmin


class EntryInline(HistoryInline):
    model = Entry
    fields = ("rank", "entrant", "driver", "points", "wins", "weight", "entered_at", "withdrawn_at")
    readonly_fields = fields
    ordering = ("rank", "id")


@admin.register(Draw)
class DrawAdmin(HistoryAdmin):
    list_display = ("offer", "seed_hash", "drawn_at", "result_digest")
    list_select_related = ("offer",)
    search_fields = ("offer__code", "offer__block__code")
    # The seed is nobody's to see before it is drawn; afterwards it is on the public page.
    exclude = ("seed",)
    ordering = ("-id",)
    inlines = (EntryInline,)


@admin.register(Award)
class AwardAdmin(HistoryAdmin):
    list_display = ("offer", "driver", "asked_at", "holds_until", "ended_at", "ending", "reason")
    list_filter = ("ending",)
    list_select_related = ("offer", "driver__user")
    search_fields = ("offer__code", "driver__code")
    ordering = ("-id",)


@admin.register(DrawRules)
class DrawRulesAdmin(KeptAdmin):
    list_display = ("market", "valid_from", "first_come_within", "entries", "hold")
    list_filter = ("market",)
    list_select_related = ("market",)
    ordering = ("market", "-valid_from")
