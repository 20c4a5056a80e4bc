"""The programs of docs/examples do what they say, against the running server."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import Any

import pytest

from deliveries.models import Order
from retaildelivery.environment import BASE_DIR
from retaildelivery.testing.sellers import make_trade
from stores.models import WebhookEndpoint

EXAMPLES = BASE_DIR / "docs" / "examples"

pytestmark = pytest.mark.slow


def interpreter(name: str, request: pytest.FixtureRequest) -> str:
    """The program that runs the example. Node is asked for as Chromium is: `make test` fails without."""
    if name.endswith(".py"):
        return sys.executable
    found = shutil.which("node")
    if found is None:
        why = "docs/examples/quickstart.mjs needs Node 20: install it (Debian: sudo apt-get install nodejs)."
        if request.config.getoption("--browsers-required"):
            pytest.fail(why)
        pytest.skip(why)
    return found


@pytest.mark.parametrize("name", ["quickstart.py", "quickstart.mjs"])
def test_the_quick_start_goes_from_a_key_to_an_order_and_back(
    name: str, transactional_db: None, live_server: Any, settings: Any, request: pytest.FixtureRequest
) -> None:
    program = interpreter(name, request)
    settings.WEBHOOKS_ALLOW_PRIVATE = True
    trade = make_trade()

    done = subprocess.run(
        [program, str(EXAMPLES / name)],
        env={"PATH": os.environ["PATH"], "API": f"{live_server.url}/api/v1", "KEY": trade.secret},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    said = [line.split(" ") for line in done.stdout.splitlines()]
    order = Order.objects.get()
    assert [line[0] for line in said] == [
        "quote", "order", "timeline", "webhook", "forged", "refused", "order",
    ]  # fmt: skip
    assert said[0][1:3] == [str(order.fee_cents), "USD"]
    assert said[1][1:] == [order.code, "placed"]
    assert said[2][2] == "order.placed"
    assert said[3][1:] == ["endpoint.test", "is", "genuine"]
    assert " ".join(said[4][1:]) == "The signature does not match."
    assert said[5][1:] == ["validation_error"]
    assert said[6][1:] == [order.code, "cancelled"]
    assert (order.status, order.cancel_reason) == ("cancelled", "customer_changed_mind")
    assert not WebhookEndpoint.objects.live().exists()  # type: ignore[attr-defined]


def test_the_documents_name_the_examples() -> None:
    for document in ("README.md", "docs/api.md"):
        text = (BASE_DIR / document).read_text()
        for name in ("quickstart.py", "quickstart.mjs"):
            assert name in text, (document, name)
