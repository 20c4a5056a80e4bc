"""Where the phone is, and who is told that it is near."""

import datetime as dt

import pytest

from deliveries import positions
from drivers.models import Position
from drivers.tracking import Ping
from retaildelivery.lib.geo import Point
from retaildelivery.outbox.models import Fact
from retaildelivery.testing.afternoon import ALTA, HOUR, NOW

pytestmark = pytest.mark.django_db

SECOND = dt.timedelta(seconds=1)
FAR = Point(36.10, -115.30)
NEARBY = Point(ALTA.lat + 0.013, ALTA.lng)


def ping(point, *, at=NOW):
    return Ping(latitude=point.lat, longitude=point.lng, accuracy_m=8, device_at=at)


def report(afternoon, *pings, driver=None):
    return positions.report(driver=driver or afternoon.ada, pings=pings, at=NOW)


def near():
    return Fact.objects.filter(name="order.near").count()


def test_the_recipient_is_told_once_when_the_driver_is_near(afternoon):
    order = afternoon.place()
    afternoon.on_route(order)

    report(afternoon, ping(FAR, at=NOW - 60 * SECOND))
    assert near() == 0
    report(afternoon, ping(NEARBY, at=NOW - 30 * SECOND))
    report(afternoon, ping(ALTA))

    order.refresh_from_db()
    assert (near(), order.near_at) == (1, NOW)


def test_only_the_next_door_is_near(afternoon):
    first, second = afternoon.place(point=FAR), afternoon.place()
    afternoon.on_route(first, second)

    report(afternoon, ping(ALTA))

    assert near() == 0


def test_nobody_is_near_before_departure(afternoon):
    afternoon.loading(afternoon.place())

    report(afternoon, ping(ALTA))

    assert near() == 0


def test_pings_too_close_together_too_old_or_from_the_future_are_dropped(afternoon):
    kept = report(
        afternoon,
        ping(FAR, at=NOW - 100 * SECOND),
        ping(FAR, at=NOW - 98 * SECOND),
        ping(FAR, at=NOW - 31 * 24 * HOUR),
        ping(FAR, at=NOW + HOUR),
        ping(FAR, at=NOW),
    )

    assert [each.device_at for each in kept] == [NOW - 100 * SECOND, NOW]
    assert Position.objects.count() == 2


def test_the_same_pings_sent_again_change_nothing(afternoon):
    pings = [ping(FAR, at=NOW - n * 10 * SECOND) for n in range(5)]

    report(afternoon, *pings)
    assert report(afternoon, *pings) == []

    assert Position.objects.count() == 5
