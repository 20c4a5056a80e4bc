"""Afternoons and the behaviour of the city repeat for a seed and look like the real thing."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from retaildelivery.demo import afternoon, city, data
from retaildelivery.lib.geo import Point

DAY = date(2026, 11, 23)
VEGAS = ZoneInfo("America/Los_Angeles")


def test_the_same_seed_gives_the_same_afternoon_and_another_seed_another():
    first = afternoon.afternoon("las-vegas", seed=1, day=DAY, n=80)

    assert afternoon.afternoon("las-vegas", seed=1, day=DAY, n=80) == first
    assert afternoon.afternoon("las-vegas", seed=2, day=DAY, n=80) != first
    assert afternoon.afternoon("las-vegas", seed=1, day=DAY + timedelta(days=1), n=80) != first


def test_orders_come_in_order_of_time_within_the_afternoon():
    moments = [idea.posted_after for idea in afternoon.afternoon("tysons", seed=3, day=DAY, n=120)]

    assert moments == sorted(moments)
    assert timedelta(0) <= moments[0]
    assert moments[-1] < afternoon.CLOSES - afternoon.OPENS


def test_most_orders_come_when_offices_close():
    ideas = afternoon.afternoon("chandler", seed=4, day=DAY, n=600)
    by_hour = Counter(idea.posted_after // timedelta(hours=1) for idea in ideas)

    assert by_hour.most_common(1)[0][0] in {4, 5}
    assert by_hour[5] > 3 * by_hour[3]
    assert min(by_hour[hour] for hour in range(8)) > 0


def test_no_door_is_visited_twice_before_each_was_visited_once_but_for_housemates():
    doors = data.doors_in("friendswood")
    visits = Counter(
        idea.door.address1 for idea in afternoon.afternoon("friendswood", seed=5, day=DAY, n=len(doors))
    )

    assert max(visits.values()) <= 3
    assert len(visits) >= len(doors) - 6


def test_orders_keep_the_bounds_of_one_order():
    ideas = [
        idea for seed in range(5) for idea in afternoon.afternoon("las-vegas", seed=seed, day=DAY, n=200)
    ]

    assert {len(idea.parcels) for idea in ideas} == {1, 2, 3}
    assert max(idea.value_cents for idea in ideas) <= 500_000
    assert {idea.minimum_age for idea in ideas if idea.store.kind == "wine"} == {21}
    assert {idea.minimum_age for idea in ideas if idea.store.kind != "wine"} == {None}
    assert max(len(idea.instructions) for idea in ideas) <= 500
    assert [
        idea
        for idea in ideas
        if not (idea.requires_photo or idea.requires_signature or idea.requires_pin or idea.minimum_age)
    ] == []
    assert {idea.promise for idea in ideas} == {"two_hours", "four_hours", "evening", "today"}


def test_an_afternoon_can_be_had_with_other_doors():
    door = replace(data.doors_in("tysons")[0], address1="1 Somewhere Else")

    ideas = afternoon.afternoon("tysons", seed=1, day=DAY, n=3, doors=[door])

    assert {idea.door.address1 for idea in ideas} == {"1 Somewhere Else"}


def test_an_afternoon_is_refused_for_no_market_no_doors_and_less_than_nothing():
    with pytest.raises(KeyError):
        afternoon.afternoon("atlantis", seed=1, day=DAY, n=1)
    with pytest.raises(ValueError, match="needs doors"):
        afternoon.afternoon("tysons", seed=1, day=DAY, n=1, doors=[])
    with pytest.raises(ValueError, match="negative"):
        afternoon.afternoon("tysons", seed=1, day=DAY, n=-1)


@pytest.mark.parametrize(
    ("promise", "ready", "start", "end"),
    [
        ("two_hours", "2026-11-23T12:00", "2026-11-23T12:00", "2026-11-23T14:00"),
        ("four_hours", "2026-11-23T22:30", "2026-11-23T22:30", "2026-11-24T02:30"),
        ("evening", "2026-11-23T12:00", "2026-11-23T17:00", "2026-11-23T21:00"),
        ("evening", "2026-11-23T18:10", "2026-11-23T18:10", "2026-11-23T21:00"),
        ("evening", "2026-11-23T20:00", "2026-11-23T20:00", "2026-11-24T00:00"),
        ("today", "2026-11-23T12:00", "2026-11-23T12:00", "2026-11-23T21:00"),
        ("today", "2026-11-23T03:00", "2026-11-23T03:00", "2026-11-23T21:00"),
    ],
)
def test_a_promise_becomes_a_window_in_local_time(promise, ready, start, end):
    window = afternoon.promised(
        promise, ready_at=datetime.fromisoformat(ready).replace(tzinfo=VEGAS), zone=VEGAS
    )

    assert window.start == datetime.fromisoformat(start).replace(tzinfo=VEGAS).astimezone(UTC)
    assert window.end == datetime.fromisoformat(end).replace(tzinfo=VEGAS).astimezone(UTC)


def test_postings_press_the_afternoon_into_the_minutes_of_the_run():
    ideas = afternoon.afternoon("tysons", seed=1, day=DAY, n=40)

    script = city.postings(ideas, minutes=60)

    assert script[0].after == timedelta(0)
    assert script[-1].after == timedelta(minutes=60)
    assert [posting.idea for posting in script] == list(ideas)
    assert city.postings((), minutes=60) == ()
    with pytest.raises(ValueError, match="at least a minute"):
        city.postings(ideas, minutes=0)


def test_a_driver_decides_once_about_an_offer_and_never_below_their_price():
    picky = city.TEMPERS["picky"]
    offers = [f"F{n}" for n in range(400)]

    first = [city.wants(picky, hourly_cents=2_300, seed=7, driver="chidi", offer=offer) for offer in offers]

    assert [
        city.wants(picky, hourly_cents=2_300, seed=7, driver="chidi", offer=offer) for offer in offers
    ] == first
    assert 200 < sum(first) < 280
    assert not any(
        city.wants(picky, hourly_cents=2_099, seed=7, driver="chidi", offer=offer) for offer in offers
    )


def test_one_door_in_twelve_fails_when_somebody_must_be_there():
    orders = [f"SIM-{n}" for n in range(2_000)]

    attended = Counter(city.at_the_door(seed=1, order=order, attended=True).reason for order in orders)
    alone = Counter(city.at_the_door(seed=1, order=order, attended=False).reason for order in orders)

    assert set(attended) == {"", "nobody_home", "refused", "wrong_address", "no_access"}
    assert 0.05 < 1 - attended[""] / 2_000 < 0.10
    assert set(alone) == {"", "refused", "wrong_address", "no_access"}
    assert 0.02 < 1 - alone[""] / 2_000 < 0.05


def test_what_must_be_put_into_a_hand_is_never_left():
    places = {city.at_the_door(seed=1, order=f"SIM-{n}", attended=True).left_at for n in range(500)}

    assert places == {"in_hand", ""}


def test_punctual_drivers_come_in_the_quarter_before_the_start_and_late_ones_after_it():
    steady = [
        city.arrival_after_start(
            replace(city.TEMPERS["steady"], late=0.0), seed=1, driver="ben", block=f"B{n}"
        )
        for n in range(200)
    ]
    late = [
        city.arrival_after_start(
            replace(city.TEMPERS["late"], late=1.0), seed=1, driver="dana", block=f"B{n}"
        )
        for n in range(200)
    ]

    assert timedelta(minutes=-14) <= min(steady) <= max(steady) <= timedelta(minutes=-2)
    assert timedelta(minutes=1) <= min(late) <= max(late) <= timedelta(minutes=12)


def test_time_in_the_city_runs_faster_than_the_clock():
    assert city.real_seconds(timedelta(minutes=90), 60) == 90.0
    assert city.real_seconds(timedelta(minutes=-1), 60) == 0.0
    with pytest.raises(ValueError, match="positive"):
        city.real_seconds(timedelta(minutes=1), 0)


def test_a_drive_across_town_takes_a_quarter_of_an_hour():
    mall, door = data.mall_of("las-vegas").point, Point(36.0415, -115.1640)

    assert timedelta(minutes=15) < city.drive(mall, door) < timedelta(minutes=20)
    assert city.drive(mall, mall) == city.PARK
    assert city.between(Point(10, 20), Point(20, 40), 0.25) == Point(12.5, 25.0)
