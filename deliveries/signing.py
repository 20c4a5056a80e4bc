"""Sign a document so that anybody can see later whether it is the one we gave out: Ed25519, in the file itself.

The signature is the last line of the file, which readers of PDF skip. The key follows from the installation's secret;
secrets of before still verify.
"""

from __future__ import annotations

import base64
import binascii

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

MARK = b"\n%Retail-Delivery-Ed25519 "


def _key(secret: str) -> Ed25519PrivateKey:
    derived = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"deliveries.proof")
    return Ed25519PrivateKey.from_private_bytes(derived.derive(secret.encode()))


def public_key() -> str:
    """The key that verifies what is signed now, base64 of its 32 bytes."""
    raw = _key(settings.SECRET_KEY).public_key().public_bytes(
        serialization.Encoding.Raw, serialization.PublicFormat.Raw
    )  # fmt: skip
    return base64.b64encode(raw).decode()


def signed(document: bytes) -> bytes:
    """The document with its signature as the last line."""
    signature = _key(settings.SECRET_KEY).sign(document)
    return document + MARK + base64.b64encode(signature) + b"\n"


def is_ours(content: bytes) -> bool:
    """Whether this is a document of ours to the last byte."""
    document, mark, line = content.rpartition(MARK)
    if not mark or not line.endswith(b"\n"):
        return False
    try:
        signature = base64.b64decode(line[:-1], validate=True)
    except binascii.Error:
        return False
    return any(
        _verifies(secret, signature, document)
        for secret in (settings.SECRET_KEY, *map(str, settings.SECRET_KEY_FALLBACKS))
    )


def _verifies(secret: str, signature: bytes, document: bytes) -> bool:
    try:
        _key(secret).public_key().verify(signature, document)
    except InvalidSignature:
        return False
    return True
