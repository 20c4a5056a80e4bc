"""Draws: two thousand entries at once, and a draw over ten thousand entries.

    python benchmarks/draws.py

Starts a PostgreSQL, a Redis and Granian of its own and takes them down again. Goals: the 2,000 are answered within
three seconds, all of them entered, no error; the draw over 10,000, from lock to commit with the winner asked, takes
less than a second and verifies.
"""

import argparse
import datetime as dt
import sys
import time
from collections import Counter

from market import all_at_once, finish, make_blocks, make_drivers, make_mall, quantiles, request
from system import servers, web

ENTRIES_WITHIN_S, DRAW_WITHIN_S = 3.0, 1.0
LOOKS = 50  # at once, while feeds are read
HOUR = dt.timedelta(hours=1)


def enter_all(port: int, offer: str, tokens: list[str]) -> dict[str, object]:
    """Everybody enters in the same moment; some of them twice."""
    from offers.models import Entry, Offer  # noqa: PLC0415

    # Who enters has just seen the offer in their app.
    for first in range(0, len(tokens), LOOKS):
        looks = [
            request("GET", "/api/v1/driver/offers", token=token) for token in tokens[first : first + LOOKS]
        ]
        all_at_once(port, looks)
    path = f"/api/v1/driver/offers/{offer}/entry"
    answers = all_at_once(port, [request("PUT", path, token=token, body=b"{}") for token in tokens])
    draw = Offer.objects.select_related("draw").get(code=offer).draw
    return {
        "at_once": len(tokens),
        "entered": Entry.objects.filter(draw=draw).count(),
        "statuses": {str(status): n for status, n in Counter(answer.status for answer in answers).items()},
        **quantiles(answers),
    }


def draw_many(offer_code: str, count: int, *, at: dt.datetime) -> dict[str, object]:
    """The sweep's verb over so many entries."""
    from django.db import connection  # noqa: PLC0415

    from drivers.models import Driver  # noqa: PLC0415
    from offers import expiry, lottery, verification  # noqa: PLC0415
    from offers.models import Award, Entry, Offer  # noqa: PLC0415

    offer = Offer.objects.select_related("draw").get(code=offer_code)
    Entry.objects.bulk_create(
        Entry(
            draw=offer.draw,
            driver=driver,
            entrant=lottery.entrant_code(offer=offer.code, driver=driver.code),
            entered_at=at,
        )
        for driver in Driver.objects.order_by("pk")[:count]
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    started = time.perf_counter()
    drawn = expiry.end(offer_id=offer.pk, at=offer.closes_at)
    took = time.perf_counter() - started
    found = verification.find(offer.code)
    assert found is not None
    started = time.perf_counter()
    faults = verification.check(found, verification.document(found))
    return {
        "entries": count,
        "drawn": drawn,
        "seconds": round(took, 3),
        "asked": Award.objects.filter(offer=offer).count(),
        "faults": faults,
        "verified_in_s": round(time.perf_counter() - started, 3),
    }


def measure(arguments: argparse.Namespace) -> dict[str, object]:
    from django.utils import timezone  # noqa: PLC0415

    at = timezone.now()
    mall = make_mall(draws=True)
    tokens = make_drivers(max(arguments.entries, arguments.drawn), at=at)
    first, second = make_blocks(mall, 2, at=at, starts_in=3 * HOUR)
    with web("benchmarks.bare:application") as port:
        entries = enter_all(port, first, tokens[: arguments.entries])
    draw = draw_many(second, arguments.drawn, at=at)
    reached = (
        entries["entered"] == arguments.entries
        and entries["statuses"] == {"200": arguments.entries}
        and float(str(entries["max_ms"])) < 1000 * ENTRIES_WITHIN_S
        and float(str(draw["seconds"])) < DRAW_WITHIN_S
        and draw["faults"] == []
    )
    return {"benchmark": "draws", "entries": entries, "draw": draw, "reached": reached}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--entries", type=int, default=2_000, help="at once")
    parser.add_argument("--drawn", type=int, default=10_000, help="entries of the draw that is timed")
    arguments = parser.parse_args()
    with servers(API_REQUESTS_PER_MINUTE="10000000"):
        result = measure(arguments)
    finish(result)
    sys.exit(not result["reached"])


if __name__ == "__main__":
    main()
