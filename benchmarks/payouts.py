# ruff: noqa: PLC0415 -- models can be imported only once their database runs
"""How fast money leaves: lines chained by the database, and a batch of payouts made, released and written.

    python benchmarks/payouts.py --drivers 20000

Starts a PostgreSQL and a Redis of its own, fills in with bulk SQL, times the product's own functions, and prints
one JSON object as its last line.
"""

import argparse
import datetime as dt
import itertools
import json
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from retaildelivery.embedded.postgres import Postgres
from retaildelivery.embedded.redis import Redis

AT = dt.datetime(2026, 11, 24, 20, 0, tzinfo=dt.UTC)


def payouts_of(drivers: int) -> dict[str, float]:
    """Seconds to make a batch of so many drivers, to release it, and to write its file."""
    from django.db import connection

    from drivers import payouts, sealing
    from drivers.models import PayoutBatch
    from retaildelivery.accounts.models import User

    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_user (password, is_superuser, email, name, phone, locale, is_staff, is_active,"
            " date_joined)"
            " SELECT '', false, 'd' || n || '@example.com', 'Driver ' || n, '', 'en', false, true, now()"
            " FROM generate_series(1, %s) n",
            [drivers],
        )
        cursor.execute(
            "INSERT INTO drivers_driver (code, user_id, market_code, status, applied_at, approved_at,"
            " suspended_reason, badge_secret)"
            " SELECT 'DB' || id, id, 'bench', 'approved', now(), now(), '', 'x'"
            " FROM accounts_user WHERE email LIKE 'd%%@example.com'"
        )
        cursor.execute(
            "INSERT INTO drivers_payoutaccount (driver_id, holder, kind, routing_sealed, number_sealed,"
            " number_digest, last4, added_at, refused_code)"
            " SELECT id, 'Driver', 'checking', %s, %s, '', '7890', now(), ''"
            " FROM drivers_driver WHERE market_code = 'bench'",
            [sealing.seal("021000021"), sealing.seal("1234567890")],
        )
        began = time.perf_counter()
        cursor.execute(
            "INSERT INTO drivers_driverposting (key, driver_id, kind, cents, text, rule, subject, at, params,"
            " sequence, previous, digest) SELECT 'bench:' || id || ':' || n, id, 'base', 3600, '2 h', 'r', 's', now(),"
            ' \'{"seconds": "7200", "rate": "1800"}\', 0, \'\', \'\''
            " FROM drivers_driver, generate_series(1, 5) n WHERE market_code = 'bench' ORDER BY id, n"
        )
        posted = time.perf_counter() - began
    one, two = (User.objects.create_user(email=f"{name}@ops.example", name=name) for name in ("one", "two"))
    marks = [time.perf_counter()]
    batch = payouts.draft(market_code="bench", effective_on=dt.date(2026, 12, 1), by=one, at=AT)
    marks.append(time.perf_counter())
    payouts.release(code=batch.code, by=two, at=AT)
    marks.append(time.perf_counter())
    text = payouts.nacha_file(PayoutBatch.objects.get(pk=batch.pk))
    marks.append(time.perf_counter())
    made, released, written = (b - a for a, b in itertools.pairwise(marks))
    return {
        "postings_chained_per_s": round(5 * drivers / posted),
        "payouts": drivers,
        "draft_s": round(made, 2),
        "release_s": round(released, 2),
        "file_s": round(written, 2),
        "file_lines": text.count("\n"),
        "whole_s": round(made + released + written, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--drivers", type=int, default=20_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        place.chmod(0o711)
        postgres = Postgres(place / "postgres", log=place / "postgres.log", throwaway=True)
        redis = Redis(log=place / "redis.log")
        try:
            os.environ |= {
                "DATABASE_URL": postgres.start(),
                "REDIS_URL": redis.start(),
                "DATA_DIR": str(place / "var"),
                "SECRET_KEY": "only-for-the-benchmark-" * 3,
                "DJANGO_SETTINGS_MODULE": "retaildelivery.settings_test",
                "LOG_LEVEL": "WARNING",
            }
            import django

            django.setup()
            from django.core.management import call_command

            call_command("migrate", verbosity=0)
            print(json.dumps(payouts_of(given.drivers)))
        finally:
            redis.stop()
            postgres.discard()


if __name__ == "__main__":
    main()
