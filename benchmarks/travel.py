"""Travel times for 150 doors, 22,350 ways: asked for the first time, and read from the table of pairs after that.

    python benchmarks/travel.py
    python benchmarks/travel.py --provider osrm --url http://127.0.0.1:5000 --around 40.2737,-76.8844 --km 8

Without `--url` a stand-in answers at once, so that the first figure is what keeping the ways costs. With it, a real
road server answers. One on a small extract, in an environment of its own with Python 3.12 or newer:

    python3.12 -m venv osrm && osrm/bin/pip install osrm-bindings
    P=$(osrm/bin/python -c "import osrm, pathlib; print(pathlib.Path(osrm.__file__).parent)")
    osrm/bin/python -m osrm extract -p $P/share/profiles/car.lua EXTRACT.osm.pbf
    osrm/bin/python -m osrm partition EXTRACT.osrm && osrm/bin/python -m osrm customize EXTRACT.osrm
    osrm/bin/python -m osrm routed -i 127.0.0.1 -p 5000 --algorithm mld EXTRACT.osrm

Starts a PostgreSQL and a Redis of its own and takes them down again. The last line is one JSON object.
"""

import argparse
import datetime as dt
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from retaildelivery.embedded.postgres import Postgres  # noqa: E402 -- the path is set first
from retaildelivery.embedded.redis import Redis  # noqa: E402
from retaildelivery.lib.geo import Point, crow_km  # noqa: E402

KM_A_DEGREE = 111.195


class StandIn:
    """A road server that answers at once."""

    provider, profile, side = "osrm", "stand-in", 50

    def table(self, origins: Sequence[Point], goals: Sequence[Point], *, by: object) -> list[list[Any]]:
        return [[(round(100 * crow_km(a, b)), round(1000 * crow_km(a, b))) for b in goals] for a in origins]


def doors(count: int, around: Point, km: float) -> list[Point]:
    dice = random.Random(7)
    spread = km / KM_A_DEGREE
    return [
        Point(around.lat + spread * dice.uniform(-1, 1), around.lng + spread * dice.uniform(-1, 1))
        for _ in range(count)
    ]


def measure(options: argparse.Namespace) -> dict[str, Any]:
    import django  # noqa: PLC0415 -- settings read the addresses of the servers

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415

    from offers.models import TravelPair  # noqa: PLC0415
    from offers.planning.travel import Estimate, sources  # noqa: PLC0415
    from offers.planning.travel.sources import Asked  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    lat, lng = (float(part) for part in options.around.split(","))
    places = doors(options.doors, Point(lat, lng), options.km)
    server = sources.configured() if options.url else StandIn()
    assert server is not None
    at = dt.datetime.now(dt.UTC)
    seconds: dict[str, float] = {}
    results = {}
    steps = {
        "estimated": lambda: Estimate().matrix(places, hour=12),
        "asked": lambda: Asked(server, Estimate(), at).matrix(places[:-10], hour=12),
        "asked_for_ten_new_doors": lambda: Asked(server, Estimate(), at).matrix(places, hour=12),
        "read": lambda: Asked(server, Estimate(), at).matrix(places, hour=12),
    }
    for name, step in steps.items():
        begun = time.perf_counter()
        results[name] = step()
        seconds[name] = round(time.perf_counter() - begun, 3)
    found, guess = results["read"], results["estimated"]
    ways = [
        (found.seconds[a][b], guess.seconds[a][b])
        for a in range(len(places))
        for b in range(len(places))
        if a != b
    ]
    # What the server does not know is the estimate itself.
    known = [(s, g) for s, g in ways if s and s != g]
    back = [
        abs(found.seconds[a][b] - found.seconds[b][a]) / max(1, found.seconds[a][b])
        for a in range(len(places))
        for b in range(a)
    ]
    return {
        "doors": len(places),
        "server": options.url or "stand-in",
        "seconds": seconds,
        "ways_kept": TravelPair.objects.count(),
        "ways_unknown_to_the_server": TravelPair.objects.filter(seconds=None).count(),
        "notes": sorted({note for result in results.values() for note in result.notes}),
        "estimate_is_off_by_percent": round(
            100 * sum(abs(g / s - 1) for s, g in known) / max(1, len(known)), 1
        ),
        "there_and_back_differ_by_percent": round(100 * sum(back) / max(1, len(back)), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--doors", type=int, default=150)
    parser.add_argument("--provider", choices=["osrm", "valhalla"], default="osrm")
    parser.add_argument("--url", default="", help="A real road server to ask.")
    parser.add_argument("--around", default="36.1277,-115.1723", help="Middle of the doors.")
    parser.add_argument("--km", type=float, default=12, help="How far they lie from it.")
    options = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="retaildelivery-travel-"))
    directory.chmod(0o711)
    postgres = Postgres(directory / "postgres", log=directory / "postgres.log", throwaway=True)
    redis = Redis(log=directory / "redis.log")
    try:
        os.environ.update(
            DATABASE_URL=postgres.start(),
            REDIS_URL=redis.start(),
            DJANGO_SETTINGS_MODULE="retaildelivery.settings",
            SECRET_KEY="only for this benchmark " * 3,
        )
        if options.url:
            os.environ.update(
                TRAVEL_PROVIDER=options.provider, TRAVEL_URL=options.url, TRAVEL_ALLOW_PRIVATE="on"
            )
        print(json.dumps(measure(options)))
    finally:
        redis.stop()
        postgres.discard()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
