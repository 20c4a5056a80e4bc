"""What a seller is charged, once."""

import datetime as dt

import pytest
from django.db import DatabaseError, transaction

from deliveries import charging, fees, posting, revising
from deliveries.models import FeePolicy, Order, Parcel, Stop
from retaildelivery.lib.geo import Point
from retaildelivery.outbox.models import Fact
from retaildelivery.testing.afternoon import NOW, TOLD_BY_STAFF, stops_of
from stores import billing
from stores.models import SellerPosting

pytestmark = pytest.mark.django_db


def charge(name):
    charging.charge(fact=Fact.objects.get(name=name), at=NOW)


def lines():
    return list(SellerPosting.objects.order_by("pk").values_list("kind", "cents", "rule"))


def cancel(order):
    posting.cancel(
        order_code=order.code, scope=Order.objects.all(), reason="other", note="", actor=TOLD_BY_STAFF, at=NOW
    )


def test_a_delivery_is_charged_line_by_line_and_once(afternoon):
    order = afternoon.place(point=Point(36.2400, -115.1723))
    manifest = afternoon.on_route(order)
    afternoon.deliver(stops_of(manifest, Stop.Kind.DROPOFF)[0])

    charge("order.delivered")
    charge("order.delivered")

    order.refresh_from_db()
    assert lines() == [
        ("base", 899, "las-vegas-2026"),
        ("distance", 720, "las-vegas-2026"),
        ("size", 200, "las-vegas-2026"),
    ]
    assert billing.balance(afternoon.bookshop.seller) == order.fee_cents == 1819
    assert [line.text for line in SellerPosting.objects.order_by("pk")] == [
        "Delivery up to 5 miles",
        "6 mi more at $1.20 each",
        "Parcels of size large: 1 at $2.00 each",
    ]


def test_the_way_back_is_charged_beside_the_delivery(afternoon):
    order = afternoon.place()
    manifest = afternoon.on_route(order)
    afternoon.fail(stops_of(manifest, Stop.Kind.DROPOFF)[0])
    [back] = stops_of(manifest, Stop.Kind.RETURN)
    afternoon.hand_over(back)
    for parcel in Parcel.objects.all():
        afternoon.scan(back, parcel)

    charge("order.returned")

    assert [(kind, cents) for kind, cents, _rule in lines()] == [
        ("base", 899),
        ("size", 200),
        ("return", 659),
    ]


@pytest.mark.parametrize(
    ("stage", "cents"), [("placed", []), ("planned", []), ("assigned", [330]), ("at_pickup", [659])]
)
def test_cancelling_costs_by_how_far_it_was(afternoon, stage, cents):
    order = afternoon.place()
    steps = {
        "placed": lambda: None,
        "planned": lambda: afternoon.plan([order]),
        "assigned": lambda: afternoon.assign(afternoon.plan([order]), afternoon.ada),
        "at_pickup": lambda: afternoon.hand_over(stops_of(afternoon.loading(order), Stop.Kind.PICKUP)[0]),
    }
    steps[stage]()
    cancel(order)

    charge("order.cancelled")

    assert [line[1] for line in lines()] == cents


def test_an_order_keeps_the_terms_it_was_posted_under(afternoon):
    order = afternoon.place()
    FeePolicy.objects.filter(pk=afternoon.policy.pk).update(valid_to=dt.date(2026, 11, 24))
    FeePolicy.objects.create(
        code="las-vegas-dear",
        market=afternoon.fashion_show.market,
        base_cents=9_999,
        base_distance_m=1,
        mile_cents=999,
        valid_from=dt.date(2026, 11, 24),
    )
    later = afternoon.place()
    manifest = afternoon.on_route(order)
    afternoon.deliver(stops_of(manifest, Stop.Kind.DROPOFF)[0])

    charge("order.delivered")

    assert later.fee_policy.code == "las-vegas-dear"
    assert {rule for _kind, _cents, rule in lines()} == {"las-vegas-2026"}


def test_an_order_without_a_price_is_charged_nothing(afternoon):
    order = afternoon.place(point=None)
    cancel(order)

    charge("order.cancelled")

    assert lines() == []


def test_a_posting_is_made_once_and_never_changes(afternoon):
    def post():
        return billing.post(
            key="order:K7QX4M2P:base:0",
            seller=afternoon.bookshop.seller,
            store=afternoon.bookshop,
            kind="base",
            cents=899,
            text="Delivery",
            rule="r",
            subject="order:K7QX4M2P",
            at=NOW,
        )

    assert (post(), post()) == (True, False)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        SellerPosting.objects.update(cents=0)
    assert billing.balance(afternoon.bookshop.seller) == 899


# -- Tips --------------------------------------------------------------------------------------------------------


def tips():
    return list(SellerPosting.objects.filter(kind="tip").order_by("pk").values_list("cents", flat=True))


def give(order, cents, *, at=NOW):
    revising.tip(order_code=order.code, scope=Order.objects.all(), cents=cents, actor=TOLD_BY_STAFF, at=at)


def test_a_tip_is_charged_whole_to_the_seller_who_gives_it_when_the_order_is_delivered(afternoon):
    order = afternoon.place()
    give(order, 700)
    manifest = afternoon.on_route(order)
    charging.charge_tip(fact=Fact.objects.get(name="order.tipped"), at=NOW)
    assert tips() == []

    afternoon.deliver(stops_of(manifest, Stop.Kind.DROPOFF)[0])
    charge("order.delivered")
    charge("order.delivered")

    assert tips() == [700]


def test_of_a_tip_raised_afterwards_the_rest_is_charged_in_whatever_order_it_is_heard_of(afternoon):
    order = afternoon.place()
    give(order, 700)
    manifest = afternoon.on_route(order)
    afternoon.deliver(stops_of(manifest, Stop.Kind.DROPOFF)[0])
    charge("order.delivered")
    give(order, 1000)
    raised = Fact.objects.filter(name="order.tipped").latest("pk")

    charging.charge_tip(fact=raised, at=NOW)
    charging.charge_tip(fact=raised, at=NOW)
    charge("order.delivered")

    assert tips() == [700, 300]
    assert billing.balance(afternoon.bookshop.seller) == 899 + 200 + 1000


def test_no_tip_is_charged_for_what_came_back(afternoon):
    order = afternoon.place()
    give(order, 700)
    manifest = afternoon.on_route(order)
    afternoon.fail(stops_of(manifest, Stop.Kind.DROPOFF)[0])
    [back] = stops_of(manifest, Stop.Kind.RETURN)
    afternoon.hand_over(back)
    for parcel in Parcel.objects.all():
        afternoon.scan(back, parcel)

    charge("order.returned")

    assert tips() == []


def test_a_tip_is_charged_though_the_delivery_has_no_price(afternoon):
    order = afternoon.place()
    give(order, 700)
    manifest = afternoon.on_route(order)
    afternoon.deliver(stops_of(manifest, Stop.Kind.DROPOFF)[0])
    Order.objects.update(fee_policy=None, fee_cents=None)

    charge("order.delivered")

    assert [(kind, cents) for kind, cents, _rule in lines()] == [("tip", 700)]


def test_what_a_line_says_has_words_and_no_names_of_columns():
    params = {"size": (("parcels", "1"), ("size", "extra_large"), ("rate", "600")),
              "cancellation": (("stage", "at_pickup"), ("percent", "60"))}  # fmt: skip
    said = [charging.sentence(fees.FeeLine(fees.FeeKind(kind), 600, "T1", of)) for kind, of in params.items()]

    assert said == [
        "Parcels of size extra large: 1 at $6.00 each",
        "Cancelled when at pickup: 60 % of the delivery",
    ]


def test_prices_that_an_order_was_given_are_kept_and_may_be_ended(afternoon):
    fresh = FeePolicy.objects.get(pk=afternoon.policy.pk)
    fresh.base_cents = 1_000
    fresh.save()
    order = afternoon.place()
    assert order.fee_policy == fresh

    with pytest.raises(DatabaseError, match="was used: end it and add a row"), transaction.atomic():
        FeePolicy.objects.update(base_cents=9_999)
    FeePolicy.objects.update(valid_to=dt.date(2027, 1, 1))

    kept = FeePolicy.objects.get()
    assert (kept.base_cents, kept.valid_to) == (1_000, dt.date(2027, 1, 1))
