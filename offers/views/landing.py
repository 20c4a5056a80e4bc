"""Where somebody who has signed in belongs."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET

from drivers import access
from stores.models import StaffMembership


@login_required
@require_GET
def landing(request: HttpRequest) -> HttpResponse:
    """Operations to the board, staff to their store, drivers to their offers; who is none of these to the front
    door, which says what there is."""
    if request.user.is_staff:
        return redirect("offers:board")
    if StaffMembership.objects.live().filter(user=request.user).exists():  # type: ignore[attr-defined]
        return redirect("deliveries:store_home")
    if access.driver_of(request.user) is not None:
        return redirect("drivers:home")
    return redirect("home")
