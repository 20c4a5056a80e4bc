"""Accounts that may be one person, for operations to look at."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter

from drivers import likenesses
from drivers.models import Likeness
from retaildelivery.accounts.models import User
from retaildelivery.web.admin import HistoryAdmin


@admin.register(Likeness)
class LikenessAdmin(HistoryAdmin):
    list_display = ("kind", "detail", "first", "second", "found_at", "settled_at", "settled_by")
    list_filter = ("kind", ("settled_at", admin.EmptyFieldListFilter), ("found_at", RangeDateTimeFilter))
    list_filter_submit = True
    list_select_related = ("first__user", "second__user", "settled_by")
    search_fields = ("first__code", "second__code", "first__user__name", "second__user__name")
    ordering = ("settled_at", "-id")
    actions = ("settle",)

    @admin.action(description=_("Looked at: settled"), permissions=["view"])
    def settle(self, request: HttpRequest, queryset: QuerySet[Likeness]) -> None:
        assert isinstance(request.user, User)
        for likeness in queryset.select_related("first", "second"):
            likenesses.settle(likeness=likeness, by=request.user, at=timezone.now())
        self.message_user(request, _("Settled."), messages.SUCCESS)
