"""From a fact to the webhook at its receiver, at a steady rate of facts, with one endpoint in ten dead.

    python benchmarks/webhooks.py --rate 100 --seconds 30

Starts a PostgreSQL, a Redis, a worker and beat of its own, and receivers on the loopback interface. Ten sellers have
an endpoint each; the dead one accepts connections and never answers, the worst kind there is. The time counts from the
commit's request to the first byte at the receiver. The goal: p50 under 250 ms, p95 under 1 s. The last line is JSON.
"""

import argparse
import contextlib
import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import system

GOAL_P50, GOAL_P95 = 0.25, 1.0
SELLERS = 10


class Arrivals:
    """When each event came, by its id."""

    def __init__(self) -> None:
        self.at: dict[str, float] = {}
        self.twice = 0

    def note(self, event: str, now: float) -> None:
        if event in self.at:
            self.twice += 1
        self.at.setdefault(event, now)


@contextlib.contextmanager
def receiver(arrivals: Arrivals) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            arrivals.note(self.headers["webhook-id"], time.monotonic())
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            return

    class Server(ThreadingHTTPServer):
        request_queue_size = 256
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/hook"
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def dead() -> Iterator[str]:
    """Takes connections into its queue and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/hook"


def sellers(urls: list[str]) -> list[Any]:
    """A seller for each URL, with an endpoint that has shown whose it is."""
    from django.utils import timezone  # noqa: PLC0415 -- only after the settings

    from stores.models import Seller, WebhookEndpoint  # noqa: PLC0415
    from stores.webhooks import signing  # noqa: PLC0415

    made, now = [], timezone.now()
    for number, url in enumerate(urls):
        seller = Seller.objects.create(name=f"Seller {number}", email=f"it{number}@example.com")
        WebhookEndpoint.objects.create(
            seller=seller, url=url, secret=signing.new_secret(), created_at=now, verified_at=now
        )
        made.append(seller)
    return made


def happen(seller: Any, number: int) -> str:
    """A fact as an order records it; the id under which it will come."""
    from django.db import transaction  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from retaildelivery.outbox import recording  # noqa: PLC0415

    with transaction.atomic():
        fact = recording.record(
            recording.Happening(
                name="order.en_route",
                at=timezone.now(),
                subjects=[f"seller:{seller.code}", f"order:BENCH{number}"],
                actor=recording.SYSTEM,
                data={"order": {"code": f"BENCH{number}", "status": "en_route", "padding": "x" * 1500}},
                seller_code=seller.code,
                sequence=number,
            )
        )
    return str(fact.code)


def drive(made: list[Any], *, rate: float, seconds: float, threads: int = 4) -> dict[str, tuple[float, int]]:
    """Facts at this rate, spread over the sellers; when each was asked for, and whose it is."""
    begun: dict[str, tuple[float, int]] = {}
    start, total = time.monotonic() + 0.2, int(rate * seconds)

    def run(first: int) -> None:
        for number in range(first, total, threads):
            time.sleep(max(0.0, start + number / rate - time.monotonic()))
            now = time.monotonic()
            begun[happen(made[number % len(made)], number)] = (now, number % len(made))

    workers = [threading.Thread(target=run, args=(first,)) for first in range(threads)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    return begun


def measure(*, rate: float, seconds: float) -> dict[str, Any]:
    arrivals = Arrivals()
    with contextlib.ExitStack() as stack:
        urls = [stack.enter_context(receiver(arrivals)) for _each in range(SELLERS - 1)]
        made = sellers([stack.enter_context(dead()), *urls])
        stack.enter_context(system.worker("relay", "webhooks", "notices", "sweeps"))
        stack.enter_context(system.beat())
        # The first events find the worker up and its imports done, and the dead endpoint known as failing.
        warm = drive(made, rate=10, seconds=12)
        begun = drive(made, rate=rate, seconds=seconds)
        wanted = {event for event, (_at, whose) in begun.items() if whose}
        end = time.monotonic() + 30
        while wanted - arrivals.at.keys() and time.monotonic() < end:
            time.sleep(0.1)
    late = sorted(arrivals.at[event] - begun[event][0] for event in wanted & arrivals.at.keys())
    first = min(at for at, _whose in begun.values())
    return {
        "benchmark": "webhooks",
        "facts": len(begun),
        "facts_per_second": round(len(begun) / (max(at for at, _w in begun.values()) - first), 1),
        "endpoints": SELLERS,
        "dead_endpoints": 1,
        "webhooks_due": len(wanted),
        "webhooks_missing": len(wanted - arrivals.at.keys()),
        "webhooks_sent_twice": arrivals.twice,
        "warm_up": len(warm),
        "p50_ms": round(system.percentile(late, 0.5) * 1000),
        "p95_ms": round(system.percentile(late, 0.95) * 1000),
        "p99_ms": round(system.percentile(late, 0.99) * 1000),
        "goal_p50_ms": GOAL_P50 * 1000,
        "goal_p95_ms": GOAL_P95 * 1000,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--seconds", type=float, default=30)
    arguments = parser.parse_args()
    with system.servers(WEBHOOKS_ALLOW_PRIVATE="on"):
        found = measure(rate=arguments.rate, seconds=arguments.seconds)
    print(json.dumps(found))
    missed = found["p50_ms"] > GOAL_P50 * 1000 or found["p95_ms"] > GOAL_P95 * 1000
    sys.exit(bool(missed or found["webhooks_missing"]))


if __name__ == "__main__":
    main()
