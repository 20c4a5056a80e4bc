"""A seller's sandbox: made with the first test key, entered by each request of one."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator

from django.db import connection
from django.db.models import F

from retaildelivery.outbox import worlds
from stores.models import Sandbox, Seller


def of(seller: Seller, *, at: dt.datetime) -> Sandbox:
    """The sandbox of this (locked) seller, made when there is none."""
    assert connection.in_atomic_block, "An inner verb."
    return Sandbox.objects.get_or_create(seller=seller, defaults={"created_at": at})[0]


@contextlib.contextmanager
def reading(sandbox: Sandbox) -> Iterator[None]:
    """Work in this sandbox's world without drawing codes for what is written."""
    with worlds.entered(sandbox.pk):
        yield


@contextlib.contextmanager
def writing(sandbox: Sandbox) -> Iterator[None]:
    """Work in this sandbox's world. What is drawn follows from the seed and how many requests wrote before: requests
    one after the other repeat themselves, requests at once never draw the same."""
    Sandbox.objects.filter(pk=sandbox.pk).update(writes=F("writes") + 1)
    number = Sandbox.objects.values_list("writes", flat=True).get(pk=sandbox.pk)
    with worlds.entered(sandbox.pk, codes_from=f"{sandbox.salt}:{sandbox.seed}:{number}"):
        yield
