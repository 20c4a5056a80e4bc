"""A seller's webhook endpoints: add, test, look at what was sent and send it again."""

from __future__ import annotations

import datetime as dt

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from retaildelivery.lib.refusals import Refused
from stores import limits
from stores.forms import EndpointForm, ReplayForm
from stores.models import Seller, WebhookEndpoint, WebhookMessage
from stores.views.settings import manager_required, staff_of
from stores.webhooks import endpoints, replaying, verifying


@manager_required
@require_http_methods(["GET", "POST"])
def all_of(request: HttpRequest, seller: Seller) -> HttpResponse:
    """The endpoints, and the form for one more."""
    form = EndpointForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                made = endpoints.add(
                    seller=seller, actor=staff_of(request), at=timezone.now(), **form.cleaned_data
                )
            except Refused as refusal:
                form.add_error(refusal.field or None, refusal.message)
                status = 409
            else:
                messages.success(request, _("The endpoint is added. Send it a test."))
                return redirect("stores:webhook", seller_code=seller.code, code=made.code)
    live = WebhookEndpoint.objects.live().filter(seller=seller).order_by("created_at")  # type: ignore[attr-defined]
    context = {"seller": seller, "endpoints": live, "form": form}
    return render(request, "stores/webhooks.html", context, status=status)


@manager_required
@require_GET
def one(request: HttpRequest, seller: Seller, code: str) -> HttpResponse:
    """One endpoint: its secret, and every message with what came back."""
    live = WebhookEndpoint.objects.live()  # type: ignore[attr-defined]
    endpoint = get_object_or_404(live.filter(seller=seller), code=code)
    return _show(request, seller, endpoint, ReplayForm())


def _show(
    request: HttpRequest, seller: Seller, endpoint: WebhookEndpoint, form: ReplayForm, status: int = 200
) -> HttpResponse:
    sent = WebhookMessage.objects.filter(endpoint=endpoint).prefetch_related("tries").order_by("-id")
    page = Paginator(sent, limits.MESSAGES_PAGE).get_page(request.GET.get("page"))
    context = {
        "seller": seller,
        "endpoint": endpoint,
        "page": page,
        "form": form,
        "most": limits.UNVERIFIED_MESSAGES,
    }
    answer = render(request, "stores/webhook.html", context, status=status)
    answer["Cache-Control"] = "no-store"
    return answer


@manager_required
@require_POST
def change(request: HttpRequest, seller: Seller, code: str) -> HttpResponse:
    """Test, rotate the secret, switch off or on, remove."""
    scope = WebhookEndpoint.objects.live().filter(seller=seller)  # type: ignore[attr-defined]
    get_object_or_404(scope, code=code)
    actor, now = staff_of(request), timezone.now()
    if "remove" in request.POST:
        endpoints.remove(code=code, scope=scope, actor=actor, at=now)
        messages.success(request, _("The endpoint is removed."))
        return redirect("stores:webhooks", seller_code=seller.code)
    if "rotate" in request.POST:
        endpoints.rotate_secret(code=code, scope=scope, actor=actor, at=now)
        messages.success(request, _("There is a new secret. For a day messages are signed with both."))
    elif "verify" in request.POST:
        _verify(request, scope, code)
    elif "enable" in request.POST or "disable" in request.POST:
        endpoints.change(code=code, scope=scope, actor=actor, at=now, enabled="enable" in request.POST)
    else:
        _test(request, scope, code)
    return redirect("stores:webhook", seller_code=seller.code, code=code)


def _verify(request: HttpRequest, scope: QuerySet[WebhookEndpoint], code: str) -> None:
    try:
        verifying.verify(code=code, scope=scope, actor=staff_of(request), at=timezone.now())
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("It answered the check: the endpoint is yours."))


def _test(request: HttpRequest, scope: QuerySet[WebhookEndpoint], code: str) -> None:
    try:
        _message, attempt = endpoints.test(code=code, scope=scope, at=timezone.now())
    except Refused as refusal:
        messages.error(request, refusal.message)
        return
    if attempt is None:
        messages.warning(request, _("It was tried a moment ago and failed; try again in a minute."))
    elif attempt.failure or attempt.status is None or attempt.status // 100 != 2:
        came = str(attempt.status or attempt.failure)
        messages.error(request, _("The test did not arrive: %(reason)s.") % {"reason": came})
    else:
        messages.success(request, _("The test arrived: %(status)d.") % {"status": attempt.status})


@manager_required
@require_POST
def send_again(request: HttpRequest, seller: Seller, code: str, message: str) -> HttpResponse:
    scope = WebhookEndpoint.objects.live().filter(seller=seller)  # type: ignore[attr-defined]
    try:
        replaying.replay(code=code, message_code=message, scope=scope, at=timezone.now())
    except (WebhookEndpoint.DoesNotExist, WebhookMessage.DoesNotExist) as gone:
        raise Http404 from gone
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("It is on its way again."))
    return redirect("stores:webhook", seller_code=seller.code, code=code)


@manager_required
@require_POST
def send_all_again(request: HttpRequest, seller: Seller, code: str) -> HttpResponse:
    """All messages of a stretch of time, after an outage."""
    scope = WebhookEndpoint.objects.live().filter(seller=seller)  # type: ignore[attr-defined]
    endpoint = get_object_or_404(scope, code=code)
    form, now = ReplayForm(request.POST), timezone.now()
    if not form.is_valid():
        return _show(request, seller, endpoint, form, status=422)
    try:
        number = replaying.replay_all(
            code=code,
            scope=scope,
            since=now - dt.timedelta(hours=int(form.cleaned_data["hours"])),
            until=now,
            undelivered_only=form.cleaned_data["undelivered_only"],
            actor=staff_of(request),
            at=now,
        )
    except Refused as refusal:
        form.add_error(None, refusal.message)
        return _show(request, seller, endpoint, form, status=409)
    messages.success(
        request,
        ngettext(
            "%(number)d message is on its way again.", "%(number)d messages are on their way again.", number
        )
        % {"number": number},
    )
    return redirect("stores:webhook", seller_code=seller.code, code=code)
