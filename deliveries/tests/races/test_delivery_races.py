"""Two at once, at the counter, at the door and at the desk; and what happens when the lock is taken away."""

import time

import pytest
from django.db import IntegrityError, connection

from deliveries import custody, doors, loading, locks, posting, trips
from deliveries.models import (
    Attempt,
    Consignment,
    Handover,
    Incident,
    Manifest,
    Order,
    Parcel,
    ProofOfDelivery,
    Scan,
    Stop,
)
from deliveries.snapshots import with_all
from drivers import badge
from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox.models import Fact
from retaildelivery.testing.afternoon import NOW, TOLD_BY_STAFF, evidence, good_draft, picture, stops_of
from retaildelivery.testing.racing import at_once
from stores.models import Store

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

ROUNDS = range(6)


def without_locks(monkeypatch):
    """The same queries, locking nothing; and a moment between reading and writing in which the other can act."""

    def manifest(pk):
        return Manifest.objects.select_related("mall__market", "driver__user").get(pk=pk)

    def orders(pks):
        found = list(with_all(Order.objects.filter(pk__in=list(pks))).order_by("pk"))
        time.sleep(0.15)
        return found

    def order_and_place(scope, code=None):
        found = with_all(scope.filter(code=code)).first()
        time.sleep(0.15)
        return found

    monkeypatch.setattr(locks, "manifest", manifest)
    monkeypatch.setattr(locks, "orders", orders)
    monkeypatch.setattr(locks, "order_and_place", order_and_place)


def one_parcel(afternoon, **changes):
    draft = good_draft()
    return afternoon.place(parcels=draft.parcels[:1], **changes)


def cancel(order):
    return posting.cancel(
        order_code=order.code,
        scope=Order.objects.all(),
        reason="other",
        note="",
        actor=TOLD_BY_STAFF,
        at=NOW,
    )


def facts(name):
    return Fact.objects.filter(name=name).count()


# -- The two halves of a handover


def scan_and_hand_over(afternoon):
    order = one_parcel(afternoon)
    manifest = afternoon.loading(order, driver=afternoon.ada)
    [pickup] = stops_of(manifest, Stop.Kind.PICKUP)
    parcel = order.parcels.get()
    loading.arrive_at_store(driver=afternoon.ada, stop_code=pickup.code, evidence=evidence(), at=NOW)
    outcomes = at_once(lambda: afternoon.scan(pickup, parcel), lambda: afternoon.hand_over(pickup))
    return Parcel.objects.get(pk=parcel.pk), outcomes


def test_a_scan_and_a_handover_at_once_pass_custody_exactly_once(afternoon):
    for number in ROUNDS:
        parcel, outcomes = scan_and_hand_over(afternoon)

        assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
        assert (parcel.status, parcel.custodian) == ("loaded", "driver")
        assert facts("order.picked_up") == number + 1


def test_without_the_manifests_lock_custody_is_lost_between_the_two(afternoon, monkeypatch):
    without_locks(monkeypatch)
    looked, scanned = custody.is_handed_over, custody.scanned
    monkeypatch.setattr(custody, "is_handed_over", lambda stop: (looked(stop), time.sleep(0.3))[0])
    monkeypatch.setattr(custody, "scanned", lambda stop: (scanned(stop), time.sleep(0.3))[0])

    parcels = [scan_and_hand_over(afternoon)[0] for _ in range(3)]

    # Both halves were given, and yet the store still has it.
    assert "expected" in {parcel.status for parcel in parcels}
    assert Handover.objects.count() == 3


# -- Cancelling what is being handed over


def cancel_and_hand_over(afternoon):
    order = one_parcel(afternoon)
    manifest = afternoon.loading(order)
    [pickup] = stops_of(manifest, Stop.Kind.PICKUP)
    afternoon.scan(pickup, order.parcels.get())
    outcomes = at_once(lambda: cancel(order), lambda: afternoon.hand_over(pickup))
    order = Order.objects.get(pk=order.pk)
    return order.status, order.parcels.get().custodian, outcomes


def test_an_order_is_cancelled_or_handed_over_and_never_both(afternoon):
    seen = [cancel_and_hand_over(afternoon) for _ in ROUNDS]

    assert {(status, custodian) for status, custodian, _ in seen} <= {
        ("cancelled", "store"),
        ("picked_up", "driver"),
    }
    failures = [outcome for _, _, outcomes in seen for outcome in outcomes if isinstance(outcome, Exception)]
    assert {type(failure).code for failure in failures} <= {"cancel_not_allowed", "stop_closed"}


def test_without_locks_only_a_constraint_is_left_between_cancelling_and_the_car(afternoon, monkeypatch):
    without_locks(monkeypatch)

    seen = [cancel_and_hand_over(afternoon) for _ in range(3)]

    # Both thought they could; the database stopped the second with an error that no person can read.
    failures = [outcome for _, _, outcomes in seen for outcome in outcomes if isinstance(outcome, Exception)]
    assert IntegrityError in {type(failure) for failure in failures}


# -- The last door of a trip, and the next trip cancelled meanwhile


def last_door_and_next_trip_cancelled(afternoon):
    first, second = one_parcel(afternoon, requires_photo=False), one_parcel(afternoon)
    manifest = afternoon.loading_trips([first], [second])
    afternoon.collect(manifest)
    afternoon.depart(manifest)
    door = stops_of(manifest, Stop.Kind.DROPOFF)[0]
    outcomes = at_once(lambda: afternoon.deliver(door, photo=None), lambda: cancel(second))
    statuses = [Order.objects.get(pk=order.pk).status for order in (first, second)]
    return [*statuses, Manifest.objects.get(pk=manifest.pk).status], outcomes


def test_a_manifest_ends_whichever_came_first_its_last_door_or_the_end_of_its_next_trip(afternoon):
    for _ in ROUNDS:
        ends, outcomes = last_door_and_next_trip_cancelled(afternoon)

        assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
        assert ends == ["delivered", "cancelled", "completed"]
    assert facts("manifest.completed") == len(ROUNDS)


def test_without_locks_the_driver_is_sent_back_for_a_trip_that_is_cancelled(afternoon, monkeypatch):
    without_locks(monkeypatch)
    next_of = trips.next_of
    monkeypatch.setattr(trips, "next_of", lambda manifest: (next_of(manifest), time.sleep(0.5))[0])

    seen = [last_door_and_next_trip_cancelled(afternoon) for _ in range(3)]

    failed = [outcome for _, outcomes in seen for outcome in outcomes if isinstance(outcome, Exception)]
    assert failed or any(ends != ["delivered", "cancelled", "completed"] for ends, _ in seen)


# -- Delivered and failed at once


def prove_and_fail(afternoon):
    order = one_parcel(afternoon, requires_photo=False)
    manifest = afternoon.on_route(order)
    [door] = stops_of(manifest, Stop.Kind.DROPOFF)
    doors.arrive(driver=afternoon.ada, stop_code=door.code, evidence=evidence(), at=NOW)
    outcomes = at_once(lambda: afternoon.deliver(door, photo=None), lambda: afternoon.fail(door))
    order.refresh_from_db()
    proofs = ProofOfDelivery.objects.filter(order=order).count()
    attempts = Attempt.objects.filter(order=order).count()
    return order.status, proofs, attempts, outcomes


def test_a_door_ends_one_way_only(afternoon):
    for _ in ROUNDS:
        status, proofs, attempts, outcomes = prove_and_fail(afternoon)

        assert (status, proofs, attempts) in {("delivered", 1, 0), ("returning", 0, 1)}
        [refused] = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
        assert type(refused) in {custody.StopClosed, custody.WrongMoment}


def test_without_locks_a_door_ends_both_ways(afternoon, monkeypatch):
    without_locks(monkeypatch)

    seen = [prove_and_fail(afternoon) for _ in range(3)]

    ends = {(status, proofs, attempts) for status, proofs, attempts, _ in seen}
    failures = {type(outcome) for _, _, _, outcomes in seen for outcome in outcomes}
    assert ends - {("delivered", 1, 0), ("returning", 0, 1)} or IntegrityError in failures


# -- The same thing twice at once


def test_the_same_scan_event_twice_at_once_is_one_scan(afternoon):
    order = one_parcel(afternoon)
    [pickup] = stops_of(afternoon.loading(order), Stop.Kind.PICKUP)
    parcel = order.parcels.get()

    outcomes = at_once(*[lambda: afternoon.scan(pickup, parcel, event="e1")] * 4)

    assert len({outcome.pk for outcome in outcomes}) == Scan.objects.count() == 1
    assert facts("parcel.scanned") == 1


def test_the_same_proof_twice_at_once_is_one_delivery(afternoon, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    [door] = stops_of(afternoon.on_route(one_parcel(afternoon)), Stop.Kind.DROPOFF)

    outcomes = at_once(*[lambda: afternoon.deliver(door, event="e1", photo=picture())] * 4)

    assert {outcome.pk for outcome in outcomes} == {ProofOfDelivery.objects.get().pk}
    assert (facts("order.delivered"), facts("manifest.completed")) == (1, 1)
    assert len(list(tmp_path.rglob("*.jpg"))) == 1


def test_the_same_attempt_twice_at_once_is_one_attempt(afternoon):
    [door] = stops_of(afternoon.on_route(one_parcel(afternoon)), Stop.Kind.DROPOFF)

    outcomes = at_once(*[lambda: afternoon.fail(door, event="e1")] * 4)

    assert {outcome.pk for outcome in outcomes} == {Attempt.objects.get().pk}
    assert facts("order.attempt_failed") == 1


def test_the_same_wrong_pin_twice_at_once_is_one_try(afternoon):
    order = one_parcel(afternoon, requires_pin=True)
    [door] = stops_of(afternoon.on_route(order), Stop.Kind.DROPOFF)
    wrong = f"{(int(order.pin) + 1) % 10_000:04d}"

    outcomes = at_once(*[lambda: afternoon.deliver(door, event="e1", pin=wrong, photo=picture())] * 4)

    order.refresh_from_db()
    assert {type(outcome) for outcome in outcomes} == {doors.WrongPin}
    assert (order.pin_failures, facts("proof.refused")) == (1, 1)


def test_ten_guesses_at_once_are_three_tries(afternoon):
    order = one_parcel(afternoon, requires_pin=True)
    [door] = stops_of(afternoon.on_route(order), Stop.Kind.DROPOFF)
    guesses = [f"{(int(order.pin) + n) % 10_000:04d}" for n in range(1, 11)]

    outcomes = at_once(
        *[lambda guess=guess: afternoon.deliver(door, pin=guess, photo=picture()) for guess in guesses]
    )

    order.refresh_from_db()
    kinds = sorted(type(outcome).code for outcome in outcomes)
    assert kinds == ["pin_locked"] * 8 + ["wrong_pin"] * 2
    assert (order.status, order.pin_failures) == ("en_route", 3)


def test_the_same_incident_twice_at_once_is_one_incident(afternoon):
    order = afternoon.place()
    [pickup] = stops_of(afternoon.loading(order), Stop.Kind.PICKUP)
    parcel = order.parcels.get(number=1)

    def report():
        return loading.report(
            driver=afternoon.ada,
            stop_code=pickup.code,
            parcel_code=parcel.code,
            kind="short",
            note="",
            evidence=evidence("e1"),
            at=NOW,
        )

    outcomes = at_once(*[report] * 4)

    assert {outcome.pk for outcome in outcomes} == {Incident.objects.get().pk}


def test_two_of_staff_at_once_are_one_handover(afternoon):
    [pickup] = stops_of(afternoon.loading(afternoon.place()), Stop.Kind.PICKUP)

    outcomes = at_once(*[lambda: afternoon.hand_over(pickup)] * 4)

    assert {outcome.pk for outcome in outcomes} == {Handover.objects.get().pk}
    assert facts("handover.confirmed") == 1


def test_cancelling_twice_at_once_is_one_cancellation(afternoon):
    order = afternoon.place()

    outcomes = at_once(*[lambda: cancel(order)] * 4)

    assert {outcome.status for outcome in outcomes} == {"cancelled"}
    assert facts("order.cancelled") == 1


# -- Posting and planning


def test_the_same_number_posted_eight_times_at_once_is_one_order(afternoon):
    outcomes = at_once(*[lambda: afternoon.place(external_id="A-17")] * 8)

    assert {outcome.pk for outcome in outcomes} == {Order.objects.get().pk}
    assert [outcome.was_posted_before for outcome in outcomes].count(False) == 1
    assert (Parcel.objects.count(), facts("order.placed")) == (2, 1)


def test_the_same_number_with_other_contents_at_once_is_refused_to_all_but_one(afternoon):
    outcomes = at_once(
        *[lambda n=n: afternoon.place(external_id="A-17", recipient_name=f"Rosa {n}") for n in range(6)]
    )

    refused = [outcome for outcome in outcomes if isinstance(outcome, posting.ExternalIdTaken)]
    assert (len(refused), Order.objects.count()) == (5, 1)


def test_without_the_constraint_the_same_number_makes_several_orders(afternoon):
    [one] = [c for c in Order._meta.constraints if c.name == "one_order_per_seller_and_external_id"]
    with connection.schema_editor() as editor:
        editor.remove_constraint(Order, one)

    try:
        at_once(*[lambda: afternoon.place(external_id="A-17")] * 8)
        assert Order.objects.count() > 1
    finally:
        Order.objects.exclude(pk=Order.objects.order_by("pk").first().pk).update(external_id="")
        with connection.schema_editor() as editor:
            editor.add_constraint(Order, one)


def test_an_order_is_planned_or_cancelled_and_a_cancelled_one_is_on_no_manifest(afternoon):
    for _ in ROUNDS:
        order = afternoon.place()

        outcomes = at_once(lambda order=order: afternoon.plan([order]), lambda order=order: cancel(order))

        order.refresh_from_db()
        assert order.status == "cancelled"
        assert not Consignment.objects.live().filter(order=order).exists()
        assert [type(o).code for o in outcomes if isinstance(o, Refused)] in ([], ["order_gone"])


def test_a_code_guessed_at_once_by_many_opens_nothing(afternoon):
    [pickup] = stops_of(afternoon.loading(afternoon.place()), Stop.Kind.PICKUP)
    right = badge.code(afternoon.ada.badge_secret, NOW)
    guesses = [f"{(int(right) + n) % 1_000_000:06d}" for n in range(1, 9)]

    outcomes = at_once(
        *[
            lambda guess=guess: loading.confirm_handover(
                stop_code=pickup.code,
                stores=Store.objects.all(),
                driver_code=guess,
                user=afternoon.sam,
                key_prefix="",
                at=NOW,
            )
            for guess in guesses
        ]
    )

    assert {type(outcome) for outcome in outcomes} == {loading.WrongDriverCode}
    assert Handover.objects.count() == 0
