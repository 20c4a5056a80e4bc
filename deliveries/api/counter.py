"""The store's half of passing custody, from its own system: confirm a driver, take returns in."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from deliveries import loading
from deliveries.api import seller_serializers as shapes
from deliveries.api.seller import store_of
from deliveries.snapshots import courier, moment
from retaildelivery.web import api
from stores.api import HANDOVER, SellerView
from stores.models import Store


class HandoversView(SellerView):
    scopes: ClassVar[dict[str, str]] = {"POST": HANDOVER}

    @extend_schema(
        operation_id="confirm_handover",
        request=shapes.HandoverIn,
        responses={201: shapes.HandoverOut},
        tags=["At the counter"],
    )
    def post(self, request: Request) -> Response:
        """Confirm that the driver at your counter is the one: by the six digits on their phone.

        Custody of what the driver has scanned passes with this; of what they scan afterwards, with the scan.
        It works the same when a driver brings something back. A repeat changes nothing.
        """
        given = api.body(request, shapes.HandoverIn)
        made = loading.confirm_handover(
            stop_code=given.get("stop"),
            stores=self.counters(given),
            driver_code=given["driver_code"],
            user=None,
            key_prefix=self.system.key.prefix,
            at=timezone.now(),
        )
        assert made.stop.store is not None
        shown = {
            "stop": made.stop.code,
            "kind": made.stop.kind,
            "store": made.stop.store.code,
            "driver": courier(made.driver),
            "at": moment(made.at),
        }
        return Response(shown, status=status.HTTP_201_CREATED)

    def counters(self, given: dict[str, Any]) -> Any:
        if given.get("store") is None:
            return self.system.stores
        return Store.objects.filter(pk=store_of(self.system, given["store"]).pk)
