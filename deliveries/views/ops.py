"""Operations' pages of orders and of messages to people."""

from __future__ import annotations

from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from deliveries import limits, timeline
from deliveries.forms import OpsOrderFilter
from deliveries.models import Order
from retaildelivery.accounts.permissions import operations_required
from retaildelivery.outbox.models import Fact, Message
from stores.models import Mall

STORED = "retaildelivery.outbox.mail.StoredBackend"


@operations_required
@require_GET
def orders(request: HttpRequest) -> HttpResponse:
    """Every order, by mall, state and text; those that need a person first on request."""
    form = OpsOrderFilter(request.GET or None, malls=Mall.objects.order_by("name"))
    found = Order.objects.select_related("store__mall__market").prefetch_related("parcels")
    if form.is_valid():
        found = form.narrow(found, at=timezone.now())
    page = Paginator(found.order_by("-placed_at", "-id"), limits.PAGE).get_page(request.GET.get("page"))
    template = "deliveries/ops_orders.html#rows" if request.htmx else "deliveries/ops_orders.html"
    return render(request, template, {"form": form, "page": page, "at": timezone.now()})


@operations_required
@require_GET
def order(request: HttpRequest, code: str) -> HttpResponse:
    """One order whole: what was promised, who holds it, every fact about it."""
    found = get_object_or_404(
        Order.objects.select_related("store__mall__market", "store__seller").prefetch_related(
            "parcels__driver__user", "attempts__driver__user", "incidents"
        ),
        code=code,
    )
    facts = Fact.objects.about(f"order:{found.code}").oldest_first()[: limits.PAGE * 4]
    happened = [(timeline.sentence_of(fact.name), timeline.reason_of(fact.data), fact) for fact in facts]
    context = {"order": found, "happened": happened, "zone": found.store.mall.zone}
    return render(request, "deliveries/ops_order.html", context)


@operations_required
@require_GET
def messages(request: HttpRequest) -> HttpResponse:
    """What was written to people, newest first."""
    found = told(request.GET.get("q", "").strip())
    page = Paginator(found.order_by("-id"), limits.PAGE).get_page(request.GET.get("page"))
    template = "deliveries/ops_messages.html#rows" if request.htmx else "deliveries/ops_messages.html"
    return render(request, template, {"page": page, "q": request.GET.get("q", ""), "stored": is_stored()})


@operations_required
@require_GET
def message(request: HttpRequest, code: str) -> HttpResponse:
    found = get_object_or_404(Message, code=code)
    # A reset link opens somebody's account: it is shown only where no mail leaves the machine anyway.
    hidden = found.kind == Message.Kind.ACCOUNT and not is_stored()
    return render(request, "deliveries/ops_message.html", {"message": found, "hidden": hidden})


def is_stored() -> bool:
    """True when no SMTP server is configured, so that the table is where mail ends."""
    return bool(settings.EMAIL_BACKEND == STORED)


def told(text: str) -> QuerySet[Message]:
    found = Message.objects.all()
    if not text:
        return found
    return found.filter(Q(to__icontains=text) | Q(subject__icontains=text) | Q(about=f"order:{text.upper()}"))
