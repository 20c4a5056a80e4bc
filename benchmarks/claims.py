"""Claims a second through the full stack, beside a bare view that does one conditional UPDATE on the same server.

    python benchmarks/claims.py --seconds 5

Three things are measured: claims that all win; a race, in which sixty drivers want each block; and 300 claims at
once on five blocks. Starts a PostgreSQL, a Redis and Granian of its own and takes them down again. Goal: at least half
of the bare view's requests a second, and the 300 answered within a second, five of them with the block.
"""

import argparse
import datetime as dt
import itertools
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable

from market import (
    Answer,
    all_at_once,
    at_full_speed,
    finish,
    make_blocks,
    make_drivers,
    make_mall,
    quantiles,
    request,
)
from system import servers, web

GOAL = 0.5
CONTENDERS = 60  # as many as 300 on five blocks
BURST, BURST_BLOCKS, BURST_WITHIN_S = 300, 5, 1.0
MINUTE = dt.timedelta(minutes=1)


def once(items: Iterable[bytes]) -> Callable[[], bytes | None]:
    """Hands out each item once, to any thread; then None."""
    lock, rest = threading.Lock(), iter(items)

    def take() -> bytes | None:
        with lock:
            return next(rest, None)

    return take


def claim(offer: str, token: str) -> bytes:
    return request("PUT", f"/api/v1/driver/offers/{offer}/claim", token=token, body=b"{}")


def known(tokens: list[str]) -> None:
    """The drivers have looked at their feeds lately, as apps do that show offers."""
    from drivers.models import DriverToken  # noqa: PLC0415
    from drivers.tokens import digest_of  # noqa: PLC0415
    from offers import latecomers  # noqa: PLC0415

    by_digest = {token.digest: token for token in DriverToken.objects.select_related("driver")}
    for secret in tokens:
        latecomers.keep_known(secret, by_digest[digest_of(secret)].driver)


def statuses(answers: list[Answer]) -> dict[str, int]:
    return {str(status): count for status, count in sorted(Counter(a.status for a in answers).items())}


def measure(arguments: argparse.Namespace) -> dict[str, object]:
    from django.db import connection  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    at = timezone.now()
    mall = make_mall(draws=False)
    turns = arguments.turns
    wins = int(arguments.seconds * arguments.most / turns)
    rushes = 2 + int(arguments.seconds * arguments.race / BURST)
    groups = rushes * BURST_BLOCKS
    tokens = make_drivers(wins * turns + 50, at=at)
    racers = make_drivers(groups * CONTENDERS, at=at)
    known(racers)
    offers = make_blocks(mall, wins * turns + 50, at=at, starts_in=180 * MINUTE)
    races = make_blocks(mall, groups, at=at, starts_in=180 * MINUTE)
    burst = make_blocks(mall, BURST_BLOCKS, at=at, starts_in=48 * 60 * MINUTE)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bare_block (id bigint PRIMARY KEY, status text NOT NULL)")
        cursor.execute("INSERT INTO bare_block SELECT n, 'offered' FROM generate_series(1, 1000000) n")
        cursor.execute("VACUUM ANALYZE")
    connection.close()
    numbers = itertools.count(1)
    bare = lambda: request("PUT", f"/bare/update/{next(numbers)}", body=b"{}")  # noqa: E731
    win = once([claim(offer, token) for offer, token in zip(offers, tokens, strict=False)])
    # As in the rush at once: five blocks are out at a time, and sixty drivers want each.
    contend = once(
        [
            claim(races[first + n], racers[(first + n) * CONTENDERS + place])
            for first in range(0, groups, BURST_BLOCKS)
            for place in range(CONTENDERS)
            for n in range(BURST_BLOCKS)
        ]
    )
    rates: dict[str, list[float]] = {"bare": [], "wins": [], "race": []}
    won: list[Answer] = []
    raced: list[Answer] = []
    with web("benchmarks.bare:application") as port:
        common = {"clients": arguments.clients, "seconds": arguments.seconds / turns}
        at_full_speed(port, clients=arguments.clients, seconds=1, next_request=bare)
        at_full_speed(
            port, clients=arguments.clients, seconds=1, next_request=once([win() for _ in range(50)])
        )
        at_full_speed(
            port, clients=arguments.clients, seconds=1, next_request=once([contend() for _ in range(200)])
        )
        for _turn in range(turns):
            # Turns alternate, so that a slow minute of the machine meets all.
            rates["bare"].append(at_full_speed(port, next_request=bare, **common)[0])
            rate, answers = at_full_speed(port, next_request=win, **common)
            rates["wins"].append(rate)
            won += answers
            rate, answers = at_full_speed(port, next_request=contend, **common)
            rates["race"].append(rate)
            raced += answers
            print("  ".join(f"{name} {values[-1]:.0f}/s" for name, values in rates.items()))
        at_once = all_at_once(
            port, [claim(burst[place % BURST_BLOCKS], racers[-1 - place]) for place in range(BURST)]
        )
    mean = {name: sum(values) / len(values) for name, values in rates.items()}
    winners = sum(answer.status == 200 for answer in at_once)
    return {
        "benchmark": "claims",
        "bare_per_s": round(mean["bare"]),
        "wins_per_s": round(mean["wins"]),
        "race_per_s": round(mean["race"]),
        "ratio_wins": round(mean["wins"] / mean["bare"], 2),
        "ratio": round(mean["race"] / mean["bare"], 2),
        "wins": {"statuses": statuses(won), **quantiles(won)},
        "race": {"contenders": CONTENDERS, "statuses": statuses(raced), **quantiles(raced)},
        "at_once": {
            "claims": BURST,
            "blocks": BURST_BLOCKS,
            "winners": winners,
            "statuses": statuses(at_once),
            **quantiles(at_once),
        },
        "goal_ratio": GOAL,
        "reached": mean["race"] / mean["bare"] >= GOAL
        and winners == BURST_BLOCKS
        and not any(answer.status >= 500 for answer in [*won, *raced, *at_once])
        and max(answer.took for answer in at_once) < BURST_WITHIN_S,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=6, help="of each of the three, over all turns")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--most", type=int, default=200, help="won claims a second that blocks are made for")
    parser.add_argument(
        "--race", type=int, default=1500, help="claims a second of the race that drivers are made for"
    )
    arguments = parser.parse_args()
    with servers(API_REQUESTS_PER_MINUTE="10000000"):
        result = measure(arguments)
    finish(result)
    sys.exit(not result["reached"])


if __name__ == "__main__":
    main()
