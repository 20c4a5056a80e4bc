"""The live world, and the sandboxes beside it: one number on every row that moves, and one at work at a time.

A row belongs to the world in which it was written. Managers show rows of the world at work only, so no list, count or
sweep of the live world has to remember that there are others; and whoever rehearses reaches nothing that is real.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import TypeVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from retaildelivery.lib import codes

LIVE = 0

M = TypeVar("M", bound=models.Model)

_at_work: ContextVar[int] = ContextVar("world", default=LIVE)


def current() -> int:
    """The number of the world at work; LIVE unless somebody has entered another."""
    return _at_work.get()


@contextlib.contextmanager
def entered(world: int, *, codes_from: str | None = None) -> Iterator[None]:
    """Work in this world. With `codes_from`, codes that are drawn inside follow from it."""
    token = _at_work.set(world)
    try:
        with contextlib.nullcontext() if codes_from is None else codes.rehearsed(codes_from):
            yield
    finally:
        _at_work.reset(token)


class InAWorld(models.Model):
    """A row that stays in the world in which it was written."""

    world = models.PositiveBigIntegerField(
        default=current,
        db_default=LIVE,
        editable=False,
        help_text=_("0 is the live one; others are sandboxes."),
    )

    class Meta:
        abstract = True

    @property
    def live_mode(self) -> bool:
        return self.world == LIVE


class OfThisWorld(models.Manager[M]):
    """Rows of the world at work."""

    def get_queryset(self) -> models.QuerySet[M]:
        return super().get_queryset().filter(world=current())


class WorldQuerySet(models.QuerySet[M]):
    """The queryset of a model that is InAWorld: its manager gives rows of the world at work."""

    @classmethod
    def as_manager(cls) -> OfThisWorld[M]:  # type: ignore[override]
        found: OfThisWorld[M] = OfThisWorld.from_queryset(cls)()
        return found
