"""The keys that a self-contained system makes for itself, once, and keeps beside its data."""

import secrets
from pathlib import Path

from retaildelivery.lib import vapid


def ensure(directory: Path) -> None:
    """Write `secret_key` and `vapid_private_key` into the data directory unless they are there; readable by their
    owner only."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, make in (("secret_key", _signing_key), ("vapid_private_key", vapid.new_key)):
        file = directory / name
        if file.exists() and file.read_text().strip():
            continue
        aside = directory / f"{name}.new"
        aside.touch(mode=0o600)
        aside.write_text(make() + "\n")
        aside.rename(file)


def _signing_key() -> str:
    return secrets.token_urlsafe(60)
