"""What every admin list shares: rows that must not change are shown, never edited."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline

from retaildelivery.lib.money import format_cents


def money_column(field: str = "cents", label: str | Promise = "") -> Callable[[Any], SafeString]:
    """A column of whole cents as money, digits under digits."""

    @admin.display(description=label or _("Amount"), ordering=field)
    def shown(row: Any) -> SafeString:
        style = "display:block;text-align:end;font-variant-numeric:tabular-nums;white-space:nowrap"
        return format_html('<span style="{}">{}</span>', style, format_cents(getattr(row, field)))

    return shown


class HistoryAdmin(ModelAdmin):
    """Rows that code writes and nobody edits: lists, filters and search, no form."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class KeptAdmin(ModelAdmin):
    """Rows that may be edited but are never deleted, since others point at them."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class HistoryInline(TabularInline):
    """Rows of history under the thing they belong to."""

    extra = 0
    can_delete = False
    show_change_link = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
