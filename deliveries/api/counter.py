"""The store's half of passing custody, from its own system: confirm a driver, take returns in."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from deliveries import loading, reading, returning
from deliveries.api import seller_answers as answers
from deliveries.api import seller_serializers as shapes
from deliveries.api.seller import store_of
from deliveries.evidence import Evidence
from deliveries.models import Stop
from deliveries.snapshots import courier, moment
from retaildelivery.lib import codes
from retaildelivery.web import api
from stores.api import HANDOVER, SellerView
from stores.models import Store


class HandoversView(SellerView):
    scopes: ClassVar[dict[str, str]] = {"POST": HANDOVER}

    @extend_schema(
        operation_id="confirm_handover",
        request=shapes.HandoverIn,
        responses={201: answers.HandoverOut},
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
            at=self.system.now,
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

    def counters(self, given: dict[str, Any]) -> QuerySet[Store]:
        if given.get("store") is None:
            return self.system.stores
        return Store.objects.filter(pk=store_of(self.system, given["store"]).pk)


class ReturnScansView(SellerView):
    scopes: ClassVar[dict[str, str]] = {"POST": HANDOVER}

    @extend_schema(
        operation_id="scan_return",
        request=shapes.ReturnScanIn,
        responses={201: answers.ReturnScanOut},
        tags=["At the counter"],
    )
    def post(self, request: Request) -> Response:
        """Read the label of a parcel that a driver brings back.

        With the driver confirmed at your counter (`POST /handovers`, before or after) the parcel is yours
        again. A label that is not due here is 422 and is kept as a scan all the same.
        """
        given = api.body(request, shapes.ReturnScanIn)
        at = self.system.now
        made = returning.scan_by_staff(
            stop_code=self.stop_for(given),
            stores=self.system.stores,
            user=None,
            entered=given["code"],
            method=given["method"],
            evidence=Evidence(given["client_event_id"], given.get("scanned_at") or at),
            at=at,
            key_prefix=self.system.key.prefix,
        )
        shown = {
            "code": made.entered,
            "outcome": made.outcome,
            "parcel": made.parcel.code if made.parcel else None,
            "order": made.parcel.order.code if made.parcel else None,
            "at": moment(made.at),
        }
        return Response(shown, status=status.HTTP_201_CREATED)

    def stop_for(self, given: dict[str, Any]) -> str:
        """The return stop that is named, or the open one where this parcel is due. Raises Http404."""
        mine = Stop.objects.filter(kind=Stop.Kind.RETURN, store__in=self.system.stores)
        if given.get("stop"):
            named = mine.filter(code=codes.normalise(given["stop"]))
            code = named.values_list("code", flat=True).first()
        else:
            code = reading.due_back(mine, given["code"])
        if code is None:
            raise Http404
        return code
