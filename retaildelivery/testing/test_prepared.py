"""A prepared query reads what its queryset reads, and builds its SQL once."""

import pytest
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError

from deliveries.models import Order, Parcel
from retaildelivery.outbox import worlds
from retaildelivery.prepared import Blank, Given, Prepared, PreparedInsert, PreparedUpdate, any_of
from stores.models import Mall, Store

pytestmark = pytest.mark.django_db


def stores():
    return Prepared(lambda: Store.objects.filter(code=Given("code")).select_related("mall__market", "seller"))


def test_it_gives_the_rows_and_what_is_related_as_the_queryset_does(trade, django_assert_num_queries):
    expected = Store.objects.select_related("mall__market", "seller").get(pk=trade.store.pk)

    with django_assert_num_queries(1):
        found = stores().one(code=trade.store.code)
        related = (found.mall, found.mall.market, found.seller)

    assert found == expected
    assert {f.attname: getattr(found, f.attname) for f in Store._meta.fields} == {
        f.attname: getattr(expected, f.attname) for f in Store._meta.fields
    }
    assert related == (expected.mall, expected.mall.market, expected.seller)
    assert found.mall.point == expected.mall.point


def test_each_reading_has_its_own_values(trade):
    by_keys = Prepared(lambda: Mall.objects.filter(pk__in=any_of("keys")).order_by("pk"))
    everything = list(Mall.objects.order_by("pk"))

    assert by_keys.all(keys=[mall.pk for mall in everything]) == everything
    assert by_keys.all(keys=[everything[0].pk]) == everything[:1]
    assert by_keys.all(keys=[]) == []
    assert stores().one(code="nobody") is None


def test_the_sql_is_built_once(trade):
    built = []

    def build():
        built.append(1)
        return Store.objects.filter(code=Given("code"))

    prepared = Prepared(build)

    assert [prepared.one(code=trade.store.code), prepared.one(code=trade.store.code)] == [
        trade.store,
        trade.store,
    ]
    assert built == [1]


@pytest.mark.django_db(transaction=True)
def test_a_lock_without_a_transaction_is_refused_also_after_the_first_time(trade):
    locked = Prepared(lambda: Store.objects.filter(pk=Given("key")).select_for_update())
    with transaction.atomic():
        assert locked.one(key=trade.store.pk) == trade.store

    assert not connection.in_atomic_block
    with pytest.raises(TransactionManagementError):
        locked.one(key=trade.store.pk)


def test_an_update_changes_the_rows_it_names_and_says_how_many(trade):
    pause = PreparedUpdate(
        lambda: Store.objects.filter(pk__in=any_of("keys"), active=True),
        pickup_note=Given("note"),
        prep_minutes=7,
    )
    keys = [trade.store.pk, trade.second_store.pk]

    assert pause.run(keys=keys, note="Ring twice") == 2
    assert pause.run(keys=[trade.store.pk], note="Knock") == 1
    assert pause.run(keys=[], note="Nobody") == 0

    notes = Store.objects.filter(pk__in=keys).order_by("pk").values_list("pickup_note", "prep_minutes")
    assert list(notes) == [("Knock", 7), ("Ring twice", 7)]
    trade.rival_store.refresh_from_db()
    assert trade.rival_store.pickup_note == ""


def test_what_was_built_for_the_live_world_is_not_for_a_sandbox(afternoon):
    order = afternoon.place()
    orders = Prepared(lambda: Order.objects.filter(code=Given("code")))
    touch = PreparedUpdate(lambda: Order.objects.filter(code=Given("code")), recipient_note="x")
    assert orders.all(code=order.code) == [order]

    with worlds.entered(7):
        assert orders.all(code=order.code) == []
        assert touch.run(code=order.code) == 0

    assert touch.run(code=order.code) == 1


def test_an_insert_writes_what_a_model_holds_and_gives_the_keys(trade, django_assert_num_queries):
    template = Store.objects.get(pk=trade.store.pk)
    rows = [
        Store(
            seller_id=template.seller_id, mall_id=template.mall_id, name=f"Hats {number}", prep_minutes=number
        )
        for number in (10, 20)
    ]

    with django_assert_num_queries(1):
        PreparedInsert(Store).run(rows)
    with django_assert_num_queries(0):
        PreparedInsert(Store).run([])

    for row in rows:
        kept = Store.objects.get(pk=row.pk)
        assert {f.attname: getattr(kept, f.attname) for f in Store._meta.concrete_fields} == {
            f.attname: getattr(row, f.attname) for f in Store._meta.concrete_fields
        }


def test_columns_that_hold_their_default_until_later_are_written_all_the_same(trade):
    insert = PreparedInsert(Store, later=("prep_minutes", "active", "paused_until"))
    usual = {"seller_id": trade.seller.pk, "mall_id": trade.mall.pk}
    new = [Store(name="Hats", **usual), Store(name="Caps", **usual)]
    old = [Store(name="Scarves", **usual), Store(name="Gloves", prep_minutes=45, active=False, **usual)]

    sent = [len(insert.part(rows)[1]) for rows in (new, old)]
    insert.run(new)
    insert.run(old)

    assert sent[1] - sent[0] == 2 * 3
    for row in new + old:
        kept = Store.objects.get(pk=row.pk)
        assert {f.attname: getattr(kept, f.attname) for f in Store._meta.concrete_fields} == {
            f.attname: getattr(row, f.attname) for f in Store._meta.concrete_fields
        }


def test_a_member_of_an_enumeration_and_a_time_are_written_as_what_they_say(afternoon):
    order = afternoon.place()
    kept = Order.objects.get(pk=order.pk)
    assert (kept.status, kept.pin_kind, kept.placed_at) == (order.status, order.pin_kind, order.placed_at)


def test_a_blank_row_is_as_the_constructor_makes_it(trade):
    said = {
        "store": trade.store,
        "quote": None,
        "external_id": "A-1",
        "code": "D23456789",
        "tracking_token": "t" * 43,
    }

    made, expected = Blank(Order).filled(**said), Order(**said)

    assert vars(made) | {"_state": None} == vars(expected) | {"_state": None}
    assert made.store is trade.store


def test_blank_rows_share_nothing_and_draw_their_own_codes(trade):
    blank = Blank(Parcel)

    first, second = blank.filled(number=1), blank.filled(number=2)
    first.barcodes.append("4006381333931")

    assert second.barcodes == []
    assert first.code != second.code
