"""Pictures of a proof behind a signed link, for clients that open links without credentials."""

from __future__ import annotations

from django.conf import settings
from django.core import signing
from django.db.models.fields.files import FieldFile
from django.urls import reverse

from deliveries import limits
from deliveries.models import Order, ProofOfDelivery

SALT = "deliveries.picture"


def link(order: Order, which: str) -> str:
    token = signing.dumps([order.code, which], salt=SALT)
    return settings.BASE_URL + reverse("dialects:picture", kwargs={"token": token})


def behind(token: str) -> FieldFile | None:
    """The picture that a link of ours leads to, for as long as it does."""
    try:
        code, which = signing.loads(token, salt=SALT, max_age=limits.PICTURE_SHOWN)
    except signing.BadSignature:
        return None
    proof = ProofOfDelivery.objects.filter(order__code=code).first()
    return getattr(proof, which) if proof and which in {"photo", "signature"} else None
