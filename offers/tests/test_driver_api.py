"""The driver's API of offers, blocks, pay, badge and standing, by token."""

import datetime as dt
import json

import pytest
from rest_framework.test import APIClient

from deliveries.models import Order
from drivers import badge, tokens
from drivers.models import Driver, DriverPosting, StandingEvent
from offers import claiming
from offers.models import Block, Claim, Decline
from offers.tests import making
from offers.tests.making import AT, MINUTE, START
from retaildelivery.accounts.models import User
from retaildelivery.outbox.models import Fact

BASE = "/api/v1/driver"
OFFER_CALLS = [
    ("get", ""),
    ("get", "/why"),
    ("put", "/entry"),
    ("delete", "/entry"),
    ("put", "/claim"),
    ("put", "/decline"),
]
BLOCK_CALLS = [
    ("get", ""),
    ("delete", "/claim"),
    ("put", "/check-in"),
    ("put", "/departure"),
    ("get", "/manifest"),
]


@pytest.fixture(autouse=True)
def _now(time_machine, db):
    time_machine.move_to(AT, tick=False)


@pytest.fixture
def block():
    store = making.store(making.mall())
    return making.block([making.order(store, parcels=2, tip_cents=300), making.order(store)])


@pytest.fixture
def ada():
    return making.driver("Ada")


@pytest.fixture
def ben():
    return making.driver("Ben")


def api_of(driver: Driver) -> APIClient:
    _token, secret = tokens.issue(driver=driver, name="phone", at=AT)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client


@pytest.fixture
def api(ada):
    return api_of(ada)


@pytest.fixture
def mine(block, ada):
    claiming.claim(offer_code=making.offer_of(block).code, driver_id=ada.pk, at=AT)
    return block


def snapshot():
    return (
        sorted(Block.objects.values_list("code", "status")),
        sorted(Claim.objects.values_list("pk", "ending")),
        Decline.objects.count(),
        Fact.objects.count(),
    )


def problem(answer):
    return answer.status_code, answer.json()["code"]


# -- Who asks ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ({}, "not_authenticated"),
        ({"HTTP_AUTHORIZATION": "Bearer dt_nobody"}, "invalid_token"),
        ({"HTTP_AUTHORIZATION": "Bearer sk_live_nobody"}, "not_authenticated"),
        ({"HTTP_AUTHORIZATION": "Basic QWRhOng="}, "not_authenticated"),
        ({"HTTP_AUTHORIZATION": "Bearer"}, "not_authenticated"),
    ],
)
@pytest.mark.parametrize("path", ["/offers", "/blocks", "/badge", "/earnings", "/standing"])
def test_without_a_good_token_it_is_401(header, code, path):
    answer = APIClient().get(BASE + path, **header)

    assert problem(answer) == (401, code)
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["WWW-Authenticate"] == "Bearer"


def test_a_revoked_token_and_an_inactive_person_are_401(ada):
    token, secret = tokens.issue(driver=ada, name="phone", at=AT)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    assert client.get(BASE + "/badge").status_code == 200

    User.objects.filter(pk=ada.user_id).update(is_active=False)
    assert problem(client.get(BASE + "/badge")) == (401, "invalid_token")
    User.objects.filter(pk=ada.user_id).update(is_active=True)
    tokens.revoke(token=token, at=AT)
    assert problem(client.get(BASE + "/badge")) == (401, "invalid_token")


def test_a_person_who_is_no_driver_is_403(db):
    client = APIClient()
    client.force_login(User.objects.create_user(email="sam@example.com", password="x", name="Sam"))

    assert problem(client.get(BASE + "/offers")) == (403, "permission_denied")


def test_a_session_may_read_but_writes_only_with_the_csrf_token(ada, block):
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(ada.user)

    assert client.get(BASE + "/offers").status_code == 200
    before = snapshot()
    answer = client.put(f"{BASE}/offers/{making.offer_of(block).code}/claim", {}, format="json")
    assert answer.status_code == 403
    assert snapshot() == before


# -- Offers --------------------------------------------------------------------------------------------------


def test_an_offer_is_whole(api, block):
    [offer] = api.get(BASE + "/offers").json()["results"]

    assert offer["code"] == making.offer_of(block).code
    assert offer["block"] == block.code
    assert offer["pay"] == {"cents": 3600, "currency": "USD"}
    assert offer["hourly"] == {"cents": 1800, "currency": "USD"}
    assert offer["tips"] == {"cents": 300, "currency": "USD"}
    assert offer["estimate"] == {
        "distance_m": 20_000,
        "way_m": None,
        "cents_per_mile": "72.50",
        "tolls": {"cents": 0, "currency": "USD"},
        "cost": {"cents": 901, "currency": "USD"},
        "left": {"cents": 2699, "currency": "USD"},
        "left_hourly": {"cents": 1350, "currency": "USD"},
    }
    assert offer["load"] == {
        "orders": 2, "parcels": 3, "stores": 1, "doors": 2, "trips": 1, "litres": 36, "grams": 3000,
        "vehicle_kind": "sedan",
        "is_relief": False,
    }  # fmt: skip
    assert offer["window"] == {"start": "2026-11-23T21:00:00.000Z", "end": "2026-11-23T23:00:00.000Z"}
    assert offer["ladder"][0]["hourly"] == {"cents": 1900, "currency": "USD"}
    assert (offer["eligible"], offer["why_not"]) == (True, None)


def test_of_a_block_without_orders_nothing_is_said_of_its_way(api):
    block = making.empty_block(making.mall())

    [offer] = api.get(BASE + "/offers").json()["results"]
    assert offer["estimate"] is None

    held = api.put(f"{BASE}/offers/{offer['code']}/claim", {}, format="json").json()
    assert (held["code"], held["estimate"]) == (block.code, None)


def test_the_servers_clock_alone_says_when_an_offer_has_closed(api, block, time_machine):
    """A phone may be an hour behind, and says so: neither its own time nor a header of it counts."""
    offer = making.offer_of(block)
    path = f"{BASE}/offers/{offer.code}/claim"
    behind = "Mon, 23 Nov 2026 17:00:00 GMT"
    time_machine.move_to(offer.closes_at, tick=False)

    with_header = api.put(path, {}, format="json", headers={"Date": behind})
    with_field = api.put(path, {"device_time": "2026-11-23T18:00:00Z"}, format="json")

    assert problem(with_header) == (409, "offer_closed")
    assert with_field.status_code == 400
    time_machine.move_to(offer.closes_at - making.MINUTE / 60_000, tick=False)
    assert api.put(path, {}, format="json", headers={"Date": behind}).status_code == 200


def test_a_feed_that_has_not_changed_costs_no_sql(api, block, django_assert_num_queries):
    first = api.get(BASE + "/offers")

    with django_assert_num_queries(0):
        again = api.get(BASE + "/offers", headers={"If-None-Match": first["ETag"]})

    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    assert int(again["RateLimit-Remaining"]) == int(first["RateLimit-Remaining"]) - 1


def test_a_claim_changes_the_feed_of_everyone_in_the_market(
    api, ben, block, django_capture_on_commit_callbacks
):
    etag = api.get(BASE + "/offers")["ETag"]

    with django_capture_on_commit_callbacks(execute=True):
        api_of(ben).put(f"{BASE}/offers/{making.offer_of(block).code}/claim")

    answer = api.get(BASE + "/offers", headers={"If-None-Match": etag})
    assert (answer.status_code, answer.json()) == (200, {"results": []})


def test_an_etag_is_bound_to_who_got_it(api, ben, block):
    etag = api.get(BASE + "/offers")["ETag"]

    assert api_of(ben).get(BASE + "/offers", headers={"If-None-Match": etag}).status_code == 200
    assert APIClient().get(BASE + "/offers", headers={"If-None-Match": etag}).status_code == 401


def test_why_names_every_reason(api, ada, block):
    ada.documents.filter(kind="licence").update(expires_on=AT.date().replace(day=22))
    Driver.objects.filter(pk=ada.pk).update(status="suspended", suspended_at=AT)

    answer = api.get(f"{BASE}/offers/{making.offer_of(block).code}/why").json()

    assert answer["eligible"] is False
    assert [(r["code"], r["reason"]) for r in answer["refusals"]] == [
        ("not_approved", ""),
        ("document_expired", "licence"),
    ]


def test_why_says_that_another_driver_has_the_block_and_nothing_of_it_to_who_has(api, ben, ada, block):
    offer = making.offer_of(block)
    making.claimed(block, ada)

    mine = api.get(f"{BASE}/offers/{offer.code}/why").json()
    theirs = api_of(ben).get(f"{BASE}/offers/{offer.code}/why").json()

    assert "block_taken" not in [refusal["code"] for refusal in mine["refusals"]]
    assert (theirs["eligible"], [refusal["code"] for refusal in theirs["refusals"]]) == (
        False,
        ["block_taken"],
    )


def test_a_claim_is_answered_with_the_block_and_a_repeat_with_the_same(api, block):
    path = f"{BASE}/offers/{making.offer_of(block).code}/claim"

    first = api.put(path)
    before = snapshot()
    again = api.put(path, {}, format="json")

    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    assert first.json()["status"] == "claimed"
    assert first.json()["claim"]["pay"] == {"cents": 3600, "currency": "USD"}
    assert first.json()["check_in"]["opens_at"] == "2026-11-23T20:45:00.000Z"
    assert first.json()["release_free_until"] == "2026-11-23T20:15:00.000Z"
    assert snapshot() == before


def test_the_second_to_claim_is_told_that_it_is_taken(api, ben, block):
    path = f"{BASE}/offers/{making.offer_of(block).code}/claim"
    api_of(ben).put(path)
    before = snapshot()

    answer = api.put(path)

    assert problem(answer) == (409, "block_taken")
    assert snapshot() == before


@pytest.mark.parametrize(("method", "path"), OFFER_CALLS)
def test_an_offer_of_another_market_is_404(api, method, path):
    elsewhere = making.mall("tysons", zone="America/New_York", market="washington")
    offer = making.offer_of(making.block([making.order(making.store(elsewhere))]))
    before = snapshot()

    answer = getattr(api, method)(f"{BASE}/offers/{offer.code}{path}")

    assert problem(answer) == (404, "not_found")
    assert snapshot() == before


@pytest.mark.parametrize(
    ("sent", "field"),
    [({"reason": "bored"}, "reason"), ({"reason": 7}, "reason"), ({"why": "pay"}, "why")],
)
def test_a_nonsense_decline_names_the_field(api, block, sent, field):
    before = snapshot()

    answer = api.put(f"{BASE}/offers/{making.offer_of(block).code}/decline", sent, format="json")

    assert problem(answer) == (400, "validation_error")
    assert [error["field"] for error in answer.json()["field_errors"]] == [field]
    assert snapshot() == before


def test_a_decline_hides_the_offer(api, block):
    answer = api.put(f"{BASE}/offers/{making.offer_of(block).code}/decline", {"reason": "pay"}, format="json")

    assert answer.status_code == 204
    assert api.get(BASE + "/offers").json() == {"results": []}


# -- Blocks --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path"), BLOCK_CALLS)
def test_another_drivers_block_is_404(ben, mine, method, path):
    before = snapshot()

    answer = getattr(api_of(ben), method)(f"{BASE}/blocks/{mine.code}{path}")

    assert problem(answer) == (404, "not_found")
    assert snapshot() == before


def test_blocks_are_listed_by_page(api, mine):
    answer = api.get(BASE + "/blocks").json()

    assert [block["code"] for block in answer["results"]] == [mine.code]
    assert answer["next"] is None
    assert problem(api.get(BASE + "/blocks?cursor=BNOTMINE")) == (404, "unknown_cursor")
    assert problem(api.get(BASE + "/blocks?limit=0")) == (400, "validation_error")


@pytest.mark.parametrize(
    ("late", "ending", "points"),
    [(dt.timedelta(0), "released", []), (dt.timedelta(seconds=1), "forfeited", [-3])],
)
def test_an_app_releases_by_the_same_second_as_the_page(api, mine, time_machine, late, ending, points):
    time_machine.move_to(START - 45 * MINUTE + late, tick=False)

    answer = api.delete(f"{BASE}/blocks/{mine.code}/claim")

    assert (answer.status_code, answer.json()["claim"]["ending"]) == (200, ending)
    assert list(StandingEvent.objects.values_list("points", flat=True)) == points


def test_release_tells_how_it_ended_and_a_repeat_that_it_is_no_longer_yours(api, mine):
    answer = api.delete(f"{BASE}/blocks/{mine.code}/claim")

    assert (answer.status_code, answer.json()["claim"]["ending"]) == (200, "released")
    assert problem(api.delete(f"{BASE}/blocks/{mine.code}/claim")) == (409, "claim_not_yours")


def test_check_in_by_position_and_again(api, mine, time_machine):
    time_machine.move_to(START - 15 * MINUTE, tick=False)
    here = {"latitude": 36.1277, "longitude": -115.1723, "accuracy_m": 8}

    first = api.put(f"{BASE}/blocks/{mine.code}/check-in", here, format="json")
    again = api.put(f"{BASE}/blocks/{mine.code}/check-in", here, format="json")

    assert (first.status_code, first.json()["status"]) == (200, "checked_in")
    assert first.json() == again.json()


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        ({}, 422, "position_needed"),
        ({"latitude": 36.2, "longitude": -115.1723}, 422, "outside_geofence"),
        ({"desk_code": "NOTIT2"}, 422, "wrong_desk_code"),
        ({"latitude": 36.1}, 400, "validation_error"),
        ({"latitude": "36.1277", "longitude": -115.17}, 400, "validation_error"),
        ({"latitude": 91, "longitude": 0}, 400, "validation_error"),
        ({"desk_code": "K" * 21}, 400, "validation_error"),
        ({"desk_code": None}, 400, "validation_error"),
        ([], 400, "validation_error"),
    ],
)
def test_a_check_in_that_cannot_be_changes_nothing(api, mine, time_machine, sent, status, code):
    time_machine.move_to(START, tick=False)
    before = snapshot()

    answer = api.put(f"{BASE}/blocks/{mine.code}/check-in", sent, format="json")

    assert problem(answer) == (status, code)
    assert snapshot() == before


def test_departure_is_refused_while_a_store_has_something(api, mine, time_machine):
    time_machine.move_to(START, tick=False)
    assert problem(api.put(f"{BASE}/blocks/{mine.code}/departure")) == (409, "not_checked_in")
    api.put(f"{BASE}/blocks/{mine.code}/check-in", {"desk_code": "K7QX4M"}, format="json")

    assert problem(api.put(f"{BASE}/blocks/{mine.code}/departure")) == (409, "not_loaded")


def test_the_manifest_has_every_stop_and_parcel(api, mine):
    manifest = api.get(f"{BASE}/blocks/{mine.code}/manifest").json()

    assert [stop["kind"] for stop in manifest["stops"]] == ["pickup", "dropoff", "dropoff"]
    pickup, first, second = manifest["stops"]
    assert len(pickup["orders"]) == 2
    assert [len(stop["orders"][0]["parcels"]) for stop in (first, second)] == [2, 1]
    assert first["orders"][0]["recipient"] == {"name": "Robin Field", "phone": "+17025550123"}


def test_no_answer_carries_the_pin_or_the_tracking_link(api, mine):
    Order.objects.update(requires_pin=True, pin="7391")
    tokens_ = list(Order.objects.values_list("tracking_token", flat=True))
    offer = Claim.objects.get().offer
    paths = [
        "/offers", f"/offers/{offer.code}", f"/offers/{offer.code}/why", "/blocks", f"/blocks/{mine.code}",
        f"/blocks/{mine.code}/manifest", "/earnings", "/standing",
    ]  # fmt: skip

    answers = [json.dumps(api.get(BASE + path).json()) for path in paths]

    assert not [text for text in answers if "7391" in text or any(token in text for token in tokens_)]


# -- About the driver ----------------------------------------------------------------------------------------


def test_the_badge_is_the_code_of_this_minute(api, ada):
    answer = api.get(BASE + "/badge").json()

    assert answer == {"code": badge.code(ada.badge_secret, AT), "valid_until": "2026-11-23T18:01:00Z"}


def test_earnings_are_itemised(api, ada, mine):
    DriverPosting.objects.create(
        key=f"block:{mine.code}:base", driver=ada, kind="base", cents=3600, text="2 h at $18.00",
        rule="las-vegas-2026:weekday", subject=f"block:{mine.code}", at=AT,
    )  # fmt: skip
    Claim.objects.update(ended_at=AT, ending="completed")

    answer = api.get(BASE + "/earnings").json()

    assert answer["balance"] == {"cents": 3600, "currency": "USD"}
    [paid] = answer["results"]
    assert (paid["block"], paid["total"]) == (mine.code, {"cents": 3600, "currency": "USD"})
    assert paid["lines"] == [
        {
            "key": f"block:{mine.code}:base",
            "kind": "base",
            "text": "2 h at $18.00",
            "amount": {"cents": 3600, "currency": "USD"},
            "rule": "las-vegas-2026:weekday",
            "at": "2026-11-23T18:00:00.000Z",
        }
    ]


def test_standing_lists_each_event_with_its_fault(api, ada, ben):
    for driver in (ada, ben):
        StandingEvent.objects.create(
            key=f"late:{driver.code}", driver=driver, kind="late", fault="driver", points=-1,
            subject="block:BX", at=AT, decays_at=START,
        )  # fmt: skip

    answer = api.get(BASE + "/standing").json()

    assert answer["points"] == -1
    assert [(event["key"], event["fault"]) for event in answer["results"]] == [(f"late:{ada.code}", "driver")]


def test_a_claim_costs_the_same_however_many_orders_there_are(api, django_assert_max_num_queries):
    store = making.store(making.mall())
    offer = making.offer_of(making.block([making.order(store) for _ in range(8)]))

    # 2 of them for the savepoint, and 1 that notes when the device was last used.
    with django_assert_max_num_queries(17):
        assert api.put(f"{BASE}/offers/{offer.code}/claim", {}).status_code == 200

    assert Fact.objects.filter(name="order.assigned").count() == 8


def test_every_answer_stays_within_its_queries(api, mine, django_assert_max_num_queries):
    offer = Claim.objects.get().offer
    paths = ["/offers", f"/offers/{offer.code}", "/blocks", f"/blocks/{mine.code}", "/earnings", "/standing"]
    paths += [f"/blocks/{mine.code}/manifest"]
    for path in paths:
        with django_assert_max_num_queries(12):
            assert api.get(BASE + path).status_code == 200


def test_who_has_everything_departs(api, mine, ada, time_machine):
    time_machine.move_to(START, tick=False)
    making.check_in(mine, ada, at=START)
    making.collect(mine, ada, arrive=START, handover=START)

    first = api.put(
        f"{BASE}/blocks/{mine.code}/departure",
        {"client_event_id": "off-1"},
        format="json",
    )
    second = api.put(f"{BASE}/blocks/{mine.code}/departure")

    assert (first.status_code, second.status_code) == (200, 200)
    assert len(making.facts_named("manifest.departed")) == 1
