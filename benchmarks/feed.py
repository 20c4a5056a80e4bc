"""The offer feed: an unchanged one beside a view that answers "ok", and thousands of drivers who poll while a price
steps.

    python benchmarks/feed.py --drivers 10000

Starts a PostgreSQL, a Redis and Granian of its own and takes them down again. Goals: an unchanged feed (304) at half
of the bare view's requests a second at least; with every driver polling every ten seconds and one price step, the
95th percentile below 100 ms and everybody shown the new price within one poll.
"""

import argparse
import datetime as dt
import json
import selectors
import sys
import time
from collections import Counter, deque
from http import HTTPStatus
from typing import Any

from market import Answer, Client, at_full_speed, finish, make_blocks, make_drivers, make_mall, request
from system import percentile, servers, web

GOAL = 0.5
PATH = "/api/v1/driver/offers"
P95_MS = 100
HOUR = dt.timedelta(hours=1)


def etag_of(answer: Answer) -> str:
    for line in answer.headers.split(b"\r\n"):
        if line[:5].lower() == b"etag:":
            return line[5:].strip().decode()
    return ""


def unchanged(port: int, token: str, *, clients: int, seconds: float, turns: int) -> dict[str, Any]:
    """304 beside "ok", in turns."""
    client = Client(port)
    tag = etag_of(client.ask(request("GET", PATH, token=token)))
    client.close()
    poll = request("GET", PATH, token=token, headers=f"If-None-Match: {tag}\r\n")
    bare = request("GET", "/bare/ok")
    rates: dict[str, list[float]] = {"ok": [], "304": []}
    statuses: set[int] = set()
    for turn in range(turns + 1):
        common: dict[str, Any] = {"clients": clients, "seconds": seconds / turns if turn else 0.5}
        ok, _answers = at_full_speed(port, next_request=lambda: bare, **common)
        rate, answers = at_full_speed(port, next_request=lambda: poll, **common)
        if turn:
            rates["ok"].append(ok)
            rates["304"].append(rate)
            statuses |= {answer.status for answer in answers}
    mean = {name: sum(values) / len(values) for name, values in rates.items()}
    return {
        "ok_per_s": round(mean["ok"]),
        "unchanged_per_s": round(mean["304"]),
        "ratio": round(mean["304"] / mean["ok"], 2),
        "statuses": sorted(statuses),
    }


class Crowd:
    """Every driver polls every so many seconds, spread evenly, and keeps the ETag of the last answer. One thread serves
    all connections, so that the processors are the server's; what was answered is read afterwards."""

    def __init__(self, port: int, tokens: list[str], *, every: float, connections: int) -> None:
        self.tokens, self.every = tokens, every
        self.clients = [Client(port) for _ in range(connections)]
        self.tags = [""] * len(tokens)
        self.prices = [0] * len(tokens)
        self.latencies: list[float] = []
        self.statuses: dict[int, int] = {}

    def run(self, rounds: float) -> None:
        """So many polls of every driver."""
        count, pause = int(rounds * len(self.tokens)), self.every / len(self.tokens)
        answered: list[tuple[int, Answer]] = []
        self.latencies = []
        idle, turn = deque(self.clients), 0
        with selectors.DefaultSelector() as waiting:
            started = time.perf_counter()
            while turn < count or len(idle) < len(self.clients):
                due = started + turn * pause
                while turn < count and idle and due <= time.perf_counter():
                    place, client = turn % len(self.tokens), idle.popleft()
                    client.send(self.poll_of(place))
                    waiting.register(client.socket, selectors.EVENT_READ, (client, place, due))
                    turn += 1
                    due = started + turn * pause
                # With no connection left the next poll waits, and that wait is counted as the driver felt it.
                wait = max(0.0, due - time.perf_counter()) if idle and turn < count else None
                for key, _events in waiting.select(wait):
                    client, place, was_due = key.data
                    answered.append((place, client.receive()))
                    self.latencies.append(time.perf_counter() - was_due)
                    waiting.unregister(client.socket)
                    idle.append(client)
        self.statuses = dict(Counter(answer.status for _place, answer in answered))
        for place, answer in answered:
            self.note(place, answer)

    def poll_of(self, place: int) -> bytes:
        tag = self.tags[place]
        header = f"If-None-Match: {tag}\r\n" if tag else ""
        return request("GET", PATH, token=self.tokens[place], headers=header)

    def note(self, place: int, answer: Answer) -> None:
        if answer.status == HTTPStatus.OK:
            self.tags[place] = etag_of(answer)
            self.prices[place] = max(row["hourly"]["cents"] for row in json.loads(answer.body)["results"])


def step(code: str) -> int:
    """The next step of the ladder, now, by the sweep's verb; the new price an hour."""
    from django.utils import timezone  # noqa: PLC0415

    from offers import expiry  # noqa: PLC0415
    from offers.models import Offer  # noqa: PLC0415

    at = timezone.now()
    offer = Offer.objects.get(code=code)
    ladder = offer.ladder
    ladder[0]["at"] = at.isoformat()
    Offer.objects.filter(pk=offer.pk).update(closes_at=at, ladder=ladder)
    expiry.end(offer_id=offer.pk, at=at)
    return int(Offer.objects.get(block=offer.block_id, status="open").hourly_cents)


def crowd(port: int, tokens: list[str], code: str, arguments: argparse.Namespace) -> dict[str, Any]:
    people = Crowd(port, tokens, every=arguments.every, connections=arguments.connections)
    # Everybody has looked once, at a pace the server can serve in full, before anything is counted.
    people.every = max(arguments.every, len(tokens) / arguments.first_looks)
    people.run(1)
    people.every = arguments.every
    people.run(1)
    before, quiet = sorted(people.latencies), dict(people.statuses)
    price = step(code)
    people.run(1)
    after = sorted(people.latencies)
    return {
        "drivers": len(tokens),
        "poll_every_s": arguments.every,
        "quiet": {"statuses": quiet, "p50_ms": ms(before, 0.5), "p95_ms": ms(before, 0.95)},
        "step": {"statuses": people.statuses, "p50_ms": ms(after, 0.5), "p95_ms": ms(after, 0.95)},
        "saw_the_new_price_within_one_poll": sum(seen == price for seen in people.prices),
    }


def ms(latencies: list[float], share: float) -> float:
    return round(1000 * percentile(latencies, share), 1)


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    from django.utils import timezone  # noqa: PLC0415

    at = timezone.now()
    mall = make_mall(draws=False)
    tokens = make_drivers(arguments.drivers, at=at)
    code = make_blocks(mall, 5, at=at, starts_in=3 * HOUR)[0]
    with web("benchmarks.bare:application") as port:
        still = unchanged(port, tokens[0], clients=8, seconds=arguments.seconds, turns=3)
        print(still)
        polled = crowd(port, tokens, code, arguments)
    reached = (
        still["ratio"] >= GOAL
        and still["statuses"] == [304]
        and polled["step"]["p95_ms"] < P95_MS
        and polled["saw_the_new_price_within_one_poll"] == arguments.drivers
    )
    return {"benchmark": "feed", "unchanged": still, "crowd": polled, "reached": reached}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--drivers", type=int, default=10_000)
    parser.add_argument("--every", type=float, default=10.0, help="seconds between two polls of a driver")
    parser.add_argument(
        "--first-looks", type=float, default=150, help="a second, of drivers who have no ETag yet"
    )
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=6)
    arguments = parser.parse_args()
    with servers(API_REQUESTS_PER_MINUTE="10000000"):
        result = measure(arguments)
    finish(result)
    sys.exit(not result["reached"])


if __name__ == "__main__":
    main()
