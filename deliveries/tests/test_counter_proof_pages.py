"""What the store's door shows of a handover: what is asked for at the counter, what was kept, how much has passed."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.core.files.base import ContentFile
from django.test import Client

from deliveries.models import CounterProof, Order, Stop
from deliveries.tests.test_store_pages import signed_in
from retaildelivery.testing.afternoon import NOW, Afternoon, picture, stops_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def sam(afternoon: Afternoon) -> Any:
    with time_machine.travel(NOW, tick=False):
        yield signed_in(afternoon.sam)


@pytest.fixture
def stop(afternoon: Afternoon) -> Stop:
    """A pickup of an order that asks for a photo and a signature, whose driver is in the mall."""
    order = afternoon.place()
    Order.objects.filter(pk=order.pk).update(pickup_photo=True, pickup_signature=True)
    manifest = afternoon.loading(order)
    [pickup, *_others] = stops_of(manifest, "pickup")
    return pickup


def keep(stop: Stop, afternoon: Afternoon) -> CounterProof:
    return CounterProof.objects.create(
        stop=stop,
        driver=afternoon.ada,
        photo=ContentFile(picture().read(), name="counter.jpeg"),
        signature=ContentFile(picture().read(), name="signed.jpeg"),
        signed_by="Sam Okafor",
        client_event_id="c-1",
        device_at=NOW,
        at=NOW,
    )


def test_staff_see_what_is_asked_for_at_their_counter_before_it_is_kept(
    afternoon: Afternoon, sam: Client, stop: Stop
) -> None:
    answer = sam.get(f"/store/handover/{stop.code}/")
    page = answer.content.decode()

    assert [(each.name, each.kept) for each in answer.context["asked"]] == [
        ("photo", False),
        ("signature", False),
    ]
    assert "Your signature and your name" in page
    assert "still to come" in page
    assert "0 of 2 passed" in page
    assert "Is it the right driver?" in page


def test_what_was_kept_is_shown_with_who_signed_and_opens(
    afternoon: Afternoon, sam: Client, stop: Stop
) -> None:
    keep(stop, afternoon)

    answer = sam.get(f"/store/handover/{stop.code}/")
    photo = sam.get(f"/store/handover/{stop.code}/proof/1/photo")

    assert [each.kept for each in answer.context["asked"]] == [True, True]
    assert "Sam Okafor" in answer.content.decode()
    assert photo.status_code == 200
    assert b"".join(photo.streaming_content)[:2] == b"\xff\xd8"


@pytest.mark.parametrize("path", ["proof/2/photo", "proof/0/photo", "proof/1/stop"])
def test_what_was_not_kept_is_404(afternoon: Afternoon, sam: Client, stop: Stop, path: str) -> None:
    keep(stop, afternoon)

    assert sam.get(f"/store/handover/{stop.code}/{path}").status_code == 404


def test_another_stores_staff_see_no_photo_of_it(afternoon: Afternoon, stop: Stop) -> None:
    keep(stop, afternoon)
    stranger = signed_in(afternoon.mia)

    assert stranger.get(f"/store/handover/{stop.code}/proof/1/photo").status_code == 404


def test_a_counter_that_asks_for_nothing_says_nothing_of_it(afternoon: Afternoon, sam: Client) -> None:
    manifest = afternoon.loading(afternoon.place())
    [pickup, *_others] = stops_of(manifest, "pickup")

    assert "Asked for when" not in sam.get(f"/store/handover/{pickup.code}/").content.decode()


def test_a_wrong_code_at_a_stop_is_refused_there(afternoon: Afternoon, sam: Client, stop: Stop) -> None:
    answer = sam.post("/store/handover/confirmation/", {"driver_code": "000000", "stop": stop.code})

    assert answer.status_code == 409
    assert answer.context["stop"] == stop
    assert not hasattr(Stop.objects.get(pk=stop.pk), "handover")


def test_nobody_is_asked_for_a_code_when_the_counter_is_over(
    afternoon: Afternoon, sam: Client, stop: Stop
) -> None:
    Stop.objects.filter(pk=stop.pk).update(status="skipped", completed_at=NOW)

    assert "Is it the right driver?" not in sam.get(f"/store/handover/{stop.code}/").content.decode()
