"""By what rules a mall is planned, from the rows to the blocks: cars, goods kept apart, one door, hours, metres,
waiting."""

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deliveries import posting
from deliveries.models import Order, Stop
from drivers.models import Vehicle
from offers import claiming, eligibility, limits, rearranging
from offers.models import Apart, Block, Cutoff, PlanCar, PlanRules
from offers.planning import fleet, inputs, past, publish, rules, waves
from offers.tests import making
from offers.tests.making import AT, HOUR, MINUTE
from retaildelivery.accounts.models import User
from retaildelivery.lib.geo import Point
from retaildelivery.lib.windows import Window
from retaildelivery.outbox.recording import SYSTEM
from stores import hours
from stores.models import Store, StoreHours

pytestmark = pytest.mark.django_db

NEAR = [Point(36.150 + n / 400, -115.200 - n / 500) for n in range(12)]
SOON = (AT, AT + 65 * MINUTE)
DAY = dt.date(2026, 1, 1)
MONDAY = 0


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(limits, "PLAN_SECONDS", 0.2)


@pytest.fixture
def mall():
    return making.mall()


@pytest.fixture
def store(mall):
    return making.store(mall)


@pytest.fixture
def its_rules(mall):
    return PlanRules.objects.create(market=mall.market, valid_from=DAY)


@pytest.fixture
def may_load_again(its_rules):
    its_rules.max_trips = 2
    its_rules.save()


def run(at=AT + MINUTE, **options):
    return waves.run(mall_code="fashion-show", at=at, **options)


def together():
    """The orders of each block."""
    return sorted(
        sorted(Order.objects.filter(consignments__manifest=block.manifest_id).values_list("code", flat=True))
        for block in Block.objects.exclude(manifest=None)
    )


# -- Cars ----------------------------------------------------------------------------------------------------


def test_small_and_large_orders_share_one_block_of_the_car_that_both_need(store):
    big = making.order(store, litres=220, parcels=2, window=SOON, point=NEAR[0])
    small = making.order(store, window=SOON, point=NEAR[1])

    made = run()

    block = Block.objects.get()
    assert (made.blocks_made, together()) == (1, [sorted([big.code, small.code])])
    assert (block.litres, block.vehicle_kind) == (452, "suv")


def test_a_load_that_no_driver_of_the_market_can_carry_is_left_and_says_so(store):
    making.driver("Ada", kind=Vehicle.Kind.SEDAN)
    big = making.order(store, litres=220, parcels=2, window=SOON)

    [left] = run(everything=True).left

    assert (left["order"], left["reason"], left["params"]) == (
        big.code,
        "too_big_for_any_car",
        {"litres": 440, "limit": 350},
    )


def test_the_only_van_is_asked_for_once_at_a_time(store):
    making.driver("Ada", kind=Vehicle.Kind.VAN)
    making.driver("Ben")
    for n in range(2):
        making.order(store, litres=400, parcels=8, window=SOON, point=NEAR[n])

    made = run(everything=True)

    assert Block.objects.count() == 1
    assert [each["reason"] for each in made.left] == ["no_car_left"]
    assert [each["reason"] for each in run(at=AT + 2 * MINUTE, everything=True).left] == ["no_car_left"]


def test_cars_count_those_of_approved_drivers_less_those_that_are_held_or_asked_for(mall, store):
    suv = making.driver("Ada", kind=Vehicle.Kind.SUV)
    making.driver("Eve", kind=Vehicle.Kind.SUV, status="suspended")
    making.driver("Ben", kind=Vehicle.Kind.VAN)
    making.driver("Far", kind=Vehicle.Kind.MINIVAN, market="reno")
    held = making.block([making.order(store)])
    window = Window(held.starts_at, held.ends_at)

    def counted():
        return {car.code: car.count for car in fleet.cars(mall.market, rules.Rules(), window)}

    assert counted() == {"sedan": None, "suv": 1, "van": 1}
    making.claimed(held, suv)
    assert counted() == {"sedan": None, "suv": 0, "van": 1}
    making.block([making.order(store, litres=220, parcels=2)], start=held.starts_at)
    assert counted() == {"sedan": None, "suv": 0, "van": 0}
    later = Window(held.ends_at + 3 * HOUR, held.ends_at + 5 * HOUR)
    window = later
    assert counted() == {"sedan": None, "suv": 1, "van": 1}


def test_operations_say_what_a_larger_car_costs_and_how_many_blocks_may_ask_for_it(mall, its_rules):
    PlanCar.objects.create(rules=its_rules, kind="van", extra_cents=2500, most_blocks=3)
    window = Window(AT, AT + HOUR)

    cars = {car.code: car for car in fleet.cars(mall.market, rules.on(mall.market, AT.date()), window)}

    assert (cars["van"].extra_cents, cars["van"].count) == (2500, 3)
    assert (cars["suv"].extra_cents, cars["suv"].count) == (limits.PLAN_CAR_CENTS["suv"], None)
    assert rules.on(mall.market, DAY - dt.timedelta(days=1)) == rules.Rules()


# -- Company -------------------------------------------------------------------------------------------------


def test_food_does_not_ride_with_chemicals(mall, store):
    Store.objects.filter(pk=store.pk).update(goods="food")
    paint = making.store(mall, "Hue & Brush")
    Store.objects.filter(pk=paint.pk).update(goods="chemicals")
    making.order(store, window=SOON, point=NEAR[0])
    making.order(paint, window=SOON, point=NEAR[0])

    run()

    assert [len(each) for each in together()] == [1, 1]


def test_a_market_says_itself_what_it_keeps_apart(mall, store, its_rules):
    Apart.objects.create(rules=its_rules, one="age", other="age")
    for n in range(2):
        wine = making.order(store, window=SOON, point=NEAR[n])
        Order.objects.filter(pk=wine.pk).update(minimum_age=21)

    run()

    assert [len(each) for each in together()] == [1, 1]


def test_food_joins_no_block_with_chemicals_on_it(mall, store):
    paint = making.store(mall, "Hue & Brush")
    Store.objects.filter(pk=paint.pk).update(goods="chemicals")
    Store.objects.filter(pk=store.pk).update(goods="food")
    block = making.block([making.order(paint, point=NEAR[0])])
    making.order(store, point=NEAR[0])

    made = run()

    assert (made.orders_joined, Block.objects.get()) == (0, block)


def test_orders_to_one_door_come_in_one_visit(store):
    for n in range(3):
        making.order(store, window=SOON, point=NEAR[n])
        making.order(store, window=SOON, point=NEAR[n])

    run()

    doors = Stop.objects.filter(kind="dropoff")
    assert sorted(door.dropoffs.count() for door in doors) == [2, 2, 2]


def test_no_block_goes_farther_than_the_law_allows(store, its_rules):
    PlanRules.objects.update(max_metres=9_000)
    for n in (0, 11):
        making.order(store, window=SOON, point=NEAR[n])

    made = run(everything=True)

    assert all(distance <= 9_000 for distance in Block.objects.values_list("distance_m", flat=True))
    assert {each["reason"] for each in made.left} <= {"too_far_for_any_block"}


# -- Hours ---------------------------------------------------------------------------------------------------


def opens(store, start, end, weekday=MONDAY):
    return StoreHours.objects.create(store=store, weekday=weekday, opens=start, closes=end)


def test_the_next_opening_of_a_store_is_in_the_malls_time(mall, store):
    opens(store, dt.time(9), dt.time(12))
    opens(store, dt.time(9), dt.time(12), weekday=2)
    silent = making.store(mall, "No Hours")

    def opening(at):
        return hours.next_openings(mall, at=at)

    # 18:00 UTC is 10:00 in Las Vegas.
    assert opening(AT) == {store.code: Window(AT - HOUR, AT + 2 * HOUR)}
    assert opening(AT + 2 * HOUR)[store.code].start == AT + 47 * HOUR
    assert silent.code not in opening(AT)


def test_a_store_that_shuts_before_a_car_could_load_is_the_reason(store):
    opens(store, dt.time(9), dt.time(10, 12))
    order = making.order(store)

    [left] = run().left

    assert (left["order"], left["reason"]) == (order.code, "store_shuts_first")
    assert Block.objects.count() == 0


def test_an_order_whose_store_shuts_soon_does_not_wait_for_company(store):
    opens(store, dt.time(9), dt.time(11))
    making.order(store)

    assert run().blocks_made == 1


def test_nobody_is_sent_to_a_store_before_it_opens(store):
    opens(store, dt.time(11, 30), dt.time(20))
    making.order(store)

    run(everything=True)

    assert Block.objects.get().starts_at == AT + 90 * MINUTE


# -- Waiting -------------------------------------------------------------------------------------------------


@pytest.fixture
def noon_and_four(mall):
    for hour in (12, 16):
        Cutoff.objects.create(mall=mall, local_time=dt.time(hour))
    return AT + 2 * HOUR


def test_an_order_waits_for_the_next_cutoff_where_that_is_cheaper_and_its_promise_has_time(
    store, noon_and_four
):
    calm = making.order(store, window=(AT, AT + 10 * HOUR))

    [left] = run(at=noon_and_four).left

    assert (left["order"], left["reason"]) == (calm.code, "cheaper_to_wait")
    assert dt.datetime.fromisoformat(left["until"]) == AT + 6 * HOUR


def test_an_order_for_which_the_plan_of_the_next_cutoff_comes_too_late_goes_now(store, noon_and_four):
    making.order(store, window=(AT, AT + 7 * HOUR))

    assert run(at=noon_and_four).blocks_made == 1


def test_what_waiting_costs_is_the_markets_to_say(store, its_rules):
    making.order(store)
    PlanRules.objects.update(wait_cents=20_000)

    assert run().blocks_made == 1


# -- The whole way -------------------------------------------------------------------------------------------


def test_an_order_that_got_another_kind_while_planning_falls_out(mall, store):
    one, two = (making.order(store, window=SOON, point=NEAR[n]) for n in range(2))
    begun = waves.begin(mall_code="fashion-show", at=AT + MINUTE)
    proposal = waves.propose(mall_code="fashion-show", at=AT + MINUTE, seed=1)
    Order.objects.filter(pk=one.pk).update(minimum_age=21)
    Order.objects.filter(pk=two.pk).update(ready_at=AT - 10 * MINUTE)

    publish.publish(run_id=begun.pk, proposal=proposal, at=AT + MINUTE)

    assert together() == [[two.code]]


def test_the_past_knows_the_kind_of_an_order(store):
    Store.objects.filter(pk=store.pk).update(goods="food")
    told = {
        "code": "K7QX", "status": "placed", "store": store.code, "placed_at": AT.isoformat(),
        "dropoff": {"latitude": 36.15, "longitude": -115.2}, "ready_at": AT.isoformat(),
        "window": {"start": AT.isoformat(), "end": (AT + HOUR).isoformat()}, "parcels": [],
        "requirements": {"minimum_age": None},
    }  # fmt: skip
    wine = told | {"code": "K7QY", "requirements": {"minimum_age": 21}}

    found = past._waiting([told, wine], {store.code: "food"}, at=AT)

    assert [each.kind for each in found] == ["food", "age"]


@given(st.data())
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_waits_is_planned_judged_and_published_or_explained(mall, store, data):
    """Two waves over random orders, goods, hours and drivers, some blocks claimed between them."""
    before = making.transaction.savepoint()
    try:
        _two_waves(mall, store, data.draw)
    finally:
        making.transaction.savepoint_rollback(before)


def _two_waves(mall, store, draw):
    stores = [store, making.store(mall, "Hue & Brush"), making.store(mall, "Corner Pharmacy")]
    for each in stores:
        each.goods = draw(st.sampled_from(["", "food", "chemicals"]))
        each.save(update_fields=["goods"])
    if draw(st.booleans()):
        opens(stores[1], dt.time(draw(st.integers(6, 10))), dt.time(draw(st.integers(11, 20))))
    drivers = [
        making.driver(f"D{n}", kind=draw(st.sampled_from(Vehicle.Kind.values)))
        for n in range(draw(st.integers(0, 3)))
    ]
    for wave in range(2):
        at = AT + wave * 5 * MINUTE
        for _ in range(draw(st.integers(0, 4))):
            posted = making.order(
                draw(st.sampled_from(stores)),
                at=at,
                ready=at + draw(st.integers(0, 90)) * MINUTE,
                window=(at, at + draw(st.integers(30, 480)) * MINUTE),
                point=draw(st.sampled_from(NEAR)),
                litres=draw(st.sampled_from([12, 90, 220])),
                parcels=draw(st.integers(1, 6)),
            )
            Order.objects.filter(pk=posted.pk).update(minimum_age=draw(st.sampled_from([None, 21])))
        seen = {each.code for each in inputs.waiting(mall, at=at + MINUTE)}
        made = run(at=at + MINUTE, everything=draw(st.booleans()))
        assert made.failure == ""
        left = [each["order"] for each in made.left]
        placed = set(Order.objects.filter(status="placed").values_list("code", flat=True))
        assert sorted(left) == sorted(seen & placed)
        carried = [code for codes in together() for code in codes]
        assert sorted(carried) == sorted(
            Order.objects.exclude(status="placed").values_list("code", flat=True)
        )
        for block in Block.objects.exclude(manifest=None):
            goods = set(
                Order.objects.filter(consignments__manifest=block.manifest_id, minimum_age=None).values_list(
                    "store__goods", flat=True
                )
            )
            assert not {"food", "chemicals"} <= goods
            assert (block.litres, block.grams) <= Vehicle.CAPACITY[block.vehicle_kind]
        offered = Block.objects.offered().order_by("pk").first()
        for each in drivers if offered else []:
            offer = making.offer_of(offered)
            # What is due soon may have been on offer for less than the two minutes.
            closed = claiming.closed_to(offer, driver_id=each.pk, at=at + 2 * MINUTE)
            if closed is None and not eligibility.why(each, offer, at + 2 * MINUTE):
                making.claimed(offered, each, at=at + 2 * MINUTE)
                break


# -- Trips ---------------------------------------------------------------------------------------------------


def large(store, count, **more):
    """Orders of which a sedan holds one at a time."""
    return [making.order(store, point=NEAR[n], litres=300, **more) for n in range(count)]


def trips_of(block):
    stops = Stop.objects.filter(manifest=block.manifest_id).order_by("position")
    return [(stop.kind, stop.trip) for stop in stops]


def test_small_cars_come_back_where_the_rules_allow_two_trips(store, may_load_again):
    making.driver("Ada")
    large(store, 2)

    run(everything=True)

    block = Block.objects.get()
    assert (block.trips, block.litres, block.vehicle_kind, block.orders_count) == (2, 300, "sedan", 2)
    assert trips_of(block) == [("pickup", 1), ("dropoff", 1), ("pickup", 2), ("dropoff", 2)]
    stops = list(Stop.objects.filter(manifest=block.manifest_id).order_by("position"))
    assert [stop.planned_at for stop in stops] == sorted(stop.planned_at for stop in stops)
    assert stops[-1].planned_at < block.ends_at


def test_without_that_rule_each_takes_a_car_of_its_own(store, its_rules):
    making.driver("Ada")
    large(store, 2)

    run(everything=True)

    assert [block.trips for block in Block.objects.all()] == [1, 1]


def test_a_late_order_joins_the_trip_that_has_room_for_it(store, may_load_again):
    making.driver("Ada")
    first, second = (
        making.order(store, point=NEAR[0], litres=320),
        making.order(store, point=NEAR[1], litres=200),
    )
    block = making.block_of_trips([first], [second])
    late = making.order(store, point=NEAR[2], litres=120, at=AT + MINUTE)

    made = run(AT + 2 * MINUTE, everything=True)

    block.refresh_from_db()
    assert (made.orders_joined, made.filled) == (1, [{"block": block.code, "added": [late.code]}])
    place = late.consignments.get()
    assert (place.pickup.trip, place.dropoff.trip, place.manifest_id) == (2, 2, block.manifest_id)
    assert place.pickup == second.consignments.get().pickup
    assert (block.trips, block.litres) == (2, 320)


def test_an_order_of_the_first_trip_that_is_cancelled_while_planning_leaves_one_trip(store, may_load_again):
    making.driver("Ada")
    large(store, 2)
    proposal = waves.propose(mall_code="fashion-show", at=AT + MINUTE, seed=1)
    (planned,) = proposal.plan.blocks
    posting.cancel(
        order_code=planned.trips[0].orders[0], scope=Order.objects.all(), reason="other", note="",
        actor=SYSTEM, at=AT + MINUTE,
    )  # fmt: skip
    begun = waves.begin(mall_code="fashion-show", at=AT + MINUTE)

    publish.publish(run_id=begun.pk, proposal=proposal, at=AT + MINUTE)

    block = Block.objects.get()
    assert (block.trips, trips_of(block)) == (1, [("pickup", 1), ("dropoff", 1)])


def test_a_person_moves_an_order_onto_the_trip_that_can_hold_it(store, its_rules):
    full, half = (
        making.order(store, point=NEAR[0], litres=340),
        making.order(store, point=NEAR[1], litres=200),
    )
    block = making.block_of_trips([full], [half])
    waits = making.order(store, point=NEAR[2], litres=120)
    olga = User.objects.create_user(email="olga@example.com", password="x", is_staff=True)

    outlook = rearranging.look(mall=store.mall, order=waits, at=AT)
    option = outlook.option(block.code)
    rearranging.move(outlook=outlook, to_code=block.code, seen=option.seen, by=olga, at=AT)

    assert option.problems == []
    assert waits.consignments.get().dropoff.trip == 2
    assert [trip for _kind, trip in trips_of(block)] == [1, 1, 2, 2, 2]


def test_the_judge_refuses_a_move_that_no_trip_can_hold(store, its_rules):
    full = [making.order(store, point=NEAR[n], litres=340) for n in range(2)]
    block = making.block_of_trips(full[:1], full[1:])
    waits = making.order(store, point=NEAR[2], litres=120)

    option = rearranging.look(mall=store.mall, order=waits, at=AT).option(block.code)

    assert {violation.rule for violation in option.after.violations} == {"too_big"}


def test_the_trips_of_a_block_are_planned_again_as_they_were_at_any_moment_since(store, its_rules):
    orders = [making.order(store, point=NEAR[n]) for n in range(3)]
    making.block_of_trips(orders[:2], orders[2:])

    [now] = inputs.open_blocks(store.mall, at=AT)

    assert now.room.trips == (tuple(each.code for each in orders[:2]), (orders[2].code,))
