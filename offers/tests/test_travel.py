"""Travel times as plans use them: a road server's, kept in the table of pairs, estimated where it knows none."""

import datetime as dt

import pytest
from django.core.cache import cache
from django.db import transaction

from offers import limits
from offers.models import TravelPair
from offers.planning import inputs, waves
from offers.planning.travel import Estimate, pairs, sources
from offers.planning.travel.asking import AskForLess, ServerTrouble
from offers.planning.travel.sources import Asked
from offers.tests import making
from offers.tests.making import AT, HOUR, MINUTE
from retaildelivery.lib.geo import Point
from retaildelivery.lib.roads import Curve

pytestmark = pytest.mark.django_db

A, B, C = Point(36.1, -115.1), Point(36.2, -115.1), Point(36.2, -115.2)


class Roads:
    """A road server whose ways north take 100 s and all others 200 s, over 1,000 m; `unknown` places it has not."""

    provider, profile, side = "osrm", "driving", 50

    def __init__(self, *, unknown=(), most=10_000, trouble=None):
        self.unknown, self.most, self.trouble = unknown, most, trouble
        self.asked = []

    def table(self, origins, goals, *, by):
        self.asked.append((len(origins), len(goals)))
        if self.trouble and len(self.asked) >= self.trouble[0]:
            raise ServerTrouble(self.trouble[1])
        if len(origins) * len(goals) > self.most:
            raise AskForLess
        spoilt = any(point in self.unknown for point in [*origins, *goals])
        if spoilt and len(origins) * len(goals) > 1:
            raise AskForLess
        return [[None if spoilt else (100 if b.lat > a.lat else 200, 1000) for b in goals] for a in origins]


@pytest.fixture(autouse=True)
def empty_cache():
    cache.clear()
    yield
    cache.clear()


def test_there_and_back_differ_and_are_asked_once():
    roads = Roads()

    first = Asked(roads, Estimate(), AT).matrix([A, B], hour=12)
    again = Asked(roads, Estimate(), AT + HOUR).matrix([A, B], hour=12)

    assert first.seconds == ((0, 100), (200, 0))
    assert first.metres == ((0, 1000), (1000, 0))
    assert (first.source, first.notes) == ("osrm", ())
    assert again == first
    assert roads.asked == [(2, 2)]
    assert TravelPair.objects.count() == 2


def test_a_new_door_is_asked_for_alone():
    roads = Roads()
    Asked(roads, Estimate(), AT).matrix([A, B], hour=12)

    found = Asked(roads, Estimate(), AT).matrix([A, B, C], hour=12)

    assert found.notes == ()
    assert roads.asked[1:] == [(1, 3), (2, 1)]
    assert TravelPair.objects.count() == 6


def test_what_the_server_does_not_know_is_estimated_and_said():
    roads = Roads(unknown=[C])

    found = Asked(roads, Estimate(), AT).matrix([A, B, C], hour=12)

    guess = Estimate().matrix([A, B, C], hour=12)
    assert found.seconds[0][1] == 100
    assert (found.seconds[0][2], found.seconds[2][1]) == (guess.seconds[0][2], guess.seconds[2][1])
    assert found.notes == ("travel_partly_estimated",)
    assert TravelPair.objects.filter(seconds=None).count() == 4
    asked = len(roads.asked)
    assert Asked(roads, Estimate(), AT).matrix([A, B, C], hour=12) == found
    assert len(roads.asked) == asked


def test_a_server_with_a_low_limit_is_asked_for_less_at_once():
    roads = Roads(most=2)

    found = Asked(roads, Estimate(), AT).matrix([A, B, C], hour=12)

    assert found.notes == ()
    assert found.seconds == ((0, 100, 100), (200, 0, 200), (200, 200, 0))


def test_large_tables_are_asked_for_in_parts(monkeypatch):
    roads = Roads()
    roads.side = 2

    Asked(roads, Estimate(), AT).matrix([A, B, C], hour=12)

    assert roads.asked == [(2, 2), (2, 1), (1, 2), (1, 1)]


def test_what_was_learnt_before_the_trouble_is_kept_and_the_server_rests():
    roads = Roads(trouble=(2, "travel_server_slow"))
    roads.side = 2

    found = Asked(roads, Estimate(), AT).matrix([A, B, C], hour=12)
    then = Asked(roads, Estimate(), AT).matrix([A, B, C], hour=12)

    assert found.notes == ("travel_server_slow", "travel_partly_estimated")
    assert found.seconds[0][1] == 100
    assert then.notes == ("travel_server_resting", "travel_partly_estimated")
    assert then.seconds == found.seconds
    assert len(roads.asked) == 2


def test_old_ways_are_asked_for_again_and_swept():
    roads = Roads()
    Asked(roads, Estimate(), AT).matrix([A, B], hour=12)
    later = AT + limits.TRAVEL_PAIRS_LAST

    assert pairs.sweep(at=later - dt.timedelta(seconds=1)) == 0
    Asked(roads, Estimate(), later).matrix([A, B], hour=12)
    assert roads.asked == [(2, 2), (2, 2)]
    assert TravelPair.objects.count() == 2
    assert pairs.sweep(at=later) == 0
    assert pairs.sweep(at=later + limits.TRAVEL_PAIRS_LAST) == 2


def test_providers_and_profiles_keep_to_their_own_ways():
    vans = Roads()
    vans.profile = "van"
    Asked(Roads(), Estimate(), AT).matrix([A, B], hour=12)

    Asked(vans, Estimate(), AT).matrix([A, B], hour=12)

    assert len(vans.asked) == 1
    assert TravelPair.objects.count() == 4


def test_the_hour_stretches_what_an_empty_road_takes():
    rush = Curve(factors=tuple(1.5 if hour == 17 else 1.0 for hour in range(24)))

    found = Asked(Roads(), Estimate(rush), AT).matrix([A, B], hour=17)

    assert found.seconds == ((0, 150), (300, 0))


def test_places_a_metre_apart_are_one():
    near = Point(A.lat + 0.000001, A.lng)
    roads = Roads()

    found = Asked(roads, Estimate(), AT).matrix([A, near, B], hour=12)

    assert roads.asked == [(2, 2)]
    assert found.seconds == ((0, 0, 100), (0, 0, 100), (200, 200, 0))
    assert found.notes == ()


def test_the_number_of_a_place_tells_the_corners_of_the_earth_apart():
    corners = [Point(lat, lng) for lat in (-90, 0, 90) for lng in (-180, 0, 180)]

    assert len({pairs.place_of(corner) for corner in corners}) == len(corners)
    assert max(pairs.place_of(corner) for corner in corners) < 2**63


@pytest.mark.django_db(transaction=True)
def test_nobody_asks_a_road_server_inside_a_transaction():
    roads = Roads()

    with pytest.raises(RuntimeError), transaction.atomic():
        Asked(roads, Estimate(), AT).matrix([A, B], hour=12)

    assert roads.asked == []


def test_a_wave_is_planned_with_the_configured_server_and_says_what_it_lacked(settings):
    settings.TRAVEL_PROVIDER, settings.TRAVEL_URL = "osrm", "http://127.0.0.1:9"
    mall = making.mall()
    order = making.order(making.store(mall))

    snapshot = inputs.snapshot(mall, [inputs.candidate(order)], at=AT, everything=True)

    assert snapshot.afternoon.notes == ("travel_server_private", "travel_partly_estimated")
    guess = Estimate().matrix([mall.point, order.point], hour=10)
    assert snapshot.afternoon.seconds == guess.seconds


def test_without_a_server_the_estimate_answers(settings):
    settings.TRAVEL_PROVIDER = "estimate"

    assert sources.of_market(making.mall().market, at=AT) == Estimate()


def test_orders_that_only_join_a_block_say_what_their_times_lacked(settings):
    mall = making.mall()
    store = making.store(mall)
    making.order(store)
    waves.run(mall_code=mall.code, at=AT, everything=True)
    making.order(store, at=AT + MINUTE)
    settings.TRAVEL_PROVIDER, settings.TRAVEL_URL = "osrm", "http://127.0.0.1:9"

    run = waves.run(mall_code=mall.code, at=AT + MINUTE, everything=True)

    assert (run.blocks_made, run.orders_joined) == (0, 1)
    assert run.notes == ["travel_server_private", "travel_partly_estimated"]
