"""Bodies that are right but for one place."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any


def places_in(body: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of everything that is said in a body."""
    if path:
        yield path
    if isinstance(body, dict | list):
        for name, inner in body.items() if isinstance(body, dict) else enumerate(body):
            yield from places_in(inner, (*path, name))


def replaced(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The body with this value at that place."""
    found = copy.deepcopy(body)
    place = found
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return found
