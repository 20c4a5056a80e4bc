"""One question to a road server of the operator's: bounded in time and bytes, to no address they did not allow."""

from __future__ import annotations

import ipaddress
import json
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

import requests
import urllib3
from django.conf import settings

from offers import limits
from retaildelivery.lib.geo import Point
from retaildelivery.web import guard

USER_AGENT = "retail-delivery-planner/1"
CHUNK_BYTES = 65_536
HTTP_ERRORS_FROM = 400

# (seconds, metres) of a way that a server knows, None where it knows none.
Cell = tuple[int, int] | None


class ServerTrouble(Exception):
    """The road server gave no table; `code` says why, as plans and pages name it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class AskForLess(Exception):
    """No answer to this many places at once: beyond the server's own limit, or one place spoils it for all."""


@dataclass(slots=True)
class Deadline:
    """The moment, by the process's own clock, after which nothing more is asked."""

    until: float = field(default_factory=lambda: time.monotonic() + limits.TRAVEL_SECONDS)

    def left(self) -> float:
        """Seconds that remain. Raises ServerTrouble when none do."""
        seconds = self.until - time.monotonic()
        if seconds <= 0:
            raise ServerTrouble("travel_server_slow")
        return seconds


class RoadServer(Protocol):
    """A server that knows roads. `provider` and `profile` name its answers in the table of pairs; `side` is how
    many places it is asked for at once in each direction."""

    @property
    def provider(self) -> str: ...

    @property
    def profile(self) -> str: ...

    @property
    def side(self) -> int: ...

    def table(self, origins: Sequence[Point], goals: Sequence[Point], *, by: Deadline) -> list[list[Cell]]:
        """Ways from each origin to each goal. Raises ServerTrouble, AskForLess."""


def ask(method: str, url: str, *, by: Deadline, body: dict[str, Any] | None = None) -> tuple[int, Any]:
    """Status and JSON of the answer. Raises ServerTrouble."""
    refuse_private(url)
    connect = min(limits.TRAVEL_CONNECT, by.left())
    try:
        with requests.request(
            method,
            url,
            json=body,
            headers={"User-Agent": USER_AGENT, "Accept": "application/json"},
            timeout=(connect, by.left()),
            allow_redirects=False,
            stream=True,
        ) as answer:
            return answer.status_code, json.loads(_content(answer, by))
    except (requests.Timeout, urllib3.exceptions.TimeoutError) as error:
        raise ServerTrouble("travel_server_slow") from error
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise ServerTrouble("travel_server_down") from error
    except ValueError as error:
        raise ServerTrouble("travel_server_nonsense") from error


def _content(answer: requests.Response, by: Deadline) -> bytes:
    """The body, as far as the time and the bound on bytes go: a time-out of requests counts each read anew."""
    parts, size = [], 0
    # Not `iter_content`: that waits until a whole chunk is there, however slowly it comes.
    while part := answer.raw.read1(CHUNK_BYTES, decode_content=True):
        by.left()
        size += len(part)
        if size > limits.TRAVEL_ANSWER_BYTES:
            raise ServerTrouble("travel_server_nonsense")
        parts.append(part)
    return b"".join(parts)


def refuse_private(url: str) -> None:
    """Only public addresses, unless the operator says that the server is their own. Raises ServerTrouble."""
    if settings.TRAVEL_ALLOW_PRIVATE:
        return
    parts = urlsplit(url)
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
    except OSError as error:
        raise ServerTrouble("travel_server_down") from error
    if not all(guard.is_public(ipaddress.ip_address(str(info[4][0]).split("%")[0])) for info in found):
        raise ServerTrouble("travel_server_private")
