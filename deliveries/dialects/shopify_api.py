"""Shopify's carrier service: what a delivery of this cart to this door costs, asked at the checkout."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
from dataclasses import dataclass
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import Http404
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from deliveries import promising, quoting
from deliveries.api.seller import located
from deliveries.dialects import packing
from deliveries.dialects.base_api import DoorView, Foreign, Json, Said, locale_of, maybe
from deliveries.drafts import AddressDraft, DraftInvalid, OrderDraft
from deliveries.models import Quote
from retaildelivery.lib import codes
from retaildelivery.lib.geo import Point
from retaildelivery.web import api, fields
from stores.models import Store

PREFIX = "RD-"
NO_RATE = (DraftInvalid, quoting.CannotDeliver, quoting.LocationUnknown, quoting.NoPrices)


class Place(Foreign):
    address1 = Said()
    address2 = Said()
    city = Said()
    province = Said()
    postal_code = Said()
    country = Said()
    latitude = maybe(fields.Number, min_value=-90, max_value=90)
    longitude = maybe(fields.Number, min_value=-180, max_value=180)


class CartItem(Foreign):
    name = Said()
    quantity = fields.WholeNumber(min_value=1, max_value=1_000_000)
    grams = maybe(fields.WholeNumber, min_value=0, max_value=100_000_000)
    price = maybe(fields.WholeNumber)
    requires_shipping = maybe(fields.Flag)


class Cart(Foreign):
    destination = Place()
    items = CartItem(many=True)
    locale = Said()


class RatesIn(Foreign):
    rate = Cart()


@dataclass(frozen=True, slots=True)
class Signed:
    """Shopify itself, asking for a store: its budget is the store's, since it comes from few addresses."""

    caller: str
    requests_per_minute: int


class ShopifySignature(BaseAuthentication):
    """`X-Shopify-Hmac-SHA256` over the body, where the app's secret is known to us."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        if not settings.SHOPIFY_SECRET:
            return None
        mac = hmac.new(settings.SHOPIFY_SECRET.encode(), request.body, hashlib.sha256)
        given = request.headers.get("X-Shopify-Hmac-Sha256", "")
        if not hmac.compare_digest(base64.b64encode(mac.digest()), given.encode()):
            raise AuthenticationFailed(_("This is not signed by the shop's app."), code="invalid_key")
        store = codes.normalise(request.parser_context["kwargs"]["code"])
        return AnonymousUser(), Signed(f"shopify:{store}", settings.API_REQUESTS_PER_MINUTE)

    def authenticate_header(self, request: Request) -> str:
        return "X-Shopify-Hmac-SHA256"


class RatesView(DoorView):
    door: ClassVar[str] = "DOOR_SHOPIFY"
    authentication_classes: ClassVar[Any] = [ShopifySignature]  # type: ignore[misc]
    permission_classes: ClassVar[Any] = [AllowAny]  # type: ignore[misc]

    def translated(self, problem: Json) -> tuple[int, Json]:
        """As it is: Shopify reads no errors, it falls back to the rates that the shop keeps for that."""
        return int(problem["status"]), problem

    def post(self, request: Request, code: str) -> Response:
        """One rate, held for 15 minutes behind its service code; none where we do not deliver."""
        store = (
            Store.objects.active()  # type: ignore[attr-defined]
            .filter(code=codes.normalise(code))
            .select_related("seller", "mall__market")
            .prefetch_related("hours")
            .first()
        )
        if store is None:
            raise Http404
        cart, at = api.body(request, RatesIn)["rate"], timezone.now()
        items = [item for item in cart["items"] if item.get("requires_shipping") is not False]
        made = held(cart["destination"], items, store, at=at) if items else None
        with translation.override(locale_of(cart.get("locale") or "")):
            return Response({"rates": [rate(made)] if made else []})


def held(place: Json, items: list[Json], store: Store, *, at: dt.datetime) -> Quote | None:
    """The price of the first window that a driver can keep, or None where there is none."""
    draft = located(draft_of(place, items))
    try:
        return quoting.quote(store=store, draft=promising.soonest(draft, store=store, at=at), at=at)
    except NO_RATE:
        return None


def draft_of(place: Json, items: list[Json]) -> OrderDraft:
    """The cart as an order to nobody yet."""
    lat, lng = place.get("latitude"), place.get("longitude")
    said = {name: place.get(name) or "" for name in ("address1", "address2", "city", "province")}
    return OrderDraft(
        external_id="",
        ready_at=None,
        window_start=None,
        window_end=None,
        recipient_name="",
        recipient_phone="",
        recipient_email="",
        recipient_locale="en",
        address=AddressDraft(
            line1=said["address1"],
            line2=said["address2"],
            city=said["city"],
            region=said["province"],
            postal_code=place.get("postal_code") or "",
            country=place.get("country") or "US",
            point=Point(lat, lng) if lat is not None and lng is not None else None,
        ),
        instructions="",
        parcels=packing.packed(
            [packing.Thing(quantity=item["quantity"], grams=item.get("grams") or None) for item in items]
        ),
    )


def rate(quote: Quote) -> Json:
    said, zone = quoting.draft_of(quote), quote.store.mall.zone
    assert said.window_start is not None
    assert said.window_end is not None
    start, end = said.window_start.astimezone(zone), said.window_end.astimezone(zone)
    return {
        "service_name": _("Delivered from the mall"),
        "service_code": PREFIX + quote.code,
        "description": _("%(day)s between %(start)s and %(end)s, from %(store)s")
        % {
            "day": f"{start:%Y-%m-%d}",
            "start": f"{start:%H:%M}",
            "end": f"{end:%H:%M}",
            "store": quote.store.name,
        },
        "total_price": str(quote.fee_cents),
        "currency": quote.store.mall.market.currency,
        "phone_required": True,
        "min_delivery_date": f"{start:%Y-%m-%d %H:%M:%S %z}",
        "max_delivery_date": f"{end:%Y-%m-%d %H:%M:%S %z}",
    }
