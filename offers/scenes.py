"""Maps for operations: places as plain data that the page's map draws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from deliveries.models import Order, Stop
from offers.board import Work
from offers.models import Block
from offers.plans import Door, Laid
from retaildelivery.lib.geo import Point
from stores.models import Mall

Mark = dict[str, Any]
UNITED_STATES = Point(39.5, -98.35)
KINDS = {"done": "done", "failed": "failed", "skipped": "done"}


def mark(point: Point, kind: str, title: str, **more: Any) -> Mark:
    return {"lat": point.lat, "lng": point.lng, "kind": kind, "title": title, **more}


def line(points: Sequence[Point], tone: str = "route") -> dict[str, Any]:
    return {"points": [[point.lat, point.lng] for point in points], "tone": tone}


def doors_of(stops: Sequence[Stop]) -> list[Stop]:
    """The stops after the mall, in order of visit."""
    return [stop for stop in stops if stop.kind != Stop.Kind.PICKUP]


def way_of(mall: Mall, doors: Sequence[Stop]) -> list[Point]:
    """From the mall over these stops, and by the mall again between two trips."""
    points, trip = [mall.point], doors[0].trip if doors else 1
    for stop in doors:
        if stop.trip != trip:
            points.append(mall.point)
        points.append(stop.point)
        trip = stop.trip
    return points


def stop_mark(stop: Stop, place: int) -> Mark:
    kind = "return" if stop.kind == Stop.Kind.RETURN else KINDS.get(stop.status, "stop")
    return mark(stop.point, kind, stop.place, label=str(place), id=f"stop-{stop.code}")


def driver_mark(work: Work) -> list[Mark]:
    """Where the driver was last seen; nothing when nobody has seen them."""
    if work.seen is None or work.claim is None:
        return []
    driver = work.claim.driver
    seen = Point(float(work.seen.latitude), float(work.seen.longitude))
    page = reverse("offers:ops_block", args=[work.block.code])
    title = f"{driver.user.first_name} · {work.block.code}"
    return [mark(seen, "driver", title, id=f"driver-{driver.code}", href=page)]


def order_mark(order: Order) -> list[Mark]:
    if order.point is None:
        return []
    page = reverse("deliveries:ops_order", args=[order.code])
    return [mark(order.point, "home", order.code, tone="warn", id=f"order-{order.code}", href=page)]


def board(malls: Sequence[Mall], work: Sequence[Work], waiting: Sequence[Order]) -> dict[str, Any]:
    """Malls with their geofence, drivers where they were last seen, stops in order, and orders that wait."""
    marks = [mark(mall.point, "mall", mall.name, id=f"mall-{mall.code}") for mall in malls]
    lines = []
    for item in work:
        doors = doors_of(item.stops)
        marks += [stop_mark(stop, place) for place, stop in enumerate(doors, start=1)]
        marks += driver_mark(item)
        if doors:
            lines.append(line(way_of(item.block.mall, doors)))
    for order in waiting:
        marks += order_mark(order)
    centre = malls[0].point if malls else UNITED_STATES
    fences = [
        {
            "lat": mall.point.lat,
            "lng": mall.point.lng,
            "radius_m": mall.geofence_m,
            "tone": "info",
            "title": _("Geofence"),
        }
        for mall in malls
    ]
    return {
        "center": [centre.lat, centre.lng],
        "zoom": 11 if malls else 4,
        "fit": True,
        "markers": marks,
        "lines": lines,
        "circles": fences,
    }


def block(block: Block, stops: Sequence[Stop]) -> dict[str, Any]:
    """The way of one block: from the mall to each door and back."""
    mall, doors = block.mall.point, doors_of(stops)
    marks = [mark(mall, "mall", block.mall.name)]
    marks += [stop_mark(stop, place) for place, stop in enumerate(doors, start=1)]
    way = [line([*way_of(block.mall, doors), mall])] if doors else []
    return {"center": [mall.lat, mall.lng], "zoom": 12, "fit": True, "markers": marks, "lines": way}


def plan(mall: Mall, laid: Sequence[Laid], waiting: Sequence[Order]) -> dict[str, Any]:
    """The blocks of a mall, each in a colour and with a letter, and the orders that wait. A mark with `move` may be
    dragged onto another block."""
    marks = [mark(mall.point, "mall", mall.name, id="mall")]
    ways = []
    for each in laid:
        marks += [_door_mark(each, door) for door in each.doors]
        if each.doors:
            points = [*way_of(mall, [door.stop for door in each.doors]), mall.point]
            ways.append(line(points, each.tone) | {"block": each.block.code})
    for order in waiting:
        for each_mark in order_mark(order):
            marks.append(each_mark | {"move": move_url(mall, order.code)})
    return {
        "center": [mall.point.lat, mall.point.lng],
        "zoom": 12,
        "fit": True,
        "markers": marks,
        "lines": ways,
        "blocks": [each.block.code for each in laid if each.is_changeable],
    }


def move_url(mall: Mall, order_code: str) -> str:
    return reverse("offers:ops_plan_move", args=[mall.code, order_code])


def _door_mark(each: Laid, door: Door) -> Mark:
    name = f"{each.letter}{door.number}"
    more: dict[str, Any] = {
        "label": name,
        "tone": each.tone,
        "id": f"door-{door.stop.code}",
        "block": each.block.code,
    }
    if each.is_changeable and len(door.orders) == 1:
        more["move"] = move_url(each.block.mall, door.orders[0].code)
    return mark(door.stop.point, "stop", f"{name} · {each.block.code} · {door.stop.address}", **more)
