"""Bank details at rest: encrypted with a key of the environment, shown masked."""

from __future__ import annotations

import base64
import hashlib

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
