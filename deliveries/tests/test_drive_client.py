"""The service's own client for Node, `@doordash/sdk`, unmodified, against the running server."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

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
        not shutil.which("npm"), reason="The service's own client needs Node and npm; install them."
    ),
]


def installed() -> Path:
    """The client as its lock file pins it, installed once per lock file."""
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


def test_the_client_of_the_service_works_by_changing_its_host(
    transactional_db, live_server, settings, client
):
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
    place = installed()
    shutil.copy(HERE / "drive.js", place / "drive.js")

    done = subprocess.run(
        [str(shutil.which("node")), "drive.js", json.dumps({
            "base": live_server.url,
            "store": trade.store.code,
            "developer_id": trade.seller.code,
            "key_id": issued.key.prefix,
            "signing_secret": issued.secret,
        })],
        cwd=place, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)

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
