"""The signed bundle of an order, for every ending."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import translation

from deliveries import bundle, loading, posting, proof_pdf, signing
from deliveries.doors import WrongPin
from deliveries.drafts import ParcelDraft
from deliveries.loading import UnknownLabel
from deliveries.models import Order, Stop
from deliveries.snapshots import with_all
from retaildelivery.testing.afternoon import NOW, TOLD_BY_STAFF, evidence, picture, stops_of

pytestmark = pytest.mark.django_db
URL = "https://example.org/proof/verify/"


def pdf(order) -> bytes:
    fresh = with_all(Order.objects.filter(pk=order.pk)).get()
    return proof_pdf.signed_pdf(fresh, verify_url=URL, at=NOW)


def test_a_delivered_order_has_a_signed_document_with_its_photo(afternoon):
    order = afternoon.place()
    afternoon.deliver(stops_of(afternoon.on_route(order), Stop.Kind.DROPOFF)[0])

    content = pdf(order)

    assert content.startswith(b"%PDF-")
    assert b"/Image" in content
    assert signing.is_ours(content)


def test_every_ending_has_one(afternoon):
    failed, cancelled = afternoon.place(), afternoon.place()
    afternoon.fail(stops_of(afternoon.on_route(failed), Stop.Kind.DROPOFF)[0])
    posting.cancel(
        order_code=cancelled.code,
        scope=Order.objects.all(),
        reason="other",
        note="<b>&",
        actor=TOLD_BY_STAFF,
        at=NOW,
    )

    assert [signing.is_ours(pdf(order)) for order in (failed, cancelled, afternoon.place())] == [True] * 3


def test_a_photo_that_is_gone_leaves_a_line_and_not_an_error(afternoon):
    order = afternoon.place()
    afternoon.deliver(stops_of(afternoon.on_route(order), Stop.Kind.DROPOFF)[0])
    proof = bundle.proof_of(order)
    proof.photo.storage.delete(proof.photo.name)

    assert signing.is_ours(pdf(order))


def test_one_changed_byte_and_it_is_not_ours_any_more(afternoon):
    content = pdf(afternoon.place())

    for place in (10, len(content) // 2, len(content) - 5):
        changed = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
        assert not signing.is_ours(changed)
    for wrong in (b"", b"%PDF-1.4", content + b"x", content[:-1], content * 2):
        assert not signing.is_ours(wrong)


def test_what_an_older_secret_signed_still_verifies(afternoon, settings):
    content = pdf(afternoon.place())
    settings.SECRET_KEY, before = "another secret of the same length, or so", settings.SECRET_KEY

    assert not signing.is_ours(content)
    settings.SECRET_KEY_FALLBACKS = [before]
    assert signing.is_ours(content)


def test_the_bundle_tells_scans_handovers_and_wrong_pins_but_no_pin(afternoon):
    order = afternoon.place(requires_pin=True)
    [door] = stops_of(afternoon.on_route(order), Stop.Kind.DROPOFF)
    pin = Order.objects.get(pk=order.pk).pin
    wrong = "0000" if pin != "0000" else "1111"
    with pytest.raises(WrongPin):
        afternoon.deliver(door, pin=wrong)

    told = bundle.custody(Order.objects.get(pk=order.pk))

    assert [(row["stop"], row["outcome"], row["by"]) for row in told["scans"]] == [
        ("pickup", "accepted", "driver")
    ] * 2
    assert [row["stop"] for row in told["handovers"]] == ["pickup"]
    assert [(row["reason"], row["tries_left"]) for row in told["pin_tries"]] == [("wrong_pin", 2)]
    assert pin not in str(told["pin_tries"])


def test_anybody_can_check_a_file(afternoon):
    content = pdf(afternoon.place())
    page = reverse("deliveries:verify_proof")

    def said(given: bytes) -> str:
        return Client().post(page, {"document": SimpleUploadedFile("p.pdf", given)}).content.decode()

    assert "This is ours, to the last byte." in said(content)
    assert "not a proof of ours" in said(content[:-40] + content[-39:])
    assert Client().get(page).status_code == 200
    assert Client().post(page).status_code == 422


def test_a_program_checks_a_file_without_a_token_against_forgery_and_is_told_in_json(afternoon):
    content = pdf(afternoon.place())
    client = Client(enforce_csrf_checks=True)
    page, wanted = reverse("deliveries:verify_proof"), {"accept": "application/json"}

    def said(**given: bytes) -> Any:
        files = {name: SimpleUploadedFile("p.pdf", document) for name, document in given.items()}
        return client.post(page, files, headers=wanted)

    assert said(document=content).json()["ours"] is True
    assert said(document=content[:-40] + content[-39:]).json()["ours"] is False
    assert (said().status_code, said().json()["field_errors"][0]["field"]) == (422, "document")


@pytest.fixture
def cells(monkeypatch) -> list[str]:
    """All that the tables of a document say, once it is made."""
    found: list[str] = []
    table = proof_pdf._table

    def looked_at(rows: Any, widths: Any) -> Any:
        found.extend(str(cell) for row in rows for cell in row)
        return table(rows, widths)

    monkeypatch.setattr(proof_pdf, "_table", looked_at)
    return found


def test_the_document_speaks_the_language_of_its_reader(afternoon, cells):
    order = afternoon.place(
        requires_signature=True,
        requires_pin=True,
        parcels=(ParcelDraft(size="small", grams=900, barcodes=("NW-7",)),),
    )
    manifest = afternoon.loading(order)
    [counter], [door] = stops_of(manifest, Stop.Kind.PICKUP), stops_of(manifest, Stop.Kind.DROPOFF)
    with pytest.raises(UnknownLabel):
        loading.scan(
            driver=afternoon.ada,
            stop_code=counter.code,
            entered="NW-8",
            method="camera",
            evidence=evidence(),
            at=NOW,
        )
    afternoon.collect(manifest)
    afternoon.depart(manifest)
    pin = Order.objects.get(pk=order.pk).pin
    signed = {"signature": picture(kind="PNG"), "signed_by": "Rosa Q.", "signer_relationship": "neighbour"}
    with pytest.raises(WrongPin):
        afternoon.deliver(door, pin="0000" if pin != "0000" else "1111", **signed)
    afternoon.deliver(door, pin=pin, **signed)

    with translation.override("es"):
        pdf(order)

    code = order.parcels.get().code
    assert f"{code} · NW-7" in cells
    assert "Rosa Q. (un vecino)" in cells
    assert {
        "NW-8",
        "recogida",
        "repartidor",
        "personal de la tienda",
        "destinatario",
        "quedan 2 intentos",
    } <= set(cells)
    raw = {
        "pickup",
        "dropoff",
        "accepted",
        "unknown",
        "driver",
        "staff",
        "recipient",
        "delivered",
        "neighbour",
    }
    assert not raw & {word for cell in cells for word in re.split(r"[^a-z_]+", cell)}


def test_all_times_of_the_document_go_by_the_clock_of_the_mall(afternoon, cells):
    order = afternoon.place()
    afternoon.deliver(stops_of(afternoon.on_route(order), Stop.Kind.DROPOFF)[0])

    pdf(order)

    dated = [cell for cell in cells if cell.startswith("2026-")]
    assert len(dated) > 5
    assert [cell for cell in dated if not cell.endswith(" PST")] == []
