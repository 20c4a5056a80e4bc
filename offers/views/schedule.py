"""Operations: what a mall's day asks for, and publishing blocks for it ahead of their orders."""

from __future__ import annotations

import datetime as dt

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from offers import board, forecast, limits, plans, scheduling
from offers.models import AutoSchedule
from offers.schedule_forms import AutoForm, DayForm, PublishForm
from offers.views.ops import market_of
from retaildelivery.accounts.permissions import operations_required
from retaildelivery.lib.refusals import Refused
from stores.models import Mall

DAY = dt.timedelta(days=1)
UNPROCESSABLE, CONFLICT = 422, 409


@operations_required
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Tomorrow at the busiest mall of the market that operations look at."""
    mall = plans.busiest_mall(market_of(request))
    if mall is None:
        return render(request, "offers/ops_plan_none.html")
    return redirect("offers:ops_schedule", mall=mall.code)


@operations_required
@require_GET
def of_mall(request: HttpRequest, mall: str) -> HttpResponse:
    found, now = _mall(mall), timezone.now()
    return _page(request, found, _day(request.GET.get("day", ""), found, at=now), at=now)


def _mall(code: str) -> Mall:
    found: Mall = get_object_or_404(Mall.objects.select_related("market"), code=code, active=True)
    return found


def _day(said: str, mall: Mall, *, at: dt.datetime) -> dt.date:
    """The day that was asked for; tomorrow when none was."""
    form = DayForm({"day": said})
    day: dt.date = form.cleaned_data["day"] if form.is_valid() else at.astimezone(mall.zone).date() + DAY
    return day


def _page(
    request: HttpRequest,
    mall: Mall,
    day: dt.date,
    *,
    at: dt.datetime,
    form: PublishForm | None = None,
    auto_form: AutoForm | None = None,
    refusal: Refused | None = None,
    status: int = 200,
) -> HttpResponse:
    today = at.astimezone(mall.zone).date()
    auto = AutoSchedule.objects.filter(mall=mall).select_related("changed_by").first()
    found = forecast.recommendations(mall, day, at=at)
    blank = PublishForm(initial={"start": dt.time(10), "answers": get_random_string(20)})
    context = {
        "mall": mall,
        "zone": mall.zone,
        "malls": board.malls(mall.market),
        "day": day,
        "days": [today + number * DAY for number in range(8)],
        "rows": [
            (each, scheduling.key_of(mall, each.window, publications=each.publications)) for each in found
        ],
        "known": found[0].blocks_known if found else 0,
        "most": limits.PUBLISH_BLOCKS,
        "soonest": at + limits.PUBLISH_LEAST,
        "published": forecast.published_on(mall, day),
        "decided": forecast.publications_on(mall, day),
        "form": form or blank,
        "auto": auto,
        "auto_form": auto_form
        or AutoForm(
            initial={"on": auto.on, "days_ahead": auto.days_ahead, "hour": auto.hour} if auto else None
        ),
        "refusal": refusal,
    }
    return render(request, "offers/ops_schedule.html", context, status=status)


@operations_required
@require_POST
def publish(request: HttpRequest, mall: str) -> HttpResponse:
    """Publish a recommendation as it is, or with another number, or blocks of one's own choice."""
    found, now = _mall(mall), timezone.now()
    day = _day(request.POST.get("day", ""), found, at=now)
    form = PublishForm(request.POST)
    if not form.is_valid():
        return _page(request, found, day, at=now, form=form, status=UNPROCESSABLE)
    said = form.cleaned_data
    window = forecast.window_of(found, day, said["start"], dt.timedelta(hours=said["hours"]))
    matching = [each for each in forecast.recommendations(found, day, at=now) if each.window == window]
    try:
        made = scheduling.publish(
            mall=found,
            window=window,
            count=said["count"],
            key=said["answers"],
            by=request.user,  # type: ignore[arg-type]
            recommendation=matching[0] if matching else None,
            at=now,
        )
    except Refused as refusal:
        return _page(request, found, day, at=now, form=form, refusal=refusal, status=CONFLICT)
    said_of = ngettext("%(count)s block is published.", "%(count)s blocks are published.", made.count)
    messages.success(request, said_of % {"count": made.count})
    return redirect(_address(found, day))


@operations_required
@require_POST
def automatic(request: HttpRequest, mall: str) -> HttpResponse:
    found, now = _mall(mall), timezone.now()
    day = _day(request.POST.get("day", ""), found, at=now)
    form = AutoForm(request.POST)
    if not form.is_valid():
        return _page(request, found, day, at=now, auto_form=form, status=UNPROCESSABLE)
    auto = scheduling.switch(mall=found, by=request.user, at=now, **form.cleaned_data)  # type: ignore[arg-type]
    messages.success(
        request,
        _("Each day publishes itself from now on.") if auto.on else _("Nothing is published by itself."),
    )
    return redirect(_address(found, day))


def _address(mall: Mall, day: dt.date) -> str:
    return f"{reverse('offers:ops_schedule', args=[mall.code])}?day={day.isoformat()}"
