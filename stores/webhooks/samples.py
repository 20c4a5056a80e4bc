"""A sample of every event. A test plays the scenes that cause them and compares what was recorded with these."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any


@functools.cache
def all_of_them() -> dict[str, Any]:
    """By the event's name: the body as it is sent, with made-up codes."""
    found: dict[str, Any] = json.loads(Path(__file__).with_name("samples.json").read_text())
    return found


def text_of(name: str) -> str:
    """For people. Raises KeyError for what is no event."""
    return json.dumps(all_of_them()[name], indent=2, ensure_ascii=False)
