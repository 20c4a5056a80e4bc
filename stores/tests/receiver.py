"""A real HTTP server on the loopback interface that plays a seller's receiver."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import BinaryIO
from urllib.parse import parse_qs, urlsplit


@dataclass
class Receiver:
    """What it got, and how it answers: `status`, `body`, extra `headers`, after `delay` seconds.

    One that `trickles` its "head" or its "body" sends a byte at a time, for as long as anybody listens.

    A GET with `?check=` is answered with the text of it, or with `check_answer` where that is given."""

    status: int = 200
    body: bytes = b"ok"
    delay: float = 0.0
    trickles: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    check_answer: bytes | None = None
    got: list[tuple[str, dict[str, str], str]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def ids(self) -> list[str]:
        return [headers["webhook-id"] for _path, headers, _body in self.got]


BEGINNINGS = {"head": b"HTTP/1.1 200 O", "body": b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"}


def trickle(wire: BinaryIO) -> None:
    with suppress(OSError):
        while True:
            wire.write(b"x")
            time.sleep(0.02)


@contextmanager
def listening(**options: object) -> Iterator[Receiver]:
    receiver = Receiver(**options)  # type: ignore[arg-type]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length).decode()
            receiver.got.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            time.sleep(receiver.delay)
            if receiver.trickles:
                self.wfile.write(BEGINNINGS[receiver.trickles])
                trickle(self.wfile)
                return
            self.send_response(receiver.status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(receiver.body)))
            self.end_headers()
            # A sender that has read enough, or waited enough, hangs up.
            with suppress(BrokenPipeError):
                self.wfile.write(receiver.body)

        def do_GET(self) -> None:
            asked = parse_qs(urlsplit(self.path).query).get("check", [""])[0].encode()
            answer = asked if receiver.check_answer is None else receiver.check_answer
            self.send_response(receiver.status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
