"""Pages of what a driver would like to hear of."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from drivers import notifying
from drivers.access import driver_required
from drivers.models import Driver, PushSubscription
from offers import limits, wishing
from offers.models import MallPreference, Wish
from stores.models import Mall

UNPROCESSABLE = 422
TIME = {"type": "time"}
# By a word in the User-Agent that the ones before do not have: Edge and Opera say Chrome, Chrome says Safari.
BROWSERS = {
    "Edge": "Edg", "Opera": "OPR/", "Samsung Internet": "SamsungBrowser", "Firefox": "Firefox", "Chrome": "Chrome",
    "Safari": "Safari",
}  # fmt: skip
SYSTEMS = {"iPhone": "iPhone", "iPad": "iPad", "Android": "Android", "Windows": "Windows", "Mac": "Macintosh",
           "Linux": "Linux"}  # fmt: skip


class WishForm(forms.Form):
    """Nothing chosen means all."""

    malls = forms.MultipleChoiceField(
        label=gettext_lazy("Malls"), required=False, widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None chosen: all of your market."),
    )  # fmt: skip
    weekdays = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Days"), required=False, coerce=int, choices=list(WEEKDAYS.items()),
        widget=forms.CheckboxSelectMultiple, help_text=gettext_lazy("None chosen: every day."),
    )  # fmt: skip
    starts_from = forms.TimeField(label=gettext_lazy("Starts from"), widget=forms.TimeInput(attrs=TIME))
    starts_until = forms.TimeField(label=gettext_lazy("Starts until"), widget=forms.TimeInput(attrs=TIME))
    least_hourly = forms.DecimalField(
        label=gettext_lazy("At least, in dollars an hour"),
        min_value=0,
        max_value=limits.LEAST_HOURLY_CENTS // 100,
        decimal_places=2,
    )
    by_push = forms.BooleanField(label=gettext_lazy("Tell me on my phone when an offer fits"), required=False)
    by_email = forms.BooleanField(
        label=gettext_lazy("Tell me by e-mail when an offer fits"), required=False,
        help_text=gettext_lazy("With both, e-mail comes only when no phone can be reached."),
    )  # fmt: skip
    quiet_from = forms.TimeField(label=gettext_lazy("Not at night: from"), widget=forms.TimeInput(attrs=TIME))
    quiet_until = forms.TimeField(
        label=gettext_lazy("until"), widget=forms.TimeInput(attrs=TIME),
        help_text=gettext_lazy("What fits then, you hear of in the morning if it is still open."),
    )  # fmt: skip

    def __init__(self, *args: object, malls: list[Mall], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["malls"].choices = [(mall.code, mall.name) for mall in malls]  # type: ignore[attr-defined]


def phone_name(phone: PushSubscription) -> str:
    """Browser and system of a phone, as far as it says; drivers tell their own apart by that."""
    said = phone.user_agent
    browser = next((name for name in BROWSERS if BROWSERS[name] in said), "")
    system = next((name for name in SYSTEMS if SYSTEMS[name] in said), "")
    return " · ".join(filter(None, (browser, system))) or _("An app")


@driver_required
@require_http_methods(["GET", "POST"])
def wishes(request: HttpRequest, driver: Driver) -> HttpResponse:
    malls = list(Mall.objects.filter(active=True, market__code=driver.market_code).order_by("name"))
    kept = Wish.objects.filter(driver=driver).first() or Wish(driver=driver)
    liked = MallPreference.objects.filter(driver=driver).values_list("mall__code", flat=True)
    initial = {
        "malls": list(liked),
        "weekdays": kept.weekdays,
        "starts_from": kept.starts_from,
        "starts_until": kept.starts_until,
        "least_hourly": f"{kept.least_hourly_cents / 100:.2f}",
        "by_push": kept.by_push or kept.pk is None,
        "by_email": kept.by_email,
        "quiet_from": kept.quiet_from,
        "quiet_until": kept.quiet_until,
    }
    form = WishForm(request.POST if request.method == "POST" else None, malls=malls, initial=initial)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        wishing.wish(
            driver_id=driver.pk,
            malls=[mall for mall in malls if mall.code in given["malls"]],
            weekdays=given["weekdays"],
            starts_from=given["starts_from"],
            starts_until=given["starts_until"],
            least_hourly_cents=int(given["least_hourly"] * 100),
            by_email=given["by_email"],
            by_push=given["by_push"],
            quiet_from=given["quiet_from"],
            quiet_until=given["quiet_until"],
            at=timezone.now(),
        )
        messages.success(request, _("Saved."))
        return redirect("offers:driver_wishes")
    context = {
        "driver": driver,
        "form": form,
        "push_key": notifying.public_key(),
        "phones": [
            {"row": phone, "name": phone_name(phone)}
            for phone in driver.push_subscriptions.order_by("created_at", "pk")
        ],
    }
    return render(request, "offers/driver_wishes.html", context, status=UNPROCESSABLE if form.errors else 200)


@require_http_methods(["GET", "POST"])
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """From the link in a mail, without signing in: no more of these. Only a press does it, so that a mail
    scanner that follows links does not."""
    get_object_or_404(Wish, token=token)
    done = request.method == "POST" and wishing.stop(token=token, at=timezone.now())
    return render(request, "offers/wish_stopped.html", {"done": done})
