"""The store's door: an order typed at the counter, into a window of its own or into a slot that is held meanwhile."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from deliveries import drafts, geocoding, limits, posting, quoting, slots
from deliveries.models import Order, SlotHold
from deliveries.store_forms import ItemForms, OrderForm, ParcelForms
from deliveries.views.store import staff_of
from retaildelivery.lib.refusals import Refused
from stores.models import Store

WINDOW = ("window_start", "window_end")
# Buttons of the form that change it and post nothing.
MORE = {"add_parcel", "add_item", "hold_slot", "release_slot"}


def suggested(stores: QuerySet[Store], at: dt.datetime) -> dict[str, Any]:
    """What the empty form proposes: the first store, and the next two to four hours on its mall's clock."""
    store = stores.select_related("mall__market").first()
    if store is None:
        return {}
    local = at.astimezone(store.mall.zone).replace(second=0, microsecond=0, tzinfo=None)
    start = local + dt.timedelta(minutes=30 - local.minute % 30)
    return {
        "store": store.code,
        "window_start": start,
        "window_end": start + dt.timedelta(hours=4),
        "city": store.mall.address.split(",")[-2].strip() if store.mall.address.count(",") > 1 else "",
    }


@dataclass(frozen=True, slots=True)
class Choice:
    """Which slot the order goes into: the one whose place is held, or one of `free`, of this store. `refusal` says
    why the last wish could not be met."""

    store: Store | None
    held: SlotHold | None
    free: list[slots.Bookable]
    refusal: Refused | None = None


def offered(stores: QuerySet[Store]) -> QuerySet[Store]:
    return stores.select_related("mall__market", "seller").order_by("name")


def choice_of(request: HttpRequest, stores: QuerySet[Store], at: dt.datetime) -> Choice:
    """The slots as the posted form leaves them: nothing is taken or given back."""
    store = offered(stores).filter(code=request.POST.get("store", "")).first() or offered(stores).first()
    return shown(store, held_by(request, stores, store, at), at)


def held_by(
    request: HttpRequest, stores: QuerySet[Store], store: Store | None, at: dt.datetime
) -> SlotHold | None:
    """The place that this form holds at this store, while it does."""
    code = request.POST.get("slot_hold", "")
    if not code or store is None:
        return None
    mine = SlotHold.objects.filter(store__in=stores, released_at=None, order=None, expires_at__gt=at)
    return mine.filter(code=code, store=store).select_related("slot__rule").first()


def shown(
    store: Store | None, held: SlotHold | None, at: dt.datetime, refusal: Refused | None = None
) -> Choice:
    if store is None:
        return Choice(None, None, [])
    today = at.astimezone(store.mall.zone).date()
    days = [today + dt.timedelta(days=ahead) for ahead in range(limits.SLOT_DAYS)]
    found = [] if held else slots.of_days(store=store, days=days, at=at)
    free = [slot for slot in found if slot.closes_at > at and slot.opens_on <= today]
    return Choice(store, held, free[: limits.SLOTS_SHOWN], refusal)


def wished(request: HttpRequest, stores: QuerySet[Store], at: dt.datetime) -> Choice:
    """Take the place that was asked for, and give back what the form held before. What is refused leaves all as it
    was."""
    store = offered(stores).filter(code=request.POST.get("store", "")).first() or offered(stores).first()
    before = held_by(request, stores, store, at)
    if store is None:
        return shown(None, None, at)
    wanted = request.POST.get("hold_slot", "")
    if wanted:
        try:
            held = slots.hold(slot_code=wanted, store=store, at=at)
        except slots.SlotRefused as refusal:
            return shown(store, before, at, refusal)
        give_back(request, stores, at)
        return shown(store, SlotHold.objects.select_related("slot__rule").get(pk=held.pk), at)
    if "release_slot" in request.POST or before is None:
        # Of another store, when the store was changed.
        give_back(request, stores, at)
        before = None
    return shown(store, before, at)


def give_back(request: HttpRequest, stores: QuerySet[Store], at: dt.datetime) -> None:
    """Release what this form held; what is gone or used already stays so."""
    code = request.POST.get("slot_hold", "")
    if code:
        try:
            slots.revoke(code=code, scope=SlotHold.objects.filter(store__in=stores), at=at)
        except slots.SlotRefused:
            return


@login_required
@require_POST
def order_slot(request: HttpRequest) -> HttpResponse:
    """The part of the form that is about slots, after a place was taken or given back."""
    stores, at = Store.objects.visible_to(request.user).active(), timezone.now()
    choice = wished(request, stores, at)
    typed = {name: request.POST[name] for name in WINDOW if request.POST.get(name)}
    form = OrderForm(stores=stores, initial=suggested(stores, at) | typed)
    return render(
        request,
        "deliveries/_store_slots.html",
        {"choice": choice, "form": form},
        status=409 if choice.refusal else 200,
    )


@login_required
@require_http_methods(["GET", "POST"])
def order_new(request: HttpRequest) -> HttpResponse:
    stores, at = Store.objects.visible_to(request.user).active().order_by("name"), timezone.now()
    if request.method == "GET":
        form = OrderForm(stores=stores, initial=suggested(stores, at))
        choice = shown(offered(stores).first(), None, at)
        return form_page(request, form, ParcelForms(prefix="parcels"), ItemForms(prefix="items"), choice)
    if "give_up" in request.POST:
        give_back(request, stores, at)
        return redirect("deliveries:store_home")
    if MORE & set(request.POST):
        return changed(request, stores, at)
    return typed(request, stores, at)


def typed(request: HttpRequest, stores: QuerySet[Store], at: dt.datetime) -> HttpResponse:
    """The whole form: an order, or what is wrong with it."""
    parcels, items = ParcelForms(request.POST, prefix="parcels"), items_of(request.POST)
    choice = choice_of(request, stores, at)
    form = OrderForm(request.POST, stores=stores, slotted=choice.held is not None)
    if not (form.is_valid() and parcels.is_valid() and (items.is_valid() or not items.is_bound)):
        return form_page(request, form, parcels, items, choice, status=422)
    try:
        order = posted(request, form, parcels, items, choice, at)
    except drafts.DraftInvalid as invalid:
        form.refuse(invalid.errors, parcels, items)
        return form_page(request, form, parcels, items, choice, status=422)
    except Refused as refusal:
        form.add_error(None, refusal.message)
        return form_page(request, form, parcels, items, choice_of(request, stores, at), status=409)
    messages.success(request, _("Order %(code)s is posted. Print its labels.") % {"code": order.code})
    return redirect("deliveries:store_order", code=order.code)


def changed(request: HttpRequest, stores: QuerySet[Store], at: dt.datetime) -> HttpResponse:
    """The form as it was typed, with one more line or another slot; nothing is posted."""
    more = request.POST.copy()
    if "add_parcel" in more:
        one_more(more, "parcels", limits.PARCELS_PER_ORDER, pounds="2")
    if "add_item" in more:
        one_more(more, "items", limits.ITEMS_PER_ORDER, quantity="1")
    slotting = "hold_slot" in more or "release_slot" in more
    choice = wished(request, stores, at) if slotting else choice_of(request, stores, at)
    so_far = {"judged": False}
    form = OrderForm(more, stores=stores, **so_far)
    parcels = ParcelForms(more, prefix="parcels", form_kwargs=so_far)
    items = items_of(more, form_kwargs=so_far)
    return form_page(request, form, parcels, items, choice, status=409 if choice.refusal else 200)


def posted(
    request: HttpRequest, form: OrderForm, parcels: Any, items: Any, choice: Choice, at: dt.datetime
) -> Order:
    """Into the place that is held; or, where a place was held and ran out, not at all. Raises what posting raises."""
    draft = form.draft(
        [parcel.draft() for parcel in parcels],
        geocoding.locate(form.address()),
        [item.draft() for item in items if item.has_changed()],
    )
    if choice.held is None:
        if request.POST.get("slot_hold"):
            raise slots.HoldExpired(field="slot_hold")
        return posting.post(
            store=form.cleaned_data["store"],
            draft=draft,
            actor=staff_of(request),
            at=at,
            placed_by=request.user,
        )
    return quoting.post_into_slot(
        hold_code=choice.held.code,
        scope=SlotHold.objects.filter(store=form.cleaned_data["store"]),
        draft=draft,
        actor=staff_of(request),
        at=at,
        placed_by=request.user,
    )


def items_of(data: Any, **given: Any) -> Any:
    """The lines of what was bought; a form without them has none."""
    return ItemForms(data if "items-TOTAL_FORMS" in data else None, prefix="items", **given)


def one_more(data: Any, prefix: str, most: int, **usual: str) -> None:
    """Room for one more in the posted form, up to the limit, with what it usually says."""
    name = f"{prefix}-TOTAL_FORMS"
    said = data.get(name) or ""
    count = int(said) if said.isdecimal() else int(prefix == "parcels")
    data[name] = str(min(count + 1, most))
    data.setdefault(f"{prefix}-INITIAL_FORMS", "0")
    for field, value in usual.items():
        data.setdefault(f"{prefix}-{count}-{field}", value)


def form_page(
    request: HttpRequest, form: OrderForm, parcels: Any, items: Any, choice: Choice, status: int = 200
) -> HttpResponse:
    context = {
        "form": form,
        "parcels": parcels,
        "items": items,
        "choice": choice,
        "mall": choice.store.mall if choice.store else None,
        "limit": limits.PARCELS_PER_ORDER,
        "item_limit": limits.ITEMS_PER_ORDER,
    }
    return render(request, "deliveries/store_order_new.html", context, status=status)
