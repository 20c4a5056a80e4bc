"""Drivers in the admin: papers looked at, applications decided, drivers suspended; the account to read."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateFilter, RangeDateTimeFilter

from drivers import admin_likenesses, admin_money, appealing, applying, clocks, excusing
from drivers.models import (
    Appeal,
    Document,
    Driver,
    DriverPosting,
    DriverToken,
    MileageRate,
    Notice,
    Position,
    Push,
    PushSubscription,
    StandingEvent,
    Vehicle,
)
from drivers.views import sent_file
from retaildelivery.outbox import worlds
from retaildelivery.web.admin import HistoryAdmin, HistoryInline, KeptAdmin, money_column
from retaildelivery.web.admin_deciding import DecidingAdmin
from retaildelivery.web.measures import spaced

# Importing it registers its page.
__all__ = ["admin_likenesses", "admin_money"]


class VehicleInline(HistoryInline):
    model = Vehicle
    fields = ("kind", "make", "model", "year", "colour", "plate", "litres", "grams", "retired_at")
    readonly_fields = fields


class DocumentInline(HistoryInline):
    model = Document
    fk_name = "driver"
    fields = ("kind", "number", "expires_on", "paper", "submitted_at", "verified_at", "rejected_reason")
    readonly_fields = fields
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Document]:
        return super().get_queryset(request).filter(replaced_at=None)

    @admin.display(description=_("Paper"))
    def paper(self, document: Document) -> SafeString | str:
        return paper_link(document)


def paper_link(document: Document) -> SafeString | str:
    if not document.file:
        return "–"
    url = reverse("admin:drivers_document_file", args=[document.pk])
    return format_html('<a href="{}" target="_blank" rel="noopener">{}</a>', url, _("Look at it"))


@admin.register(Driver)
class DriverAdmin(DecidingAdmin):
    list_display = ("code", "user", "market_code", "status", "applied_at", "approved_at", "suspended_reason")
    list_filter = ("status", "market_code", ("applied_at", RangeDateTimeFilter))
    list_filter_submit = True
    list_select_related = ("user",)
    search_fields = ("code", "user__email", "user__name", "user__phone", "vehicles__plate")
    exclude = ("badge_secret",)
    ordering = ("-id",)
    inlines = (DocumentInline, VehicleInline)
    actions = ("approve", "turn_down", "suspend", "reinstate", "leave")

    @admin.action(description=_("Approve"), permissions=["decide"])
    def approve(self, request: HttpRequest, queryset: QuerySet[Driver]) -> None:
        at = timezone.now()
        self.each(
            request,
            queryset,
            lambda row: applying.approve(
                driver_code=row.code, today=clocks.day_of(row, at), by=request.user, at=at
            ),
        )

    @admin.action(description=_("Turn down (with a reason)"), permissions=["decide"])
    def turn_down(self, request: HttpRequest, queryset: QuerySet[Driver]) -> HttpResponse | None:
        return self.with_reason(
            request,
            queryset,
            action="turn_down",
            title=_("Turn down"),
            verb=lambda row, reason: applying.reject(
                driver_code=row.code, reason=reason, by=request.user, at=timezone.now()
            ),
        )

    @admin.action(description=_("Suspend (with a reason)"), permissions=["decide"])
    def suspend(self, request: HttpRequest, queryset: QuerySet[Driver]) -> HttpResponse | None:
        return self.with_reason(
            request,
            queryset,
            action="suspend",
            title=_("Suspend"),
            verb=lambda row, reason: applying.suspend(
                driver_code=row.code, reason=reason, by=request.user, at=timezone.now()
            ),
        )

    @admin.action(description=_("Reinstate (with a reason)"), permissions=["decide"])
    def reinstate(self, request: HttpRequest, queryset: QuerySet[Driver]) -> HttpResponse | None:
        return self.with_reason(
            request,
            queryset,
            action="reinstate",
            title=_("Reinstate"),
            verb=lambda row, reason: applying.reinstate(
                driver_code=row.code, reason=reason, by=request.user, at=timezone.now()
            ),
        )

    @admin.action(description=_("Ends driving (with a reason)"), permissions=["decide"])
    def leave(self, request: HttpRequest, queryset: QuerySet[Driver]) -> HttpResponse | None:
        return self.with_reason(
            request,
            queryset,
            action="leave",
            title=_("Ends driving"),
            verb=lambda row, reason: applying.leave(
                driver_code=row.code, reason=reason, by=request.user, at=timezone.now()
            ),
        )


class StateFilter(admin.SimpleListFilter):
    """Where a paper stands; the ones that wait for a person come first."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("waiting", _("to be looked at")), ("verified", _("verified")), ("rejected", _("sent back"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Document]) -> QuerySet[Document]:
        wanted: dict[str | None, dict[str, Any]] = {
            "waiting": {"verified_at": None, "rejected_at": None, "replaced_at": None},
            "verified": {"verified_at__isnull": False, "replaced_at": None},
            "rejected": {"rejected_at__isnull": False, "replaced_at": None},
        }
        return queryset.filter(**wanted.get(self.value(), {}))


@admin.register(Document)
class DocumentAdmin(DecidingAdmin):
    list_display = (
        "driver",
        "kind",
        "number",
        "expires_on",
        "paper",
        "submitted_at",
        "verified_at",
        "verified_by",
        "rejected_reason",
        "replaced_at",
    )
    list_filter = (StateFilter, "kind", ("expires_on", RangeDateFilter))
    list_filter_submit = True
    list_select_related = ("driver__user", "verified_by")
    search_fields = ("driver__code", "driver__user__email", "driver__user__name", "number")
    exclude = ("file",)
    readonly_fields = ("paper",)
    ordering = ("-id",)
    actions = ("verify", "send_back")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.file_view)
        return [path("<int:pk>/file/", view, name="drivers_document_file"), *super().get_urls()]

    def file_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return sent_file(get_object_or_404(Document, pk=pk))  # type: ignore[return-value]

    @admin.display(description=_("Paper"))
    def paper(self, document: Document) -> SafeString | str:
        return paper_link(document)

    @admin.action(description=_("Verify: I have seen it and it is good"), permissions=["decide"])
    def verify(self, request: HttpRequest, queryset: QuerySet[Document]) -> None:
        self.each(
            request,
            queryset,
            lambda row: applying.verify_document(document_id=row.pk, by=request.user, at=timezone.now()),
        )

    @admin.action(description=_("Send back (with a reason)"), permissions=["decide"])
    def send_back(self, request: HttpRequest, queryset: QuerySet[Document]) -> HttpResponse | None:
        return self.with_reason(
            request,
            queryset,
            action="send_back",
            title=_("Send back"),
            verb=lambda row, reason: applying.reject_document(
                document_id=row.pk, reason=reason, by=request.user, at=timezone.now()
            ),
        )


@admin.register(DriverPosting)
class DriverPostingAdmin(HistoryAdmin):
    list_display = ("at", "driver", "kind", money_column(), "text", "rule", "subject", "key")
    list_filter = ("kind", ("at", RangeDateTimeFilter))
    list_filter_submit = True
    list_select_related = ("driver__user",)
    search_fields = ("key", "subject", "driver__code", "driver__user__email")
    show_full_result_count = False
    ordering = ("-id",)


@admin.register(StandingEvent)
class StandingEventAdmin(DecidingAdmin):
    list_display = (
        "at",
        "driver",
        "kind",
        "fault",
        "points",
        "block",
        "decays_at",
        "disputed_at",
        "set_aside_at",
    )
    list_filter = ("kind", "fault", ("at", RangeDateTimeFilter))
    list_filter_submit = True
    list_select_related = ("driver__user",)
    search_fields = ("driver__code", "driver__user__email", "subject")
    ordering = ("-id",)
    actions = ("by_store", "by_recipient", "by_weather", "by_platform")

    @admin.display(description=_("Block"), ordering="subject")
    def block(self, event: StandingEvent) -> str:
        if not event.block_code:
            return "–"
        href = reverse("offers:ops_block", args=[event.block_code])
        return format_html('<a href="{}">{}</a>', href, spaced(event.block_code))

    @admin.action(description=_("Was the store's doing (with a reason)"), permissions=["decide"])
    def by_store(self, request: HttpRequest, queryset: QuerySet[StandingEvent]) -> HttpResponse | None:
        return self._excuse(request, queryset, "by_store", StandingEvent.Fault.STORE)

    @admin.action(description=_("Was the recipient's doing (with a reason)"), permissions=["decide"])
    def by_recipient(self, request: HttpRequest, queryset: QuerySet[StandingEvent]) -> HttpResponse | None:
        return self._excuse(request, queryset, "by_recipient", StandingEvent.Fault.RECIPIENT)

    @admin.action(description=_("Was the weather (with a reason)"), permissions=["decide"])
    def by_weather(self, request: HttpRequest, queryset: QuerySet[StandingEvent]) -> HttpResponse | None:
        return self._excuse(request, queryset, "by_weather", StandingEvent.Fault.WEATHER)

    @admin.action(description=_("Was our own doing (with a reason)"), permissions=["decide"])
    def by_platform(self, request: HttpRequest, queryset: QuerySet[StandingEvent]) -> HttpResponse | None:
        return self._excuse(request, queryset, "by_platform", StandingEvent.Fault.PLATFORM)

    def _excuse(
        self, request: HttpRequest, rows: QuerySet[StandingEvent], action: str, fault: str
    ) -> HttpResponse | None:
        return self.with_reason(
            request,
            rows,
            action=action,
            title=_("Not the driver's fault"),
            verb=lambda row, reason: excusing.excuse(
                event=row, fault=fault, reason=reason, by=request.user, at=timezone.now()
            ),
        )


@admin.register(MileageRate)
class MileageRateAdmin(KeptAdmin):
    list_display = ("cents_per_mile", "valid_from", "valid_to", "source")
    ordering = ("-valid_from",)


@admin.register(Position)
class PositionAdmin(HistoryAdmin):
    list_display = ("device_at", "driver", "latitude", "longitude", "accuracy_m", "at")
    list_filter = (("device_at", RangeDateTimeFilter),)
    list_filter_submit = True
    list_select_related = ("driver__user",)
    search_fields = ("driver__code",)
    show_full_result_count = False
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Position]:
        found: QuerySet[Position] = super().get_queryset(request).filter(driver__world=worlds.LIVE)
        return found


@admin.register(DriverToken)
class DriverTokenAdmin(HistoryAdmin):
    list_display = ("prefix", "name", "driver", "created_at", "last_used_at", "revoked_at")
    list_select_related = ("driver__user",)
    search_fields = ("prefix", "name", "driver__code", "driver__user__email")
    exclude = ("digest",)
    ordering = ("-id",)


@admin.register(PushSubscription)
class PushSubscriptionAdmin(HistoryAdmin):
    list_display = ("code", "driver", "user_agent", "created_at", "last_used_at")
    list_select_related = ("driver__user",)
    search_fields = ("code", "driver__code", "driver__user__email", "user_agent")
    # Whoever has these can write to the phone.
    exclude = ("endpoint", "p256dh", "auth")
    ordering = ("-id",)


class PushInline(HistoryInline):
    model = Push
    fields = ("subscription", "attempts", "sent_at", "given_up_at", "last_error")
    readonly_fields = fields


@admin.register(Notice)
class NoticeAdmin(HistoryAdmin):
    list_display = ("created_at", "driver", "name", "subject", "about", "expires_at")
    list_filter = ("name", ("created_at", RangeDateTimeFilter))
    list_filter_submit = True
    list_select_related = ("driver__user",)
    search_fields = ("driver__code", "driver__user__email", "subject", "about")
    show_full_result_count = False
    ordering = ("-id",)
    inlines = (PushInline,)


class DecisionFilter(admin.SimpleListFilter):
    """Those that wait for a person come first."""

    title = _("decision")
    parameter_name = "decision"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("open", _("to be decided")), ("overdue", _("overdue")), *Appeal.Outcome.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Appeal]) -> QuerySet[Appeal]:
        wanted: dict[str | None, dict[str, Any]] = {
            "open": {"decided_at": None},
            "overdue": {"decided_at": None, "answer_by__lte": timezone.now()},
            **{outcome: {"outcome": outcome} for outcome in Appeal.Outcome.values},
        }
        return queryset.filter(**wanted.get(self.value(), {}))


@admin.register(Appeal)
class AppealAdmin(DecidingAdmin):
    list_display = ("code", "driver", "what", "round", "text", "answer_by", "outcome", "decided_by")
    list_filter = (DecisionFilter, "round", ("filed_at", RangeDateTimeFilter))
    list_filter_submit = True
    list_select_related = ("event__driver__user", "decided_by")
    search_fields = ("code", "event__driver__code", "event__driver__user__email", "event__subject")
    ordering = ("decided_at", "answer_by")
    actions = ("grant", "turn_down")

    @admin.display(description=_("driver"))
    def driver(self, appeal: Appeal) -> Driver:
        return appeal.event.driver

    @admin.display(description=_("Event"))
    def what(self, appeal: Appeal) -> str:
        event = appeal.event
        if not event.block_code:
            return event.sentence
        return format_html(
            '<a href="{}">{}</a>', reverse("offers:ops_block", args=[event.block_code]), event.sentence
        )

    @admin.action(
        description=_("Grant (with a reason): the event never counts again"), permissions=["decide"]
    )
    def grant(self, request: HttpRequest, queryset: QuerySet[Appeal]) -> HttpResponse | None:
        return self._decide(request, queryset, action="grant", title=_("Grant"), granted=True)

    @admin.action(description=_("Turn down (with a reason)"), permissions=["decide"])
    def turn_down(self, request: HttpRequest, queryset: QuerySet[Appeal]) -> HttpResponse | None:
        return self._decide(request, queryset, action="turn_down", title=_("Turn down"), granted=False)

    def _decide(
        self, request: HttpRequest, rows: QuerySet[Appeal], *, action: str, title: Any, granted: bool
    ) -> HttpResponse | None:
        return self.with_reason(
            request,
            rows,
            action=action,
            title=title,
            verb=lambda row, reason: appealing.decide(
                code=row.code, granted=granted, reason=reason, by=request.user, at=timezone.now()
            ),
            about=about_appeal,
        )


def about_appeal(appeal: Appeal) -> list[str]:
    """What a person has before them who decides: against what, what the driver says, and what was answered before."""
    event = appeal.event
    against = f"{appeal.code} · {event.driver}: {event.sentence} ({event.points:+d})"
    before = [
        f"{first.decided_by}: {first.get_outcome_display()}. {first.reason}"
        for first in event.appeals.filter(round__lt=appeal.round).select_related("decided_by")
    ]
    return [against, *before, appeal.text]
