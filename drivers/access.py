"""Who may open the driver's door."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect

from drivers import costing
from drivers.models import Driver

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from retaildelivery.accounts.models import User

DriverView = Callable[..., HttpResponse]


def driver_of(user: User | AnonymousUser) -> Driver | None:
    """The driver this person is, with the person; None for everybody else and for who has left."""
    if not user.is_authenticated:
        return None
    drivers = Driver.objects.visible_to(user).exclude(status=Driver.Status.LEFT)  # type: ignore[attr-defined]
    driver: Driver | None = costing.with_costs(drivers).first()
    if driver is not None:
        # The same row is on the request already.
        driver.user = user
    return driver


def acts_on(page: str) -> Callable[[DriverView], DriverView]:
    """For a view that only takes POST: who comes by GET is shown the page it acts on, named by the same code.

    That is where somebody lands whose session ended before the press: signing in leads on by GET.
    """

    def guard(view: DriverView) -> DriverView:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method in {"GET", "HEAD"}:
                return redirect(page, kwargs["code"])
            if request.method != "POST":
                return HttpResponseNotAllowed(["POST"])
            return view(request, *args, **kwargs)

        return guarded

    return guard


def driver_required(view: DriverView) -> Callable[..., HttpResponse]:
    """Calls ``view(request, driver, …)``. A stranger is sent to sign in, the wrong role gets 403.

    An applicant and a suspended driver pass: they may still have papers to hand in or a parcel to bring back,
    and each verb asks again what they may do.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        driver = driver_of(request.user)
        if driver is None:
            raise PermissionDenied
        return view(request, driver, *args, **kwargs)

    return login_required(guarded)
