"""The commands of docs/api.md, "A delivery in five minutes" and "Quick start", as they stand there, against a running
server."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from deliveries.models import Order
from retaildelivery.environment import BASE_DIR
from retaildelivery.testing.sellers import key_for, make_trade


def commands(title: str) -> str:
    """Everything in the shell blocks of that section."""
    document = (BASE_DIR / "docs" / "api.md").read_text()
    section = document.split(f"## {title}\n")[1].split("\n## ")[0]
    return "\n".join(re.findall(r"```sh\n(.*?)```", section, flags=re.DOTALL))


@pytest.mark.django_db(transaction=True)
def test_from_key_to_delivered_order_with_the_commands_of_the_document(
    live_server: Any, tmp_path: Path
) -> None:
    trade = make_trade()
    where = f"export API={live_server.url}/api/v1 KEY={key_for(trade.seller, test=True)}"
    script = re.sub(r"export API=\S+ KEY=\S+", lambda _found: where, commands("A delivery in five minutes"))

    ran = subprocess.run(
        ["/bin/bash", "-euc", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert ran.returncode == 0, ran.stderr
    said = ran.stdout.splitlines()
    assert [line for line in said if line in {"assigned", "delivered"}] == ["assigned", "delivered"]
    assert '"type":"order.delivered"' in ran.stdout
    assert (tmp_path / "proof.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.django_db(transaction=True)
def test_from_key_to_posted_order_with_the_commands_of_the_quick_start(
    live_server: Any, tmp_path: Path
) -> None:
    trade = make_trade()
    where = f"export API={live_server.url}/api/v1 KEY={trade.secret}"
    script = re.sub(r"export API=\S+ KEY=\S+", lambda _found: where, commands("Quick start"))
    # The programs have a test of their own.
    script = re.sub(r"^API=.*\n", "", script, flags=re.MULTILINE).replace(
        "http://localhost:8000", live_server.url
    )

    ran = subprocess.run(
        ["/bin/bash", "-euc", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert ran.returncode == 0, ran.stderr
    order = Order.objects.get()
    assert (order.status, order.requires_pin, order.parcels.get().status) == ("placed", True, "ready")
    assert '"serviceable":true' in ran.stdout
    assert '"wrong_driver_code"' in ran.stdout
    assert '"ours": true' in ran.stdout
    assert '"valid":true' in ran.stdout
    assert '"code":"not_found"' not in ran.stdout
    assert (tmp_path / "labels.pdf").read_bytes().startswith(b"%PDF")
