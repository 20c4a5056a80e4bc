"""JSON as programs read it: UTF-8, compact, written by orjson in a tenth of the time of Python's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import orjson


def dumps(value: Any, *, default: Callable[[Any], Any] | None = None, sort_keys: bool = False) -> bytes:
    """The value as JSON; `default` gives what JSON can say for anything else, times included.

    Raises TypeError for what neither knows. What is beyond orjson (a number of more than 64 bits, a lone surrogate, a
    key that is no text) Python writes, the last two as it can.
    """
    option = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
    try:
        return orjson.dumps(value, default, option | orjson.OPT_SORT_KEYS if sort_keys else option)
    except orjson.JSONEncodeError:
        text = json.dumps(
            value, default=default, sort_keys=sort_keys, ensure_ascii=False, separators=(",", ":")
        )
        return text.encode(errors="replace")
