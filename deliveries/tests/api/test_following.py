"""What a seller's system sees of an order on its way, and its half of each handover, over the API."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.utils import timezone

from deliveries.models import Order, ProofOfDelivery, Scan, Stop
from drivers import badge
from drivers.models import Position
from retaildelivery.accounts.models import User
from retaildelivery.testing.afternoon import NOW, Afternoon, stops_of
from retaildelivery.testing.sellers import SellerClient, key_for
from stores.models import Seller


@pytest.fixture
def nova(afternoon: Afternoon) -> SellerClient:
    """The system of the bookshop's seller."""
    return SellerClient(key_for(afternoon.bookshop.seller))


@pytest.fixture
def harbor(afternoon: Afternoon) -> SellerClient:
    return SellerClient(key_for(Seller.objects.get(name="Harbor Shoes")))


def body_of(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def test_the_courier_and_where_they_are_is_told_while_they_have_the_parcels(
    nova: SellerClient, afternoon: Afternoon
) -> None:
    User.objects.filter(pk=afternoon.ada.user_id).update(phone="+17025550199")
    order = afternoon.place()
    manifest = afternoon.loading(order)
    Position.objects.create(
        driver=afternoon.ada, latitude="36.130000", longitude="-115.170000", device_at=NOW, at=NOW
    )

    waiting = nova.get(f"orders/{order.code}/courier").json()
    afternoon.collect(manifest)
    carried = nova.get(f"orders/{order.code}/courier").json()

    assert waiting["courier"]["first_name"] == "Ada"
    assert "Toyota RAV4" in waiting["courier"]["vehicle"]
    assert waiting["position"] is None
    assert (carried["position"]["latitude"], carried["position"]["longitude"]) == (36.13, -115.17)
    assert carried["eta_at"] is not None
    assert carried["courier"]["phone"] == "•" * 10 + "99"
    assert "70255501" not in str(carried)


def test_proof_is_told_and_its_photo_is_behind_the_same_key(
    nova: SellerClient, harbor: SellerClient, afternoon: Afternoon
) -> None:
    order = afternoon.place()
    door = stops_of(afternoon.on_route(order), Stop.Kind.DROPOFF)[0]
    afternoon.deliver(door, signed_by="R. Quintero")

    proof = nova.get(f"orders/{order.code}/proof").json()
    path = proof["delivery"]["photo_url"].partition("/api/v1/")[2]
    photo = nova.get(path)
    strangers = harbor.get(path)
    nobody = SellerClient().get(path)

    assert proof["status"] == "delivered"
    assert proof["delivery"]["signed_by"] == "R. Quintero"
    assert proof["delivery"]["signature_url"] is None
    assert proof["attempts"] == []
    assert photo["Content-Type"] == "image/jpeg"
    assert hashlib.sha256(body_of(photo)).hexdigest() == proof["delivery"]["photo_sha256"]
    assert (strangers.status_code, nobody.status_code) == (404, 401)


def test_a_failed_attempt_is_told_with_its_reason(nova: SellerClient, afternoon: Afternoon) -> None:
    order = afternoon.place()
    afternoon.fail(stops_of(afternoon.on_route(order), Stop.Kind.DROPOFF)[0], "refused")

    proof = nova.get(f"orders/{order.code}/proof").json()

    assert proof["delivery"] is None
    assert [attempt["reason"] for attempt in proof["attempts"]] == ["refused"]
    assert nova.get(f"orders/{order.code}").json()["status"] == "returning"
    assert not ProofOfDelivery.objects.exists()


def test_the_stores_own_system_hands_over_by_the_drivers_code(
    nova: SellerClient, afternoon: Afternoon
) -> None:
    order = afternoon.place()
    stop = stops_of(afternoon.loading(order), Stop.Kind.PICKUP)[0]
    for parcel in order.parcels.all():
        afternoon.scan(stop, parcel)
    before = nova.get(f"orders/{order.code}").json()["status"]

    answer = nova.post("handovers", {"driver_code": badge.code(afternoon.ada.badge_secret, timezone.now())})

    assert answer.status_code == 201, answer.content
    assert answer.json()["stop"] == stop.code
    assert answer.json()["driver"]["first_name"] == "Ada"
    assert before == "at_pickup"
    assert Order.objects.get().status == "picked_up"


def test_another_sellers_stop_cannot_be_handed_over(harbor: SellerClient, afternoon: Afternoon) -> None:
    stop = stops_of(afternoon.loading(afternoon.place()), Stop.Kind.PICKUP)[0]
    code = badge.code(afternoon.ada.badge_secret, timezone.now())

    named = harbor.post("handovers", {"driver_code": code, "stop": stop.code})
    unnamed = harbor.post("handovers", {"driver_code": code})

    assert (named.status_code, unnamed.status_code) == (404, 422)
    assert not hasattr(Stop.objects.get(pk=stop.pk), "handover")


def test_a_return_is_taken_in_by_scan_and_code(
    nova: SellerClient, harbor: SellerClient, afternoon: Afternoon
) -> None:
    order = afternoon.place()
    afternoon.fail(stops_of(afternoon.on_route(order), Stop.Kind.DROPOFF)[0])
    scans = [{"code": parcel.code, "client_event_id": parcel.code} for parcel in order.parcels.all()]

    strangers = [harbor.post("returns/scans", scan).status_code for scan in scans]
    mine = [nova.post("returns/scans", scan) for scan in scans + scans]
    confirmed = nova.post(
        "handovers", {"driver_code": badge.code(afternoon.ada.badge_secret, timezone.now())}
    )

    assert strangers == [404, 404]
    assert [answer.status_code for answer in mine] == [201] * 4
    assert {answer.json()["outcome"] for answer in mine} == {"accepted"}
    assert Scan.objects.filter(stop__kind="return").count() == 2
    assert (confirmed.status_code, confirmed.json()["kind"]) == (201, "return")
    assert nova.get(f"orders/{order.code}").json()["status"] == "returned"
