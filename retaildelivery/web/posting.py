"""One HTTP request to somebody else's server: pinned to one address, no redirects, an end to everything."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

from retaildelivery.web.guard import Target

READ_AT_ONCE = 4096


@dataclass(frozen=True, slots=True)
class Bounds:
    """Seconds to take the connection, seconds for all of it, and the most bytes of the answer that are read."""

    connect: float
    total: float
    answer_bytes: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came back: a `status` with the first bytes of the answer, or a `failure` (one word); `seconds`."""

    status: int | None
    failure: str
    response: str
    seconds: float

    @property
    def is_success(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def post(target: Target, *, body: bytes, headers: Mapping[str, str], bounds: Bounds) -> Outcome:
    """Send, and read what comes back up to the bounds. Never raises for what the other side does."""
    return _request("POST", target, body=body, headers=headers, bounds=bounds)


def get(target: Target, *, headers: Mapping[str, str], bounds: Bounds) -> Outcome:
    """Ask, and read what comes back, under the same rules as `post`."""
    return _request("GET", target, body=None, headers=headers, bounds=bounds)


def _request(
    method: str, target: Target, *, body: bytes | None, headers: Mapping[str, str], bounds: Bounds
) -> Outcome:
    started = time.monotonic()
    try:
        status, text = _exchange(method, target, body=body, headers=headers, bounds=bounds)
    except TimeoutError:
        return Outcome(None, "timeout", "", time.monotonic() - started)
    except ssl.SSLError as error:
        return Outcome(None, "tls_error", str(error)[:200], time.monotonic() - started)
    except ConnectionRefusedError:
        return Outcome(None, "connection_refused", "", time.monotonic() - started)
    except (OSError, http.client.HTTPException, ValueError) as error:
        spent = time.monotonic() - started
        late = spent >= bounds.total
        return Outcome(None, "timeout" if late else "connection_error", str(error)[:200], spent)
    return Outcome(status, "", text, time.monotonic() - started)


def _exchange(
    method: str, target: Target, *, body: bytes | None, headers: Mapping[str, str], bounds: Bounds
) -> tuple[int, str]:
    raw = socket.create_connection((target.address, target.port), timeout=bounds.connect)
    # A receiver that trickles one byte a second never runs into a socket's own time-out; the plug is pulled.
    pulled = threading.Event()
    plug = threading.Timer(bounds.total, _pull, args=(raw, pulled))
    plug.daemon = True
    plug.start()
    try:
        raw.settimeout(bounds.total)
        wire = raw
        if target.secure:
            wire = ssl.create_default_context().wrap_socket(raw, server_hostname=target.host)
        connection = http.client.HTTPConnection(target.host, target.port, timeout=bounds.total)
        connection.sock = wire
        connection.request(
            method,
            target.path,
            body=body,
            headers={"Host": target.host_header, "Connection": "close", **headers},
        )
        answer = connection.getresponse()
        if pulled.is_set():
            # Half a first line reads like a whole one once nothing more comes.
            raise TimeoutError
        return answer.status, _read(answer, bounds.answer_bytes)
    finally:
        plug.cancel()
        raw.close()


def _pull(raw: socket.socket, pulled: threading.Event) -> None:
    pulled.set()
    try:
        raw.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


def _read(answer: http.client.HTTPResponse, most: int) -> str:
    """The first bytes of the answer as text that can be stored."""
    kept = bytearray()
    while len(kept) < most:
        chunk = answer.read1(min(READ_AT_ONCE, most - len(kept)))
        if not chunk:
            break
        kept += chunk
    return kept.decode("utf-8", "replace").replace("\0", "�")
