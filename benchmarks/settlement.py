# ruff: noqa: PLC0415 -- models can be imported only once their database runs
"""Blocks settled a second by one worker.

    python benchmarks/settlement.py --blocks 10000

One block is worked by the product's own verbs, with a wait for the store to bear, a tip and a law's floor; the others
are its rows once more, each with a driver of its own. One worker then relays every completion, as Celery does. Starts a
PostgreSQL and a Redis of its own and takes them down again. Goal: 200 a second.
"""

import argparse
import cProfile
import datetime as dt
import json
import os
import pstats
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from system import servers

GOAL = 200
STEP = 100_000  # between the keys of one copy and the next; ten thousand of them fit into an integer


def worked_block(at: dt.datetime) -> Any:
    """A block whose last door is done; what follows is not yet relayed."""
    from decimal import Decimal

    from offers.tests import making

    making.mall()
    making.floor(hour_cents=Decimal(4_000))
    order = making.order(making.store(making.Mall.objects.get()), tip_cents=500)
    driver = making.driver("Ada")
    block = making.claimed(making.block([order]), driver)
    making.check_in(block, driver, at=at)
    making.collect(block, driver, arrive=at, handover=at + 22 * making.MINUTE)
    making.depart(block, driver, at=at + 22 * making.MINUTE)
    for stop in making.doors_of(block):
        making.deliver(stop, driver, at=at + making.HOUR)
    return block


def copied() -> list[Any]:
    from deliveries.models import Consignment, Handover, Manifest, Order, Stop
    from drivers.models import Driver
    from offers.models import Block, Claim, Offer
    from retaildelivery.accounts.models import User

    return [User, Driver, Order, Manifest, Block, Offer, Claim, Stop, Consignment, Handover]


def value_of(field: Any, models: Iterable[Any]) -> str:
    """What a column of copy n holds: keys moved on, what must be unique made so, the rest as it is."""
    if field.primary_key or (field.is_relation and field.related_model in models):
        return f"{field.column} + n * {STEP}"
    if field.unique and field.get_internal_type() in {"CharField", "SlugField", "EmailField"}:
        return f"left({field.column}, 3) || 'Q' || n"
    return f'"{field.column}"'


def copy(count: int) -> None:
    """Every row of the block `count` times, its completion and what follows from it too."""
    from django.db import connection

    models = copied()
    with connection.cursor() as cursor:
        for model in models:
            fields = [
                field for field in model._meta.concrete_fields if not getattr(field, "generated", False)
            ]
            names = ", ".join(f'"{field.column}"' for field in fields)
            values = ", ".join(value_of(field, models) for field in fields)
            cursor.execute(
                f"INSERT INTO {model._meta.db_table} ({names}) SELECT {values} "  # noqa: S608 -- names of columns
                f"FROM {model._meta.db_table}, generate_series(1, %s) n",
                [count],
            )


def completions(block: Any) -> list[int]:
    """The completion of every copy as a fact, and its reaction that settles; their keys."""
    from django.db import connection

    from deliveries.models import Manifest
    from retaildelivery.outbox.models import Fact, Reaction

    real = Fact.objects.get(name="manifest.completed")
    old = f"manifest:{block.manifest.code}"
    codes = Manifest.objects.exclude(pk=block.manifest_id).order_by("pk").values_list("code", flat=True)
    facts = []
    for code in codes:
        subjects = [f"manifest:{code}" if each == old else each for each in real.subjects]
        facts.append(Fact(name=real.name, at=real.at, subjects=subjects, data=real.data))
    made = Fact.objects.bulk_create(facts, batch_size=1000)
    rows = [Reaction(fact=fact, key="offers.settle", next_attempt_at=fact.at) for fact in made]
    keys = [row.pk for row in Reaction.objects.bulk_create(rows, batch_size=1000)]
    with connection.cursor() as cursor:
        # As autovacuum leaves what was filled; of what is still empty it says nothing either.
        for model in [*copied(), Fact, Reaction]:
            cursor.execute(f"VACUUM ANALYZE {model._meta.db_table}")
    return keys


def server_seconds() -> float:
    """Processor time of the database's process that serves this connection."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    numbers = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK")


def settled(keys: list[int], at: dt.datetime) -> tuple[float, float, float]:
    """Seconds by the clock, of this process and of the database's, for relaying each completion by itself, as Celery
    does."""
    from retaildelivery.outbox import relaying
    from retaildelivery.outbox.models import Reaction

    began, worked, served = time.perf_counter(), time.process_time(), server_seconds()
    for key in keys:
        relaying.relay(reaction_id=key, at=at)
    took = time.perf_counter() - began, time.process_time() - worked, server_seconds() - served
    assert not Reaction.objects.filter(pk__in=keys, done_at=None).exists(), "Every completion is settled."
    return took


def measure(blocks: int, *, profile: bool) -> dict[str, Any]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from drivers.models import DriverPosting
    from offers.tests.making import HOUR, START
    from retaildelivery.outbox import relaying

    block = worked_block(START)
    copy(blocks)
    keys = completions(block)
    later = START + 2 * HOUR
    with CaptureQueriesContext(connection) as captured:
        first = relaying.relay_all(reaction_ids=keys[:1], at=later)
    rest = [key for key in keys if key not in first]
    if profile:
        for each in captured:
            print(each["sql"][:150])
        with cProfile.Profile() as profiler:
            settled(rest, later)
        pstats.Stats(profiler).sort_stats("cumulative").print_stats(60)
        return {}
    took, worked, served = settled(rest, later)
    rate = len(rest) / took
    return {
        "benchmark": "settlement",
        "blocks": len(rest),
        "per_s": round(rate),
        "worker_ms_per_block": round(worked / len(rest) * 1000, 2),
        "database_ms_per_block": round(served / len(rest) * 1000, 2),
        "together": len(first),
        "statements": len(captured),
        "lines_posted": DriverPosting.objects.filter(key__startswith="block:").count(),
        "goal_per_s": GOAL,
        "reached": rate >= GOAL,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--blocks", type=int, default=10_000)
    parser.add_argument("--profile", action="store_true", help="where the time goes, and no figures")
    arguments = parser.parse_args()
    with servers():
        result = measure(arguments.blocks, profile=arguments.profile)
    if result:
        print(json.dumps(result))
        sys.exit(not result["reached"])


if __name__ == "__main__":
    main()
