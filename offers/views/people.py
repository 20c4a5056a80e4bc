"""Operations: what about drivers waits for a person. Appeals are answered in the admin, with reasons."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from drivers import likenesses
from drivers.models import Appeal, Likeness
from offers import limits
from retaildelivery.accounts.permissions import operations_required


@operations_required
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Appeals by when their answer is due, and accounts that may be one person, newest first."""
    appeals = Appeal.objects.undecided().select_related("event__driver__user")  # type: ignore[attr-defined]
    doubles = Likeness.objects.unsettled().select_related("first__user", "second__user")  # type: ignore[attr-defined]
    context = {
        "appeals": appeals.order_by("answer_by", "pk")[: limits.BOARD_ROWS],
        "doubles": doubles.order_by("-found_at", "-pk")[: limits.BOARD_ROWS],
        "at": timezone.now(),
    }
    return render(request, "offers/ops_drivers.html", context)


@operations_required
@require_POST
def settle(request: HttpRequest, key: int) -> HttpResponse:
    likeness = get_object_or_404(Likeness.objects.select_related("first", "second"), pk=key)
    likenesses.settle(likeness=likeness, by=request.user, at=timezone.now())
    messages.success(request, _("Settled. The record stays."))
    return redirect("offers:ops_drivers")
