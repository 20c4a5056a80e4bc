"""The log of a seller: who changed what, when and from where."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from retaildelivery.outbox.recording import SYSTEM
from retaildelivery.testing.sellers import SellerClient, Trade, order_body
from stores import keys
from stores.models import ApiKey


@pytest.fixture
def auditor(trade: Trade) -> SellerClient:
    issued = keys.issue(
        seller=trade.seller, name="=auditor", scopes=["audit:read"], actor=SYSTEM, at=timezone.now()
    )
    return SellerClient(issued.secret)


def test_a_change_by_a_system_says_which_key_and_from_where(
    northwind: SellerClient, auditor: SellerClient, trade: Trade
) -> None:
    order = northwind.post("orders", order_body(trade.store)).json()

    newest = auditor.get("audit-log?limit=1").json()["results"][0]

    assert newest["what"] == "order.placed"
    assert f"order:{order['code']}" in newest["subjects"]
    assert newest["actor_kind"] == "seller"
    assert newest["source"].startswith(trade.secret[: keys.PREFIX_LENGTH])
    assert newest["source"].endswith("127.0.0.1")


def test_a_change_by_a_person_says_who_and_from_where(afternoon: Any) -> None:
    client = Client(REMOTE_ADDR="203.0.113.7")
    client.force_login(afternoon.sam)
    seller = afternoon.bookshop.seller

    client.post(reverse("stores:store_pause", args=[afternoon.bookshop.code]), {"minutes": "60"})
    page = client.get(reverse("stores:log", args=[seller.code])).content.decode()
    narrowed = client.get(
        reverse("stores:log", args=[seller.code]), {"about": afternoon.bookshop.code}
    ).context["entries"]

    assert "store.paused" in page
    assert str(afternoon.sam) in page
    assert "store page 203.0.113.7" in page
    assert [entry["what"] for entry in narrowed] == ["store.paused"]


def test_the_log_is_the_sellers_own_and_needs_its_scope(auditor: SellerClient, trade: Trade) -> None:
    till = keys.issue(
        seller=trade.seller, name="till", scopes=["orders:read"], actor=SYSTEM, at=timezone.now()
    )
    SellerClient(trade.rival_secret).post("orders", order_body(trade.rival_store))

    told = auditor.get("audit-log").json()["results"]

    assert {entry["what"] for entry in told} == {"key.issued"}
    assert SellerClient(till.secret).get("audit-log").json()["code"] == "scope_missing"


def test_a_key_of_one_store_does_not_read_the_whole_log(trade: Trade) -> None:
    issued = keys.issue(
        seller=trade.seller,
        store=trade.store,
        name="till",
        scopes=["audit:read"],
        actor=SYSTEM,
        at=timezone.now(),
    )

    answer = SellerClient(issued.secret).get("audit-log")

    assert (answer.status_code, answer.json()["code"]) == (403, "key_of_one_store")


def test_the_log_is_read_page_by_page_and_by_time(auditor: SellerClient, trade: Trade) -> None:
    for name in ("one", "two", "three"):
        keys.issue(seller=trade.seller, name=name, scopes=["orders:read"], actor=SYSTEM, at=timezone.now())

    first = auditor.get("audit-log?limit=2").json()
    second = auditor.get(f"audit-log?limit=2&cursor={first['next']}").json()
    none = auditor.get("audit-log?until=2020-01-01T00:00:00Z").json()

    ids = [entry["id"] for entry in first["results"] + second["results"]]
    assert len(ids) == len(set(ids)) == 4
    assert none["results"] == []


def test_managers_take_it_away_as_a_file_that_no_spreadsheet_runs(afternoon: Any) -> None:
    client = Client()
    client.force_login(afternoon.sam)
    seller = afternoon.bookshop.seller
    key = keys.issue(seller=seller, name="x", scopes=["orders:read"], actor=SYSTEM, at=timezone.now()).key
    actor = SYSTEM.__class__(kind="seller", name="=HYPERLINK(1)")
    keys.revoke(prefix=key.prefix, scope=ApiKey.objects.all(), actor=actor, at=timezone.now())

    answer = client.get(reverse("stores:log_csv", args=[seller.code]))

    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert (rows[0]["what"], rows[0]["actor"]) == ("key.revoked", "'=HYPERLINK(1)")


def test_who_does_not_manage_the_seller_sees_no_log(afternoon: Any) -> None:
    client = Client()
    client.force_login(afternoon.olive)

    assert client.get(reverse("stores:log", args=[afternoon.bookshop.seller.code])).status_code == 404
