"""The store's door: how the promises that were given at checkouts were kept; also as a file."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from deliveries import keeping, limits
from deliveries.api.exporting import Line, harmless
from deliveries.snapshots import moment
from stores.models import Store

DAY = dt.timedelta(days=1)
COLUMNS = (
    "quote", "store", "given_at", "expires_at", "window_start", "window_end", "slot", "price_cents", "outcome",
    "order", "external_id", "status", "delivered_at", "minutes_late", "cause",
)  # fmt: skip


def date_input() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class PeriodForm(forms.Form):
    """Days by the clock of the store's mall, both counted in."""

    store = forms.ModelChoiceField(
        label=_("Store"),
        queryset=Store.objects.none(),
        to_field_name="code",
        required=False,
        empty_label=_("All stores"),
    )
    since = forms.DateField(label=_("Given from"), required=False, widget=date_input())
    until = forms.DateField(label=_("Given until"), required=False, widget=date_input())

    def __init__(self, *args: Any, stores: QuerySet[Store], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["store"].queryset = stores  # type: ignore[attr-defined]
        self.fields["store"].label_from_instance = lambda store: f"{store.name}, {store.mall.name}"  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        wanted: dict[str, Any] = super().clean() or {}
        since, until = wanted.get("since"), wanted.get("until")
        if since and until and since > until:
            self.add_error("until", _("Not before the first day."))
        return wanted


def asked(request: HttpRequest) -> tuple[PeriodForm, dict[str, Any]]:
    """The form as it was filled in, and what to report: the last 30 days of all stores, unless it says."""
    stores = Store.objects.visible_to(request.user).select_related("mall__market").order_by("name", "pk")
    at = timezone.now()
    first = stores.first()
    zone = first.mall.zone if first else dt.UTC
    today = at.astimezone(zone).date()
    usual = {"since": today - limits.REPORT_USUAL + DAY, "until": today}
    form = PeriodForm(request.GET or None, stores=stores, initial=usual)
    wanted = form.cleaned_data if form.is_valid() else {}
    store = wanted.get("store")
    zone = store.mall.zone if store else zone
    since, until = wanted.get("since") or usual["since"], wanted.get("until") or usual["until"]
    if since > until:
        since, until = usual["since"], usual["until"]
    return form, {
        "stores": stores.filter(pk=store.pk) if store else stores,
        "since": dt.datetime.combine(since, dt.time(), zone),
        "before": dt.datetime.combine(min(until, dt.date.max - DAY) + DAY, dt.time(), zone),
        "at": at,
    }


@login_required
@require_GET
def promises(request: HttpRequest) -> HttpResponse:
    form, period = asked(request)
    rows = keeping.report(**period)
    context = {
        "form": form,
        "rows": rows,
        "total": keeping.total(rows),
        "broken": keeping.broken(**period),
        "limit": limits.BROKEN_SHOWN,
        "query": request.GET.urlencode(),
    }
    status = 422 if form.is_bound and not form.is_valid() else 200
    return render(request, "deliveries/store_promises.html", context, status=status)


@login_required
@require_GET
def promises_csv(request: HttpRequest) -> StreamingHttpResponse:
    """Every promise of the period, newest first, row by row."""
    _form, period = asked(request)
    answer = StreamingHttpResponse(_lines(period), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="promises.csv"'
    return answer


def _lines(period: dict[str, Any]) -> Iterator[str]:
    writer = csv.writer(Line())
    yield writer.writerow(COLUMNS)
    for line in keeping.lines(**period):
        yield writer.writerow(_row(line))


def _row(line: keeping.Line) -> list[Any]:
    quote, why = line.quote, line.why
    order = getattr(quote, "order", None)
    window = order.window if order else None
    return [
        quote.code,
        quote.store.code,
        moment(quote.created_at),
        moment(quote.expires_at),
        moment(window.lower) if window else quote.said["window_start"],
        moment(window.upper) if window else quote.said["window_end"],
        quote.hold.slot.code if quote.hold else "",
        quote.fee_cents,
        line.outcome,
        order.code if order else "",
        harmless(order.external_id) if order else "",
        order.status if order else "",
        moment(order.delivered_at) if order else "",
        why.minutes_late if why else "",
        why.cause if why else "",
    ]
