"""Rows that only verbs change, decided about in the admin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import helpers
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from retaildelivery.lib.refusals import Refused
from retaildelivery.web.admin import HistoryAdmin


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason; the driver reads it"), max_length=200, widget=UnfoldAdminTextInputWidget
    )


class DecidingAdmin(HistoryAdmin):
    """Rows that only verbs change, each by an action whose refusal is told row by row."""

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Whoever may see the rows as operations may decide about them."""
        return bool(request.user.is_staff) and self.has_view_permission(request)

    def each(self, request: HttpRequest, rows: QuerySet[Any], verb: Callable[[Any], object]) -> None:
        """Call the verb for every row; what was done and what was refused is said by name."""
        done = 0
        for row in rows:
            try:
                verb(row)
            except Refused as refusal:
                self.message_user(request, f"{row}: {refusal.message}", messages.ERROR)
            else:
                done += 1
        if done:
            self.message_user(request, _("Done: %(count)d.") % {"count": done}, messages.SUCCESS)

    def with_reason(
        self,
        request: HttpRequest,
        rows: QuerySet[Any],
        *,
        action: str,
        title: Any,
        verb: Callable[[Any, str], object],
        about: Callable[[Any], Sequence[str]] = lambda row: (str(row),),
    ) -> HttpResponse | None:
        """Ask for a reason on a page of its own, which says in lines what each row is about; then call the verb."""
        form = ReasonForm(request.POST if "reason" in request.POST else None)
        if form.is_valid():
            self.each(request, rows, lambda row: verb(row, form.cleaned_data["reason"]))
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "rows": [(row, about(row)) for row in rows],
            "form": form,
            "action": action,
            "opts": self.model._meta,
            "action_checkbox_name": helpers.ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin_reason.html", context)


class ProposingAdmin(DecidingAdmin):
    """Rows that one person adds and another decides about; each says itself who did."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_decide_permission(request)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """The row is its own log."""
