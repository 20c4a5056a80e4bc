"""Pages of standing by, and of the calendar."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from drivers.access import driver_required
from drivers.models import Driver
from offers import calendars, limits, standby
from offers.models import CalendarFeed, StandBy
from retaildelivery.lib.refusals import Refused
from stores.models import Mall

UNPROCESSABLE, CONFLICT = 422, 409


class StandByForm(forms.Form):
    """Hours by the mall's own clock; an end before the start is on the next day."""

    mall = forms.ChoiceField(label=gettext_lazy("Mall"))
    on = forms.DateField(
        label=gettext_lazy("Day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    start = forms.TimeField(label=gettext_lazy("From"), widget=forms.TimeInput(attrs={"type": "time"}))
    end = forms.TimeField(label=gettext_lazy("Until"), widget=forms.TimeInput(attrs={"type": "time"}))

    def __init__(self, *args: object, malls: list[Mall], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.malls = {mall.code: mall for mall in malls}
        self.fields["mall"].choices = [(mall.code, mall.name) for mall in malls]  # type: ignore[attr-defined]

    def hours(self) -> tuple[Mall, dt.datetime, dt.datetime]:
        given, mall = self.cleaned_data, self.malls[self.cleaned_data["mall"]]
        last = given["on"] + dt.timedelta(days=given["end"] <= given["start"])
        start = dt.datetime.combine(given["on"], given["start"], tzinfo=mall.zone)
        return mall, start, dt.datetime.combine(last, given["end"], tzinfo=mall.zone)


def first_hours(now: dt.datetime) -> dict[str, object]:
    """What the form begins with: from noon, or the next full hour, to the evening; late in the day, tomorrow's."""
    last, noon = dt.time(20), dt.time(12)
    if now.hour >= last.hour - 2:
        return {"on": now.date() + dt.timedelta(days=1), "start": noon, "end": last}
    return {"on": now.date(), "start": max(noon, dt.time(now.hour + 1)), "end": last}


@driver_required
@require_http_methods(["GET", "POST"])
def stand_by(request: HttpRequest, driver: Driver) -> HttpResponse:
    """Where and when this driver stands by, and the form to join."""
    at = timezone.now()
    malls = list(
        Mall.objects.filter(active=True, market__code=driver.market_code)
        .select_related("market")
        .order_by("name")
    )
    initial = first_hours(at.astimezone(malls[0].zone) if malls else at)
    form = StandByForm(request.POST if request.method == "POST" else None, malls=malls, initial=initial)
    state, refusal = 200, None
    if request.method == "POST":
        state = UNPROCESSABLE
        if form.is_valid():
            mall, start, end = form.hours()
            try:
                standby.join(mall=mall, driver_id=driver.pk, start=start, end=end, at=at)
            except Refused as refused:
                state, refusal = CONFLICT, refused
            else:
                messages.success(request, _("You stand by. If somebody drops out, you are asked first."))
                return redirect("offers:driver_stand_by")
    rows = StandBy.objects.live().filter(driver=driver, window__endswith__gt=at)  # type: ignore[attr-defined]
    context = {
        "driver": driver,
        "form": form,
        "rows": rows.select_related("mall__market").order_by("window__startswith", "pk"),
        "refusal": refusal,
        "hold": limits.STAND_BY_HOLD,
    }
    return render(request, "offers/driver_stand_by.html", context, status=state)


@driver_required
@require_POST
def leave(request: HttpRequest, driver: Driver, code: str) -> HttpResponse:
    get_object_or_404(StandBy.objects.filter(driver=driver), code=code)
    standby.leave(code=code, driver_id=driver.pk, at=timezone.now())
    messages.info(request, _("You no longer stand by there."))
    return redirect("offers:driver_stand_by")


@driver_required
@require_http_methods(["GET", "POST"])
def calendar(request: HttpRequest, driver: Driver) -> HttpResponse:
    """The secret address of one's own calendar: make it, change it, end it."""
    if request.method == "POST":
        if "off" in request.POST:
            calendars.switch_off(driver_id=driver.pk)
            messages.info(request, _("The calendar address answers no more."))
        else:
            calendars.rotate(driver_id=driver.pk, at=timezone.now())
            messages.success(request, _("Here is your new address. An older one answers no more."))
        return redirect("offers:driver_calendar")
    feed = CalendarFeed.objects.filter(driver=driver).first()
    path = reverse("offers:calendar_feed", args=[feed.token]) if feed else ""
    address = f"{settings.BASE_URL}{path}" if feed else ""
    context = {"driver": driver, "feed": feed, "address": address, "webcal": webcal(address)}
    response = render(request, "offers/driver_calendar.html", context)
    response["Cache-Control"] = "no-store"
    return response


def webcal(address: str) -> str:
    """The same address as phones open it in their calendar."""
    return address.replace("https://", "webcal://").replace("http://", "webcal://")


@require_safe
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """The calendar itself. Whoever has the address may read it; nobody can guess it."""
    found = get_object_or_404(CalendarFeed.objects.select_related("driver__user"), token=token)
    body = calendars.write(found.driver, at=timezone.now())
    response = HttpResponse(body, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'inline; filename="blocks.ics"'
    response["Cache-Control"] = "private, max-age=300"
    response["X-Robots-Tag"] = "noindex"
    return response
