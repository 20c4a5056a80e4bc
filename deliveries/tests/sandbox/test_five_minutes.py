"""The commands of docs/api.md, "A delivery in five minutes", as they stand there, against a running server."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from retaildelivery.environment import BASE_DIR
from retaildelivery.testing.sellers import key_for, make_trade


def commands() -> str:
    """Everything in the shell blocks of that section."""
    document = (BASE_DIR / "docs" / "api.md").read_text()
    section = document.split("## A delivery in five minutes")[1].split("\n## ")[0]
    return "\n".join(re.findall(r"```sh\n(.*?)```", section, flags=re.DOTALL))


@pytest.mark.django_db(transaction=True)
def test_from_key_to_delivered_order_with_the_commands_of_the_document(
    live_server: Any, tmp_path: Path
) -> None:
    trade = make_trade()
    where = f"export API={live_server.url}/api/v1 KEY={key_for(trade.seller, test=True)}"
    script = re.sub(r"export API=\S+ KEY=\S+", lambda _found: where, commands())

    ran = subprocess.run(
        ["/bin/bash", "-euc", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert ran.returncode == 0, ran.stderr
    said = ran.stdout.splitlines()
    assert [line for line in said if line in {"assigned", "delivered"}] == ["assigned", "delivered"]
    assert '"type":"order.delivered"' in ran.stdout
    assert (tmp_path / "proof.pdf").read_bytes().startswith(b"%PDF")
