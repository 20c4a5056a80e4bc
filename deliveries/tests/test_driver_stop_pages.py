"""The driver's pages of a stop, through HTTP: the counter, the door, the way back, and who may see them."""

import datetime as dt
import re

import pytest
from django.urls import reverse

from deliveries.models import Attempt, Incident, Order, Parcel, ProofOfDelivery, Scan, Stop
from drivers.models import Position
from retaildelivery.accounts.models import User
from retaildelivery.outbox.models import Fact
from retaildelivery.testing.afternoon import NOW, picture, stops_of

HTML_BUDGET = 12
PAGES = [
    ("get", "deliveries:driver_stop"),
    ("post", "deliveries:driver_arrival"),
    ("post", "deliveries:driver_scan"),
    ("post", "deliveries:driver_report"),
    ("post", "deliveries:driver_proof"),
    ("post", "deliveries:driver_attempt"),
]


@pytest.fixture(autouse=True)
def _now(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def at_counter(afternoon):
    """Ada is at the mall with an order of two parcels to collect."""
    order = afternoon.place(requires_pin=True, requires_signature=True)
    manifest = afternoon.loading(order)
    return stops_of(manifest, Stop.Kind.PICKUP)[0]


@pytest.fixture
def at_door(afternoon, client):
    """Ada is on the road with an order that asks for a photo."""
    manifest = afternoon.on_route(afternoon.place())
    client.force_login(afternoon.ada.user)
    return stops_of(manifest, Stop.Kind.DROPOFF)[0]


def url(name, stop):
    return reverse(f"deliveries:driver_{name}", args=[stop.code])


def snapshot():
    """What must stay as it is when something is refused."""
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


# -- Who may see it ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "name"), PAGES)
def test_another_drivers_stop_is_not_there(client, afternoon, at_counter, method, name):
    client.force_login(afternoon.ben.user)
    before = snapshot()

    answer = getattr(client, method)(reverse(name, args=[at_counter.code]), {"code": "P2345"})

    assert answer.status_code == 404
    assert snapshot() == before


@pytest.mark.parametrize(("method", "name"), PAGES)
def test_a_stranger_is_sent_to_sign_in(client, at_counter, method, name):
    before = snapshot()
    address = reverse(name, args=[at_counter.code])

    answer = getattr(client, method)(address)

    assert (answer.status_code, answer["Location"]) == (302, f"/accounts/login/?next={address}")
    assert snapshot() == before


@pytest.mark.parametrize(("method", "name"), PAGES)
def test_store_staff_are_no_drivers(client, afternoon, at_counter, method, name):
    client.force_login(afternoon.sam)
    before = snapshot()

    answer = getattr(client, method)(reverse(name, args=[at_counter.code]))

    assert answer.status_code == 403
    assert snapshot() == before


@pytest.mark.parametrize("name", [name for method, name in PAGES if method == "post"])
def test_who_signs_in_again_after_a_press_lands_on_the_stop(client, afternoon, at_counter, name):
    client.force_login(afternoon.ada.user)

    answer = client.get(reverse(name, args=[at_counter.code]))

    assert (answer.status_code, answer["Location"]) == (302, url("stop", at_counter))


def test_a_door_is_no_longer_shown_two_days_after_the_work(client, afternoon, at_door, time_machine):
    afternoon.deliver(at_door)
    assert client.get(url("stop", at_door)).status_code == 200

    time_machine.move_to(NOW + dt.timedelta(hours=49))

    assert client.get(url("stop", at_door)).status_code == 404


# -- The counter ---------------------------------------------------------------------------------------------


def test_the_counter_shows_parcels_and_that_staff_have_not_confirmed(client, afternoon, at_counter):
    client.force_login(afternoon.ada.user)

    page = client.get(url("stop", at_counter)).content.decode()

    assert "Staff have not confirmed yet" in page
    assert "I am at the counter" in page


def test_a_scan_and_the_staffs_word_pass_custody(client, afternoon, at_counter):
    client.force_login(afternoon.ada.user)
    first, second = Parcel.objects.order_by("number")
    client.post(url("arrival", at_counter), {"client_event_id": "a1"})

    for parcel in (first, second):
        answer = client.post(
            url("scan", at_counter),
            {"code": parcel.code.lower(), "method": "camera", "client_event_id": parcel.code},
        )
        assert (answer.status_code, answer["Location"]) == (302, url("stop", at_counter))
    assert "scanned, waiting for staff" in client.get(url("stop", at_counter)).content.decode()
    assert set(Parcel.objects.values_list("custodian", flat=True)) == {"store"}
    afternoon.hand_over(at_counter)

    assert set(Parcel.objects.values_list("status", "custodian")) == {("loaded", "driver")}
    assert "This stop is done." in client.get(url("stop", at_counter)).content.decode()


def test_the_same_scan_sent_twice_is_one(client, afternoon, at_counter):
    client.force_login(afternoon.ada.user)
    parcel = Parcel.objects.order_by("number").first()
    press = {"code": parcel.code, "method": "camera", "client_event_id": "press-1"}

    client.post(url("scan", at_counter), press)
    before = snapshot()
    answer = client.post(url("scan", at_counter), press)

    assert answer.status_code == 302
    assert snapshot() == before


def test_a_parcel_of_another_stop_is_refused_in_words(client, afternoon, at_counter):
    client.force_login(afternoon.ada.user)
    stranger = afternoon.place(afternoon.shoes).parcels.order_by("number").first()

    answer = client.post(url("scan", at_counter), {"code": stranger.code, "client_event_id": "x"})

    assert answer.status_code == 422
    assert "This parcel is not for this stop." in answer.content.decode()
    assert f'hx-get="{url("stop", at_counter)}"' in answer.content.decode()
    assert Parcel.objects.get(pk=stranger.pk).custodian == "store"


def test_a_missing_parcel_is_reported(client, afternoon, at_counter):
    client.force_login(afternoon.ada.user)
    parcel = Parcel.objects.order_by("number").first()

    answer = client.post(
        url("report", at_counter), {"kind": "short", "parcel": parcel.code, "client_event_id": "r1"}
    )

    assert answer.status_code == 302
    assert Incident.objects.values_list("kind", "fault").get() == ("short", "store")
    parcel.refresh_from_db()
    assert parcel.status == "short"


@pytest.mark.parametrize(
    ("name", "entered", "field"),
    [
        ("scan", {"code": ""}, "Parcel code"),
        ("scan", {"code": "P" * 121}, "Parcel code"),
        ("scan", {"code": "PX\x07"}, "Parcel code"),
        ("scan", {"code": "P23", "lat": "91", "lng": "0"}, "lat"),
        ("scan", {"code": "P23", "lat": "nan", "lng": "0"}, "lat"),
        ("scan", {"code": "P23", "device_at": "yesterday"}, "device_at"),
        ("scan", {"code": "P23", "client_event_id": "e" * 65}, "client_event_id"),
        ("report", {"kind": "short", "parcel": ""}, "Which parcel?"),
        ("report", {"kind": "short", "parcel": "PNOTMINE"}, "Which parcel?"),
        ("report", {"kind": "lost_interest"}, "What is wrong?"),
        ("report", {"kind": "store_closed", "note": "x" * 301}, "Note"),
        ("report", {"kind": "store_closed", "note": "1 MB" * 250_000}, "Note"),
    ],
)
def test_nonsense_at_the_counter_writes_nothing(client, afternoon, at_counter, name, entered, field):
    client.force_login(afternoon.ada.user)
    before = snapshot()

    answer = client.post(url(name, at_counter), entered)

    assert answer.status_code == 422
    assert "error" in answer.content.decode()
    assert snapshot() == before


@pytest.mark.parametrize(
    "text", ["' OR 1=1 --", "<script>alert(1)</script>", "🎁" * 20, "مرحبا", "P23\u202e45"]
)
def test_hostile_codes_are_shown_as_text(client, afternoon, at_counter, text):
    client.force_login(afternoon.ada.user)

    answer = client.post(url("scan", at_counter), {"code": text, "client_event_id": "x"})

    assert answer.status_code == 422
    assert "<script>alert(1)" not in answer.content.decode()
    assert set(Parcel.objects.values_list("status", flat=True)) <= {"expected", "ready"}


# -- The door ------------------------------------------------------------------------------------------------


def test_before_arrival_the_door_shows_the_way_and_no_proof(client, at_door):
    page = client.get(url("stop", at_door)).content.decode()

    assert "I am at the door" in page
    assert "https://www.google.com/maps/dir/?api=1&amp;destination=36.167300%2C-115.178700" in page
    assert 'href="tel:+17025550148"' in page
    assert url("proof", at_door) not in page
    client.post(url("arrival", at_door), {"client_event_id": "a"})
    assert url("proof", at_door) in client.get(url("stop", at_door)).content.decode()


def test_a_photo_at_the_door_delivers(client, at_door):
    client.post(url("arrival", at_door), {"client_event_id": "a", "lat": "36.1673", "lng": "-115.1787"})

    answer = client.post(
        url("proof", at_door),
        {"left_at": "front_door", "photo": picture(), "note": "behind the pot", "client_event_id": "p"},
    )

    assert (answer.status_code, answer["Location"]) == (302, "/drive/block/")
    assert Order.objects.get().status == "delivered"
    assert ProofOfDelivery.objects.values_list("left_at", "note").get() == ("front_door", "behind the pot")


def test_without_the_photo_nothing_is_delivered(client, at_door):
    before = snapshot()

    answer = client.post(url("proof", at_door), {"left_at": "in_hand", "client_event_id": "p"})

    assert answer.status_code == 422
    assert "A photo is needed." in answer.content.decode()
    assert snapshot() == before


def test_a_text_that_says_it_is_a_photo_is_refused(client, at_door):
    before = snapshot()
    fake = picture()
    fake.file.seek(0)
    fake.file.write(b"<html>not a picture at all</html>")

    answer = client.post(url("proof", at_door), {"left_at": "in_hand", "photo": fake, "client_event_id": "p"})

    assert answer.status_code in {409, 422}
    assert "picture" in answer.content.decode()
    assert snapshot() == before


@pytest.mark.parametrize(
    ("name", "entered"),
    [
        ("proof", {"left_at": "on_the_roof"}),
        ("proof", {"left_at": "in_hand", "pin": "12a4"}),
        ("proof", {"left_at": "in_hand", "signature": "data:text/html;base64,PGI+"}),
        ("proof", {"left_at": "in_hand", "note": "x" * 301}),
        ("proof", {"left_at": "in_hand", "signed_by": "\x00"}),
        ("attempt", {"reason": "did_not_feel_like_it"}),
        ("attempt", {"reason": "other", "note": "x" * 301}),
        ("attempt", {}),
    ],
)
def test_nonsense_at_the_door_writes_nothing(client, at_door, name, entered):
    client.post(url("arrival", at_door), {"client_event_id": "a"})
    before = snapshot()

    answer = client.post(url(name, at_door), entered | {"client_event_id": "p"})

    assert answer.status_code == 422
    assert snapshot() == before


def test_a_door_where_nobody_is_home_makes_a_way_back(client, afternoon, at_door):
    answer = client.post(
        url("attempt", at_door), {"reason": "nobody_home", "client_event_id": "f", "note": "rang twice"}
    )

    assert answer.status_code == 302
    assert Attempt.objects.values_list("reason", "note").get() == ("nobody_home", "rang twice")
    [back] = stops_of(at_door.manifest, Stop.Kind.RETURN)
    page = client.get(url("stop", back)).content.decode()
    assert "Bring back" in page
    for parcel in Parcel.objects.order_by("number"):
        client.post(url("scan", back), {"code": parcel.code, "client_event_id": parcel.code})
    afternoon.hand_over(back)
    assert Order.objects.get().status == "returned"


def test_three_wrong_pins_lock_the_door_but_for_a_failure(client, afternoon):
    order = afternoon.place(requires_pin=True, requires_photo=False)
    manifest = afternoon.on_route(order)
    [door] = stops_of(manifest, Stop.Kind.DROPOFF)
    client.force_login(afternoon.ada.user)
    client.post(url("arrival", door), {"client_event_id": "a"})
    wrong = "0000" if Order.objects.get().pin != "0000" else "1111"

    answers = [
        client.post(
            url("proof", door),
            {"left_at": "in_hand", "pin": wrong, "order": order.code, "client_event_id": n},
        )
        for n in ("1", "2", "3")
    ]

    assert [answer.status_code for answer in answers] == [422, 422, 409]
    assert "2" in re.findall(r"Tries left: (\d)", answers[0].content.decode())
    assert "The PIN is locked" in answers[2].content.decode()
    order.refresh_from_db()
    right = client.post(
        url("proof", door),
        {"left_at": "in_hand", "pin": order.pin, "order": order.code, "client_event_id": "4"},
    )
    assert right.status_code == 409
    assert Order.objects.get().status == "at_dropoff"


def test_several_orders_at_one_door_are_done_together_or_one_by_one(client, afternoon):
    first, second = afternoon.place(), afternoon.place(afternoon.shoes)
    manifest = afternoon.on_route(first, second)
    [door] = stops_of(manifest, Stop.Kind.DROPOFF)
    client.force_login(afternoon.ada.user)
    client.post(url("arrival", door), {"client_event_id": "a"})

    page = client.get(url("stop", door)).content.decode()
    assert "for all of them together" in page
    answer = client.post(
        url("proof", door),
        {"left_at": "in_hand", "photo": picture(), "order": first.code, "client_event_id": "p1"},
    )
    assert answer["Location"] == url("stop", door)
    client.post(url("attempt", door), {"reason": "refused", "order": second.code, "client_event_id": "p2"})

    assert [Order.objects.get(pk=o.pk).status for o in (first, second)] == ["delivered", "returning"]


def test_the_drivers_own_photo_is_served_to_them_alone(client, afternoon, at_door):
    afternoon.deliver(at_door)
    order = Order.objects.get()
    address = reverse("deliveries:driver_photo", args=[at_door.code, order.code, "photo"])

    assert address in client.get(url("stop", at_door)).content.decode()
    answer = client.get(address)
    assert (answer.status_code, answer["X-Content-Type-Options"]) == (200, "nosniff")
    client.force_login(afternoon.ben.user)
    assert client.get(address).status_code == 404
    client.logout()
    assert client.get(address).status_code == 302


# -- What no driver may read ---------------------------------------------------------------------------------


def test_the_pin_is_on_no_page_of_the_driver(client, afternoon):
    order = afternoon.place(requires_pin=True, requires_signature=True)
    # Digits that cannot turn up by chance in a code, a price or a time.
    Order.objects.filter(pk=order.pk).update(pin="7391")
    manifest = afternoon.loading(order)
    client.force_login(afternoon.ada.user)
    [pickup], [door] = stops_of(manifest, Stop.Kind.PICKUP), stops_of(manifest, Stop.Kind.DROPOFF)
    seen = [client.get(url("stop", pickup)), client.get(url("stop", door))]
    afternoon.collect(manifest)
    afternoon.depart(manifest)
    seen += [client.get(url("stop", door)), client.post(url("arrival", door), {"client_event_id": "a"})]
    # The right PIN but no signature: the form comes back without it.
    seen.append(
        client.post(
            url("proof", door),
            {
                "left_at": "in_hand",
                "pin": "7391",
                "photo": picture(),
                "order": order.code,
                "client_event_id": "b",
            },
        )
    )
    seen.append(client.get(url("stop", door)))
    seen.append(client.post(url("attempt", door), {"reason": "refused", "client_event_id": "c"}))
    seen.append(client.get(url("stop", door)))

    token = Order.objects.get().tracking_token
    assert [answer.status_code for answer in seen] == [200, 200, 200, 302, 422, 200, 302, 200]
    assert not [answer for answer in seen if "7391" in answer.content.decode()]
    assert not [answer for answer in seen if token in answer.content.decode()]


# -- Costs ---------------------------------------------------------------------------------------------------


def test_the_counter_and_the_door_stay_within_their_queries(client, afternoon, django_assert_max_num_queries):
    orders = [afternoon.place() for _ in range(5)]
    manifest = afternoon.loading(*orders)
    client.force_login(afternoon.ada.user)
    for kind in (Stop.Kind.PICKUP, Stop.Kind.DROPOFF):
        with django_assert_max_num_queries(HTML_BUDGET):
            assert client.get(url("stop", stops_of(manifest, kind)[0])).status_code == 200


def test_a_poll_of_a_counter_that_has_not_changed_is_not_answered_again(client, afternoon, at_counter):
    client.force_login(afternoon.ada.user)
    etag = client.get(url("stop", at_counter))["ETag"]
    poll = {"If-None-Match": etag, "HX-Request": "true"}

    assert client.get(url("stop", at_counter), headers=poll).status_code == 304
    assert client.get(url("stop", at_counter), headers={"If-None-Match": etag}).status_code == 200
    Parcel.objects.filter(number=1).update(barcodes=["NW-7"])
    marked = client.get(url("stop", at_counter), headers=poll)
    assert (marked.status_code, "NW-7" in marked.content.decode()) == (200, True)
    poll["If-None-Match"] = marked["ETag"]
    afternoon.hand_over(at_counter)
    assert client.get(url("stop", at_counter), headers=poll).status_code == 200


def test_an_event_id_that_came_back_with_the_page_loses_no_second_parcel(client, afternoon, at_counter):
    client.force_login(afternoon.ada.user)
    first, second = Parcel.objects.order_by("number")

    for parcel in (first, second, second):
        client.post(url("scan", at_counter), {"code": parcel.code, "client_event_id": "old-page"})

    assert list(Scan.objects.order_by("pk").values_list("parcel", "outcome")) == [
        (first.pk, "accepted"),
        (second.pk, "accepted"),
    ]


def test_positions_are_kept_only_during_a_block(client, afternoon, at_door):
    here = {"lat": "36.12", "lng": "-115.17", "accuracy_m": "12", "device_at": NOW.isoformat()}

    assert client.post(reverse("deliveries:driver_positions"), here).status_code == 204
    assert Position.objects.filter(driver=afternoon.ada).count() == 1
    afternoon.assign(afternoon.plan([afternoon.place()]), afternoon.ben)
    client.force_login(afternoon.ben.user)
    assert client.post(reverse("deliveries:driver_positions"), here).status_code == 204
    assert Position.objects.filter(driver=afternoon.ben).count() == 0
    assert client.post(reverse("deliveries:driver_positions"), {"lat": "x"}).status_code == 422


def test_an_applicant_without_a_driver_record_is_refused(client, db):
    client.force_login(User.objects.create_user(email="new@example.com", password="x", name="New"))

    assert client.get("/drive/stops/Z2345678/").status_code == 403
