"""Travel times fitted to the legs that drivers have driven."""

import datetime as dt
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from deliveries import limits, roads
from deliveries.models import Manifest, Stop
from retaildelivery.lib.roads import Curve
from stores.models import Market

pytestmark = pytest.mark.django_db

AT = dt.datetime(2026, 11, 24, 18, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


def drive(mall, driver, *, ways, minutes_of, departed_at):
    """A finished manifest whose stops lie so many hundredths of a degree north of each other."""
    manifest = Manifest.objects.create(
        mall=mall,
        driver=driver,
        status="completed",
        created_at=departed_at,
        departed_at=departed_at,
        completed_at=departed_at,
    )
    lat, lng, now = mall.point.lat, mall.point.lng, departed_at
    for position, way in enumerate(ways):
        lat += way / 100
        now += minutes_of(way * 1.11195) * MINUTE
        Stop.objects.create(
            manifest=manifest,
            kind="dropoff",
            position=position,
            latitude=round(lat, 6),
            longitude=round(lng, 6),
            address="x",
            status="done",
            planned_at=now,
            eta_at=now,
            service=3 * MINUTE,
            arrived_at=now,
            completed_at=now + 3 * MINUTE,
        )
        now += 3 * MINUTE
    return manifest


def slow(km):
    """A city half as slow again as the default curve."""
    return 4.8 * km**0.72


@pytest.fixture
def driven(afternoon, monkeypatch):
    monkeypatch.setattr(limits, "FIT_LEGS", 30)
    for number in range(8):
        drive(
            afternoon.fashion_show,
            afternoon.ada,
            ways=[1, 2, 0.7, 3],
            minutes_of=slow,
            departed_at=AT - dt.timedelta(days=1 + number),
        )
    return afternoon.fashion_show.market


def test_a_slow_city_is_learnt_and_planned_with_from_then_on(driven):
    row = roads.calibrate(market=driven, at=AT)

    assert (row.verdict, row.legs, row.legs_left_out, row.valid_from) == ("adopted", 32, 0, AT)
    assert row.error_percent < 1
    assert 30 < row.error_before_percent < 35
    curve = roads.curve_of(driven, at=AT)
    assert round(curve.minutes(5.0, 12) / (4.8 * 5.0**0.72), 1) == 1.0
    assert roads.curve_of(driven, at=AT - MINUTE) == Curve()


def test_what_fits_no_better_is_kept_but_not_used(driven):
    first = roads.calibrate(market=driven, at=AT)

    second = roads.calibrate(market=driven, at=AT + MINUTE)

    assert (second.verdict, second.valid_from) == ("no_better", None)
    assert roads.curve_of(driven, at=AT + MINUTE) == first.curve


def test_too_few_legs_leave_the_default(driven, monkeypatch):
    monkeypatch.setattr(limits, "FIT_LEGS", 33)

    row = roads.calibrate(market=driven, at=AT)

    assert (row.verdict, row.legs, row.minutes_per_km, row.valid_from) == ("too_few_legs", 32, None, None)
    assert roads.curve_of(driven, at=AT) == Curve()


def test_a_market_without_a_leg_says_so(afternoon):
    assert roads.calibrate(market=afternoon.fashion_show.market, at=AT).verdict == "too_few_legs"


def test_legs_of_another_market_and_of_long_ago_do_not_count(driven):
    elsewhere = Market.objects.create(code="reno", name="Reno", time_zone="America/Los_Angeles")

    assert roads.legs_of(elsewhere, at=AT) == []
    assert len(roads.legs_of(driven, at=AT)) == 32
    assert roads.legs_of(driven, at=AT + limits.FIT_BACK) == []


def test_a_leg_begins_when_the_stop_before_it_ends(driven):
    leg = roads.legs_of(driven, at=AT)[0]

    assert (round(leg.km, 2), round(leg.minutes, 1)) == (1.11, round(slow(1.11195), 1))
    assert leg.hour == (AT - dt.timedelta(days=1)).astimezone(driven.zone).hour


def test_the_command_says_how_well_it_fits(driven):
    out = StringIO()

    call_command("calibrate_travel", market=driven.code, stdout=out)

    assert f"{driven.code}: " in out.getvalue()
    with pytest.raises(CommandError, match="no market 'nowhere'"):
        call_command("calibrate_travel", market="nowhere")


def test_the_default_curve_is_the_fitted_road_table():
    assert Curve().seconds(10.0, hour=3) == round(60 * 3.2 * 10**0.72)
