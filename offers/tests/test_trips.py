"""A block with two trips: from the claim to the pay, over HTTP, with custody right at every step."""

import pytest
from rest_framework.test import APIClient

from deliveries import loading
from deliveries.models import Manifest, Parcel, Stop
from drivers import tokens
from drivers.models import DriverPosting
from offers import attendance, splitting
from offers.models import Block
from offers.tests import making
from offers.tests.making import AT, HOUR, MINUTE, START
from retaildelivery.accounts.models import User
from retaildelivery.lib.geo import Point
from retaildelivery.outbox.models import Fact
from retaildelivery.outbox.recording import SYSTEM
from stores.models import SellerPosting

BASE = "/api/v1/driver"
BACK = START + 70 * MINUTE
HOME = {"latitude": 36.1277, "longitude": -115.1723}


@pytest.fixture(autouse=True)
def _now(time_machine, db):
    time_machine.move_to(AT, tick=False)


@pytest.fixture
def shop():
    return making.store(making.mall())


@pytest.fixture
def ada():
    return making.driver("Ada")


@pytest.fixture
def api(ada):
    _token, secret = tokens.issue(driver=ada, name="phone", at=AT)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client


@pytest.fixture
def block(shop):
    first = making.order(shop, litres=200)
    second = making.order(shop, litres=150, parcels=2, point=Point(36.15, -115.25))
    return making.block_of_trips([first], [second])


def put(api, path, at, **sent):
    answer = api.put(BASE + path, sent, format="json")
    assert answer.status_code == 200, answer.json()
    return answer.json()


def manifest_of(api, block):
    return api.get(f"{BASE}/blocks/{block.code}/manifest").json()


def custodians(block):
    rows = Parcel.objects.filter(order__consignments__manifest=block.manifest_id).order_by("pk")
    return list(rows.values_list("custodian", flat=True))


def counter(block, trip):
    return Stop.objects.get(manifest=block.manifest_id, kind=Stop.Kind.PICKUP, trip=trip)


def door(block, trip):
    return Stop.objects.get(manifest=block.manifest_id, kind=Stop.Kind.DROPOFF, trip=trip)


def load(api, block, ada, trip, at):
    """Over HTTP what the phone does at the counter; the staff's half by their own verb."""
    stop = counter(block, trip)
    put(api, f"/stops/{stop.code}/arrival", at, client_event_id=f"there-{trip}", **HOME)
    for parcel in Parcel.objects.filter(order__consignments__pickup=stop):
        sent = {"code": parcel.code, "client_event_id": f"scan-{parcel.code}"}
        assert api.post(f"{BASE}/stops/{stop.code}/scans", sent, format="json").status_code == 200
    making.hand_over(stop, ada, at=at)


def begun(api, block, ada, time_machine):
    """The first trip of the block is on the road."""
    put(api, f"/offers/{making.offer_of(block).code}/claim", AT)
    time_machine.move_to(START, tick=False)
    put(api, f"/blocks/{block.code}/check-in", START, **HOME)
    load(api, block, ada, 1, START)
    put(api, f"/blocks/{block.code}/departure", START, trip=1)
    block.refresh_from_db()


def test_a_block_of_two_trips_goes_from_the_claim_to_the_pay(api, block, ada, time_machine):
    shown = put(api, f"/offers/{making.offer_of(block).code}/claim", AT)
    assert (shown["load"]["trips"], shown["load"]["litres"], shown["load"]["orders"]) == (2, 300, 2)
    time_machine.move_to(START, tick=False)
    put(api, f"/blocks/{block.code}/check-in", START, **HOME)
    assert [(stop["kind"], stop["trip"]) for stop in manifest_of(api, block)["stops"]] == [
        ("pickup", 1), ("dropoff", 1), ("pickup", 2), ("dropoff", 2),
    ]  # fmt: skip

    load(api, block, ada, 1, START)
    assert custodians(block) == ["driver", "store", "store"]
    put(api, f"/blocks/{block.code}/departure", START, trip=1)
    early = api.put(
        f"{BASE}/stops/{door(block, 2).code}/proof", {"client_event_id": "p", "left_at": "in_hand"}
    )
    assert (early.status_code, early.json()["code"]) == (409, "other_trip")
    put(api, f"/stops/{door(block, 1).code}/proof", START, client_event_id="one", left_at="in_hand")
    assert custodians(block) == ["recipient", "store", "store"]

    time_machine.move_to(BACK, tick=False)
    seen = manifest_of(api, block)
    assert (seen["status"], seen["trip"]) == ("loading", 2)
    again = put(api, f"/blocks/{block.code}/departure", BACK, trip=1)
    assert (again["status"], manifest_of(api, block)["status"]) == ("working", "loading")
    refused = api.put(f"{BASE}/blocks/{block.code}/departure", {"trip": 2}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_loaded")
    load(api, block, ada, 2, BACK)
    assert custodians(block) == ["recipient", "driver", "driver"]
    put(api, f"/blocks/{block.code}/departure", BACK, trip=2)
    time_machine.move_to(BACK + HOUR, tick=False)
    put(api, f"/stops/{door(block, 2).code}/proof", BACK, client_event_id="two", left_at="in_hand")
    making.relay_all(at=BACK + HOUR)

    block.refresh_from_db()
    assert (block.status, custodians(block)) == ("settled", ["recipient"] * 3)
    assert dict(DriverPosting.objects.values_list("kind", "cents")) == {"base": 5400}
    departed = Fact.objects.filter(name="manifest.departed").order_by("pk")
    assert [fact.data["trip"] for fact in departed] == [1, 2]


def test_departure_for_a_trip_that_is_not_loaded_yet_is_refused(api, block, ada, time_machine):
    put(api, f"/offers/{making.offer_of(block).code}/claim", AT)
    time_machine.move_to(START, tick=False)
    put(api, f"/blocks/{block.code}/check-in", START, **HOME)
    load(api, block, ada, 1, START)
    before = Fact.objects.count()

    refused = api.put(f"{BASE}/blocks/{block.code}/departure", {"trip": 2}, format="json")

    assert (refused.status_code, refused.json()["code"]) == (409, "other_trip")
    block.refresh_from_db()
    assert (block.status, Manifest.objects.get().status, Fact.objects.count()) == (
        "checked_in",
        "loading",
        before,
    )


def test_each_visit_to_a_store_has_its_own_ten_minutes(api, block, ada, shop, time_machine):
    put(api, f"/offers/{making.offer_of(block).code}/claim", AT)
    making.check_in(block, ada, at=START)
    making.collect(block, ada, arrive=START, handover=START + 16 * MINUTE)
    making.depart(block, ada, at=START + 16 * MINUTE)
    making.deliver(door(block, 1), ada, at=START + 40 * MINUTE)
    # Back ten minutes before the store was told: what is waited until then is on nobody's account.
    making.collect(block, ada, arrive=START + 50 * MINUTE, handover=START + HOUR + 13 * MINUTE)
    making.depart(block, ada, at=START + HOUR + 13 * MINUTE)
    making.deliver(door(block, 2), ada, at=START + 2 * HOUR)
    making.relay_all(at=START + 2 * HOUR)

    charged = SellerPosting.objects.filter(kind="wait").order_by("key")
    # Six and three minutes over, at eighteen dollars an hour.
    assert [(posting.key, posting.cents) for posting in charged] == [
        (f"block:{block.code}:wait:{shop.code}", 180), (f"block:{block.code}:wait:{shop.code}:2", 90),
    ]  # fmt: skip
    assert sorted(DriverPosting.objects.filter(kind="wait").values_list("cents", flat=True)) == [90, 180]


def test_only_what_is_carried_on_this_trip_can_be_handed_over(api, block, ada, time_machine, client):
    begun(api, block, ada, time_machine)
    client.force_login(User.objects.create_user(email="ops@example.com", password="x", is_staff=True))

    page = client.get(f"/ops/blocks/{block.code}/")

    assert [stop.pk for stop in page.context["change_stops"]] == [door(block, 1).pk]
    shown = api.get(f"{BASE}/blocks/{block.code}/relief").json()
    assert [stop["code"] for stop in shown["stops"]] == [door(block, 1).code]


def test_the_car_must_hold_the_largest_trip_not_the_whole_block(shop):
    small = making.order(shop, litres=300)
    block = making.block_of_trips([small], [making.order(shop, litres=340)])

    assert (block.trips, block.litres, block.vehicle_kind) == (2, 340, "sedan")
    whole = making.block([making.order(shop, litres=300), making.order(shop, litres=340)])
    assert (whole.litres, whole.vehicle_kind) == (640, "suv")


def test_a_driver_who_does_not_come_leaves_both_trips_to_the_rescue(block, ada):
    making.claimed(block, ada)

    assert attendance.miss(block_id=block.pk, at=START + 20 * MINUTE)

    rescue = Block.objects.exclude(pk=block.pk).get()
    assert (rescue.status, rescue.trips, rescue.litres) == ("offered", 2, 300)
    stops = Stop.objects.filter(manifest=rescue.manifest_id).order_by("position")
    assert [(stop.kind, stop.trip) for stop in stops] == [
        ("pickup", 1), ("dropoff", 1), ("pickup", 2), ("dropoff", 2),
    ]  # fmt: skip


def test_a_trip_that_is_split_off_becomes_the_first_of_its_own_block(block, ada):
    making.claimed(block, ada)
    making.check_in(block, ada, at=START)

    made = splitting.split(
        block_code=block.code, stop_codes=[door(block, 2).code], actor=SYSTEM, at=START + MINUTE
    )

    block.refresh_from_db()
    assert (block.trips, block.litres, made.trips, made.litres) == (1, 200, 1, 300)
    assert set(Stop.objects.filter(manifest=made.manifest_id).values_list("trip", flat=True)) == {1}


def test_the_first_trip_that_is_split_off_leaves_the_second_to_be_loaded_first(block, ada):
    making.claimed(block, ada)
    making.check_in(block, ada, at=START)

    splitting.split(block_code=block.code, stop_codes=[door(block, 1).code], actor=SYSTEM, at=START + MINUTE)
    making.collect(block, ada, arrive=START + MINUTE, handover=START + 2 * MINUTE)
    making.depart(block, ada, at=START + 3 * MINUTE)

    manifest = Manifest.objects.get(pk=block.manifest_id)
    assert (manifest.status, manifest.trip) == ("on_route", 1)


def test_orders_left_after_a_split_are_not_collected_twice(shop, ada):
    block = making.block([making.order(shop), making.order(making.store(shop.mall, "Harbor Shoes"))])
    making.claimed(block, ada)
    making.check_in(block, ada, at=START)
    first = Stop.objects.filter(manifest=block.manifest_id, kind="pickup").order_by("position")[0]
    for parcel in Parcel.objects.filter(order__consignments__pickup=first):
        _read(first, parcel, ada)
    making.hand_over(first, ada, at=START)
    doors = making.doors_of(block)

    splitting.split(block_code=block.code, stop_codes=[doors[1].code], actor=SYSTEM, at=START + MINUTE)
    making.depart(block, ada, at=START + 2 * MINUTE)

    assert Manifest.objects.get(pk=block.manifest_id).status == "on_route"


def _read(stop, parcel, driver):
    loading.scan(
        driver=driver,
        stop_code=stop.code,
        entered=parcel.code,
        method="typed",
        evidence=making.evidence(START),
        at=START,
    )
