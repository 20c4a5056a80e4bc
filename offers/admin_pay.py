"""Rules of pay in the admin: policies, holidays, places with their wages and floors, and what the floors came to."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import RangeDateTimeFilter

from drivers.models import DriverPosting
from offers import policies
from offers.models import (
    Block,
    FloorFinding,
    Holiday,
    Jurisdiction,
    Mission,
    PayFloor,
    PayPolicy,
    Wage,
)
from offers.models.law import Counted, all_counted
from retaildelivery.outbox.recording import Actor
from retaildelivery.web.admin import HistoryAdmin, KeptAdmin, money_column


def is_used(row: PayPolicy | None) -> bool:
    """Whether a block was priced with it."""
    return row is not None and Block.objects.filter(policy=row).exists()


class PayPolicyForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = PayPolicy
        fields = ("code",)

    def clean(self) -> dict[str, Any]:
        """What lowers anything is told in time; a row that was used changes nothing but its end."""
        given: dict[str, Any] = super().clean() or {}
        if "valid_from" in given and given.get("market"):
            row = PayPolicy(pk=self.instance.pk, **given)
            try:
                policies.refuse_short_notice(row, at=timezone.now())
            except policies.NoticeTooShort as refusal:
                self.add_error("valid_from", refusal.message)
        return given


@admin.register(PayPolicy)
class PayPolicyAdmin(KeptAdmin):
    list_display = (
        "code",
        "market",
        money_column("weekday_cents", _("Weekday")),
        money_column("evening_cents", _("Evening")),
        money_column("weekend_cents", _("Weekend")),
        money_column("holiday_cents", _("Holiday")),
        money_column("short_notice_cents", _("Short notice")),
        money_column("cap_cents", _("Cap")),
        "valid_from",
        "valid_to",
    )
    list_filter = ("market",)
    list_select_related = ("market",)
    ordering = ("market", "-valid_from")

    form = PayPolicyForm
    fields = (
        "code",
        "market",
        "valid_from",
        "valid_to",
        "weekday_cents",
        "evening_cents",
        "weekend_cents",
        "holiday_cents",
        "short_notice_cents",
        "cap_cents",
        "step_cents",
        "step_minutes",
        "wait_free_minutes",
        "return_cents",
        "extra_trip_cents",
        "extra_mile_cents",
        "tolls_refunded",
        "max_orders",
    )

    def get_readonly_fields(self, request: HttpRequest, obj: PayPolicy | None = None) -> tuple[str, ...]:
        """A row that a block was priced with keeps its prices; only its end may be set."""
        return tuple(f.name for f in PayPolicy._meta.fields if f.name != "valid_to") if is_used(obj) else ()

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, *args: Any, **more: Any
    ) -> HttpResponse:
        """Before a row is saved it is tried on the blocks of the last 30 days, and shown."""
        row = self.get_object(request, object_id) if object_id else None
        if request.method == "POST" and "confirmed" not in request.POST and not is_used(row):
            form = self.get_form(request, row, change=row is not None)(request.POST, instance=row)
            if self.has_change_permission(request, row) and form.is_valid():
                return self.preview(request, form.instance)
        answer: HttpResponse = super().changeform_view(request, object_id, *args, **more)
        return answer

    def preview(self, request: HttpRequest, row: PayPolicy) -> HttpResponse:
        made, old = policies.preview(row, at=timezone.now()), policies.before(row)
        names = policies.lowered(row, old) if old else []
        context = {
            **self.admin_site.each_context(request),
            "title": row.code,
            "opts": self.model._meta,
            "row": row,
            "old": old,
            "preview": made,
            "kinds": [(Block.ShiftKind(kind).label, effect) for kind, effect in sorted(made.kinds.items())],
            "lowered": policies.named(names),
            "given": [(name, value) for name, value in request.POST.items() if name != "csrfmiddlewaretoken"],
        }
        return TemplateResponse(request, "offers/admin_pay_policy_preview.html", context)

    def save_model(self, request: HttpRequest, obj: PayPolicy, form: Any, change: bool) -> None:
        used = is_used(obj if change else None)
        super().save_model(request, obj, form, change)
        if not used:
            actor = Actor(kind="operations", name=str(request.user), source="admin")
            policies.announce(obj, actor=actor, at=timezone.now())


@admin.register(Holiday)
class HolidayAdmin(KeptAdmin):
    list_display = ("on", "name", "market")
    list_filter = ("market",)
    list_select_related = ("market",)
    ordering = ("-on",)


@admin.register(Jurisdiction)
class JurisdictionAdmin(KeptAdmin):
    list_display = ("code", "name")
    search_fields = ("code", "name")
    autocomplete_fields = ("malls",)
    ordering = ("code",)


@admin.register(Wage)
class WageAdmin(ModelAdmin):
    """The database refuses a change or deletion of a row that a floor was found with."""

    list_display = ("code", "jurisdiction", "hour_cents", "valid_from")
    list_filter = ("jurisdiction",)
    list_select_related = ("jurisdiction",)
    ordering = ("jurisdiction", "-valid_from")

    def get_readonly_fields(self, request: HttpRequest, obj: Wage | None = None) -> tuple[str, ...]:
        used = obj is not None and FloorFinding.objects.filter(wages__contains=[obj.pk]).exists()
        return tuple(field.name for field in Wage._meta.fields) if used else ()

    def has_delete_permission(self, request: HttpRequest, obj: Wage | None = None) -> bool:
        return False


class PayFloorForm(forms.ModelForm):  # type: ignore[type-arg]
    creditable = forms.MultipleChoiceField(
        choices=Counted,
        widget=forms.CheckboxSelectMultiple,
        required=False,
        initial=all_counted,
        label=_("Lines that count towards it"),
    )

    class Meta:
        model = PayFloor
        fields = ("creditable",)


@admin.register(PayFloor)
class PayFloorAdmin(KeptAdmin):
    """A law's floor is a row for each time in which its amounts hold. One that was used keeps them; only its end may be
    set."""

    form = PayFloorForm
    list_display = (
        "code",
        "law",
        "market",
        "jurisdiction",
        "scope",
        "hour_cents",
        "minute_cents",
        "wage_percent",
        "distance_cents",
        "mileage",
        "valid_from",
        "valid_to",
    )
    list_filter = ("scope", "market", "jurisdiction")
    list_select_related = ("market", "jurisdiction")
    search_fields = ("code", "law")
    ordering = ("law", "-valid_from")
    fieldsets = (
        (None, {"fields": ("code", "law", "market", "jurisdiction", "scope", "valid_from", "valid_to")}),
        (
            _("For time"),
            {
                "fields": (
                    "hour_cents",
                    "minute_cents",
                    "wage_percent",
                    "utilisation",
                    "engaged_from",
                    "counts_on_call",
                    "share",
                )
            },
        ),
        (_("For distance"), {"fields": ("distance_cents", "distance_unit", "mileage")}),
        (_("Least and what counts"), {"fields": ("minimum_cents", "each_minimum_cents", "creditable")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: PayFloor | None = None) -> tuple[str, ...]:
        used = obj is not None and FloorFinding.objects.filter(rows__contains=[obj.pk]).exists()
        return tuple(f.name for f in PayFloor._meta.fields if f.name != "valid_to") if used else ()

    def get_form(self, request: HttpRequest, obj: PayFloor | None = None, **kwargs: Any) -> Any:
        """A read-only field is no field of the form."""
        if "creditable" in self.get_readonly_fields(request, obj):
            kwargs["form"] = forms.ModelForm
        return super().get_form(request, obj, **kwargs)


@admin.register(Mission)
class MissionAdmin(KeptAdmin):
    """One that was paid stays as it was; only its end may be set."""

    list_display = ("code", "name", "mall", "blocks", money_column(), "valid_from", "valid_to")
    list_filter = ("mall",)
    list_select_related = ("mall",)
    search_fields = ("code", "name")
    ordering = ("mall", "-valid_from")

    def get_readonly_fields(self, request: HttpRequest, obj: Mission | None = None) -> tuple[str, ...]:
        used = (
            obj is not None and DriverPosting.objects.filter(key__startswith=f"mission:{obj.code}:").exists()
        )
        return tuple(f.name for f in Mission._meta.fields if f.name != "valid_to") if used else ()


@admin.register(FloorFinding)
class FloorFindingAdmin(HistoryAdmin):
    list_display = (
        "key",
        "driver",
        "floor",
        "time",
        "metres",
        money_column("least_cents", _("Floor")),
        money_column("credited_cents", _("Credited")),
        money_column("top_up_cents", _("Top-up")),
        money_column("mileage_cents", _("Mileage")),
        "at",
    )
    list_filter = (("at", RangeDateTimeFilter),)
    list_filter_submit = True
    list_select_related = ("driver__user", "floor")
    search_fields = ("key", "driver__code", "floor__code")
    show_full_result_count = False
    ordering = ("-id",)
