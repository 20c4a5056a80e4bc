"""Try again what came back: a new order to the same door, or to another, in another window."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from deliveries import filling, locks, posting
from deliveries.models import Order
from deliveries.models.order import OrderQuerySet
from retaildelivery.accounts.models import User
from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox.recording import Actor


class RedeliveryNotAllowed(Refused):
    code = "redelivery_not_allowed"
    sentence = _("The order is %(status)s; only what came back to the store is tried again.")


class AlreadyRedelivered(Refused):
    code = "already_redelivered"
    sentence = _("Order %(order)s tries this again already.")


def redeliver(
    *,
    order_code: str,
    scope: OrderQuerySet,
    changes: Mapping[str, Any],
    actor: Actor,
    at: dt.datetime,
    placed_by: User | None = None,
) -> Order:
    """Post an order that came back once more. `changes` names fields of OrderDraft, the window at least.

    Raises OrderNotFound, RedeliveryNotAllowed, AlreadyRedelivered, and what posting raises.
    """
    first = scope.select_related("store__seller", "store__mall__market").filter(code=order_code).first()
    if first is None:
        raise posting.OrderNotFound
    _refuse_unless_returned(first)
    given = {"external_id": "", "ready_at": None, "tip_cents": 0, **changes}
    draft = dataclasses.replace(filling.draft_of(first), **given)
    sizes = [parcel.size for parcel in draft.parcels]

    def again(order: Order) -> None:
        fresh = locks.orders([first.pk])[0]
        _refuse_unless_returned(fresh)
        order.redelivery_of = fresh
        filling.price(order, sizes, at=at)

    return posting.post(store=first.store, draft=draft, actor=actor, at=at, placed_by=placed_by, terms=again)


def _refuse_unless_returned(order: Order) -> None:
    if order.status != Order.Status.RETURNED:
        raise RedeliveryNotAllowed(reason=order.status, status=order.get_status_display())
    again = Order.objects.filter(redelivery_of=order).exclude(status=Order.Status.CANCELLED)
    code = again.values_list("code", flat=True).first()
    if code is not None:
        raise AlreadyRedelivered(reason=code, order=code)
