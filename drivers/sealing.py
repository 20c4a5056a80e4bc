"""Bank details at rest: encrypted with a key of the environment, shown masked, compared by a keyed digest."""

from __future__ import annotations

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings


def _fernet() -> MultiFernet:
    """The first key seals, every key opens: a new one is put in front and the old one stays behind it."""
    return MultiFernet([Fernet(_key(secret)) for secret in settings.PAYOUT_KEYS])


def _key(secret: str) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(f"bank details:{secret}".encode()).digest())


def seal(text: str) -> str:
    return _fernet().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    return _fernet().decrypt(sealed.encode()).decode()


def digest(text: str) -> str:
    """What equal texts have in common, and nobody without the key can try numbers against: HMAC-SHA256 by the first
    key, after a name of that key."""
    secret = settings.PAYOUT_KEYS[0]
    key = hashlib.sha256(f"likeness of bank details:{secret}".encode()).digest()
    return f"{digests_by()}{hmac.new(key, text.encode(), hashlib.sha256).hexdigest()}"


def digests_by() -> str:
    """How digests by the present key begin; others were made by a key that was replaced since."""
    name = hashlib.sha256(f"name of the key of digests:{settings.PAYOUT_KEYS[0]}".encode()).hexdigest()
    return f"{name[:8]}:"
