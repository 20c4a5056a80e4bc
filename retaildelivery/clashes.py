"""Two rows drew the same code: the second draws anew. Rare, but a market of a million orders meets it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.db import IntegrityError

P = ParamSpec("P")
R = TypeVar("R")

# At a million rows one of 28^8 codes is taken once in 400,000 draws: a third turn nobody has seen.
TURNS = 4


def of_codes(failure: IntegrityError) -> bool:
    """Whether the database refused a code or token because another row has it."""
    diag = getattr(failure.__cause__, "diag", None)
    return str(getattr(diag, "constraint_name", "")).endswith(("_code_key", "_token_key"))


def drawn_anew(verb: Callable[P, R]) -> Callable[P, R]:
    """Run a verb again, in a transaction of its own each time, when a code that it drew is taken."""

    @functools.wraps(verb)
    def again(*args: P.args, **kwargs: P.kwargs) -> R:
        for _turn in range(TURNS - 1):
            try:
                return verb(*args, **kwargs)
            except IntegrityError as failure:
                if not of_codes(failure):
                    raise
        return verb(*args, **kwargs)

    return again
