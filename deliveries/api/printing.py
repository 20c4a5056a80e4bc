"""Labels over the seller API."""

from __future__ import annotations

from typing import ClassVar

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from deliveries import labels
from deliveries.api.seller import OrderBase
from deliveries.snapshots import parcels_of
from stores.api import READ


class LabelsPdfView(OrderBase):
    scopes: ClassVar[dict[str, str]] = {"GET": READ}

    @extend_schema(
        operation_id="get_order_labels_pdf",
        responses={(200, "application/pdf"): OpenApiTypes.BINARY},
        tags=["Following"],
    )
    def get(self, request: Request, code: str) -> HttpResponse:
        """A label of 4 by 6 inches for each parcel, with its code as QR and Code 128."""
        order = self.order(code)
        answer = HttpResponse(labels.labels_pdf(parcels_of(order)), content_type="application/pdf")
        answer["Content-Disposition"] = f'inline; filename="{order.code}.pdf"'
        return answer


class LabelsZplView(OrderBase):
    scopes: ClassVar[dict[str, str]] = {"GET": READ}

    @extend_schema(
        operation_id="get_order_labels_zpl",
        responses={(200, "application/zpl"): OpenApiTypes.STR},
        tags=["Following"],
    )
    def get(self, request: Request, code: str) -> HttpResponse:
        """The same labels in the language of label printers (203 dpi)."""
        order = self.order(code)
        return HttpResponse(labels.labels_zpl(parcels_of(order)), content_type="application/zpl")
