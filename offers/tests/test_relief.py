"""A driver cannot go on: what becomes of the block, the parcels and the pay, and how another takes over."""

import pytest

from deliveries import loading, relief, returning
from deliveries.custody import StopRefused
from deliveries.manifests import CustodyBegun
from deliveries.meeting import NobodyThere, WrongRescuerCode
from deliveries.models import Consignment, Handover, Incident, Manifest, Order, Parcel, ProofOfDelivery, Stop
from drivers import badge, ledger
from offers import aborting, attendance, expiry, relieving, splitting
from offers.models import Block, Claim
from offers.tests import making
from offers.tests.making import AT, HOUR, MINUTE, START
from retaildelivery.accounts.models import User
from retaildelivery.lib.geo import Point
from retaildelivery.outbox.recording import SYSTEM

pytestmark = pytest.mark.django_db

ROADSIDE = Point(36.16, -115.21)
BROKEN = START + HOUR


@pytest.fixture
def store():
    return making.store(making.mall())


@pytest.fixture
def ada():
    return making.driver("Ada")


@pytest.fixture
def ben():
    return making.driver("Ben")


@pytest.fixture
def block(store, ada):
    return on_the_road(store, ada)


def on_the_road(store, ada):
    """Ada is on the road with three orders; the first is delivered."""
    made = making.block(
        [making.order(store, parcels=2, point=Point(36.15 + n / 100, -115.2)) for n in range(3)]
    )
    making.claimed(made, ada)
    making.check_in(made, ada, at=START)
    making.collect(made, ada, arrive=START, handover=START + 5 * MINUTE)
    making.depart(made, ada, at=START + 10 * MINUTE)
    making.deliver(making.doors_of(made)[0], ada, at=START + 30 * MINUTE)
    return made


def broken_down(block, driver, **changes):
    given = {"reason": "breakdown", "note": "no oil", "point": ROADSIDE, "at": BROKEN} | changes
    return aborting.abort(block_code=block.code, driver_id=driver.pk, **given)


def the_relief(block):
    return relieving.reliefs_of(block).get(status__in=Block.LIVE)


def met(relief_block, driver, *, at=BROKEN + 20 * MINUTE):
    """The second driver claims the relief and checks in where the first one stands."""
    making.claimed(relief_block, driver, at=BROKEN + MINUTE)
    attendance.check_in(
        block_code=relief_block.code, driver_id=driver.pk, point=ROADSIDE, accuracy_m=5, desk_code="", at=at
    )
    return relieving.meeting_of(relief_block)


def scan(stop, parcel, driver, *, at):
    return loading.scan(
        driver=driver,
        stop_code=stop.code,
        entered=parcel.code,
        method="typed",
        evidence=making.evidence(at),
        at=at,
    )


def custodians():
    return dict(Parcel.objects.values_list("code", "driver__user__name"))


# -- One tap -------------------------------------------------------------------------------------------------


def test_a_block_that_is_broken_off_loses_no_parcel_and_another_driver_is_asked_at_once(block, ada):
    broken_down(block, ada)

    block.refresh_from_db()
    assert (block.status, block.ended_at, block.ended_reason) == ("aborted", BROKEN, "breakdown")
    manifest = Manifest.objects.get(pk=block.manifest_id)
    assert (manifest.status, manifest.stopped_at) == ("on_route", BROKEN)
    assert Parcel.objects.filter(driver=ada, status="loaded").count() == 4
    assert Claim.objects.live().get().block == block
    relief_block = the_relief(block)
    assert (relief_block.status, relief_block.orders_count, relief_block.parcels_count) == ("offered", 2, 4)
    assert (relief_block.doors_count, relief_block.hourly_cents) == (2, 2300)
    stops = list(relief_block.manifest.stops.in_order())
    assert [stop.kind for stop in stops] == ["meeting", "dropoff", "dropoff"]
    assert stops[0].point == ROADSIDE
    assert [stop.planned_at for stop in stops] == sorted(stop.planned_at for stop in stops)
    assert Incident.objects.get().note == "breakdown: no oil"
    [fact] = making.facts_named("block.aborted")
    assert (fact.data["reason"], fact.data["holds"]) == ("breakdown", True)


def test_a_repeat_changes_nothing(block, ada):
    broken_down(block, ada)
    before = (Block.objects.count(), Incident.objects.count(), len(making.facts_named("block.aborted")))

    broken_down(block, ada, at=BROKEN + MINUTE, reason="illness")

    block.refresh_from_db()
    assert block.ended_reason == "breakdown"
    assert (
        Block.objects.count(),
        Incident.objects.count(),
        len(making.facts_named("block.aborted")),
    ) == before


def test_before_check_in_a_block_is_released_and_not_broken_off(store, ada, ben):
    waiting = making.claimed(making.block([making.order(store)]), ada)

    with pytest.raises(aborting.NotAtWork):
        broken_down(waiting, ada)
    with pytest.raises(aborting.holding.ClaimNotYours):
        broken_down(waiting, ben)

    waiting.refresh_from_db()
    assert (waiting.status, Block.objects.count()) == ("claimed", 1)


def test_with_nothing_in_the_car_the_orders_wait_again_and_the_time_so_far_is_paid(store, ada):
    made = making.claimed(making.block([making.order(store) for _ in range(2)]), ada)
    making.check_in(made, ada, at=START)

    broken_down(made, ada, at=START + 30 * MINUTE)
    making.relay_all(at=START + 30 * MINUTE)

    made.refresh_from_db()
    assert made.status == "settled"
    assert made.manifest.status == "aborted"
    assert set(Order.objects.values_list("status", flat=True)) == {"placed"}
    assert ledger.balance(driver=ada) == made.hourly_cents // 2
    claim = Claim.objects.get()
    assert (claim.ending, claim.reason) == ("aborted", "breakdown")


def test_what_is_half_loaded_goes_with_the_loaded_half_and_the_rest_is_missing(store, ada):
    order = making.order(store, parcels=2)
    made = making.claimed(making.block([order, making.order(store)]), ada)
    making.check_in(made, ada, at=START)
    [counter] = Stop.objects.filter(kind="pickup")
    loading.arrive_at_store(driver=ada, stop_code=counter.code, evidence=making.evidence(START), at=START)
    scan(counter, order.parcels.order_by("number")[0], ada, at=START)
    making.hand_over(counter, ada, at=START)

    broken_down(made, ada, at=START + 5 * MINUTE)

    assert sorted(Order.objects.values_list("status", flat=True)) == ["picked_up", "placed"]
    assert sorted(order.parcels.values_list("status", flat=True)) == ["loaded", "short"]
    assert the_relief(made).parcels_count == 1


# -- The meeting ---------------------------------------------------------------------------------------------


def test_custody_passes_with_both_halves_in_either_order(block, ada, ben):
    broken_down(block, ada)
    relief_block = the_relief(block)
    stop = met(relief_block, ben)
    first, *others = Parcel.objects.filter(driver=ada).order_by("pk")

    scan(stop, first, ben, at=BROKEN + 21 * MINUTE)
    assert custodians()[first.code] == "Ada"
    relieving.confirm(
        block_code=block.code,
        driver_id=ada.pk,
        driver_code=badge.code(ben.badge_secret, BROKEN + 22 * MINUTE),
        at=BROKEN + 22 * MINUTE,
    )
    assert custodians()[first.code] == "Ben"
    assert Consignment.objects.live().filter(manifest=relief_block.manifest).count() == 0
    for parcel in others:
        scan(stop, parcel, ben, at=BROKEN + 23 * MINUTE)

    assert set(Parcel.objects.filter(status="loaded").values_list("driver__user__name", flat=True)) == {"Ben"}
    assert Consignment.objects.live().filter(manifest=relief_block.manifest).count() == 2
    assert set(Consignment.objects.filter(manifest=block.manifest_id).values_list("ending", flat=True)) == {
        "delivered",
        "handed_over",
    }
    stop.refresh_from_db()
    assert stop.status == "done"
    assert Manifest.objects.get(pk=block.manifest_id).status == "aborted"
    handover = Handover.objects.get(stop=stop)
    assert (handover.driver, handover.confirmed_by) == (ben, ada.user)
    assert len(making.facts_named("order.reassigned")) == 2


def handed_over(block, ada, ben):
    broken_down(block, ada)
    relief_block = the_relief(block)
    stop = met(relief_block, ben)
    for parcel in Parcel.objects.filter(driver=ada).order_by("pk"):
        scan(stop, parcel, ben, at=BROKEN + 21 * MINUTE)
    relieving.confirm_by_operations(
        block_code=block.code,
        user=User.objects.create(email="ops@example.com", name="Ops"),
        actor=SYSTEM,
        at=BROKEN + 30 * MINUTE,
    )
    return relief_block


def test_the_relief_delivers_the_rest_and_both_are_paid_for_what_they_worked(block, ada, ben):
    relief_block = handed_over(block, ada, ben)
    making.relay_all(at=BROKEN + 30 * MINUTE)

    block.refresh_from_db()
    assert (block.status, Claim.objects.get(driver=ada).ending) == ("settled", "aborted")
    # An hour at work, and half an hour until the last parcel had been handed over.
    assert ledger.balance(driver=ada) == round(block.hourly_cents * 1.5)
    making.depart(relief_block, ben, at=BROKEN + 31 * MINUTE)
    for door in making.doors_of(relief_block):
        making.deliver(door, ben, at=BROKEN + 50 * MINUTE)
    making.relay_all(at=BROKEN + 50 * MINUTE)

    relief_block.refresh_from_db()
    assert relief_block.status == "settled"
    assert set(Order.objects.values_list("status", flat=True)) == {"delivered"}
    assert ledger.balance(driver=ben) >= relief_block.hourly_cents * 2


def test_a_driver_who_waits_long_for_the_relief_is_paid_an_hour_of_it(block, ada, ben):
    broken_down(block, ada)
    stop = met(the_relief(block), ben)
    for parcel in Parcel.objects.filter(driver=ada).order_by("pk"):
        scan(stop, parcel, ben, at=BROKEN + 21 * MINUTE)
    late = BROKEN + 3 * HOUR
    relieving.confirm(
        block_code=block.code, driver_id=ada.pk, driver_code=badge.code(ben.badge_secret, late), at=late
    )
    making.relay_all(at=late)

    assert ledger.balance(driver=ada) == block.hourly_cents * 2


def test_an_event_that_comes_after_the_reassignment_cannot_bring_custody_back(block, ada, ben):
    second = making.doors_of(block)[1]
    handed_over(block, ada, ben)

    with pytest.raises(StopRefused):
        making.deliver(second, ada, at=BROKEN + 40 * MINUTE)

    assert Parcel.objects.filter(driver=ada).count() == 0
    assert Order.objects.filter(status="delivered").count() == 1


def test_what_was_delivered_stays_with_who_delivered_it_the_first_door_too(block, ada, ben):
    first = making.doors_of(block)[0]
    [order] = [drop.order for drop in first.dropoffs.select_related("order")]
    proof = ProofOfDelivery.objects.get(order=order)

    handed_over(block, ada, ben)

    first.refresh_from_db()
    consignment = Consignment.objects.get(order=order)
    assert (first.status, first.manifest.driver) == ("done", ada)
    assert (consignment.ending, consignment.manifest.driver) == ("delivered", ada)
    assert ProofOfDelivery.objects.get(order=order).driver == proof.driver == ada


def test_a_wrong_code_passes_nothing_and_is_kept(block, ada, ben):
    broken_down(block, ada)
    stop = met(the_relief(block), ben)
    scan(stop, Parcel.objects.filter(driver=ada).order_by("pk")[0], ben, at=BROKEN + 21 * MINUTE)

    with pytest.raises(WrongRescuerCode):
        relieving.confirm(
            block_code=block.code, driver_id=ada.pk, driver_code="000000", at=BROKEN + 22 * MINUTE
        )

    assert Parcel.objects.filter(driver=ada).count() == 4
    assert len(making.facts_named("handover.refused")) == 1
    assert not Handover.objects.filter(stop=stop).exists()


def test_nobody_is_confirmed_before_they_are_there(block, ada, ben):
    broken_down(block, ada)
    making.claimed(the_relief(block), ben, at=BROKEN + MINUTE)

    with pytest.raises(NobodyThere):
        relieving.confirm(block_code=block.code, driver_id=ada.pk, driver_code="000000", at=BROKEN + MINUTE)


def test_what_the_first_driver_delivers_before_the_meeting_is_no_stop_of_the_relief(block, ada, ben):
    broken_down(block, ada)
    relief_block = the_relief(block)
    stop = met(relief_block, ben)
    making.deliver(making.doors_of(block)[1], ada, at=BROKEN + 15 * MINUTE)
    for parcel in Parcel.objects.filter(driver=ada).order_by("pk"):
        scan(stop, parcel, ben, at=BROKEN + 21 * MINUTE)
    now = BROKEN + 22 * MINUTE
    relieving.confirm(
        block_code=block.code, driver_id=ada.pk, driver_code=badge.code(ben.badge_secret, now), at=now
    )

    making.depart(relief_block, ben, at=now)

    assert [door.status for door in making.doors_of(relief_block)] == ["skipped", "planned"]


def test_a_relief_leaves_with_all_or_is_told_what_is_missing(block, ada, ben):
    broken_down(block, ada)
    relief_block = the_relief(block)
    met(relief_block, ben)

    with pytest.raises(loading.NotLoaded, match="the other driver"):
        making.depart(relief_block, ben, at=BROKEN + 22 * MINUTE)

    relief_block.refresh_from_db()
    assert relief_block.status == "checked_in"


def test_what_was_on_its_way_back_is_brought_back_by_the_relief(block, ada, ben):
    making.fail(making.doors_of(block)[1], ada, at=START + 50 * MINUTE)
    relief_block = handed_over(block, ada, ben)
    making.depart(relief_block, ben, at=BROKEN + 31 * MINUTE)
    [door] = [door for door in making.doors_of(relief_block) if door.status == "planned"]
    making.deliver(door, ben, at=BROKEN + 40 * MINUTE)

    making.bring_back(relief_block, ben, at=BROKEN + 60 * MINUTE)

    assert sorted(Order.objects.values_list("status", flat=True)) == ["delivered", "delivered", "returned"]
    assert Manifest.objects.get(pk=relief_block.manifest_id).status == "completed"


# -- When nobody comes ---------------------------------------------------------------------------------------


def test_a_relief_nobody_takes_is_offered_again_until_operations_decide(block, ada):
    broken_down(block, ada)

    for _try in range(4):
        found = relieving.reliefs_of(block).filter(status="offered").first()
        if found is not None:
            expiry.sweep(at=found.starts_at)
            making.relay_all(at=found.starts_at)

    assert [each.status for each in relieving.reliefs_of(block)] == ["expired"] * 3
    assert Parcel.objects.filter(driver=ada).count() == 4
    assert Manifest.objects.get(pk=block.manifest_id).status == "on_route"


def test_parcels_may_also_be_collected_and_the_block_ends_when_the_last_is_back(block, ada):
    broken_down(block, ada)
    expiry.sweep(at=the_relief(block).starts_at)
    returning.turn_round(
        manifest_code=block.manifest.code, reason="breakdown", actor=SYSTEM, at=BROKEN + HOUR
    )

    making.bring_back(block, ada, at=BROKEN + 2 * HOUR)
    making.relay_all(at=BROKEN + 2 * HOUR)

    block.refresh_from_db()
    assert block.status == "settled"
    assert Parcel.objects.filter(custodian="driver").count() == 0


def test_a_block_cannot_be_settled_while_its_driver_holds_a_parcel(block, ada):
    broken_down(block, ada)
    making.relay_all(at=BROKEN)

    block.refresh_from_db()
    assert block.status == "aborted"
    with pytest.raises(CustodyBegun), relieving.transaction.atomic():
        relief_dissolved(block)


def relief_dissolved(block):
    from deliveries import manifests  # noqa: PLC0415 -- what a careless caller would do

    manifests.dissolve(manifest=block.manifest, at=BROKEN, reason="x")


# -- The rest of a block -------------------------------------------------------------------------------------


def test_the_tail_of_a_block_is_handed_over_and_the_first_driver_goes_on_at_full_pay(block, ada, ben):
    last = making.doors_of(block)[2]

    relief_block = relieving.hand_over_rest(
        block_code=block.code, stop_codes=[last.code], actor=SYSTEM, at=BROKEN
    )

    block.refresh_from_db()
    assert (block.status, relief_block.orders_count) == ("working", 1)
    with pytest.raises(relieving.ReliefUnderway):
        relieving.hand_over_rest(block_code=block.code, stop_codes=[last.code], actor=SYSTEM, at=BROKEN)
    meeting = relieving.meeting_of(relief_block)
    making.claimed(relief_block, ben, at=BROKEN + MINUTE)
    now = BROKEN + 20 * MINUTE
    attendance.check_in(
        block_code=relief_block.code,
        driver_id=ben.pk,
        point=meeting.point,
        accuracy_m=5,
        desk_code="",
        at=now,
    )
    relieving.confirm(
        block_code=block.code, driver_id=ada.pk, driver_code=badge.code(ben.badge_secret, now), at=now
    )
    for parcel in Parcel.objects.filter(order__consignments__dropoff=last):
        scan(meeting, parcel, ben, at=now)
    making.deliver(making.doors_of(block)[1], ada, at=now)
    making.relay_all(at=now)

    block.refresh_from_db()
    assert (block.status, Claim.objects.get(driver=ada).ending) == ("settled", "completed")
    assert ledger.balance(driver=ada) == Claim.objects.get(driver=ada).pay_cents
    last.refresh_from_db()
    assert last.status == "skipped"


def test_nothing_is_handed_over_of_a_block_that_carries_nothing(store, ada):
    made = making.claimed(making.block([making.order(store)]), ada)

    with pytest.raises(relieving.NotOnTheRoad):
        relieving.hand_over_rest(block_code=made.code, stop_codes=[], actor=SYSTEM, at=AT)
    making.check_in(made, ada, at=START)
    with pytest.raises(relief.NothingToTakeOver):
        relieving.hand_over_rest(block_code=made.code, stop_codes=[], actor=SYSTEM, at=START)

    assert Block.objects.count() == 1


def test_a_relief_ends_when_the_first_driver_delivers_everything_after_all(block, ada):
    relief_block = relieving.hand_over_rest(block_code=block.code, stop_codes=[], actor=SYSTEM, at=BROKEN)
    first, second = making.doors_of(block)[1:]

    making.deliver(first, ada, at=BROKEN + MINUTE)
    making.relay_all(at=BROKEN + MINUTE)
    relief_block.refresh_from_db()
    assert (relief_block.status, relief_block.orders_count, relief_block.doors_count) == ("offered", 1, 1)
    making.deliver(second, ada, at=BROKEN + 10 * MINUTE)
    making.relay_all(at=BROKEN + 10 * MINUTE)

    relief_block.refresh_from_db()
    assert (relief_block.status, relief_block.ended_reason) == ("withdrawn", "nothing_left_to_take_over")
    assert not relief_block.offers.filter(status="open").exists()
    assert Block.objects.live().count() == 0
    assert set(Order.objects.values_list("status", flat=True)) == {"delivered"}


def test_who_has_claimed_a_relief_that_ends_is_told_and_paid_for_the_short_notice(block, ada, ben):
    relief_block = relieving.hand_over_rest(block_code=block.code, stop_codes=[], actor=SYSTEM, at=BROKEN)
    making.claimed(relief_block, ben, at=BROKEN)

    for door in making.doors_of(block)[1:]:
        making.deliver(door, ada, at=BROKEN + 5 * MINUTE)
    making.relay_all(at=BROKEN + 5 * MINUTE)

    claim = Claim.objects.get(driver=ben)
    assert (claim.ending, claim.ended_at) == ("withdrawn", BROKEN + 5 * MINUTE)
    assert ledger.balance(driver=ben) > 0
    [fact] = making.facts_named("block.withdrawn")
    assert fact.data["reason"] == "nothing_left_to_take_over"


# -- How long it takes ---------------------------------------------------------------------------------------


def window_of(relief_block):
    last = max(relief_block.manifest.stops.all(), key=lambda stop: stop.planned_at)
    return relief_block.starts_at, last.planned_at + last.service, relief_block.ends_at


def test_the_window_of_a_relief_holds_the_wait_for_a_promise_that_begins_later(block, ada):
    last = making.doors_of(block)[2]
    order = last.dropoffs.get().order
    order.window = type(order.window)(BROKEN + 3 * HOUR, BROKEN + 4 * HOUR, "[)")
    order.save(update_fields=["window"])

    broken_down(block, ada)

    start, over, end = window_of(the_relief(block))
    assert over >= BROKEN + 3 * HOUR
    assert over - start > 2 * HOUR
    assert end >= over


def test_a_rest_that_takes_longer_than_the_longest_block_is_offered_in_whole_hours(store, ada):
    made = making.block([making.order(store, point=Point(36.15 + n / 2, -115.2)) for n in range(6)])
    making.claimed(made, ada)
    making.check_in(made, ada, at=START)
    making.collect(made, ada, arrive=START, handover=START)
    making.depart(made, ada, at=START)

    broken_down(made, ada)

    start, over, end = window_of(the_relief(made))
    assert over - start > 4 * HOUR
    assert end >= over
    assert (end - start) % HOUR == 0 * HOUR


def test_a_split_that_takes_longer_than_the_longest_block_is_offered_in_whole_hours(store):
    made = making.block([making.order(store, point=Point(36.15 + n / 2, -115.2)) for n in range(6)])
    away = [door.code for door in making.doors_of(made)[1:]]

    tail = splitting.split(block_code=made.code, stop_codes=away, actor=SYSTEM, at=AT)

    start, over, end = window_of(tail)
    assert over - start > 4 * HOUR
    assert end >= over
