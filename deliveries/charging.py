"""What an order costs its seller: told when it is posted, posted to the account when it ends."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.db.models import Count, Sum

from deliveries import fees, locks
from deliveries.models import FeePolicy, Order, Parcel
from retaildelivery.lib.money import format_cents
from retaildelivery.outbox.models import Fact
from retaildelivery.prepared import Given, Prepared
from stores import billing
from stores.models import SellerPosting, Store

STAGES = {
    Order.Status.PLACED: fees.Stage.PLACED,
    Order.Status.PLANNED: fees.Stage.PLANNED,
    Order.Status.ASSIGNED: fees.Stage.ASSIGNED,
    Order.Status.AT_PICKUP: fees.Stage.AT_PICKUP,
}


def _valid() -> Any:
    valid = FeePolicy.objects.filter(market=Given("market")).valid_on(Given("day"))  # type: ignore[attr-defined, arg-type]
    return valid.order_by("-valid_from", "-id")


_VALID: Prepared[FeePolicy] = Prepared(_valid)


def policy_for(store: Store, *, at: dt.datetime) -> FeePolicy | None:
    """The row of terms valid for the store's market on the local day."""
    market = store.mall.market
    return _VALID.one(market=market.pk, day=market.day(at))


def terms(policy: FeePolicy) -> fees.FeeTerms:
    """The row as the pure rules take it."""
    percent = Decimal(100)
    return fees.FeeTerms(
        rule=policy.code,
        base_cents=policy.base_cents,
        base_m=policy.base_distance_m,
        mile_cents=policy.mile_cents,
        size_cents=(
            (Parcel.Size.SMALL, 0),
            (Parcel.Size.MEDIUM, 0),
            (Parcel.Size.LARGE, policy.large_cents),
            (Parcel.Size.EXTRA_LARGE, policy.extra_large_cents),
        ),
        return_share=Decimal(policy.return_percent) / percent,
        cancellation_shares=(
            (fees.Stage.PLACED, Decimal(0)),
            (fees.Stage.PLANNED, Decimal(policy.cancel_planned_percent) / percent),
            (fees.Stage.ASSIGNED, Decimal(policy.cancel_assigned_percent) / percent),
            (fees.Stage.AT_PICKUP, Decimal(policy.cancel_at_pickup_percent) / percent),
        ),
        tax_share=Decimal(policy.tax_percent) / percent,
        tax_name=policy.tax_name,
    )


def delivery_lines(
    policy: FeePolicy, *, distance_m: int, sizes: Iterable[str], slot_cents: int = 0
) -> tuple[fees.FeeLine, ...]:
    """What taking parcels of these sizes over this road distance costs, in a slot of this price."""
    return fees.fee(terms(policy), distance_m=distance_m, size_classes=sizes, slot_cents=slot_cents)


def _delivery(order: Order) -> tuple[fees.FeeLine, ...]:
    assert order.fee_policy is not None
    assert order.distance_m is not None
    sizes = order.parcels.order_by("number").values_list("size", flat=True)
    return delivery_lines(
        order.fee_policy, distance_m=order.distance_m, sizes=sizes, slot_cents=order.slot_cents
    )


def cancelling(order: Order, *, status: str) -> tuple[fees.FeeLine, ...]:
    """What cancelling costs in this state; nothing for an order that never had a price."""
    if order.fee_policy is None or order.distance_m is None:
        return ()
    return fees.cancellation_fee(
        terms(order.fee_policy), _delivery(order), stage=STAGES[Order.Status(status)]
    )


def returning(order: Order) -> tuple[fees.FeeLine, ...]:
    """What the way back costs, beside the delivery."""
    if order.fee_policy is None or order.distance_m is None:
        return ()
    return fees.return_fee(terms(order.fee_policy), _delivery(order))


def charge(*, fact: Fact, at: dt.datetime) -> None:
    """Reaction to order.delivered, .returned and .cancelled: the lines, each posted once to the seller's account."""
    order = (
        Order.objects.select_related("store__seller", "fee_policy")
        .filter(code=fact.data["order"]["code"])
        .order_by("pk")
        .first()
    )
    if order is None:
        return
    if order.fee_policy is not None and order.distance_m is not None:
        _charge_fee(order, fact)
    if fact.name == "order.delivered" and order.tip_cents:
        _charge_tip(order, at=fact.at)


def _charge_fee(order: Order, fact: Fact) -> None:
    if fact.name == "order.cancelled":
        lines = cancelling(order, status=fact.data["order"]["previous_status"])
    else:
        lines = _delivery(order)
        if fact.name == "order.returned":
            lines += returning(order)
    for number, line in enumerate(lines):
        # Sizes are several lines of one kind, so the key also counts them.
        billing.post(
            key=f"order:{order.code}:{line.kind}:{number}",
            seller=order.store.seller,
            store=order.store,
            kind=line.kind,
            cents=line.cents,
            text=sentence(line),
            rule=line.rule,
            subject=f"order:{order.code}",
            at=fact.at,
            params=dict(line.params),
        )


def charge_tip(*, fact: Fact, at: dt.datetime) -> None:
    """Reaction to a tip raised after the delivery: its seller, who gives it, is charged what was not yet."""
    order = Order.objects.filter(code=fact.data["order"]["code"], status=Order.Status.DELIVERED).first()
    if order is not None:
        _charge_tip(order, at=fact.at)


def _charge_tip(order: Order, *, at: dt.datetime) -> None:
    """What the driver gets of it, the seller pays: no fee and no tax on it. The order is locked, so that a delivery
    and a raise that are charged at once come to the tip and no more."""
    (held,) = locks.orders([order.pk])
    charged = SellerPosting.objects.filter(subject=f"order:{held.code}", kind=billing.TIP).aggregate(
        lines=Count("pk"), cents=Sum("cents", default=0)
    )
    if held.tip_cents <= charged["cents"]:
        return
    billing.post(
        key=f"order:{held.code}:{billing.TIP}:{charged['lines']}",
        seller=held.store.seller,
        store=held.store,
        kind=billing.TIP,
        cents=held.tip_cents - charged["cents"],
        text="Tip for the driver, passed on whole",
        rule="",
        subject=f"order:{held.code}",
        at=at,
        params={"order": held.code},
    )


def sentence(line: fees.FeeLine) -> str:
    """The reason for a line, in English as it is kept; pages translate by kind."""
    said = dict(line.params)
    if "rate" in said:
        said["rate"] = format_cents(int(said["rate"]))
    # Sizes and stages as words: "extra large", "at pickup".
    said |= {name: said[name].replace("_", " ") for name in ("size", "stage") if name in said}
    return fees.FEE_SENTENCES[line.kind] % said
