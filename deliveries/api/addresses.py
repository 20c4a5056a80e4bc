"""Addresses over the seller API: is it one, where is it, and what may its beginning stand for."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from deliveries import addresses
from deliveries.api import seller_answers as answers
from deliveries.api.asking_serializers import AddressIn, CompletionQuery
from deliveries.api.seller import orders_of, store_of
from deliveries.api.seller_serializers import address_of
from deliveries.drafts import AddressDraft
from retaildelivery.web import api
from stores.api import READ, SellerView


def shown(address: AddressDraft) -> dict[str, Any]:
    return {
        "line1": address.line1,
        "line2": address.line2,
        "city": address.city,
        "region": address.region,
        "postal_code": address.postal_code,
        "country": address.country,
        "latitude": address.point.lat if address.point else None,
        "longitude": address.point.lng if address.point else None,
    }


class ValidateView(SellerView):
    scopes: ClassVar[dict[str, str]] = {"POST": READ}

    @extend_schema(
        operation_id="validate_address",
        request=AddressIn,
        responses=answers.AddressJudged,
        tags=["Before an order"],
    )
    def post(self, request: Request) -> Response:
        """Whether this is an address we can find, how it is written, and with a `store` whether it delivers there.

        Problems have codes: `invalid`, `required`, `location_unknown` (nobody knows where it is),
        `too_far_from_pin` (the coordinates are not where the address is known to be), `not_serviceable`.
        """
        given = api.body(request, AddressIn)
        mall = store_of(self.system, given["store"]).mall if "store" in given else None
        judged = addresses.judge(address_of(given["address"]), mall=mall)
        return Response(
            {
                "valid": not judged.errors,
                "address": shown(judged.address),
                "located_by": judged.address.located_by if judged.address.point else None,
                "problems": [
                    {
                        "field": error.field.replace("dropoff", "address"),
                        "code": error.code,
                        "message": str(error.message),
                    }
                    for error in judged.errors
                ],
            }
        )


class CompleteView(SellerView):
    scopes: ClassVar[dict[str, str]] = {"GET": READ}

    @extend_schema(
        operation_id="complete_address",
        parameters=[CompletionQuery],
        responses=answers.Completions,
        tags=["Before an order"],
    )
    def get(self, request: Request) -> Response:
        """Up to five addresses that begin so: doors your orders went to, or else what the geocoder knows."""
        asked = api.query(request, CompletionQuery)
        found = addresses.complete(asked["text"], orders=orders_of(self.system))
        return Response({"results": [shown(address) for address in found]})
