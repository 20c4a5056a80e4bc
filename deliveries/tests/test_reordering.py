"""The driver's own order of stops, a better one when time runs out, and what is expected as things happen."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliveries import doors, positions, reordering, sequencing
from deliveries.custody import StopNotYours, WrongMoment
from deliveries.models import Order, Stop
from deliveries.reordering import AtAStop, StopsDiffer
from deliveries.sequencing import Start, Visit
from drivers.tracking import Ping
from retaildelivery.lib.geo import Point, crow_km
from retaildelivery.outbox.models import Fact
from retaildelivery.testing.afternoon import HOUR, MINUTE, NOW, evidence, nothing_changes, stops_of

NEAR, MIDDLE, FAR = Point(36.14, -115.18), Point(36.20, -115.20), Point(36.28, -115.24)


def way(origin, goal, leaves_at):
    return dt.timedelta(minutes=3 * crow_km(origin, goal))


def visit(key, point, *, due=None, opens=None):
    return Visit(
        key,
        point,
        3 * MINUTE,
        None if opens is None else NOW + opens * MINUTE,
        None if due is None else NOW + due * MINUTE,
    )


# -- The rule ------------------------------------------------------------------------------------------------

points = st.builds(Point, st.floats(36.0, 36.4), st.floats(-115.4, -115.0))
visits = st.lists(
    st.builds(visit, st.uuids().map(str), points, due=st.integers(-30, 240), opens=st.integers(-60, 120)),
    max_size=11,
    unique_by=lambda each: each.key,
)


@given(visits)
def test_the_order_found_has_every_stop_once_and_is_never_worse_than_the_one_given(given_visits):
    start = Start(NEAR, NOW)

    found = sequencing.best(given_visits, start, way)

    assert sorted(each.key for each in found) == sorted(each.key for each in given_visits)
    assert sequencing.worth(found, start, way) <= sequencing.worth(given_visits, start, way)


def test_the_urgent_door_goes_first_and_the_way_back_stays_last():
    order = [visit("late", FAR, due=300), visit("back", NEAR), visit("urgent", MIDDLE, due=30)]

    assert [each.key for each in sequencing.best(order, Start(NEAR, NOW), way)] == ["urgent", "late", "back"]


def test_nobody_is_served_before_their_promise_opens():
    order = [visit("a", MIDDLE, opens=60, due=90), visit("b", FAR, due=300)]

    first, second = sequencing.arrivals(order, Start(NEAR, NOW), way)

    assert second == NOW + 63 * MINUTE + way(MIDDLE, FAR, first)


# -- The driver's order --------------------------------------------------------------------------------------


@pytest.fixture
def route(afternoon):
    """Three doors on the road, promised for two hours from now until four."""
    return afternoon.on_route(*(afternoon.place(point=point) for point in (NEAR, MIDDLE, FAR)))


def arrive(afternoon, stop, *, at=NOW):
    doors.arrive(driver=afternoon.ada, stop_code=stop.code, evidence=evidence(at=at), at=at)


def codes(manifest):
    return [stop.code for stop in stops_of(manifest, Stop.Kind.DROPOFF)]


def reorder(afternoon, manifest, order, *, at=NOW, driver=None):
    return reordering.reorder(
        driver=driver or afternoon.ada, manifest_code=manifest.code, stop_codes=order, at=at
    )


@pytest.mark.django_db
def test_the_driver_turns_the_order_round_and_what_is_expected_follows(afternoon, route):
    before = codes(route)

    outlook = reorder(afternoon, route, before[::-1])

    assert codes(route) == before[::-1]
    assert [call.stop.code for call in outlook.calls] == before[::-1]
    assert outlook.warnings == ()
    ahead = stops_of(route, Stop.Kind.DROPOFF)
    assert [door.eta_at for door in ahead] == sorted(door.eta_at for door in ahead)
    assert [door.eta_at for door in ahead] == [call.reached_at for call in outlook.calls]
    [fact] = Fact.objects.filter(name="manifest.resequenced")
    assert (fact.data["stops"], fact.data["late"], fact.actor) == (before[::-1], [], afternoon.ada.code)
    assert set(Order.objects.values_list("status", flat=True)) == {"en_route"}


@pytest.mark.django_db
def test_the_same_order_again_changes_nothing(afternoon, route):
    with nothing_changes():
        reorder(afternoon, route, codes(route))


@pytest.mark.django_db
def test_a_promise_that_breaks_is_a_warning_and_no_refusal(afternoon, route):
    order = codes(route)
    last = Order.objects.get(consignments__dropoff__code=order[0])
    last.window = type(last.window)(NOW, NOW + 20 * MINUTE, "[)")
    last.save(update_fields=["window"])

    outlook = reorder(afternoon, route, [*order[1:], order[0]])

    assert codes(route) == [*order[1:], order[0]]
    [warning] = outlook.warnings
    assert warning.stop.code == order[0]
    assert warning.late_minutes > 0
    assert outlook.proposal.calls[0].stop.code == order[0]
    assert outlook.proposal.keeps == 1


@pytest.mark.django_db
def test_what_is_missing_unknown_or_named_twice_is_refused(afternoon, route):
    order = codes(route)
    for wrong in (order[:2], [*order, "ZZZZ"], [*order[:2], order[0]], []):
        with nothing_changes(), pytest.raises(StopsDiffer):
            reorder(afternoon, route, wrong)


@pytest.mark.django_db
def test_the_stop_at_which_the_driver_is_stays_first(afternoon, route):
    first, *others = stops_of(route, Stop.Kind.DROPOFF)
    arrive(afternoon, first)

    with nothing_changes(), pytest.raises(AtAStop):
        reorder(afternoon, route, [*(stop.code for stop in others), first.code])
    reorder(afternoon, route, [first.code, others[1].code, others[0].code])

    assert codes(route) == [first.code, others[1].code, others[0].code]


@pytest.mark.django_db
def test_another_drivers_route_is_not_there_and_one_not_begun_is_not_changed(afternoon, route):
    with nothing_changes(), pytest.raises(StopNotYours):
        reorder(afternoon, route, codes(route), driver=afternoon.ben)
    route.status = "assigned"
    route.save(update_fields=["status"])

    with nothing_changes(), pytest.raises(WrongMoment):
        reorder(afternoon, route, codes(route)[::-1])


@pytest.mark.django_db
def test_a_delay_stays_one_when_the_order_changes(afternoon, route):
    """Two hours late at the first door: the others are expected from there on, and no earlier."""
    first, second, third = stops_of(route, Stop.Kind.DROPOFF)
    late = NOW + 4 * HOUR
    arrive(afternoon, first, at=late)

    outlook = reorder(afternoon, route, [first.code, third.code, second.code], at=late)

    ahead = stops_of(route, Stop.Kind.DROPOFF)[1:]
    assert [door.eta_at for door in ahead] == [call.reached_at for call in outlook.calls[1:]]
    assert ahead[0].eta_at > late
    assert ahead[0].planned_at < ahead[0].eta_at


# -- What is expected ----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_jam_moves_what_recipients_are_told_before_it_is_over(afternoon, route):
    first = stops_of(route, Stop.Kind.DROPOFF)[0]
    at = first.eta_at - MINUTE
    before = [door.eta_at for door in stops_of(route, Stop.Kind.DROPOFF)]

    positions.report(driver=afternoon.ada, pings=[Ping(FAR.lat, FAR.lng, accuracy_m=8, device_at=at)], at=at)

    after = [door.eta_at for door in stops_of(route, Stop.Kind.DROPOFF)]
    moved = after[0] - before[0]
    assert moved > 20 * MINUTE
    assert [b + moved for b in before] == after


@pytest.mark.django_db
def test_a_position_that_fits_what_is_expected_writes_nothing(afternoon, route):
    first = stops_of(route, Stop.Kind.DROPOFF)[0]
    before = [door.eta_at for door in stops_of(route, Stop.Kind.DROPOFF)]

    positions.report(
        driver=afternoon.ada,
        pings=[Ping(NEAR.lat, NEAR.lng, accuracy_m=8, device_at=first.eta_at)],
        at=first.eta_at,
    )

    assert [door.eta_at for door in stops_of(route, Stop.Kind.DROPOFF)] == before


@pytest.mark.django_db
def test_who_is_kept_at_a_door_is_expected_later_at_the_next(afternoon, route):
    first, second = stops_of(route, Stop.Kind.DROPOFF)[:2]
    arrive(afternoon, first)
    expected = Stop.objects.get(pk=second.pk).eta_at
    later = NOW + 3 * HOUR

    positions.report(
        driver=afternoon.ada, pings=[Ping(NEAR.lat, NEAR.lng, accuracy_m=8, device_at=later)], at=later
    )

    assert Stop.objects.get(pk=second.pk).eta_at == later > expected
