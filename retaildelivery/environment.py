"""Typed reading of the environment: every wrong value is an error that names its variable and the mend.

A variable is looked up in the process environment, then (secrets only) in the file that `NAME_FILE` points
to, then in what a running `manage.py up` has left for commands started beside it. An empty value counts
as absent.
"""

import functools
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import environ
from django.core.exceptions import ImproperlyConfigured

from retaildelivery.lib import vapid

BASE_DIR = Path(__file__).resolve().parent.parent

_env = environ.Env()
_T = TypeVar("_T")

_TRUE = {"1", "true", "yes", "on", "y"}
_FALSE = {"0", "false", "no", "off", "n"}


def data_dir() -> Path:
    """Where the embedded servers, uploads and generated secrets live; `DATA_DIR`, else `var/` here."""
    return Path(os.environ.get("DATA_DIR") or BASE_DIR / "var").absolute()


def read_dotenv() -> None:
    """Load `.env` beside manage.py, if there is one; the real environment wins over it."""
    if (BASE_DIR / ".env").is_file():
        environ.Env.read_env(str(BASE_DIR / ".env"))


@functools.cache
def _of_running_system() -> dict[str, str]:
    """The addresses and the key of the `manage.py up` at work on this data directory, or nothing."""
    try:
        found = json.loads((data_dir() / "run" / "environment.json").read_text())
    except (OSError, ValueError):
        return {}
    return {str(name): str(value) for name, value in found.items()}


def _wrong(name: str, value: str, mend: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{name}={value!r} cannot be used: {mend}")


def text(name: str, default: str = "") -> str:
    return os.environ.get(name) or _of_running_system().get(name) or default


def secret(name: str) -> str:
    """The value of `name`, or the contents of the file named by `name_FILE` (as container secrets come)."""
    path = os.environ.get(f"{name}_FILE")
    if path and not os.environ.get(name):
        try:
            return Path(path).read_text().strip()
        except OSError as error:
            raise _wrong(f"{name}_FILE", path, f"it must name a readable file ({error.strerror}).") from error
    return text(name)


def kept(name: str) -> str:
    """A key that `manage.py up` made for this data directory, if it ever ran here."""
    try:
        return (data_dir() / name).read_text().strip()
    except OSError:
        return ""


def switch(name: str, default: bool) -> bool:
    value = text(name).strip().lower()
    if value and value not in _TRUE | _FALSE:
        raise _wrong(name, value, "write on or off.")
    return value in _TRUE if value else default


def number(name: str, default: int, *, least: int, most: int) -> int:
    value = text(name).strip()
    if not value:
        return default
    if not (value.isascii() and value.isdigit() and least <= int(value) <= most):
        raise _wrong(name, value, f"write a whole number from {least} to {most}.")
    return int(value)


def choice(name: str, default: str, options: tuple[str, ...]) -> str:
    value = text(name, default).strip()
    matches = [option for option in options if option.lower() == value.lower()]
    if not matches:
        raise _wrong(name, value, f"write one of {', '.join(options)}.")
    return matches[0]


def words(name: str, default: list[str] | None = None) -> list[str]:
    """A comma-separated list."""
    return [word.strip() for word in text(name).split(",") if word.strip()] or list(default or [])


def path(name: str, default: Path) -> Path:
    return Path(text(name)).expanduser().absolute() if text(name) else default


def web_url(name: str, default: str) -> str:
    """An absolute http(s) address without a trailing slash."""
    value = text(name, default).rstrip("/")
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _wrong(name, value, "write a full address such as https://delivery.example.com.")
    return value


def time_zone(name: str, default: str) -> str:
    value = text(name, default)
    try:
        return ZoneInfo(value).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise _wrong(name, value, "write a zone of the tz database, such as America/Phoenix.") from error


def address_with_port(name: str, value: str, mend: str) -> str:
    """`value` when it reads as a URL with a usable host and port; the password stays out of the error."""
    try:
        parts = urlsplit(value)
        usable = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable:
        raise ImproperlyConfigured(f"{name} cannot be used: {mend}")
    return value


def database(name: str, default: str, *, password: str) -> dict[str, Any]:
    """Django's dictionary for one PostgreSQL; the variable `password` serves a URL that carries none."""
    mend = "write postgres://user:password@host:5432/name."
    value = secret(name) or default
    if not value.startswith(("postgres://", "postgresql://")):
        raise ImproperlyConfigured(f"{name} cannot be used: only PostgreSQL will do, {mend}")
    if "@%2F" not in value.upper():
        address_with_port(name, value, mend)
    found = _parsed(name, lambda: dict(_env.db_url_config(value)), mend)
    if not found.get("NAME"):
        raise ImproperlyConfigured(f"{name} names no database: {mend}")
    return {**found, "PASSWORD": found.get("PASSWORD") or secret(password)}


def redis(name: str, default: str) -> str:
    mend = "write redis://:password@host:6379/0 (or rediss:// for TLS)."
    value = secret(name) or default
    if not value.startswith(("redis://", "rediss://")):
        raise ImproperlyConfigured(f"{name} cannot be used: {mend}")
    return address_with_port(name, value, mend)


def mail(name: str) -> dict[str, Any]:
    """Django's EMAIL_* settings from one URL; empty when messages are only to be stored."""
    mend = "write smtp+tls://user:password@host:587, or leave it empty to store messages."
    value = secret(name)
    if not value:
        return {}
    if not value.startswith(("smtp://", "smtps://", "smtp+tls://", "smtp+ssl://")):
        raise ImproperlyConfigured(f"{name} cannot be used: {mend}")
    address_with_port(name, value, mend)
    return _parsed(name, lambda: dict(_env.email_url_config(value)), mend)


def push_key(name: str) -> str:
    """A VAPID private key, or nothing: then nobody is notified on a phone. The key itself stays out of the error."""
    value = secret(name) or kept(name.lower())
    mend = "write what `manage.py vapid_keys` prints, or leave it empty."
    if value:
        _parsed(name, lambda: vapid.public_key(value), mend)
    return value


def _parsed(name: str, parse: Callable[[], _T], mend: str) -> _T:
    try:
        return parse()
    except (ValueError, KeyError, ImproperlyConfigured) as error:
        raise ImproperlyConfigured(f"{name} cannot be used: {mend}") from error
