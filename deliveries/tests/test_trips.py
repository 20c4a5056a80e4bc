"""Several trips in one block: what one takes is loaded and delivered on it, and the next waits at its stores."""

import datetime as dt

import pytest
from django.db import transaction
from django.db.models import Max
from django.test import Client

from deliveries import completion, custody, loading, posting, relief, reordering, returning, roads, stopping
from deliveries import meeting as meet
from deliveries.models import Consignment, Manifest, Order, Parcel, Stop
from retaildelivery.lib.geo import Point
from retaildelivery.outbox.models import Fact
from retaildelivery.testing.afternoon import (
    HOUR,
    MINUTE,
    NOW,
    TOLD_BY_STAFF,
    Afternoon,
    evidence,
    nothing_changes,
    stops_of,
)

FAR = Point(36.15, -115.2)
LATER = NOW + 3 * HOUR


def custody_of(order: Order) -> set[str]:
    return set(Parcel.objects.filter(order=order).values_list("custodian", flat=True))


def now_of(manifest: Manifest) -> tuple[str, int]:
    manifest.refresh_from_db()
    return manifest.status, manifest.trip


def names_of(manifest: Manifest) -> list[tuple[str, int, str]]:
    rows = Stop.objects.filter(manifest=manifest).order_by("position")
    return [(stop.kind, stop.trip, stop.status) for stop in rows]


def cancel(order: Order, *, at: dt.datetime = NOW) -> Order:
    return posting.cancel(
        order_code=order.code,
        scope=Order.objects.all(),  # type: ignore[arg-type]
        reason="other",
        note="",
        actor=TOLD_BY_STAFF,
        at=at,
    )


def first_trip_away(world: Afternoon, *second: Order) -> tuple[Manifest, Order]:
    """A manifest whose first trip, of one order, is on the road."""
    first = world.place()
    manifest = world.loading_trips([first], second)
    world.collect(manifest)
    return world.depart(manifest), first


def test_departure_waits_for_the_pickups_of_its_trip_and_for_no_others(afternoon: Afternoon) -> None:
    first, second = afternoon.place(), afternoon.place(afternoon.shoes)
    manifest = afternoon.loading_trips([first], [second])

    with nothing_changes(), pytest.raises(loading.NotLoaded, match="Nova Books"):
        afternoon.depart(manifest)
    afternoon.collect(manifest)
    afternoon.depart(manifest)

    assert now_of(manifest) == ("on_route", 1)
    assert (custody_of(first), custody_of(second)) == ({"driver"}, {"store"})
    second.refresh_from_db()
    assert second.status == "assigned"


def test_one_store_has_a_pickup_for_each_trip(afternoon: Afternoon) -> None:
    manifest = afternoon.plan_trips([afternoon.place()], [afternoon.place(point=FAR)])

    assert names_of(manifest) == [
        ("pickup", 1, "planned"), ("dropoff", 1, "planned"), ("pickup", 2, "planned"), ("dropoff", 2, "planned"),
    ]  # fmt: skip
    assert {stop.store for stop in stops_of(manifest, "pickup")} == {afternoon.bookshop}


def test_nothing_of_the_second_trip_is_loaded_or_delivered_during_the_first(afternoon: Afternoon) -> None:
    first, second = afternoon.place(), afternoon.place(point=FAR)
    manifest = afternoon.loading_trips([first], [second])
    counter, door = stops_of(manifest, "pickup")[1], stops_of(manifest, "dropoff")[1]
    parcel = Parcel.objects.filter(order=second).order_by("pk")[0]

    with nothing_changes(), pytest.raises(custody.OtherTrip):
        afternoon.scan(counter, parcel)
    afternoon.collect(manifest)
    afternoon.depart(manifest)
    for act in (lambda: afternoon.deliver(door), lambda: afternoon.fail(door)):
        with nothing_changes(), pytest.raises(custody.OtherTrip):
            act()

    assert custody_of(second) == {"store"}


def test_after_the_last_door_of_a_trip_the_driver_is_back_to_load_the_next(afternoon: Afternoon) -> None:
    second = afternoon.place(point=FAR)
    manifest, first = first_trip_away(afternoon, second)

    afternoon.deliver(stops_of(manifest, "dropoff")[0], at=LATER)
    assert now_of(manifest) == ("loading", 2)
    with nothing_changes(), pytest.raises(loading.NotLoaded):
        afternoon.depart(manifest, at=LATER)
    afternoon.collect(manifest, at=LATER)
    assert custody_of(second) == {"driver"}
    afternoon.depart(manifest, at=LATER + 10 * MINUTE)
    assert now_of(manifest) == ("on_route", 2)
    afternoon.deliver(stops_of(manifest, "dropoff")[1], at=LATER + HOUR)

    assert now_of(manifest) == ("completed", 2)
    assert (custody_of(first), custody_of(second)) == ({"recipient"}, {"recipient"})
    assert manifest.departed_at == NOW
    told = Fact.objects.filter(name__in=["manifest.departed", "manifest.reloading"]).order_by("pk")
    assert [(fact.name, fact.data["trip"]) for fact in told] == [
        ("manifest.departed", 1), ("manifest.reloading", 2), ("manifest.departed", 2),
    ]  # fmt: skip


def test_an_order_of_the_second_trip_is_cancelled_at_the_price_of_one_that_is_not_picked_up(
    afternoon: Afternoon,
) -> None:
    second = afternoon.place(afternoon.shoes, point=FAR)
    manifest, _first = first_trip_away(afternoon, second)

    cancelled = cancel(second, at=NOW + HOUR)

    told = Fact.objects.get(name="order.cancelled").data["order"]
    assert (cancelled.status, told["previous_status"]) == ("cancelled", "assigned")
    assert custody_of(second) == {"store"}
    assert [status for _kind, trip, status in names_of(manifest) if trip == 2] == ["skipped", "skipped"]
    afternoon.deliver(stops_of(manifest, "dropoff")[0], at=NOW + 2 * HOUR)
    assert now_of(manifest) == ("completed", 1)


def test_a_driver_on_the_way_back_for_a_trip_that_is_cancelled_is_done(afternoon: Afternoon) -> None:
    second = afternoon.place(point=FAR)
    manifest, _first = first_trip_away(afternoon, second)
    afternoon.deliver(stops_of(manifest, "dropoff")[0], at=LATER)

    cancel(second, at=LATER + MINUTE)

    assert now_of(manifest) == ("completed", 2)


def test_what_could_not_be_delivered_is_brought_back_at_the_next_loading(afternoon: Afternoon) -> None:
    second = afternoon.place(afternoon.shoes, point=FAR)
    manifest, first = first_trip_away(afternoon, second)

    afternoon.fail(stops_of(manifest, "dropoff")[0], at=LATER)

    assert now_of(manifest) == ("loading", 2)
    assert [(kind, trip) for kind, trip, _status in names_of(manifest)] == [
        ("pickup", 1), ("dropoff", 1), ("return", 2), ("pickup", 2), ("dropoff", 2),
    ]  # fmt: skip
    back = stops_of(manifest, "return")[0]
    for parcel in Parcel.objects.filter(order=first).order_by("pk"):
        afternoon.scan(back, parcel, at=LATER)
    afternoon.hand_over(back, at=LATER)
    assert (custody_of(first), now_of(manifest)) == ({"store"}, ("loading", 2))


def test_what_is_not_brought_back_at_the_loading_stays_due_at_the_end(afternoon: Afternoon) -> None:
    second = afternoon.place(afternoon.shoes, point=FAR)
    manifest, first = first_trip_away(afternoon, second)
    afternoon.fail(stops_of(manifest, "dropoff")[0], at=LATER)

    afternoon.collect(manifest, at=LATER)
    afternoon.depart(manifest, at=LATER)

    assert names_of(manifest)[-1] == ("return", 2, "planned")
    assert custody_of(first) == {"driver"}
    afternoon.deliver(stops_of(manifest, "dropoff")[1], at=LATER + HOUR)
    assert now_of(manifest) == ("returning", 2)


def test_with_nothing_left_of_the_first_trip_the_second_is_loaded(afternoon: Afternoon) -> None:
    first, second = afternoon.place(), afternoon.place(afternoon.shoes, point=FAR)
    manifest = afternoon.loading_trips([first], [second])

    cancel(first)
    afternoon.depart(manifest)

    assert now_of(manifest) == ("loading", 2)
    afternoon.collect(manifest)
    afternoon.depart(manifest)
    assert now_of(manifest) == ("on_route", 2)


def test_with_the_first_trip_cancelled_before_check_in_loading_opens_with_the_second(
    afternoon: Afternoon,
) -> None:
    first, second = afternoon.place(), afternoon.place(afternoon.shoes, point=FAR)
    manifest = afternoon.assign(afternoon.plan_trips([first], [second]), afternoon.ada)
    cancel(first)

    afternoon.open(manifest)

    assert now_of(manifest) == ("loading", 2)


def test_a_route_turned_round_leaves_the_second_trip_to_be_planned_again(afternoon: Afternoon) -> None:
    second = afternoon.place(point=FAR)
    manifest, first = first_trip_away(afternoon, second)

    returning.turn_round(manifest_code=manifest.code, reason="danger", actor=TOLD_BY_STAFF, at=NOW + HOUR)

    assert now_of(manifest) == ("returning", 1)
    second.refresh_from_db()
    first.refresh_from_db()
    assert (first.status, second.status) == ("returning", "placed")
    assert (custody_of(first), custody_of(second)) == ({"driver"}, {"store"})


def test_a_driver_who_cannot_go_on_leaves_the_second_trip_to_be_planned_again(afternoon: Afternoon) -> None:
    second = afternoon.place(point=FAR)
    manifest, first = first_trip_away(afternoon, second)

    with transaction.atomic():
        held = stopping.stop(
            manifest=manifest, reason="breakdown", note="", actor=TOLD_BY_STAFF, at=NOW + HOUR
        )

    second.refresh_from_db()
    assert (held, second.status, custody_of(first)) == (True, "placed", {"driver"})
    assert not Consignment.objects.filter(order=second, ended_at=None).exists()


def test_the_second_trip_is_expected_later_when_the_first_runs_late(afternoon: Afternoon) -> None:
    second = afternoon.place(point=FAR)
    manifest, _first = first_trip_away(afternoon, second)
    planned = stops_of(manifest, "dropoff")[1].planned_at

    afternoon.deliver(stops_of(manifest, "dropoff")[0], at=NOW + 5 * HOUR)

    manifest.refresh_from_db()
    completion.retime(manifest, at=NOW + 5 * HOUR)
    door = stops_of(manifest, "dropoff")[1]
    # The first door was planned to be left five minutes after two hours.
    assert door.eta_at - planned == 5 * HOUR - 2 * HOUR - 5 * MINUTE


def test_an_order_cancelled_on_a_later_trip_does_not_pull_the_doors_of_this_one_forward(
    afternoon: Afternoon,
) -> None:
    cancelled, kept = afternoon.place(point=FAR), afternoon.place(afternoon.shoes, point=FAR)
    manifest, _first = first_trip_away(afternoon, cancelled, kept)
    before = stops_of(manifest, "dropoff")[0].eta_at

    cancel(cancelled, at=NOW + MINUTE)

    assert stops_of(manifest, "dropoff")[0].eta_at == before


def test_the_order_of_stops_is_changed_within_the_trip(afternoon: Afternoon) -> None:
    one, two = afternoon.place(), afternoon.place(point=FAR)
    third = afternoon.place(afternoon.shoes, point=Point(36.2, -115.1))
    manifest = afternoon.loading_trips([one, two], [third])
    afternoon.collect(manifest)
    afternoon.depart(manifest)
    first, second, later = (stop.code for stop in stops_of(manifest, "dropoff"))
    of_trip = {"driver": afternoon.ada, "manifest_code": manifest.code, "at": NOW + MINUTE}

    with nothing_changes(), pytest.raises(reordering.StopsDiffer, match=later):
        reordering.reorder(stop_codes=[second, first, later], **of_trip)
    seen = reordering.reorder(stop_codes=[second, first], **of_trip)

    assert [call.stop.code for call in seen.calls] == [second, first]
    assert [stop.code for stop in stops_of(manifest, "dropoff")] == [second, first, later]
    last = Stop.objects.filter(manifest=manifest, trip=1).aggregate(at=Max("planned_at"))["at"]
    assert stops_of(manifest, "pickup")[1].planned_at > last


def test_the_doors_of_the_second_trip_are_reached_after_it_is_loaded(afternoon: Afternoon) -> None:
    manifest, _first = first_trip_away(afternoon, afternoon.place(point=FAR))
    afternoon.deliver(stops_of(manifest, "dropoff")[0], at=LATER)
    manifest.refresh_from_db()

    (call,) = reordering.outlook(manifest, at=LATER).calls

    counter = stops_of(manifest, "pickup")[1]
    assert call.stop == stops_of(manifest, "dropoff")[1]
    assert counter.eta_at > LATER
    assert call.reached_at > counter.eta_at + counter.service


def counter_of(client: Client) -> tuple[list[str], list[str]]:
    """Stops that the counter's page lists as in the mall now, and as coming later."""
    context = client.get("/store/handover/").context
    return [stop.code for stop in context["here"]], [stop.code for stop in context["later"]]


def test_a_stores_page_shows_the_second_trip_as_coming_until_its_driver_is_there(
    afternoon: Afternoon, client: Client
) -> None:
    client.force_login(afternoon.sam)
    manifest, _first = first_trip_away(afternoon, afternoon.place(point=FAR))
    later = stops_of(manifest, "pickup")[1].code

    assert counter_of(client) == ([], [later])
    afternoon.deliver(stops_of(manifest, "dropoff")[0], at=LATER)
    assert counter_of(client) == ([], [later])
    loading.arrive_at_store(driver=afternoon.ada, stop_code=later, evidence=evidence(at=LATER), at=LATER)

    assert counter_of(client) == ([later], [])
    assert client.get("/store/handover/").status_code == 200


def test_no_way_is_read_across_a_loading(afternoon: Afternoon) -> None:
    manifest, _first = first_trip_away(afternoon, afternoon.place(point=FAR))
    afternoon.deliver(stops_of(manifest, "dropoff")[0], at=NOW + 20 * MINUTE)
    afternoon.collect(manifest, at=NOW + HOUR)
    afternoon.depart(manifest, at=NOW + HOUR)
    afternoon.deliver(stops_of(manifest, "dropoff")[1], at=NOW + 2 * HOUR)

    legs = roads.legs_of(afternoon.fashion_show.market, at=NOW + 3 * HOUR)

    assert [leg.minutes for leg in legs] == [20]


def test_another_driver_takes_over_only_what_is_carried_and_the_first_loads_the_next_trip(
    afternoon: Afternoon,
) -> None:
    second = afternoon.place(point=FAR)
    manifest, first = first_trip_away(afternoon, second)
    with transaction.atomic():
        taking, _takes, _metres = relief.draft(
            mall=afternoon.fashion_show, stops=stops_of(manifest, "dropoff"), point=FAR, start=LATER, at=LATER
        )
    afternoon.open(afternoon.assign(taking, afternoon.ben, at=LATER), at=LATER)
    meeting = stops_of(taking, "meeting")[0]
    for parcel in Parcel.objects.filter(order=first).order_by("pk"):
        afternoon.scan(meeting, parcel, at=LATER)
    with transaction.atomic():
        meet.confirm(giving=manifest, driver_code=None, user=afternoon.olive, actor=TOLD_BY_STAFF, at=LATER)

    assert now_of(manifest) == ("loading", 2)
    assert len(stops_of(taking, "dropoff")) == 1
    assert (custody_of(first), custody_of(second)) == ({"driver"}, {"store"})
    assert set(Parcel.objects.filter(order=first).values_list("driver", flat=True)) == {afternoon.ben.pk}
