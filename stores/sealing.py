"""Secrets that we must be able to read again, such as those that sign for a caller: never in clear in the database.

The key follows from the installation's secret; secrets of before still open what they sealed.
"""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


def _key(secret: str) -> Fernet:
    derived = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"stores.sealing")
    return Fernet(base64.urlsafe_b64encode(derived.derive(secret.encode())))


def _keys() -> MultiFernet:
    return MultiFernet([_key(settings.SECRET_KEY), *map(_key, map(str, settings.SECRET_KEY_FALLBACKS))])


def seal(text: str) -> str:
    return _keys().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """Raises cryptography.fernet.InvalidToken when no secret of ours sealed it."""
    return _keys().decrypt(sealed.encode()).decode()
