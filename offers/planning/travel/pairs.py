"""The table of pairs: read for all doors of a wave at once, written in one statement, swept when old."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from django.db import connection, transaction

from offers import limits
from offers.models import TravelPair
from offers.planning.travel.asking import Cell, RoadServer
from retaildelivery.lib.geo import Point

# Hundred-thousandths of a degree, and how many of them go round the earth.
FINE = 100_000
ROUND_THE_EARTH = 360 * FINE + 1


def place_of(point: Point) -> int:
    """The point at 5 decimals as one number."""
    return round((point.lat + 90) * FINE) * ROUND_THE_EARTH + round((point.lng + 180) * FINE)


@transaction.atomic(durable=True)
def known(server: RoadServer, places: Sequence[int], *, at: dt.datetime) -> dict[tuple[int, int], Cell]:
    """All fresh ways among these places. Durable, so that nobody asks a road server inside a transaction."""
    # Read by cursor: 22,500 rows as tuples take a third of what the same rows take through the ORM.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT origin, goal, seconds, metres FROM offers_travelpair WHERE provider = %s AND profile = %s"
            " AND origin = ANY(%s) AND goal = ANY(%s) AND asked_at > %s",
            [server.provider, server.profile, list(places), list(places), at - limits.TRAVEL_PAIRS_LAST],
        )
        return {
            (origin, goal): None if seconds is None else (seconds, metres)
            for origin, goal, seconds, metres in cursor.fetchall()
        }


@transaction.atomic(durable=True)
def keep(server: RoadServer, cells: Mapping[tuple[int, int], Cell], *, at: dt.datetime) -> None:
    """Write what the server answered, over what it answered before.

    By ascending key, so that two waves which learn the same ways wait for each other in one order.
    """
    rows = sorted(cells.items())
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO offers_travelpair (provider, profile, origin, goal, seconds, metres, asked_at)"
            " SELECT %s, %s, origin, goal, seconds, metres, %s"
            " FROM unnest(%s::bigint[], %s::bigint[], %s::int[], %s::int[])"
            " AS way (origin, goal, seconds, metres)"
            " ON CONFLICT (provider, profile, origin, goal)"
            " DO UPDATE SET seconds = excluded.seconds, metres = excluded.metres, asked_at = excluded.asked_at",
            [server.provider, server.profile, at, *_columns(rows)],
        )


def _columns(rows: Iterable[tuple[tuple[int, int], Cell]]) -> list[list[int | None]]:
    table: list[list[int | None]] = [[], [], [], []]
    for (origin, goal), cell in rows:
        for column, value in zip(table, (origin, goal, *(cell or (None, None))), strict=True):
            column.append(value)
    return table


@transaction.atomic(durable=True)
def sweep(*, at: dt.datetime) -> int:
    """Drop pairs that are too old to be used. Returns how many."""
    old = TravelPair.objects.filter(asked_at__lte=at - limits.TRAVEL_PAIRS_LAST).order_by("pk")
    gone, _rows = TravelPair.objects.filter(
        pk__in=old.values_list("pk", flat=True)[: limits.TRAVEL_PAIRS_SWEEP]
    ).delete()
    return gone
