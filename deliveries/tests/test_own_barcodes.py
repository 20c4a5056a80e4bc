"""A seller's own barcodes, read in place of our labels: at the counter, at the door, and on the way back."""

from __future__ import annotations

import pytest

from deliveries import loading, reading, returning
from deliveries.doors import ProofIncomplete
from deliveries.drafts import DraftInvalid, ParcelDraft
from deliveries.loading import SeveralParcels, UnknownLabel, WrongStop
from deliveries.models import Order, Parcel, Scan, Stop
from retaildelivery.lib.geo import Point
from retaildelivery.outbox.models import Fact
from retaildelivery.testing.afternoon import NOW, evidence, nothing_changes, stops_of
from retaildelivery.testing.sellers import order_body
from stores.models import Store

CARTON, BOX = "NW-000123", "(00)340123451234567895"


def parcels(*barcodes):
    return tuple(ParcelDraft(size="small", grams=900, barcodes=own) for own in barcodes)


def read(stop, entered):
    return loading.scan(
        driver=stop.manifest.driver,
        stop_code=stop.code,
        entered=entered,
        method="camera",
        evidence=evidence(),
        at=NOW,
    )


def test_a_sellers_barcode_is_read_at_the_counter_and_at_the_door(afternoon):
    order = afternoon.place(requires_barcodes=True, parcels=parcels((CARTON,), (BOX, "S-7")))
    manifest = afternoon.loading(order)
    counter = stops_of(manifest, Stop.Kind.PICKUP)[0]

    first = read(counter, "nw-000123")
    read(counter, "]C100340123451234567895")
    again = read(counter, "s-7")

    assert (first.parcel.number, first.entered) == (1, "nw-000123")
    assert again.outcome == Scan.Outcome.ALREADY
    afternoon.hand_over(counter)
    afternoon.depart(manifest)
    door = stops_of(manifest, Stop.Kind.DROPOFF)[0]
    read(door, CARTON)
    with pytest.raises(ProofIncomplete) as refused:
        afternoon.deliver(door)
    assert [error.field for error in refused.value.errors] == ["barcodes"]
    read(door, "S-7")
    afternoon.deliver(door)
    assert set(Parcel.objects.values_list("status", flat=True)) == {"delivered"}


def test_a_wrong_barcode_is_refused_and_the_seller_hears_of_it(afternoon):
    order = afternoon.place(requires_barcodes=True, parcels=parcels((CARTON,)))
    other = afternoon.place(parcels=parcels((BOX,)), line1="9 Elsewhere Road", point=Point(36.17, -115.14))
    afternoon.on_route(order, other)
    door = Stop.objects.get(kind=Stop.Kind.DROPOFF, dropoffs__order=order)

    with pytest.raises(UnknownLabel):
        read(door, "NW-000124")
    with pytest.raises(WrongStop):
        read(door, BOX)

    told = Fact.objects.filter(name="parcel.scan_refused").about(f"order:{order.code}").order_by("pk")
    assert [(fact.data["entered"], fact.data["outcome"]) for fact in told] == [
        ("NW-000124", "unknown"),
        (BOX, "wrong_stop"),
    ]
    assert not door.scans.filter(outcome=Scan.Outcome.ACCEPTED).exists()
    order.refresh_from_db()
    assert order.status == "en_route"


def test_a_barcode_of_several_parcels_says_nothing_and_our_label_does(afternoon):
    twice = [afternoon.place(parcels=parcels((CARTON,))) for _number in range(2)]
    counter = stops_of(afternoon.loading(*twice), Stop.Kind.PICKUP)[0]

    with pytest.raises(SeveralParcels):
        read(counter, CARTON)

    assert set(Parcel.objects.values_list("custodian", flat=True)) == {"store"}
    assert Fact.objects.filter(name="parcel.scan_refused", data__outcome="ambiguous").count() == 2
    label = twice[1].parcels.get().code
    assert read(counter, label).parcel.order_id == twice[1].pk


def test_what_comes_back_is_found_by_its_barcode(afternoon):
    order = afternoon.place(parcels=parcels((CARTON,)))
    manifest = afternoon.on_route(order)
    afternoon.fail(stops_of(manifest, Stop.Kind.DROPOFF)[0])
    back = stops_of(manifest, Stop.Kind.RETURN)[0]

    assert reading.due_back(Stop.objects.filter(kind=Stop.Kind.RETURN), "nw-000123") == back.code
    assert reading.due_back(Stop.objects.filter(kind=Stop.Kind.RETURN), "NW-9") is None
    made = returning.scan_by_staff(
        stop_code=back.code,
        stores=Store.objects.filter(pk=order.store_id),
        user=None,
        entered=CARTON,
        method="wedge",
        evidence=evidence("back"),
        at=NOW,
    )
    assert (made.outcome, made.parcel.order_id) == ("accepted", order.pk)


@pytest.mark.parametrize(
    ("own", "field", "code"),
    [
        ([(CARTON,), ("nw-000123",)], "parcels[1].barcodes", "duplicate"),
        ([("X" * 65,)], "parcels[0].barcodes[0]", "too_long"),
        ([("",)], "parcels[0].barcodes[0]", "required"),
        ([("A\x00",)], "parcels[0].barcodes[0]", "unprintable"),
        ([("A", "B", "C", "D", "E")], "parcels[0].barcodes", "too_many"),
    ],
)
def test_barcodes_that_cannot_be_are_named_and_nothing_is_written(afternoon, own, field, code):
    with nothing_changes(), pytest.raises(DraftInvalid) as refused:
        afternoon.place(parcels=parcels(*own))

    assert [(error.field, error.code) for error in refused.value.errors] == [(field, code)]


def test_barcodes_are_changed_until_the_driver_has_the_parcel(northwind, trade):
    order = northwind.post("orders", order_body(trade.store)).json()
    said = [{"number": 1, "barcodes": [CARTON]}]

    answer = northwind.patch(f"orders/{order['code']}", {"parcels": said})

    assert answer.status_code == 200
    assert [parcel["barcodes"] for parcel in answer.json()["parcels"]] == [[CARTON], []]
    assert Fact.objects.get(name="order.updated").data["changed"] == ["barcodes"]
    kept = list(Parcel.objects.order_by("pk").values())
    for wrong, field, code in (
        ({"number": 3, "barcodes": []}, "parcels", "unknown_parcel"),
        ({"number": 1, "barcodes": [""]}, "parcels[0].barcodes[0]", "blank"),
        ({"number": 1}, "parcels[0].barcodes", "required"),
    ):
        answer = northwind.patch(f"orders/{order['code']}", {"parcels": [wrong]})
        assert answer.status_code == 400
        assert [(row["field"], row["code"]) for row in answer.json()["field_errors"]] == [(field, code)]
    Order.objects.filter(code=order["code"]).update(status="picked_up", picked_up_at=NOW)
    late = northwind.patch(f"orders/{order['code']}", {"parcels": [{"number": 1, "barcodes": []}]})
    assert (late.status_code, late.json()["code"], late.json()["reason"]) == (
        409,
        "order_not_changeable",
        "picked_up",
    )
    assert list(Parcel.objects.order_by("pk").values()) == kept


def test_an_order_says_its_barcodes_and_refuses_what_no_parcel_can_have(northwind, trade):
    body = order_body(trade.store, parcels=[{"size": "small", "grams": 900, "barcodes": [CARTON, BOX]}])

    made = northwind.post("orders", body)
    twice = northwind.post("orders", body | {"parcels": [*body["parcels"], *body["parcels"]]})

    assert made.json()["parcels"][0]["barcodes"] == [CARTON, BOX]
    assert [(row["field"], row["code"]) for row in twice.json()["field_errors"]] == [
        ("parcels[1].barcodes", "duplicate")
    ]
    assert Order.objects.count() == 1
