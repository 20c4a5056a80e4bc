"""The signing key that a self-contained system makes for itself, once, and keeps beside its data."""

import secrets
from pathlib import Path


def ensure_secret_key(directory: Path) -> None:
    """Write `secret_key` into the data directory unless it is there; readable by its owner only."""
    file = directory / "secret_key"
    directory.mkdir(parents=True, exist_ok=True)
    if file.exists() and file.read_text().strip():
        return
    aside = directory / "secret_key.new"
    aside.touch(mode=0o600)
    aside.write_text(secrets.token_urlsafe(60) + "\n")
    aside.rename(file)
