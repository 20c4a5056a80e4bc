"""A test key and a live key: two worlds at the same address, and no way from one to the other."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
import yaml
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from deliveries import quoting, slots
from deliveries.models import KnownAddress, Order, Quote, Slot, SlotHold, SlotRule
from offers.planning import waves
from retaildelivery.accounts.models import User
from retaildelivery.environment import BASE_DIR
from retaildelivery.outbox import relaying, worlds
from retaildelivery.outbox.models import Fact, Message, Reaction
from retaildelivery.testing.sellers import SellerClient, Trade, key_for, order_body
from stores import billing
from stores.models import ApiKey, Contest, Invoice, Sandbox, SellerPosting, WebhookEndpoint, WebhookMessage
from stores.webhooks import events

DAY = dt.timedelta(days=1)
WRITES = {"post", "put", "patch", "delete"}
# What a request must say so that nothing but the code is wrong with it.
BODIES: dict[str, Any] = {
    "change_order": {"instructions": "Ring twice"},
    "cancel_order": {"reason": "other"},
    "locate_order": {"latitude": 36.1, "longitude": -115.1},
    "tip_order": {"cents": 100},
    "change_webhook_endpoint": {"enabled": False},
    "replay_webhook_messages": {"since": "2026-01-01T00:00:00Z"},
    "step_sandbox_order": {"step": "assign"},
}


def operations() -> list[tuple[str, str, str]]:
    """Method, path and id of every operation of the seller's API that names something by a code."""
    document = yaml.safe_load((BASE_DIR / "docs" / "openapi.yaml").read_text())
    return [
        (method, path.removeprefix("/api/v1/"), operation["operationId"])
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if "{" in path and not path.startswith("/api/v1/driver/") and method in {"get", *WRITES}
    ]


@pytest.fixture
def testing(trade: Trade) -> SellerClient:
    """Northwind's system with a test key."""
    return SellerClient(key_for(trade.seller, test=True))


@pytest.fixture
def webhooks_here(settings: Any) -> None:
    settings.WEBHOOKS_ALLOW_PRIVATE = True


def things(client: SellerClient, trade: Trade, number: str) -> dict[str, str]:
    """One of everything that has a code, made with this client's key."""
    SlotRule.objects.get_or_create(
        mall=trade.mall, weekdays=list(range(7)), starts=dt.time(0, 5), ends=dt.time(23, 55), capacity=1,
        cutoff_minutes=0, valid_from=dt.date(2020, 1, 1),
    )  # fmt: skip
    order = client.post("orders", order_body(trade.store, external_id=number))
    quote = client.post(
        "quotes", {k: order_body(trade.store)[k] for k in ("store", "window", "dropoff", "parcels")}
    )
    day = (timezone.now().astimezone(trade.mall.zone) + dt.timedelta(days=1)).date()
    slot = f"{SlotRule.objects.get().code}.{day}"
    hold = client.post("slot-holds", {"store": trade.store.code, "slot": slot})
    endpoint = client.post("webhook-endpoints", {"url": "https://hooks.example.com/in"})
    for made in (order, quote, hold, endpoint):
        assert made.status_code == 201, made.content
    at = timezone.now()
    code = endpoint.json()["code"]
    WebhookMessage.objects.create(
        endpoint=WebhookEndpoint.objects.get(code=code), code="evt_1", event_type="order.placed", body="{}",
        created_at=at, next_attempt_at=at,
    )  # fmt: skip
    invoice = Invoice.objects.get_or_create(
        number="LAS-VEGAS-000001", market=trade.mall.market, serial=1, seller=trade.seller, month=dt.date(2026, 10, 1),
        starts_at=at, ends_at=at, net_cents=1, tax_cents=0, total_cents=1, issued_at=at, due_on=dt.date(2026, 11, 1),
    )[0] if client.secret.startswith("sk_live") else None  # fmt: skip
    # Accounts are of the live world alone; what a test key cannot have made is not there for the live one either.
    contest = contested(trade, at) if invoice else None
    return {
        "contests": contest.code if contest else "W2222222",
        "wait-charges": str(contest.posting.sequence) if contest else "7",
        "invoices": invoice.number if invoice else "LAS-VEGAS-000002",
        "orders": order.json()["code"],
        "quotes": quote.json()["code"],
        "slot-holds": hold.json()["code"],
        "webhook-endpoints": code,
    }


def contested(trade: Trade, at: dt.datetime) -> Contest:
    """A charge for waiting that Northwind contests."""
    with transaction.atomic():
        billing.post(
            key="wait:1", seller=trade.seller, store=trade.store, kind="wait", cents=360, text="Waited", rule="", at=at,
            subject="block:B1",
        )  # fmt: skip
    charge = SellerPosting.objects.get(key="wait:1")
    said = {
        "reason": "ready",
        "evidence": {},
        "opened_by_key": "sk_live_n",
        "opened_at": at,
        "due_at": at + DAY,
    }
    return Contest.objects.get_or_create(posting=charge, defaults=said)[0]


def state() -> Any:
    """Every row of every world."""
    seen = []
    for model in (Order, Quote, SlotHold, Slot, Fact, WebhookEndpoint, WebhookMessage, Message, Contest):
        base = model._base_manager.order_by("pk")  # type: ignore[attr-defined]
        seen.append(list(base.values()))
    return seen


def test_what_a_test_key_makes_says_so_everywhere(
    testing: SellerClient, northwind: SellerClient, trade: Trade
) -> None:
    testing.post("webhook-endpoints", {"url": "https://hooks.example.com/test"})
    northwind.post("webhook-endpoints", {"url": "https://hooks.example.com/live"})

    order = testing.post("orders", order_body(trade.store, external_id="A")).json()
    relay_all()

    assert order["live_mode"] is False
    assert testing.get(f"orders/{order['code']}").json()["live_mode"] is False
    assert [row["live_mode"] for row in testing.get("orders").json()["results"]] == [False]
    with worlds.entered(Sandbox.objects.get().pk):
        event = events.event(Fact.objects.get(name="order.placed"))
    assert (event["live_mode"], event["data"]["order"]["live_mode"]) == (False, False)
    sent = WebhookMessage.objects.get(event_type="order.placed")
    assert (sent.endpoint.url, json.loads(sent.body)["live_mode"]) == (
        "https://hooks.example.com/test",
        False,
    )


def relay_all() -> None:
    for pk in Reaction.objects.filter(done_at=None).order_by("pk").values_list("pk", flat=True):
        relaying.relay(reaction_id=pk, at=timezone.now())


@pytest.mark.parametrize(("method", "path", "name"), operations())
def test_each_key_finds_nothing_of_the_other_world(
    testing: SellerClient, northwind: SellerClient, trade: Trade, method: str, path: str, name: str
) -> None:
    sandbox, live = things(testing, trade, "A"), things(northwind, trade, "A")
    kind = next((kind for kind in live if kind in path), None)
    assert kind is not None, f"Say in `things` what {path} is about."
    before = state()

    for client, codes in ((testing, live), (northwind, sandbox)):
        filled = path.format(
            code=codes[kind], message="evt_1", which="photo", number=codes[kind], line=codes[kind]
        )
        answer = client.request(method.upper(), filled, BODIES.get(name, {}) if method in WRITES else None)
        wanted = (
            (403, "test_keys_only")
            if path.startswith("sandbox") and client is northwind
            else (404, "hold_not_found" if name == "release_slot_hold" else "not_found")
        )
        assert (answer.status_code, answer.json()["code"]) == wanted, (method, filled)

    assert state() == before


def test_lists_show_one_world(testing: SellerClient, northwind: SellerClient, trade: Trade) -> None:
    sandbox, live = things(testing, trade, "A"), things(northwind, trade, "A")

    for client, own, other in ((testing, sandbox, live), (northwind, live, sandbox)):
        for path in ("orders", "orders?external_id=A", "orders.csv", "webhook-endpoints", "audit-log"):
            body = client.get(path)
            text = (b"".join(body.streaming_content) if body.streaming else body.content).decode()
            kind = "webhook-endpoints" if path.startswith("webhook") else "orders"
            assert own[kind] in text, path
            # The number of a charge is no code that could be told from other digits.
            assert not any(code in text for what, code in other.items() if what != "wait-charges"), path


def test_a_quote_a_promise_and_a_place_are_of_one_world(
    testing: SellerClient, northwind: SellerClient, trade: Trade
) -> None:
    held = things(northwind, trade, "A")
    recipient = {"recipient": order_body(trade.store)["recipient"]}
    whole = {key: order_body(trade.store)[key] for key in ("recipient", "dropoff", "parcels")}
    before = state()

    by_quote = testing.post("orders", {"quote": held["quotes"], **recipient})
    by_place = testing.post("orders", {"slot_hold": held["slot-holds"], **whole})
    of_feed = testing.get("events?after=" + Fact.objects.get(name="order.placed").code)

    assert (by_quote.json()["code"], by_place.json()["code"]) == ("quote_not_found", "hold_not_found")
    assert of_feed.json()["code"] == "event_not_found"
    assert state() == before


def test_places_of_a_slot_are_counted_in_each_world(
    testing: SellerClient, northwind: SellerClient, trade: Trade
) -> None:
    """The slot has room for one."""
    things(testing, trade, "A")
    things(northwind, trade, "A")

    taken = list(Slot._base_manager.order_by("world").values_list("taken", flat=True))  # type: ignore[attr-defined]
    assert taken == [1, 1]


def test_the_same_number_is_two_orders(testing: SellerClient, northwind: SellerClient, trade: Trade) -> None:
    body = order_body(trade.store, external_id="WEB-1")

    first, second, again = (
        testing.post("orders", body),
        northwind.post("orders", body),
        testing.post("orders", body),
    )

    assert (first.status_code, second.status_code, again.status_code) == (201, 201, 200)
    assert again.json()["code"] == first.json()["code"] != second.json()["code"]


def test_idempotency_keys_of_two_worlds_do_not_meet(
    testing: SellerClient, northwind: SellerClient, trade: Trade
) -> None:
    first = testing.post("orders", order_body(trade.store), Idempotency_Key="1")
    second = northwind.post("orders", order_body(trade.store), Idempotency_Key="1")

    assert (first.status_code, second.status_code) == (201, 201)
    assert "Idempotent-Replayed" not in second


@pytest.fixture
def operations_client(client: Any) -> Any:
    client.force_login(User.objects.create_superuser(email="olive@ops.example", password="x", name="Olive"))
    return client


def test_operations_and_the_planner_see_none_of_it(
    testing: SellerClient, operations_client: Any, trade: Trade, django_assert_num_queries: Any
) -> None:
    order = testing.post("orders", order_body(trade.store, ready_at=None)).json()["code"]
    no_place = order_body(
        trade.store, dropoff=order_body(trade.store)["dropoff"] | {"latitude": None, "longitude": None}
    )
    testing.post("orders", no_place)
    later = timezone.now() + dt.timedelta(hours=1)

    assert waves.due_malls(later) == []
    assert waves.propose(mall_code=trade.mall.code, at=later, seed=1, everything=True) is None
    for name in ("offers:board", "deliveries:ops_orders", "deliveries:ops_messages"):
        page = operations_client.get(reverse(name))
        assert page.status_code == 200
        assert order not in page.content.decode(), name
    assert operations_client.get(reverse("deliveries:ops_order", args=[order])).status_code == 404
    assert Order.objects.count() == 0
    assert Fact.objects.filter(name__startswith="order.").count() == 0


def admin_lists() -> list[str]:
    models = (
        "deliveries.order", "deliveries.parcel", "deliveries.manifest", "deliveries.scan", "deliveries.handover",
        "deliveries.proofofdelivery", "deliveries.attempt", "deliveries.incident", "drivers.driver", "outbox.fact",
        "outbox.reaction", "outbox.message", "drivers.position", "accounts.user",
    )  # fmt: skip
    return [f"admin:{name.replace('.', '_')}_changelist" for name in models]


@pytest.mark.parametrize("name", admin_lists())
def test_the_admin_counts_none_of_it(
    testing: SellerClient, operations_client: Any, trade: Trade, name: str
) -> None:
    before = operations_client.get(reverse(name)).context["cl"].queryset.count()

    testing.post("orders", order_body(trade.store))

    assert operations_client.get(reverse(name)).context["cl"].queryset.count() == before


def test_it_costs_nothing_and_no_message_is_sent(
    testing: SellerClient, trade: Trade, mailoutbox: list[Any]
) -> None:
    order = testing.post("orders", order_body(trade.store)).json()["code"]
    testing.put(f"orders/{order}/cancellation", {"reason": "other"})
    relay_all()

    assert not SellerPosting.objects.exists()
    assert mailoutbox == []
    (kept,) = Message._base_manager.all()  # type: ignore[attr-defined]
    assert (kept.name, kept.to, kept.sent_at) == ("order_cancelled", "rosa@example.com", None)
    with pytest.raises(IntegrityError, match="a_sandbox_sends_no_message"), transaction.atomic():
        Message._base_manager.update(sent_at=timezone.now())  # type: ignore[attr-defined]


def test_where_a_door_is_learnt_in_a_sandbox_stays_there(testing: SellerClient, trade: Trade) -> None:
    order = testing.post("orders", order_body(trade.store)).json()["code"]
    testing.put(f"orders/{order}/location", {"latitude": 36.1, "longitude": -115.1})

    assert not KnownAddress.objects.exists()


def test_sweeps_of_the_live_world_leave_a_sandbox_alone(testing: SellerClient, trade: Trade) -> None:
    things(testing, trade, "A")
    before = state()

    later = timezone.now() + dt.timedelta(days=30)
    slots.expire(at=later)
    quoting.forget_unused(at=later)

    assert state() == before


def test_a_test_key_says_so_and_rotates_into_a_test_key(trade: Trade, testing: SellerClient) -> None:
    key = ApiKey.objects.get(world__gt=0)

    assert testing.secret.startswith("sk_test_")
    assert key.prefix == testing.secret[:16]
    assert Sandbox.objects.get(seller=trade.seller).pk == key.world
    with pytest.raises(IntegrityError, match="a_test_key_says_that_it_is_one"), transaction.atomic():
        ApiKey.objects.filter(pk=key.pk).update(world=worlds.LIVE)


def test_history_of_the_live_world_is_kept_for_ever(northwind: SellerClient, trade: Trade) -> None:
    """A sandbox may be emptied, and nothing else."""
    northwind.post("orders", order_body(trade.store))

    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        Fact.objects.all()._raw_delete("default")  # type: ignore[attr-defined]
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        Fact.objects.update(world=7)


def test_nobody_works_in_a_sandbox_after_the_request(testing: SellerClient, trade: Trade) -> None:
    testing.post("orders", order_body(trade.store))
    testing.post("orders", {"store": 7})

    assert worlds.current() == worlds.LIVE
