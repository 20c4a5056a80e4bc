"""Codes that people read aloud, type and print, and secrets that nobody does."""

from __future__ import annotations

import contextlib
import hashlib
import random
import secrets
from collections.abc import Iterator
from contextvars import ContextVar

# No vowels, so that no code spells a word; none of 0 O 1 I L U, which are misread on a label in the sun.
ALPHABET = "23456789BCDFGHJKMNPQRSTVWXYZ"

# What a reader types for a look-alike. None of the keys is ever printed, so a key is always a misreading.
_LOOKALIKES = str.maketrans({"0": "Q", "O": "Q", "1": "J", "I": "J", "L": "J", "U": "V"})

_URLSAFE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

# Where codes come from: the system's randomness, unless somebody rehearses a day that is to repeat itself.
_rehearsed: ContextVar[random.Random | None] = ContextVar("codes_rehearsed", default=None)


@contextlib.contextmanager
def rehearsed(key: str) -> Iterator[None]:
    """Whatever is drawn inside follows from `key`, so it is no secret and the same every time. For sandboxes only."""
    seed = int.from_bytes(hashlib.sha256(key.encode()).digest())
    token = _rehearsed.set(random.Random(seed))  # noqa: S311 -- to be repeated is its purpose
    try:
        yield
    finally:
        _rehearsed.reset(token)


def _drawn(signs: str, length: int) -> str:
    rehearsal = _rehearsed.get()
    if rehearsal is not None:
        return "".join(rehearsal.choice(signs) for _ in range(length))
    # Asking the system is what takes time: bytes enough for the whole code at once, of which those are taken that
    # give every sign the same chance.
    fair = 256 - 256 % len(signs)
    found: list[str] = []
    while len(found) < length:
        found += [signs[byte % len(signs)] for byte in secrets.token_bytes(length + 8) if byte < fair]
    return "".join(found[:length])


def new_code(prefix: str = "", length: int = 8) -> str:
    """A random public code: `prefix` and then `length` characters of ALPHABET.

    Eight characters are 3.8e11 codes: a clash is rare but possible, so the column is unique and the caller
    tries again. Raises ValueError for a length below 1 and for a prefix that `normalise` would change, since
    such a code could never be found again by typing it.
    """
    if length < 1:
        raise ValueError("a code needs at least one character")
    if prefix and normalise(prefix) != prefix:
        raise ValueError(f"prefix {prefix!r} must be upper case without any of 0 O 1 I L U, spaces or dashes")
    return prefix + _drawn(ALPHABET, length)


def new_digits(length: int) -> str:
    """Random decimal digits for a PIN, leading zeros included. Raises ValueError for a length below 1."""
    if length < 1:
        raise ValueError("a PIN needs at least one digit")
    return _drawn("0123456789", length)


def new_token(size: int = 32) -> str:
    """A url-safe secret of `size` random bytes (32 bytes are 43 characters)."""
    if _rehearsed.get() is not None:
        # 64 signs of six bits each, as many as token_urlsafe gives.
        return _drawn(_URLSAFE, (size * 8 + 5) // 6)
    return secrets.token_urlsafe(size)


def normalise(text: str) -> str:
    """What was typed, said or scanned, as the code that was printed: upper case, no spaces or dashes."""
    kept = "".join(c for c in text.upper() if not c.isspace() and c not in "-‐‑‒–—_.")
    return kept.translate(_LOOKALIKES)
