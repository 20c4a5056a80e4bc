"""The store's own affairs: counter and hours, team, keys."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox.models import Fact
from retaildelivery.outbox.recording import Actor
from retaildelivery.web import throttling
from stores import keys, opening, team
from stores.forms import CounterForm, HoursForm, KeyForm, MemberForm, NetworksForm, PauseForm
from stores.models import ApiKey, Seller, StaffMembership, Store, StoreHours


def staff_of(request: HttpRequest) -> Actor:
    source = f"store page {throttling.address_of(request)}"
    return Actor(kind=Fact.Actor.STAFF, name=str(request.user), source=source)


def manager_required(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Only a manager of the seller in the path; staff get 403, strangers 404."""

    @wraps(view)
    def guarded(request: HttpRequest, seller_code: str, **kwargs: str) -> HttpResponse:
        member = StaffMembership.objects.live().filter(user=request.user)
        seller = get_object_or_404(Seller.objects.filter(pk__in=member.values("seller")), code=seller_code)
        if not team.manages(request.user, seller):
            raise PermissionDenied
        return view(request, seller, **kwargs)

    return login_required(guarded)


@login_required
@require_GET
def settings(request: HttpRequest) -> HttpResponse:
    """The stores of this person, and where each thing is changed."""
    member = StaffMembership.objects.live().filter(user=request.user).select_related("seller")
    context = {
        "stores": Store.objects.visible_to(request.user)
        .select_related("mall__market", "seller")
        .order_by("name"),
        "managed": sorted(
            {m.seller for m in member if m.role == StaffMembership.Role.MANAGER}, key=lambda s: s.name
        ),
        "at": timezone.now(),
    }
    return render(request, "stores/settings.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def store(request: HttpRequest, code: str) -> HttpResponse:
    """How the counter works. Staff may read and pause it; a manager may change it."""
    found = get_object_or_404(
        Store.objects.visible_to(request.user).select_related("mall__market", "seller"), code=code
    )
    form = CounterForm(
        request.POST or None,
        initial={"prep_minutes": found.prep_minutes, "phone": found.phone, "pickup_note": found.pickup_note},
    )
    if request.method == "POST":
        if not team.manages(request.user, found.seller):
            raise PermissionDenied
        if form.is_valid():
            opening.describe(
                store_code=found.code, scope=Store.objects.visible_to(request.user), actor=staff_of(request),
                at=timezone.now(), **form.cleaned_data,
            )  # fmt: skip
            messages.success(request, _("Saved."))
            return redirect("stores:store", code=found.code)
    return store_page(request, found, form=form, status=422 if request.method == "POST" else 200)


def store_page(
    request: HttpRequest,
    found: Store,
    *,
    form: CounterForm | None = None,
    hours: HoursForm | None = None,
    status: int = 200,
) -> HttpResponse:
    kept = StoreHours.objects.filter(store=found)
    week = {f"opens_{h.weekday}": h.opens for h in kept} | {f"closes_{h.weekday}": h.closes for h in kept}
    counter = {"prep_minutes": found.prep_minutes, "phone": found.phone, "pickup_note": found.pickup_note}
    context = {
        "store": found,
        "zone": found.mall.zone,
        "form": form or CounterForm(initial=counter),
        "hours": hours or HoursForm(initial=week),
        "pause": PauseForm(),
        "paused": found.is_paused(timezone.now()),
        "manages": team.manages(request.user, found.seller),
    }
    return render(request, "stores/store.html", context, status=status)


@login_required
@require_POST
def store_hours(request: HttpRequest, code: str) -> HttpResponse:
    found = get_object_or_404(
        Store.objects.visible_to(request.user).select_related("mall__market", "seller"), code=code
    )
    if not team.manages(request.user, found.seller):
        raise PermissionDenied
    form = HoursForm(request.POST)
    if not form.is_valid():
        return store_page(request, found, hours=form, status=422)
    opening.set_hours(
        store_code=found.code, scope=Store.objects.visible_to(request.user), week=form.week(),
        actor=staff_of(request), at=timezone.now(),
    )  # fmt: skip
    messages.success(request, _("The hours are saved."))
    return redirect("stores:store", code=found.code)


@login_required
@require_POST
def store_pause(request: HttpRequest, code: str) -> HttpResponse:
    """Anybody at the counter may stop the flow of orders, and let it go on."""
    scope = Store.objects.visible_to(request.user)
    found = get_object_or_404(scope.select_related("mall__market", "seller"), code=code)
    now = timezone.now()
    if "resume" in request.POST:
        opening.resume(store_code=found.code, scope=scope, actor=staff_of(request), at=now)
        messages.success(request, _("The store takes orders again."))
        return redirect("stores:store", code=found.code)
    form = PauseForm(request.POST)
    if not form.is_valid():
        return store_page(request, found, status=422)
    until = now + dt.timedelta(minutes=form.cleaned_data["minutes"])
    opening.pause(store_code=found.code, scope=scope, until=until, actor=staff_of(request), at=now)
    messages.success(request, _("The store is paused."))
    return redirect("stores:store", code=found.code)


@manager_required
@require_http_methods(["GET", "POST"])
def staff(request: HttpRequest, seller: Seller) -> HttpResponse:
    """Who works here; add somebody by the address they sign in with."""
    form = MemberForm(request.POST or None, stores=Store.objects.filter(seller=seller).order_by("name"))
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                team.add(seller=seller, actor=staff_of(request), at=timezone.now(), **form.cleaned_data)
            except Refused as refusal:
                form.add_error(refusal.field or None, refusal.message)
                status = 409
            else:
                messages.success(request, _("They are in the team."))
                return redirect("stores:staff", seller_code=seller.code)
    return staff_page(request, seller, form, status=status)


def staff_page(
    request: HttpRequest,
    seller: Seller,
    form: MemberForm,
    *,
    refusal: Refused | None = None,
    status: int = 200,
) -> HttpResponse:
    members = (
        StaffMembership.objects.live()
        .filter(seller=seller)
        .select_related("user", "store")
        .order_by("role", "user__name")
    )
    context = {"seller": seller, "members": members, "form": form, "refusal": refusal}
    return render(request, "stores/staff.html", context, status=status)


@manager_required
@require_POST
def staff_end(request: HttpRequest, seller: Seller, membership: str) -> HttpResponse:
    try:
        team.end(seller=seller, membership_code=membership, actor=staff_of(request), at=timezone.now())
    except StaffMembership.DoesNotExist as gone:
        raise Http404 from gone
    except Refused as refusal:
        form = MemberForm(stores=Store.objects.filter(seller=seller).order_by("name"))
        return staff_page(request, seller, form, refusal=refusal, status=409)
    messages.success(request, _("They no longer work here."))
    return redirect("stores:staff", seller_code=seller.code)


@manager_required
@require_http_methods(["GET", "POST"])
def api_keys(request: HttpRequest, seller: Seller) -> HttpResponse:
    """The keys of the seller's systems; a new one is shown here once and nowhere again."""
    form = KeyForm(request.POST or None, stores=Store.objects.filter(seller=seller).order_by("name"))
    if request.method == "POST" and form.is_valid():
        try:
            issued = keys.issue(
                seller=seller,
                actor=staff_of(request),
                at=timezone.now(),
                by=request.user,
                **form.cleaned_data,
            )
        except Refused as refusal:
            form.add_error(refusal.field or None, refusal.message)
            return keys_page(request, seller, form, status=409)
        return keys_page(
            request,
            seller,
            KeyForm(stores=Store.objects.filter(seller=seller)),
            issued=issued,
            status=201,
        )
    return keys_page(request, seller, form, status=422 if request.method == "POST" else 200)


def keys_page(
    request: HttpRequest,
    seller: Seller,
    form: KeyForm,
    *,
    issued: keys.Issued | None = None,
    status: int = 200,
) -> HttpResponse:
    live = (
        ApiKey.objects.live(timezone.now())
        .filter(seller=seller)
        .select_related("store")
        .order_by("-created_at")
    )
    rows = [
        {"key": key, "form": NetworksForm({"networks": "\n".join(key.networks)}, auto_id=f"{key.prefix}_%s")}
        for key in live
    ]
    context = {"seller": seller, "keys": rows, "form": form, "issued": issued}
    answer = render(request, "stores/keys.html", context, status=status)
    answer["Cache-Control"] = "no-store"
    return answer


@manager_required
@require_POST
def api_key_change(request: HttpRequest, seller: Seller, prefix: str) -> HttpResponse:
    """Rotate a key (the old one works on for a while) or end it now."""
    scope = ApiKey.objects.filter(seller=seller)
    now = timezone.now()
    form = KeyForm(stores=Store.objects.filter(seller=seller).order_by("name"))
    get_object_or_404(scope, prefix=prefix)
    if "rotate" in request.POST:
        try:
            issued = keys.rotate(prefix=prefix, scope=scope, actor=staff_of(request), at=now, by=request.user)
        except Refused as refusal:
            messages.error(request, refusal.message)
            return redirect("stores:api_keys", seller_code=seller.code)
        return keys_page(request, seller, form, issued=issued, status=201)
    if "restrict" in request.POST:
        return _restrict(request, seller, prefix)
    keys.revoke(prefix=prefix, scope=scope, actor=staff_of(request), at=now)
    messages.success(request, _("The key no longer works."))
    return redirect("stores:api_keys", seller_code=seller.code)


def _restrict(request: HttpRequest, seller: Seller, prefix: str) -> HttpResponse:
    form = NetworksForm(request.POST)
    form.is_valid()
    try:
        keys.restrict(
            prefix=prefix,
            scope=ApiKey.objects.filter(seller=seller),
            networks=form.cleaned_data.get("networks", []),
            actor=staff_of(request),
            at=timezone.now(),
        )
    except Refused as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("Saved from where the key may be used."))
    return redirect("stores:api_keys", seller_code=seller.code)
