"""Orders, manifests and proof in the admin: to find and to read; a verb changes an order, not a form."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter

from deliveries import posting, returning
from deliveries.models import (
    Attempt,
    Consignment,
    CounterProof,
    FeePolicy,
    Handover,
    Incident,
    KnownAddress,
    Manifest,
    Order,
    Parcel,
    ProofOfDelivery,
    Quote,
    RoadFit,
    Scan,
    SlotRule,
    Stop,
)
from retaildelivery.outbox.models import Fact
from retaildelivery.outbox.recording import Actor
from retaildelivery.web.admin import HistoryAdmin, HistoryInline, KeptAdmin
from retaildelivery.web.admin_deciding import DecidingAdmin


def operations(request: HttpRequest) -> Actor:
    return Actor(kind=Fact.Actor.OPERATIONS, name=str(request.user))


class ParcelInline(HistoryInline):
    model = Parcel
    fields = ("number", "code", "description", "size", "litres", "grams", "status", "custodian", "driver")
    readonly_fields = fields


class AttemptInline(HistoryInline):
    model = Attempt
    fields = ("at", "driver", "reason", "note")
    readonly_fields = fields


class ConsignmentInline(HistoryInline):
    model = Consignment
    fk_name = "order"
    fields = ("manifest", "pickup", "dropoff", "return_stop", "created_at", "ended_at", "ending")
    readonly_fields = fields


@admin.register(Order)
class OrderAdmin(DecidingAdmin):
    list_display = ("code", "status", "store", "recipient_name", "city", "window", "placed_at", "external_id")
    list_filter = ("status", "store__mall", ("placed_at", RangeDateTimeFilter))
    list_filter_submit = True
    list_select_related = ("store",)
    search_fields = ("code", "external_id", "recipient_name", "address_line1", "recipient_phone")
    show_full_result_count = False
    ordering = ("-id",)
    exclude = ("pin", "tracking_token", "request_digest", "external_scope")
    inlines = (ParcelInline, ConsignmentInline, AttemptInline)
    actions = ("cancel", "write_off")

    @admin.action(description=_("Cancel (with a reason)"), permissions=["decide"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Order]) -> HttpResponse | None:
        return self.with_reason(
            request,
            queryset,
            action="cancel",
            title=_("Cancel"),
            verb=lambda row, reason: posting.cancel(
                order_code=row.code,
                scope=Order.objects.all(),
                reason=Order.CancelReason.OTHER,
                note=reason,
                actor=operations(request),
                at=timezone.now(),
            ),
        )

    @admin.action(description=_("Lost by the driver (with a reason)"), permissions=["decide"])
    def write_off(self, request: HttpRequest, queryset: QuerySet[Order]) -> HttpResponse | None:
        return self.with_reason(
            request,
            queryset,
            action="write_off",
            title=_("Lost by the driver"),
            verb=lambda row, reason: returning.lose(
                order_code=row.code, note=reason, actor=operations(request), at=timezone.now()
            ),
        )


@admin.register(Parcel)
class ParcelAdmin(HistoryAdmin):
    list_display = ("code", "order", "number", "size", "status", "custodian", "driver")
    list_filter = ("status", "custodian", "size")
    list_select_related = ("order", "driver__user")
    search_fields = ("code", "order__code")
    show_full_result_count = False
    ordering = ("-id",)


class StopInline(HistoryInline):
    model = Stop
    fields = ("position", "kind", "address", "status", "planned_at", "eta_at", "arrived_at", "completed_at")
    readonly_fields = fields
    ordering = ("position", "id")


@admin.register(Manifest)
class ManifestAdmin(DecidingAdmin):
    list_display = ("code", "mall", "driver", "status", "trip", "created_at", "departed_at", "completed_at")
    list_filter = ("status", "mall", ("created_at", RangeDateTimeFilter))
    list_filter_submit = True
    list_select_related = ("mall", "driver__user")
    search_fields = ("code", "driver__code", "driver__user__email")
    ordering = ("-id",)
    inlines = (StopInline,)
    actions = ("turn_round",)

    @admin.action(
        description=_("End the deliveries; bring the rest back (with a reason)"), permissions=["decide"]
    )
    def turn_round(self, request: HttpRequest, queryset: QuerySet[Manifest]) -> HttpResponse | None:
        return self.with_reason(
            request,
            queryset,
            action="turn_round",
            title=_("End the deliveries; bring the rest back"),
            verb=lambda row, reason: returning.turn_round(
                manifest_code=row.code, reason=reason, actor=operations(request), at=timezone.now()
            ),
        )


@admin.register(Scan)
class ScanAdmin(HistoryAdmin):
    list_display = ("at", "entered", "outcome", "method", "parcel", "stop", "driver", "device_at")
    list_filter = ("outcome", "method", ("at", RangeDateTimeFilter))
    list_filter_submit = True
    list_select_related = ("parcel", "stop", "driver__user")
    search_fields = ("entered", "parcel__code", "stop__code")
    show_full_result_count = False
    ordering = ("-id",)


@admin.register(Handover)
class HandoverAdmin(HistoryAdmin):
    list_display = ("at", "stop", "driver", "confirmed_by", "confirmed_by_key")
    list_select_related = ("stop", "driver__user", "confirmed_by")
    search_fields = ("stop__code", "driver__code")
    ordering = ("-id",)


@admin.register(ProofOfDelivery)
class ProofAdmin(HistoryAdmin):
    list_display = (
        "at",
        "order",
        "driver",
        "left_at",
        "has_photo",
        "signed_by",
        "signer_relationship",
        "pin_matched",
        "age_checked",
    )
    list_filter = ("left_at", "pin_matched", ("at", RangeDateTimeFilter))
    list_filter_submit = True
    list_select_related = ("order", "driver__user")
    search_fields = ("order__code", "signed_by")
    show_full_result_count = False
    ordering = ("-id",)
    exclude = ("photo", "signature")

    @admin.display(description=_("photo"), boolean=True)
    def has_photo(self, proof: ProofOfDelivery) -> bool:
        return bool(proof.photo)


@admin.register(CounterProof)
class CounterProofAdmin(HistoryAdmin):
    list_display = ("at", "stop", "driver", "signed_by", "photo_sha256")
    list_filter = (("at", RangeDateTimeFilter),)
    list_filter_submit = True
    list_select_related = ("stop", "driver__user")
    search_fields = ("stop__code", "driver__code", "signed_by")
    show_full_result_count = False
    ordering = ("-id",)
    exclude = ("photo", "signature")


@admin.register(Attempt)
class AttemptAdmin(HistoryAdmin):
    list_display = ("at", "order", "reason", "driver", "note")
    list_filter = ("reason", ("at", RangeDateTimeFilter))
    list_filter_submit = True
    list_select_related = ("order", "driver__user")
    search_fields = ("order__code", "driver__code")
    ordering = ("-id",)
    exclude = ("photo",)


@admin.register(Incident)
class IncidentAdmin(HistoryAdmin):
    list_display = ("at", "kind", "fault", "order", "parcel", "manifest", "driver", "resolved_at")
    list_filter = ("kind", "fault", ("at", RangeDateTimeFilter))
    list_filter_submit = True
    list_select_related = ("order", "parcel", "manifest", "driver__user")
    search_fields = ("order__code", "parcel__code", "manifest__code", "note")
    ordering = ("-id",)
    exclude = ("photo",)


@admin.register(KnownAddress)
class KnownAddressAdmin(KeptAdmin):
    list_display = ("key", "latitude", "longitude", "source", "created_at")
    list_filter = ("source",)
    search_fields = ("key",)
    show_full_result_count = False
    ordering = ("key",)


@admin.register(FeePolicy)
class FeePolicyAdmin(KeptAdmin):
    list_display = (
        "code",
        "market",
        "base_cents",
        "base_distance_m",
        "mile_cents",
        "return_percent",
        "valid_from",
        "valid_to",
    )
    list_filter = ("market",)
    list_select_related = ("market",)
    ordering = ("market", "-valid_from")

    def get_readonly_fields(self, request: object, obj: FeePolicy | None = None) -> tuple[str, ...]:
        """A row that an order or a quote was priced with keeps its prices; only its end may be set."""
        used = (model.objects.filter(fee_policy=obj).exists() for model in (Order, Quote))
        if obj is None or not any(used):
            return ()
        return tuple(f.name for f in FeePolicy._meta.fields if f.name != "valid_to")


@admin.register(RoadFit)
class RoadFitAdmin(HistoryAdmin):
    list_display = (
        "fitted_at",
        "market",
        "verdict",
        "legs",
        "legs_left_out",
        "error_percent",
        "error_before_percent",
        "valid_from",
    )
    list_filter = ("market", "verdict")
    list_select_related = ("market",)
    ordering = ("-id",)


@admin.register(SlotRule)
class SlotRuleAdmin(KeptAdmin):
    list_display = (
        "code",
        "mall",
        "store",
        "weekdays",
        "starts",
        "ends",
        "capacity",
        "price_cents",
        "valid_from",
    )
    list_filter = ("mall",)
    list_select_related = ("mall", "store")
