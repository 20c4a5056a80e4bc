"""Robot couriers, steps by hand, and the clock of a sandbox."""

from __future__ import annotations

import datetime as dt
import json
import random
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from deliveries import limits
from deliveries.models import Manifest, Order, Parcel, RobotStep, Stop
from deliveries.sandbox import couriers, playing, steps
from drivers.models import Driver, DriverPosting, Position, Vehicle
from offers import settlement
from offers.models import Block
from retaildelivery.accounts.models import User
from retaildelivery.outbox import relaying, worlds
from retaildelivery.outbox.models import Fact, Message, Reaction
from retaildelivery.testing.sellers import SellerClient, Trade, key_for, order_body
from stores.models import Sandbox, WebhookMessage

# A Tuesday, ten in the morning in Las Vegas.
NOON = dt.datetime(2026, 11, 24, 18, 0, tzinfo=dt.UTC)
PIN = {"requirements": {"pin": True, "signature": True, "minimum_age": 21}}


@pytest.fixture
def testing(trade: Trade) -> SellerClient:
    """Northwind's system with a test key, in a sandbox whose clock stands at NOON."""
    client = SellerClient(key_for(trade.seller, test=True))
    assert reset(client).status_code == 200
    return client


def reset(client: SellerClient, seed: str = "seed") -> Any:
    return client.post("sandbox/reset", {"seed": seed, "at": NOON.isoformat()})


def body(trade: Trade, **changes: Any) -> dict[str, Any]:
    """An order of that noon, for two hours on."""
    window = {
        "start": (NOON + dt.timedelta(hours=2)).isoformat(),
        "end": (NOON + dt.timedelta(hours=4)).isoformat(),
    }
    return order_body(trade.store, window=window, **changes)


def step(client: SellerClient, code: str, name: str, **more: str) -> Any:
    return client.post(f"sandbox/orders/{code}/steps", {"step": name, **more})


def possible(client: SellerClient, code: str) -> list[str]:
    return [each["step"] for each in client.get(f"sandbox/orders/{code}/steps").json()["steps"]]


def advance(client: SellerClient, **delta: int) -> Any:
    return client.post("sandbox/clock", {"advance_seconds": int(dt.timedelta(**delta).total_seconds())})


def told(code: str) -> list[str]:
    """Names of the order's own facts, in their order."""
    facts = Fact._base_manager.filter(subjects__contains=[f"order:{code}"], sequence__isnull=False)  # type: ignore[attr-defined]
    return [name.removeprefix("order.") for name in facts.order_by("sequence").values_list("name", flat=True)]


WAY = ["at_pickup", "picked_up", "en_route", "near", "at_dropoff"]
ENDS = {
    "normal": ["placed", "planned", "assigned", *WAY, "delivered"],
    "fast": [
        "placed",
        "planned",
        "assigned",
        "at_pickup",
        "picked_up",
        "en_route",
        "at_dropoff",
        "delivered",
    ],
    "late": ["placed", "planned", "assigned", *WAY, "delivered"],
    "no_show": ["placed", "planned", "assigned", "replanned", "assigned", *WAY, "delivered"],
    "cannot_deliver": ["placed", "planned", "assigned", *WAY, "attempt_failed", "returning", "returned"],
    "wrong_barcode": [
        "placed",
        "planned",
        "assigned",
        "at_pickup",
        "parcel.scan_refused",
        *WAY[1:],
        "delivered",
    ],
}


@pytest.mark.parametrize("courier", couriers.Courier.values)
def test_each_courier_does_what_its_name_says(testing: SellerClient, trade: Trade, courier: str) -> None:
    code = testing.post("orders", body(trade, sandbox={"courier": courier}, **PIN)).json()["code"]

    moved = advance(testing, hours=6)

    order = testing.get(f"orders/{code}").json()
    assert moved.json()["arrived"] is True
    assert told(code) == ENDS[courier]
    read = [scan["outcome"] for scan in testing.get(f"orders/{code}/proof").json()["scans"]]
    assert ("unknown" in read) is (courier == "wrong_barcode")
    script = testing.get(f"sandbox/orders/{code}/steps").json()["script"]
    assert {row["outcome"] for row in script} == {"done"}
    late = order["delivered_at"] is not None and order["delivered_at"] > order["window"]["end"]
    assert late is (courier == "late")
    of_the_seller = {"name": "parcel.scan_refused", "seller_code": trade.seller.code}
    refused = Fact._base_manager.filter(**of_the_seller).count()  # type: ignore[attr-defined]
    assert refused == (courier == "wrong_barcode")


def test_orders_posted_many_at_once_have_their_robots(
    testing: SellerClient, northwind: SellerClient, trade: Trade
) -> None:
    rows = [
        body(trade, external_id=f"B-{courier}", sandbox={"courier": courier}, **PIN)
        for courier in couriers.Courier.values
    ]

    made, again = (
        testing.post("orders/bulk", {"orders": [*rows, body(trade, external_id="B-0")]}) for _ in "12"
    )
    live = northwind.post(
        "orders/bulk", {"orders": [order_body(trade.store, external_id="L", sandbox={"courier": "fast"})]}
    )
    advance(testing, hours=8)

    assert (made.json()["created"], again.json()["existing"]) == (7, 7), made.content
    codes = [row["order"] for row in made.json()["results"]]
    assert [told(code) for code in codes] == [*ENDS.values(), ["placed"]]
    assert [(row["outcome"], row["code"]) for row in live.json()["results"]] == [
        ("refused", "test_keys_only")
    ]


def test_what_came_back_is_tried_again_by_a_robot(
    testing: SellerClient, northwind: SellerClient, trade: Trade
) -> None:
    first = testing.post("orders", body(trade, sandbox={"courier": "cannot_deliver"})).json()["code"]
    advance(testing, hours=6)
    window = {
        "start": (NOON + dt.timedelta(hours=7)).isoformat(),
        "end": (NOON + dt.timedelta(hours=9)).isoformat(),
    }

    again = testing.post(f"orders/{first}/redelivery", {"window": window, "sandbox": {"courier": "normal"}})
    advance(testing, hours=6)

    assert again.status_code == 201, again.content
    assert testing.get(f"orders/{first}").json()["status"] == "returned"
    assert testing.get(f"orders/{again.json()['code']}").json()["status"] == "delivered"
    live = northwind.post("orders", order_body(trade.store)).json()["code"]
    refused = northwind.post(f"orders/{live}/redelivery", {"window": window, "sandbox": {"courier": "fast"}})
    assert (refused.status_code, refused.json()["code"]) == (403, "test_keys_only")


def test_an_order_goes_step_by_step_by_hand(testing: SellerClient, trade: Trade) -> None:
    code = testing.post("orders", body(trade, **PIN)).json()["code"]
    way = [
        "assign",
        "arrive_at_pickup",
        "hand_over",
        "depart",
        "approach",
        "arrive",
        "enter_wrong_pin",
        "deliver",
    ]

    for name in way:
        assert name in possible(testing, code)
        answer = step(testing, code, name)
        assert answer.status_code == 200, answer.content
    proof = testing.get(f"orders/{code}/proof").json()

    assert answer.json()["status"] == "delivered"
    assert answer.json()["steps"] == []
    assert proof["delivery"]["pin_matched"] is True
    assert proof["delivery"]["signed_by"] == "Rosa Quintero"


def test_a_failed_door_says_why_and_comes_back(testing: SellerClient, trade: Trade) -> None:
    code = testing.post("orders", body(trade)).json()["code"]
    for name in ("assign", "arrive_at_pickup", "hand_over", "depart", "arrive"):
        step(testing, code, name)

    step(testing, code, "fail", reason="refused")
    back = step(testing, code, "return").json()

    assert back["status"] == "returned"
    assert testing.get(f"orders/{code}/proof").json()["attempts"][0]["reason"] == "refused"


def test_a_step_that_is_not_possible_is_refused_with_those_that_are(
    testing: SellerClient, trade: Trade
) -> None:
    code = testing.post("orders", body(trade)).json()["code"]
    before = told(code)

    answer = step(testing, code, "deliver")

    assert (answer.status_code, answer.json()["code"]) == (409, "step_not_legal")
    assert answer.json()["reason"] == "assign"
    assert told(code) == before
    assert testing.get(f"orders/{code}").json()["status"] == "placed"


@pytest.mark.parametrize("seed", range(3))
def test_every_step_that_is_listed_can_be_taken(testing: SellerClient, trade: Trade, seed: int) -> None:
    """Walks at random from posting to an end."""
    dice = random.Random(seed)
    code = testing.post("orders", body(trade, **PIN)).json()["code"]

    for _turn in range(25):
        listed = possible(testing, code)
        if not listed:
            break
        name = dice.choice(listed)
        answer = step(testing, code, name)
        assert answer.status_code == 200, (name, answer.content)
        advance(testing, minutes=2)

    assert testing.get(f"orders/{code}").json()["live_mode"] is False


def run_of(client: SellerClient, trade: Trade) -> list[str]:
    """Bodies of all webhooks of one rehearsed day."""
    reset(client)
    for courier in couriers.Courier.values:
        script = [{"step": "scan_wrong_parcel", "after_seconds": 1_300}]
        given = body(trade, external_id=courier, sandbox={"courier": courier, "script": script}, **PIN)
        assert client.post("orders", given).status_code == 201
    by_hand = client.post("orders", body(trade)).json()["code"]
    advance(client, hours=1)
    step(client, by_hand, "assign")
    advance(client, hours=6)
    for pk in Reaction.objects.filter(done_at=None).order_by("pk").values_list("pk", flat=True):
        relaying.relay(reaction_id=pk, at=timezone.now())
    return list(WebhookMessage.objects.order_by("pk").values_list("body", flat=True))


def test_the_same_seed_script_and_moves_give_the_same_bytes(testing: SellerClient, trade: Trade) -> None:
    testing.post("webhook-endpoints", {"url": "https://hooks.example.com/test"})

    first, second = run_of(testing, trade), run_of(testing, trade)

    assert len(first) > 30
    assert first == second
    assert {json.loads(text)["live_mode"] for text in first} == {False}


def test_another_seed_gives_other_codes(testing: SellerClient, trade: Trade) -> None:
    first = testing.post("orders", body(trade)).json()["code"]
    reset(testing, seed="another")
    second = testing.post("orders", body(trade)).json()["code"]
    reset(testing)
    third = testing.post("orders", body(trade)).json()["code"]

    assert first == third != second


def test_the_clock_is_moved_forward_only(testing: SellerClient, trade: Trade) -> None:
    back = testing.post("sandbox/clock", {"at": (NOON - dt.timedelta(seconds=1)).isoformat()})
    far = testing.post("sandbox/clock", {"at": (NOON + limits.CLOCK_MOVE * 2).isoformat()})
    both = testing.post("sandbox/clock", {"at": NOON.isoformat(), "advance_seconds": 5})

    assert (back.status_code, back.json()["code"]) == (422, "clock_runs_forward")
    assert (far.status_code, far.json()["code"]) == (422, "clock_too_far")
    assert both.status_code == 400
    assert testing.get("sandbox/clock").json()["at"] == "2026-11-24T18:00:00.000Z"


@pytest.mark.parametrize("at", ["0001-01-02T00:00:00Z", "1899-12-31T23:59:59Z", "9999-12-31T00:00:00Z"])
def test_a_clock_is_not_set_where_no_calendar_reaches(testing: SellerClient, trade: Trade, at: str) -> None:
    kept = testing.post("orders", body(trade)).json()["code"]

    answer = testing.post("sandbox/reset", {"seed": "far", "at": at})

    assert (answer.status_code, answer.json()["code"]) == (422, "clock_out_of_range")
    assert testing.get(f"orders/{kept}").status_code == 200
    assert testing.get("sandbox/clock").json()["seed"] != "far"


def test_a_clock_is_not_moved_out_of_its_range(testing: SellerClient) -> None:
    testing.post("sandbox/reset", {"at": "2199-12-31T23:00:00Z"})

    answer = testing.post("sandbox/clock", {"advance_seconds": 3_601})

    assert (answer.status_code, answer.json()["code"]) == (422, "clock_out_of_range")
    assert testing.get("sandbox/clock").json()["at"] == "2199-12-31T23:00:00.000Z"


def test_a_clock_that_is_moved_by_somebody_else_is_busy(testing: SellerClient) -> None:
    Sandbox.objects.update(playing_until=timezone.now() + limits.PLAY_LEASE)

    answer = advance(testing, minutes=1)

    assert (answer.status_code, answer.json()["code"], answer.json()["retryable"]) == (
        409,
        "sandbox_busy",
        True,
    )


def test_until_it_is_moved_the_clock_runs_by_the_real_time(trade: Trade) -> None:
    client = SellerClient(key_for(trade.seller, test=True))
    before = timezone.now()

    clock = client.get("sandbox/clock").json()

    assert clock["running"] is True
    assert abs(dt.datetime.fromisoformat(clock["at"]) - before) < dt.timedelta(minutes=1)


def test_a_running_clock_drives_its_robots_and_a_standing_one_waits(
    testing: SellerClient, trade: Trade
) -> None:
    code = testing.post("orders", body(trade, sandbox={"courier": "fast"})).json()["code"]
    real = timezone.now()

    standing = playing.sweep(at=real + dt.timedelta(hours=1))
    testing.post("sandbox/clock", {"run": True})
    running = [playing.sweep(at=real + dt.timedelta(hours=1)) for _turn in range(2)]

    assert (standing, running) == (0, [1, 0])
    assert told(code)[-1] == "delivered"


def test_one_request_plays_so_much_and_says_that_there_is_more(
    testing: SellerClient, trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = testing.post("orders", body(trade, sandbox={"courier": "fast"})).json()["code"]
    monkeypatch.setattr(limits, "PLAY_STEPS", 3)

    first = advance(testing, hours=1).json()
    second = advance(testing, hours=1).json()

    assert (first["arrived"], first["at"]) == (False, "2026-11-24T18:01:30.000Z")
    assert second["arrived"] is True
    assert told(code)[-1] == "delivered"


def test_what_the_seller_cancelled_is_left_by_its_robot(testing: SellerClient, trade: Trade) -> None:
    code = testing.post("orders", body(trade, sandbox={"courier": "fast"})).json()["code"]
    testing.put(f"orders/{code}/cancellation", {"reason": "other"})

    advance(testing, hours=1)

    assert told(code) == ["placed", "cancelled"]
    with worlds.entered(Sandbox.objects.get().pk):
        assert set(RobotStep.objects.values_list("outcome", flat=True)) == {"skipped"}


def test_a_live_order_takes_no_robot_and_a_live_key_no_clock(northwind: SellerClient, trade: Trade) -> None:
    posted = northwind.post("orders", order_body(trade.store, sandbox={"courier": "fast"}))
    clock = northwind.get("sandbox/clock")

    assert (posted.status_code, posted.json()["code"]) == (403, "test_keys_only")
    assert (clock.status_code, clock.json()["code"]) == (403, "test_keys_only")
    assert not Order.objects.exists()


def test_a_key_of_one_store_steps_its_orders_and_leaves_the_clock(trade: Trade) -> None:
    client = SellerClient(key_for(trade.seller, store=trade.store, test=True))
    code = client.post("orders", order_body(trade.store)).json()["code"]

    assert step(client, code, "assign").status_code == 200
    for path in ("sandbox/clock", "sandbox/reset"):
        assert client.post(path, {}).json()["code"] == "key_of_one_store"


def test_nobody_real_hears_of_a_rehearsal(
    testing: SellerClient, trade: Trade, client: Any, mailoutbox: list[Any]
) -> None:
    """A whole delivery, and then: no driver, block, pay, page or mail knows of it."""
    client.force_login(User.objects.create_superuser(email="olive@ops.example", password="x", name="Olive"))
    people = User.objects.count()
    code = testing.post("orders", body(trade, sandbox={"courier": "cannot_deliver"})).json()["code"]
    advance(testing, hours=6)
    for pk in Reaction.objects.filter(done_at=None).values_list("pk", flat=True):
        relaying.relay(reaction_id=pk, at=timezone.now())

    for model in (Order, Parcel, Manifest, Stop, Driver, Message):
        assert model.objects.count() == 0, model
    assert {name.split(".")[0] for name in Fact.objects.values_list("name", flat=True)} == {"key"}
    assert not Block.objects.exists()
    assert not DriverPosting.objects.exists()
    assert mailoutbox == []
    for name in ("drivers_driver", "accounts_user", "drivers_position", "outbox_reaction", "deliveries_scan"):
        found = client.get(reverse(f"admin:{name}_changelist")).context["cl"].queryset.count()
        assert found == (people if name == "accounts_user" else 0), name
    for name in ("offers:board", "deliveries:ops_orders"):
        assert code not in client.get(reverse(name)).content.decode()


def test_the_messages_that_nobody_got_can_be_read(testing: SellerClient, trade: Trade) -> None:
    code = testing.post("orders", body(trade, sandbox={"courier": "normal"}, **PIN)).json()["code"]
    advance(testing, hours=6)
    for pk in Reaction.objects.filter(done_at=None).order_by("pk").values_list("pk", flat=True):
        relaying.relay(reaction_id=pk, at=timezone.now())

    found = testing.get("sandbox/messages").json()["results"]

    assert [row["name"] for row in found] == ["order_delivered"]
    assert (found[0]["to"], found[0]["channel"], found[0]["about"]) == (
        "rosa@example.com",
        "email",
        f"order:{code}",
    )


def test_the_recipients_page_of_a_test_order_works_by_the_sandboxs_clock(
    testing: SellerClient, trade: Trade, client: Any
) -> None:
    order = testing.post("orders", body(trade, sandbox={"courier": "fast"}, **PIN)).json()
    url = "/t/" + order["tracking_url"].split("/t/")[1]

    before = client.get(url)
    advance(testing, hours=1)
    after = client.get(url)

    assert (before.status_code, after.status_code) == (200, 200)
    assert (before.context["late"], after.context["order"].status) == (False, "delivered")
    assert worlds.current() == worlds.LIVE


def test_a_reset_forgets_the_sandbox_and_nothing_else(
    testing: SellerClient, northwind: SellerClient, trade: Trade
) -> None:
    live = northwind.post("orders", order_body(trade.store)).json()["code"]
    testing.post("orders", body(trade, sandbox={"courier": "normal"}, **PIN))
    advance(testing, hours=6)

    reset(testing)

    assert testing.get("orders").json()["results"] == []
    assert northwind.get(f"orders/{live}").status_code == 200
    for model in (Order, Fact, Message, Manifest, Driver, RobotStep):
        assert not model._base_manager.filter(world__gt=0).exists(), model  # type: ignore[attr-defined]
    assert not Vehicle.objects.exists()
    assert not Position.objects.exists()
    assert User.objects.filter(email__endswith="robots.invalid").count() == 0


def test_a_test_key_is_made_over_the_api(
    northwind: SellerClient, testing: SellerClient, trade: Trade
) -> None:
    made = northwind.post("sandbox/keys", {"name": "CI", "scopes": ["orders:read", "orders:write"]})
    by_test_key = testing.post("sandbox/keys", {"name": "CI"})

    assert (made.status_code, by_test_key.json()["code"]) == (201, "live_keys_only")
    assert made.json()["secret"].startswith("sk_test_")
    assert SellerClient(made.json()["secret"]).post("orders", body(trade)).json()["live_mode"] is False


def test_every_step_has_a_sentence_and_a_verb() -> None:
    names = {name for listed in steps.BY_STATUS.values() for name in listed}
    assert names == set(steps.STEPS)


def test_settling_finds_no_work_in_a_sandbox(testing: SellerClient, trade: Trade) -> None:
    """Even if somebody named it in the sandbox's table."""
    testing.post("orders", body(trade, sandbox={"courier": "fast"}))
    advance(testing, hours=1)

    with worlds.entered(Sandbox.objects.get().pk):
        settlement.settle(fact=Fact.objects.get(name="manifest.completed"), at=timezone.now())

    assert not DriverPosting.objects.exists()
