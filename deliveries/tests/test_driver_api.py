"""The driver's API of stops, by token."""

import base64
import datetime as dt
import json

import pytest
from rest_framework.test import APIClient

from deliveries.models import Attempt, Incident, Order, Parcel, ProofOfDelivery, Scan, Stop
from drivers import tokens
from drivers.models import Position
from retaildelivery.outbox.models import Fact
from retaildelivery.testing.afternoon import MINUTE, NOW, picture, stops_of

BASE = "/api/v1/driver"
EVENT = {"client_event_id": "press-1"}
CALLS = [
    ("get", "", None),
    ("put", "/arrival", EVENT),
    ("post", "/scans", EVENT | {"code": "P234"}),
    ("put", "/proof", EVENT | {"left_at": "in_hand"}),
    ("post", "/attempts", EVENT | {"reason": "refused"}),
    ("post", "/incidents", EVENT | {"kind": "other"}),
]


@pytest.fixture(autouse=True)
def _now(time_machine):
    time_machine.move_to(NOW, tick=False)


def api_of(driver):
    _token, secret = tokens.issue(driver=driver, name="phone", at=NOW)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client


@pytest.fixture
def api(afternoon):
    return api_of(afternoon.ada)


@pytest.fixture
def counter(afternoon):
    return stops_of(afternoon.loading(afternoon.place()), Stop.Kind.PICKUP)[0]


@pytest.fixture
def door(afternoon):
    return stops_of(afternoon.on_route(afternoon.place()), Stop.Kind.DROPOFF)[0]


def call(api, method, stop, path, sent=None, **options):
    options.setdefault("format", "json")
    return getattr(api, method)(f"{BASE}/stops/{stop.code}{path}", sent, **options)


def snapshot():
    return (
        sorted(Parcel.objects.values_list("code", "status", "custodian")),
        sorted(Order.objects.values_list("code", "status", "pin_failures")),
        sorted(Stop.objects.values_list("code", "status")),
        Fact.objects.count(),
        Scan.objects.count(),
        ProofOfDelivery.objects.count(),
        Attempt.objects.count(),
        Incident.objects.count(),
    )


def problem(answer):
    return answer.status_code, answer.json()["code"]


def fields(answer):
    return [error["field"] for error in answer.json()["field_errors"]]


@pytest.mark.parametrize(("method", "path", "sent"), CALLS)
def test_another_drivers_stop_is_404(afternoon, counter, method, path, sent):
    api = api_of(afternoon.ben)
    options = {} if method == "get" else {"format": "json"}
    before = snapshot()

    answer = getattr(api, method)(f"{BASE}/stops/{counter.code}{path}", sent, **options)

    assert problem(answer) == (404, "not_found")
    assert snapshot() == before


@pytest.mark.parametrize(("method", "path", "sent"), CALLS)
def test_without_a_token_it_is_401(counter, method, path, sent):
    options = {} if method == "get" else {"format": "json"}
    before = snapshot()

    answer = getattr(APIClient(), method)(f"{BASE}/stops/{counter.code}{path}", sent, **options)

    assert problem(answer) == (401, "not_authenticated")
    assert snapshot() == before


@pytest.mark.parametrize(("method", "path", "sent"), CALLS)
def test_staff_of_a_store_are_403(afternoon, counter, method, path, sent):
    api = APIClient()
    api.force_login(afternoon.sam)
    options = {} if method == "get" else {"format": "json"}

    answer = getattr(api, method)(f"{BASE}/stops/{counter.code}{path}", sent, **options)

    assert problem(answer) == (403, "permission_denied")


def test_an_order_goes_from_the_counter_to_the_door_by_api(api, afternoon):
    manifest = afternoon.loading(afternoon.place())
    [counter], [door] = stops_of(manifest, Stop.Kind.PICKUP), stops_of(manifest, Stop.Kind.DROPOFF)

    assert call(api, "put", counter, "/arrival", EVENT).json()["status"] == "arrived"
    for parcel in Parcel.objects.order_by("number"):
        sent = {"client_event_id": parcel.code, "code": parcel.code, "method": "camera"}
        scanned = call(api, "post", counter, "/scans", sent).json()
        assert (scanned["outcome"], scanned["parcel"]) == ("accepted", parcel.code)
    assert scanned["stop"]["handover_confirmed"] is False
    afternoon.hand_over(counter)
    afternoon.depart(manifest)
    assert (
        call(api, "put", door, "/arrival", EVENT | {"latitude": 36.1673, "longitude": -115.1787}).json()[
            "status"
        ]
        == "arrived"
    )
    photo = base64.b64encode(picture().read()).decode()
    proved = call(api, "put", door, "/proof", EVENT | {"left_at": "front_door", "photo": photo})

    assert (proved.status_code, proved.json()["status"]) == (200, "done")
    assert Order.objects.get().status == "delivered"


def test_a_proof_travels_as_a_form_and_twice_is_once(api, door):
    sent = {"client_event_id": "p", "left_at": "in_hand", "note": "with thanks", "age_checked": "false"}

    first = call(api, "put", door, "/proof", sent | {"photo": picture()}, format="multipart")
    before = snapshot()
    again = call(api, "put", door, "/proof", sent | {"photo": picture()}, format="multipart")

    assert first.status_code == again.status_code == 200
    assert snapshot() == before
    assert ProofOfDelivery.objects.get().note == "with thanks"


def test_an_event_may_come_late_with_its_own_time_but_not_from_last_week(api, door):
    sent = EVENT | {"reason": "nobody_home", "device_at": (NOW - 90 * MINUTE).isoformat()}
    assert call(api, "post", door, "/attempts", sent).status_code == 200
    attempt = Attempt.objects.get()
    assert (attempt.device_at, attempt.at) == (NOW - 90 * MINUTE, NOW)
    before = snapshot()

    old = {"client_event_id": "o", "device_at": (NOW - dt.timedelta(days=7)).isoformat()}
    assert problem(call(api, "put", door, "/arrival", old)) == (409, "event_too_old")
    assert snapshot() == before


def test_an_attempt_makes_a_way_back_on_the_manifest(api, door):
    answer = call(api, "post", door, "/attempts", EVENT | {"reason": "no_access", "note": "gate"})

    assert answer.json()["status"] == "failed"
    assert [stop.store.name for stop in stops_of(door.manifest, Stop.Kind.RETURN)] == ["Nova Books"]


def test_an_incident_leaves_the_parcel_with_the_store(api, counter):
    parcel = Parcel.objects.order_by("number").first()

    answer = call(api, "post", counter, "/incidents", EVENT | {"kind": "damaged", "parcel": parcel.code})

    assert answer.status_code == 200
    parcel.refresh_from_db()
    assert (parcel.status, parcel.custodian) == ("damaged", "store")


def test_what_the_door_asks_for_is_named_field_by_field(api, afternoon):
    order = afternoon.place(requires_pin=True, requires_signature=True, minimum_age=21)
    [door] = stops_of(afternoon.on_route(order), Stop.Kind.DROPOFF)
    before = snapshot()

    answer = call(api, "put", door, "/proof", EVENT | {"left_at": "front_door"})

    assert problem(answer) == (422, "proof_incomplete")
    assert fields(answer) == ["left_at", "photo", "signature", "pin", "age_checked"]
    assert snapshot() == before


def test_the_pin_is_in_no_answer(api, afternoon):
    order = afternoon.place(requires_pin=True)
    Order.objects.filter(pk=order.pk).update(pin="7391")
    manifest = afternoon.on_route(order)
    [door] = stops_of(manifest, Stop.Kind.DROPOFF)
    photo = base64.b64encode(picture().read()).decode()
    right = {"left_at": "front_door", "pin": "7391", "photo": photo, "client_event_id": "1"}

    answers = [
        call(api, "get", door, "", None),
        call(api, "put", door, "/arrival", EVENT),
        call(api, "put", door, "/proof", right),
        call(api, "put", door, "/proof", right | {"left_at": "in_hand", "pin": "0000"}),
        call(api, "put", door, "/proof", right | {"left_at": "in_hand", "client_event_id": "2"}),
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 422, 422, 200]
    texts = [json.dumps(answer.json()) for answer in answers]
    assert not [text for text in texts if "7391" in text or order.tracking_token in text]


@pytest.mark.parametrize(
    ("method", "path", "sent", "field"),
    [
        ("put", "/arrival", {}, "client_event_id"),
        ("put", "/arrival", {"client_event_id": ""}, "client_event_id"),
        ("put", "/arrival", {"client_event_id": "e" * 65}, "client_event_id"),
        ("put", "/arrival", EVENT | {"device_at": "2026-11-24 10:00"}, "device_at"),
        ("put", "/arrival", EVENT | {"latitude": 36.1}, "longitude"),
        ("put", "/arrival", EVENT | {"latitude": 36.1, "longitude": 181}, "longitude"),
        ("put", "/arrival", EVENT | {"accuracy": 3}, "accuracy"),
        ("post", "/scans", EVENT, "code"),
        ("post", "/scans", EVENT | {"code": 7}, "code"),
        ("post", "/scans", EVENT | {"code": "P1", "method": "telepathy"}, "method"),
        ("post", "/scans", EVENT | {"code": "P" * 1_000_000}, "code"),
        ("put", "/proof", EVENT, "left_at"),
        ("put", "/proof", EVENT | {"left_at": "on_the_roof"}, "left_at"),
        ("put", "/proof", EVENT | {"left_at": "in_hand", "age_checked": "yes"}, "age_checked"),
        ("post", "/attempts", EVENT | {"reason": "tired"}, "reason"),
        ("post", "/incidents", EVENT | {"kind": "alien"}, "kind"),
    ],
)
def test_nonsense_names_its_field_and_writes_nothing(api, counter, method, path, sent, field):
    before = snapshot()

    answer = call(api, method, counter, path, sent)

    assert problem(answer) == (400, "validation_error")
    assert fields(answer) == [field]
    assert snapshot() == before


@pytest.mark.parametrize(
    ("path", "sent", "code"),
    [
        ("/scans", {"code": "PNOBODY22"}, "unknown_label"),
        ("/scans", {"code": "'; DROP TABLE deliveries_parcel; --"}, "unknown_label"),
        ("/incidents", {"kind": "short", "parcel": "PNOBODY22"}, "parcel_not_here"),
        ("/incidents", {"kind": "store_not_ready"}, "too_early_to_skip"),
        ("/attempts", {"reason": "refused"}, "order_not_here"),
    ],
)
def test_a_refusal_moves_no_parcel(api, counter, path, sent, code):
    before = sorted(Parcel.objects.values_list("code", "status", "custodian"))

    answer = call(api, "post", counter, path, EVENT | sent)

    assert answer.json()["code"] == code
    assert sorted(Parcel.objects.values_list("code", "status", "custodian")) == before


@pytest.mark.parametrize("photo", ["not base64!", "data:text/html;base64,PGI+", "PGI+"])
def test_a_photo_that_is_none_is_refused(api, door, photo):
    before = snapshot()

    answer = call(api, "put", door, "/proof", EVENT | {"left_at": "in_hand", "photo": photo})

    assert answer.json()["code"] == "picture_refused"
    assert snapshot() == before


def test_positions_come_in_one_call_and_only_count_during_a_block(api, afternoon, door):
    pings = [
        {
            "latitude": 36.12,
            "longitude": -115.17,
            "accuracy_m": 9.6,
            "device_at": (NOW - n * MINUTE).isoformat(),
        }
        for n in range(3)
    ]

    assert api.post(BASE + "/positions", {"positions": pings}, format="json").status_code == 202
    for far in ("0001-01-01T00:00:00+10:42", "9999-12-31T23:59:59-08:00"):
        said = {"positions": [{"latitude": 0.0, "longitude": 0.0, "device_at": far}]}
        assert api.post(BASE + "/positions", said, format="json").status_code == 202
    again = api.post(BASE + "/positions", {"positions": pings}, format="json")
    other = api_of(afternoon.ben).post(BASE + "/positions", {"positions": pings}, format="json")

    assert (again.json(), other.status_code) == ({"received": 3}, 202)
    assert Position.objects.filter(driver=afternoon.ada).count() == 3
    assert Position.objects.filter(driver=afternoon.ben).count() == 0


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"positions": []},
        {"positions": [{"latitude": 1, "longitude": 1}]},
        {"positions": [{"latitude": "1", "longitude": 1, "device_at": NOW.isoformat()}]},
        {"positions": [{"latitude": 1, "longitude": 1, "device_at": NOW.isoformat()}] * 201},
    ],
)
def test_nonsense_positions_are_refused_whole(api, door, sent):
    assert problem(api.post(BASE + "/positions", sent, format="json")) == (400, "validation_error")
    assert Position.objects.count() == 0


def test_a_stop_stays_within_its_queries(api, afternoon, django_assert_max_num_queries):
    manifest = afternoon.loading(*[afternoon.place() for _ in range(4)])
    [counter] = stops_of(manifest, Stop.Kind.PICKUP)
    with django_assert_max_num_queries(12):
        assert len(call(api, "get", counter, "", None).json()["orders"]) == 4
