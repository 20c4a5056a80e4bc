"""Other services' own clients for Node, `@doordash/sdk` and `uber-direct`, unmodified, against the running server."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from deliveries.models import Order
from deliveries.tests.test_drive_door import signing_key
from retaildelivery.environment import BASE_DIR
from retaildelivery.testing.sellers import make_trade, order_body

HERE = Path(__file__).parent / "clients"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not shutil.which("npm"), reason="Other services' clients need Node and npm; install them."
    ),
]


def installed() -> Path:
    """The clients as their lock file pins them, installed once per lock file."""
    lock = (HERE / "package-lock.json").read_bytes()
    place = BASE_DIR / "var" / "clients" / hashlib.sha256(lock).hexdigest()[:16]
    if not (place / "node_modules" / "@doordash" / "sdk" / "package.json").is_file():
        place.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, place / name)
        done = subprocess.run(
            [str(shutil.which("npm")), "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
            cwd=place, capture_output=True, text=True, check=False, timeout=180,
        )  # fmt: skip
        assert done.returncode == 0, f"npm could not install the client: {done.stdout}{done.stderr}"
    return place


def told_by(script: str, **given: str) -> Any:
    """What the client said that this script drives."""
    place = installed()
    shutil.copy(HERE / script, place / script)
    done = subprocess.run(
        [str(shutil.which("node")), script, json.dumps(given)],
        cwd=place, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_client_of_drive_works_by_changing_its_host(transactional_db, live_server, settings, client):
    settings.DOOR_DRIVE = True
    trade = make_trade()
    for number, (external_id, changes) in enumerate(
        (
            ("GONE", {"status": "picked_up", "picked_up_at": timezone.now()}),
            ("DONE", {"status": "delivered", "picked_up_at": timezone.now(), "delivered_at": timezone.now()}),
        )
    ):
        posted = client.post(
            "/api/v1/orders",
            json.dumps(order_body(trade.store, external_id=external_id)),
            content_type="application/json",
            headers={"Authorization": f"Bearer {trade.secret}"},
        )
        assert posted.status_code == 201, number
        Order.objects.filter(external_id=external_id).update(**changes)
    issued = signing_key(trade.seller)
    said = told_by(
        "drive.js",
        base=live_server.url,
        store=trade.store.code,
        developer_id=trade.seller.code,
        key_id=issued.key.prefix,
        signing_secret=issued.secret,
    )

    good = {"status": 200, "fee": 899, "id": "D 2#ä"}
    assert said["quote"] == {"status": 200, "state": "quote", "fee": 899, "tip": 0, "id": "Q-1"}
    assert said["accept"] == {"status": 200, "state": "created", "fee": 899, "tip": 300, "id": "Q-1"}
    assert said["create"] == said["create_again"] == said["get"] == good | {"state": "created", "tip": 0}
    assert said["update"] == good | {"state": "created", "tip": 450}
    assert said["cancel"] == good | {"state": "cancelled", "tip": 450}
    raised = {name: (each["raised"], each["code"]) for name, each in said.items() if "raised" in each}
    assert raised == {
        "picked_up_cancel": ("DoorDashCancelNotAllowedError", "delivery_picked_up"),
        "picked_up_update": ("DoorDashUpdatedNotAllowedError", "Delivery in Progress"),
        "delivered_cancel": ("DoorDashCancelNotAllowedError", "delivery_completed"),
        "duplicate": ("DoorDashDuplicatedDeliveryIdError", "duplicate_delivery_id"),
        "unknown": ("DoorDashUnknownDeliveryError", "unknown_delivery_id"),
        "too_far": ("DoorDashInvalidDeliveryError", "distance_too_long"),
        "no_store": ("DoorDashInvalidDeliveryError", "pickup_address_not_in_coverage"),
        "invalid": ("DoorDashValidationFieldError", "validation_error"),
        "unauthorized": ("DoorDashAuthorizationError", "Unauthorized"),
    }
    assert {error["field"] for error in said["invalid"]["fields"]} == {"dropoff_phone_number", "tip"}
    order = Order.objects.get(external_id="D 2#ä")
    assert (order.status, order.instructions, order.tip_cents) == ("cancelled", "Ring twice", 450)


def test_the_client_of_direct_works_by_changing_its_host(transactional_db, live_server, settings):
    settings.DOOR_DIRECT = True
    trade = make_trade()

    said = told_by(
        "direct.js",
        base=live_server.url,
        store=trade.store.code,
        customer=trade.seller.code,
        client_id=trade.secret[:16],
        client_secret=trade.secret,
    )

    order = Order.objects.get()
    delivery = f"del_{order.code}"
    good = {"id": delivery, "complete": False, "quote_id": said["quote"]["id"], "status": "pending"}
    assert (said["quote"]["fee"], said["quote"]["kind"]) == (899, "delivery_quote")
    assert said["create"] == said["get"] == good | {"fee": 1399, "tip": 500}
    assert said["list"] == [delivery]
    assert said["update"] == good | {"fee": 1599, "tip": 700}
    assert said["cancel"] == good | {"fee": 1599, "tip": 700, "status": "canceled", "complete": True}
    codes = {name: (each["status"], each["code"]) for name, each in said.items() if "code" in each}
    assert codes == {
        "proof": (404, "delivery_not_found"),
        "duplicate": (409, "duplicate_delivery"),
        "used_quote": (400, "used_quote"),
        "unknown": (404, "delivery_not_found"),
        "incomplete": (400, "invalid_params"),
    }
    assert said["duplicate"]["metadata"] == {"delivery_id": delivery}
    assert "dropoff_address" in said["incomplete"]["metadata"]
    assert (order.status, order.instructions, order.tip_cents) == ("cancelled", "Ring twice", 700)
