"""The key pair by which a push service knows who sends: P-256, written as base64url (RFC 8292)."""

from __future__ import annotations

import base64
import binascii
import functools

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

KEY_BYTES = 32


def new_key() -> str:
    """A new private key."""
    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return _text(number.to_bytes(KEY_BYTES, "big"))


@functools.cache
def public_key(private_key: str) -> str:
    """What browsers are given as `applicationServerKey`. Raises ValueError for what is no private key."""
    try:
        raw = base64.urlsafe_b64decode(private_key + "=" * (-len(private_key) % 4))
    except binascii.Error as error:
        raise ValueError(private_key) from error
    if len(raw) != KEY_BYTES:
        raise ValueError(private_key)
    public = ec.derive_private_key(int.from_bytes(raw, "big"), ec.SECP256R1()).public_key()
    return _text(public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
