"""Following an order over the seller API: timeline, proof, courier."""

from __future__ import annotations

import mimetypes
from typing import Any, ClassVar

from django.db.models.fields.files import FieldFile
from django.http import FileResponse, Http404, HttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from deliveries import bundle, proof_pdf
from deliveries.api import seller_answers as answers
from deliveries.api.seller import OrderBase
from deliveries.models import Attempt, Order, ProofOfDelivery
from deliveries.snapshots import courier_met, live_consignment, moment
from drivers.models import Position
from retaildelivery.outbox.models import Fact
from stores.api import READ

TIMELINE = 1_000  # facts of one order; the longest day of a parcel has a tenth of it
# Whose name a seller may read in the timeline; operations and other people's accounts stay unnamed.
NAMED = {Fact.Actor.STAFF, Fact.Actor.SELLER, Fact.Actor.DRIVER}
WITH_PARCELS = {
    Order.Status.PICKED_UP,
    Order.Status.EN_ROUTE,
    Order.Status.AT_DROPOFF,
    Order.Status.RETURNING,
}


class TimelineView(OrderBase):
    scopes: ClassVar[dict[str, str]] = {"GET": READ}

    @extend_schema(operation_id="get_order_timeline", responses=answers.Timeline, tags=["Following"])
    def get(self, request: Request, code: str) -> Response:
        """Everything that happened to an order, oldest first: who, when, what."""
        wanted = self.code_of(code)
        facts = Fact.objects.about(f"order:{wanted}").oldest_first()  # type: ignore[attr-defined]
        found = [self.entry(fact) for fact in facts[:TIMELINE]]
        return Response({"results": found, "next": None})

    def entry(self, fact: Fact) -> dict[str, Any]:
        return {
            "id": fact.code,
            "type": fact.name,
            "timestamp": moment(fact.at),
            "sequence": fact.sequence,
            "actor": {
                "kind": fact.actor_kind,
                "name": fact.actor if fact.actor_kind in NAMED else "",
            },
            "data": {name: value for name, value in fact.data.items() if name not in {"order", "actor"}},
        }


class ProofView(OrderBase):
    scopes: ClassVar[dict[str, str]] = {"GET": READ}

    @extend_schema(operation_id="get_order_proof", responses=answers.ProofOut, tags=["Following"])
    def get(self, request: Request, code: str) -> Response:
        """Why we say it was delivered, every attempt that failed, and how its parcels changed hands. The photos
        are behind the same key; `…/proof.pdf` has all of it in one signed file."""
        order = self.order(code)
        proof = bundle.proof_of(order)
        attempts = bundle.attempts_of(order)
        return Response(
            {
                "order": order.code,
                "status": order.status,
                "delivery": self.delivery(request, order, proof) if proof else None,
                "attempts": [
                    {
                        **bundle.where(attempt),
                        "reason": attempt.reason,
                        "note": attempt.note,
                        "photo_url": self.link(request, order, f"attempt-{number}", attempt.photo),
                    }
                    for number, attempt in enumerate(attempts, start=1)
                ],
                **bundle.custody(order),
            }
        )

    def delivery(self, request: Request, order: Order, proof: ProofOfDelivery) -> dict[str, Any]:
        return {
            **bundle.where(proof),
            "left_at": proof.left_at,
            "signed_by": proof.signed_by,
            "signer_relationship": proof.signer_relationship,
            "pin_matched": proof.pin_matched,
            "age_checked": proof.age_checked,
            "note": proof.note,
            "photo_url": self.link(request, order, "photo", proof.photo),
            "photo_sha256": proof.photo_sha256,
            "signature_url": self.link(request, order, "signature", proof.signature),
        }

    def link(self, request: Request, order: Order, which: str, file: FieldFile) -> str | None:
        if not file:
            return None
        path = reverse("deliveries_api:proof_file", kwargs={"code": order.code, "which": which})
        return str(request.build_absolute_uri(path))


class ProofPdfView(OrderBase):
    scopes: ClassVar[dict[str, str]] = {"GET": READ}

    @extend_schema(
        operation_id="get_order_proof_pdf",
        responses={(200, "application/pdf"): OpenApiTypes.BINARY},
        tags=["Following"],
    )
    def get(self, request: Request, code: str) -> HttpResponse:
        """The proof as one PDF, for every ending, delivered or not: photos with their hashes, scans, handovers,
        PIN tries, positions. It carries our signature: anybody can check the file at `/proof/verify/`."""
        order = self.order(code)
        url = str(request.build_absolute_uri(reverse("deliveries:verify_proof")))
        content = proof_pdf.signed_pdf(order, verify_url=url, at=self.system.now)
        answer = HttpResponse(content, content_type="application/pdf")
        answer["Content-Disposition"] = f'inline; filename="{order.code}-proof.pdf"'
        return answer


class ProofFileView(OrderBase):
    scopes: ClassVar[dict[str, str]] = {"GET": READ}

    @extend_schema(
        operation_id="get_order_proof_file",
        responses={(200, "image/*"): OpenApiTypes.BINARY},
        tags=["Following"],
    )
    def get(self, request: Request, code: str, which: str) -> FileResponse:
        """A picture of the proof: `photo`, `signature`, or `attempt-1` and so on."""
        file = self.file(self.order(code), which)
        if not file:
            raise Http404
        kind, _encoding = mimetypes.guess_type(file.name or "")
        return FileResponse(file.open("rb"), content_type=kind or "application/octet-stream")

    def file(self, order: Order, which: str) -> FieldFile | None:
        if which in {"photo", "signature"}:
            proof = ProofOfDelivery.objects.filter(order=order).first()
            return getattr(proof, which) if proof else None
        number = which.removeprefix("attempt-")
        if which == number or not number.isascii() or not number.isdigit():
            return None
        attempts = Attempt.objects.filter(order=order).order_by("pk")[:TIMELINE]
        found = dict(enumerate(attempts, start=1)).get(int(number))
        return found.photo if found else None


class CourierView(OrderBase):
    scopes: ClassVar[dict[str, str]] = {"GET": READ}

    @extend_schema(operation_id="get_order_courier", responses=answers.CourierNow, tags=["Following"])
    def get(self, request: Request, code: str) -> Response:
        """Who has the order, where they are while they have the parcels, and when they are expected."""
        order = self.order(code)
        place = live_consignment(order)
        driver = place.manifest.driver if place else None
        position = None
        if driver is not None and order.status in WITH_PARCELS:
            last = Position.objects.filter(driver=driver).order_by("-device_at", "-pk").first()
            if last is not None:
                position = {
                    "latitude": float(last.latitude),
                    "longitude": float(last.longitude),
                    "at": moment(last.device_at),
                }
        return Response(
            {
                "courier": courier_met(driver),
                "position": position,
                "eta_at": moment(place.dropoff.eta_at) if place and driver else None,
            }
        )
