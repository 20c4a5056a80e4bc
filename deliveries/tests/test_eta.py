"""When the stops still to come are reached."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from deliveries import eta
from deliveries.eta import Leg
from retaildelivery.lib.geo import Point
from retaildelivery.lib.roads import Curve

T = dt.datetime(2026, 11, 24, 18, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


def leg(key, planned, *, service=5, arrived=None, ended=None):
    return Leg(
        key=key,
        planned_at=T + planned * MINUTE,
        service=service * MINUTE,
        arrived_at=None if arrived is None else T + arrived * MINUTE,
        ended_at=None if ended is None else T + ended * MINUTE,
    )


def minutes(expected):
    return {key: (at - T) / MINUTE for key, at in expected.items()}


def test_before_anything_has_begun_the_plan_stands():
    assert minutes(eta.retime([leg(1, 10), leg(2, 30)], at=T)) == {1: 10, 2: 30}


def test_a_late_start_shifts_everything():
    assert minutes(eta.retime([leg(1, 10), leg(2, 30)], at=T + 25 * MINUTE)) == {1: 25, 2: 45}


def test_time_won_and_lost_is_passed_on():
    # Planned: leave at 15, 15 minutes on the way. Left at 20.
    legs = [leg(1, 10, arrived=12, ended=20), leg(2, 30), leg(3, 50)]

    assert minutes(eta.retime(legs, at=T + 20 * MINUTE)) == {2: 35, 3: 55}


def test_who_is_at_a_stop_leaves_when_it_takes_or_now_if_that_is_later():
    legs = [leg(1, 10, arrived=10), leg(2, 30)]

    assert minutes(eta.retime(legs, at=T + 12 * MINUTE)) == {1: 10, 2: 30}
    assert minutes(eta.retime(legs, at=T + 22 * MINUTE)) == {1: 10, 2: 37}


def test_nothing_is_expected_in_the_past():
    legs = [leg(1, 10, arrived=10, ended=15), leg(2, 30)]

    assert minutes(eta.retime(legs, at=T + 90 * MINUTE)) == {2: 90}


def test_a_car_needs_what_the_fitted_roads_say():
    mall, door, curve = Point(36.0, -115.0), Point(36.0899322, -115.0), Curve()

    assert round(eta.drive(mall, door, curve=curve, hour=12) / MINUTE, 1) == 16.8
    assert eta.drive(mall, mall, curve=curve, hour=12) == 0 * MINUTE


@given(st.lists(st.integers(1, 60), min_size=1, max_size=8), st.integers(0, 8), st.integers(0, 600))
def test_stops_are_expected_in_their_order_and_never_before_now(gaps, done, now):
    planned = [sum(gaps[: n + 1]) + 5 * n for n in range(len(gaps))]
    legs = [
        leg(n, at, **({"arrived": at, "ended": at + 5} if n < done else {})) for n, at in enumerate(planned)
    ]
    at = T + max(now, planned[min(done, len(gaps)) - 1] + 5 if done else 0) * MINUTE

    expected = eta.retime(legs, at=at)

    assert list(expected) == [n for n in range(len(gaps)) if n >= done]
    assert all(moment >= at or not done for moment in expected.values())
    assert list(expected.values()) == sorted(expected.values())
