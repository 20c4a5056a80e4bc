"""An idea of an order, as the draft a verb takes and as the body the API takes."""

from datetime import datetime, timedelta, tzinfo
from typing import Any

from deliveries.drafts import AddressDraft, OrderDraft, ParcelDraft
from retaildelivery.demo import afternoon
from retaildelivery.demo.afternoon import OrderIdea
from retaildelivery.lib.windows import Window

EVENING_NEAR = timedelta(hours=1)
PRECIOUS_CENTS = 20_000


def draft_of(
    idea: OrderIdea, *, external_id: str, at: datetime, ready_at: datetime, zone: tzinfo
) -> OrderDraft:
    """What staff would type."""
    window = promise_of(idea, at=at, ready_at=ready_at, zone=zone)
    door, person = idea.door, idea.recipient
    return OrderDraft(
        external_id=external_id,
        ready_at=ready_at,
        window_start=window.start,
        window_end=window.end,
        recipient_name=person.name,
        recipient_phone=person.phone,
        recipient_email=person.email,
        recipient_locale=person.locale,
        address=AddressDraft(
            line1=door.address1,
            line2=door.address2,
            city=door.city,
            region=door.region,
            postal_code=door.postal_code,
            point=door.point,
        ),
        instructions=idea.instructions,
        parcels=tuple(
            ParcelDraft(size=part.size, grams=part.grams, litres=part.litres, description=part.description)
            for part in idea.parcels
        ),
        requires_photo=idea.requires_photo,
        requires_signature=idea.requires_signature,
        requires_pin=idea.requires_pin,
        minimum_age=idea.minimum_age,
        undeliverable=idea.undeliverable,
        declared_value_cents=idea.value_cents,
        requires_barcodes=idea.value_cents >= PRECIOUS_CENTS,
        pickup_photo=idea.value_cents >= PRECIOUS_CENTS,
        return_signature=idea.value_cents >= PRECIOUS_CENTS,
        tip_cents=idea.tip_cents,
    )


def body_of(
    idea: OrderIdea, *, store: str, external_id: str, at: datetime, ready_at: datetime, zone: tzinfo
) -> dict[str, Any]:
    """The JSON of `POST /api/v1/orders`; `store` is the store's code."""
    window = promise_of(idea, at=at, ready_at=ready_at, zone=zone)
    door, person = idea.door, idea.recipient
    return {
        "external_id": external_id,
        "store": store,
        "ready_at": ready_at.isoformat(),
        "window": {"start": window.start.isoformat(), "end": window.end.isoformat()},
        "recipient": {
            "name": person.name,
            "phone": person.phone,
            "email": person.email,
            "locale": person.locale,
        },
        "dropoff": {
            "line1": door.address1,
            "line2": door.address2,
            "city": door.city,
            "region": door.region,
            "postal_code": door.postal_code,
            "country": "US",
            "latitude": door.point.lat,
            "longitude": door.point.lng,
        },
        "instructions": idea.instructions,
        "parcels": [
            {
                "size": part.size,
                "grams": part.grams,
                "litres": part.litres,
                "description": part.description,
            }
            for part in idea.parcels
        ],
        "requirements": {
            "photo": idea.requires_photo,
            "signature": idea.requires_signature,
            "pin": idea.requires_pin,
            "minimum_age": idea.minimum_age,
            # What is worth much is photographed as it leaves the store, and signed for when it comes back.
            "pickup": {"photo": idea.value_cents >= PRECIOUS_CENTS},
            "return": {"signature": idea.value_cents >= PRECIOUS_CENTS},
            "barcodes": idea.value_cents >= PRECIOUS_CENTS,
        },
        "undeliverable": idea.undeliverable,
        "declared_value": {"cents": idea.value_cents},
        "tip": {"cents": idea.tip_cents},
    }


def promise_of(idea: OrderIdea, *, at: datetime, ready_at: datetime, zone: tzinfo) -> Window:
    """The window promised to the recipient, counted from when the order is ready.

    An evening that is still far off is not promised, since the demo plays orders at whatever hour somebody
    looks at it, and an order for tonight would stand still all day.
    """
    window = afternoon.promised(idea.promise, ready_at=ready_at, zone=zone)
    if window.start - at > EVENING_NEAR:
        return afternoon.promised("four_hours", ready_at=ready_at, zone=zone)
    return window
