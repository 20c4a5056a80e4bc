"""Orders posted per second, beside a bare view doing one INSERT on the same server in the same run.

    python benchmarks/orders.py --seconds 10 --clients 8

Starts a PostgreSQL, a Redis and Granian of its own and takes them down again. The goal is a third of the bare view.
"""

import argparse
import datetime as dt
import http.client
import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.system import percentile, servers, web  # noqa: E402 -- the path is set first

GOAL = 1 / 3


def prepare() -> tuple[str, str]:
    """One seller with one store; its code and a key."""
    # Settings read the addresses of the servers, so nothing of Django may be loaded before those run.
    from django.db import connection  # noqa: PLC0415

    from retaildelivery.testing.sellers import make_trade  # noqa: PLC0415

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bare_row (id bigserial PRIMARY KEY, body text NOT NULL)")
    trade = make_trade()
    return trade.store.code, trade.secret


def order(store: str, number: int) -> bytes:
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    return json.dumps(
        {
            "store": store,
            "external_id": f"B-{number}",
            "window": {
                "start": (now + dt.timedelta(hours=2)).isoformat(),
                "end": (now + dt.timedelta(hours=4)).isoformat(),
            },
            "recipient": {"name": "Rosa Quintero", "phone": "+17025550148", "email": "rosa@example.com"},
            "dropoff": {
                "line1": "2212 Alta Drive",
                "city": "Las Vegas",
                "region": "NV",
                "postal_code": "89107",
                "latitude": 36.1673,
                "longitude": -115.1787,
            },
            "parcels": [{"size": "small", "grams": 800}, {"size": "large", "grams": 4200}],
        }
    ).encode()


def load(
    port: int,
    path: str,
    body: Callable[[int], bytes],
    *,
    wanted: int,
    key: str,
    clients: int,
    seconds: float,
    first: int,
) -> tuple[float, list[float]]:
    """Requests per second, and every latency in seconds, of so many clients that ask as fast as they are answered."""
    latencies: list[float] = []
    end = time.monotonic() + seconds

    def ask(client: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        number = first + client * 1_000_000
        while time.monotonic() < end:
            started = time.monotonic()
            number += 1
            connection.request("POST", path, body(number), headers)
            answer = connection.getresponse()
            content = answer.read()
            if answer.status != wanted:
                raise SystemExit(f"{path} answered {answer.status}: {content[:300]!r}")
            latencies.append(time.monotonic() - started)

    threads = [threading.Thread(target=ask, args=(client,)) for client in range(clients)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(latencies) / (time.monotonic() - started), sorted(latencies)


def measure(arguments: argparse.Namespace) -> float:
    """Prints both rates; returns their ratio."""
    store, key = prepare()
    with web("benchmarks.bare:application") as port:
        common = {"key": key, "clients": arguments.clients}
        rates: dict[str, list[float]] = {"bare": [], "order": []}
        for turn in range(arguments.turns + 1):
            # The first turn warms up. Turns alternate, so that a slow minute of the machine meets both.
            seconds = arguments.seconds / arguments.turns if turn else 1
            bare, _all = load(
                port,
                "/bare/insert",
                lambda n: order(store, n),
                wanted=200,
                first=turn,
                seconds=seconds,
                **common,
            )
            rate, late = load(
                port,
                "/api/v1/orders",
                lambda n: order(store, n),
                wanted=201,
                first=turn * 100_000,
                seconds=seconds,
                **common,
            )
            if turn:
                rates["bare"].append(bare)
                rates["order"].append(rate)
                print(
                    f"bare INSERT {bare:7.0f}/s   order {rate:7.0f}/s   ratio {rate / bare:.2f}   "
                    f"order p50 {percentile(late, 0.5) * 1000:.1f} ms, p95 {percentile(late, 0.95) * 1000:.1f} ms"
                )
        return sum(rates["order"]) / sum(rates["bare"])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--turns", type=int, default=5)
    arguments = parser.parse_args()
    with servers(API_REQUESTS_PER_MINUTE="10000000"):
        ratio = measure(arguments)
    print(f"ratio {ratio:.2f}, goal {GOAL:.2f}: {'reached' if ratio >= GOAL else 'missed'}")
    sys.exit(ratio < GOAL)


if __name__ == "__main__":
    main()
