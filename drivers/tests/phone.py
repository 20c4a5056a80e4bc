"""A phone and its push service on the loopback interface: takes what is sent, and opens it as a browser does."""

from __future__ import annotations

import base64
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.utils import timezone

from drivers import subscribing
from drivers.models import Driver, PushSubscription


def text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Phone:
    """Its browser's keys, what its push service answers (`status`; 0 hangs until the end), and what came."""

    def __init__(self, service: str, number: int) -> None:
        self.endpoint = f"{service}/send/{number}"
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.secret = os.urandom(16)
        self.status = 201
        self.requests: list[tuple[dict[str, str], bytes]] = []

    @property
    def keys(self) -> dict[str, str]:
        public = self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {"p256dh": text(public), "auth": text(self.secret)}

    @property
    def shown(self) -> list[dict[str, Any]]:
        return [
            json.loads(http_ece.decrypt(body, private_key=self.private, auth_secret=self.secret))
            for _headers, body in self.requests
        ]

    def of(self, driver: Driver, *, user_agent: str = "Chrome Android") -> PushSubscription:
        return subscribing.subscribe(
            driver_id=driver.pk, endpoint=self.endpoint, user_agent=user_agent, at=timezone.now(), **self.keys
        )


class PushService:
    def __init__(self) -> None:
        self.phones: dict[str, Phone] = {}
        self.over = threading.Event()
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                phone = service.phones[self.path]
                body = self.rfile.read(int(self.headers["Content-Length"]))
                phone.requests.append((dict(self.headers), body))
                if phone.status == 0:
                    service.over.wait(30)
                    return
                self.send_response(phone.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def phone(self) -> Phone:
        made = Phone(self.url, len(self.phones) + 1)
        self.phones[made.endpoint.removeprefix(self.url)] = made
        return made


@contextmanager
def running() -> Iterator[PushService]:
    service = PushService()
    thread = threading.Thread(
        target=service.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
    )
    thread.start()
    try:
        yield service
    finally:
        service.over.set()
        service.server.shutdown()
        service.server.server_close()
        thread.join()
