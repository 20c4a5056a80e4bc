"""Somebody with the keys to the database switches the guards off and changes history: the command says where."""

from contextlib import contextmanager
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from drivers.models import DriverPosting
from offers import rechecking, withdrawing
from offers.models import Claim
from offers.tests import making
from offers.tests.making import AT, HOUR, MINUTE, START
from retaildelivery.outbox.recording import SYSTEM

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(db):
    return making.driver("Ada")


@pytest.fixture
def paid(ada):
    """Two blocks of $36.00; in the first a store kept her for 22 minutes, of which 12 are paid, and a tip."""
    shop = making.store(making.mall())
    first = making.claimed(making.block([making.order(shop, tip_cents=500)]), ada)
    making.worked(first, ada, check_in_at=START, handover=START + 22 * MINUTE, last=START + HOUR)
    begins = START + 20 * HOUR
    later = making.block([making.order(shop, at=AT + 19 * HOUR)], start=begins, at=AT + 18 * HOUR)
    making.claimed(later, ada, at=AT + 18 * HOUR)
    making.worked(later, ada, check_in_at=begins, last=begins + HOUR)
    return first


@contextmanager
def keys_to_the_database():
    """A superuser may switch triggers off."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield cursor
        cursor.execute("SET LOCAL session_replication_role = origin")


def verified(driver):
    out = StringIO()
    call_command("verify_pay", driver.code, stdout=out)
    return out.getvalue()


def refused(driver):
    out = StringIO()
    with pytest.raises(CommandError, match="1 of the accounts differ"):
        call_command("verify_pay", driver.code, stdout=out)
    return out.getvalue()


def test_an_account_nobody_touched_fits_the_facts_and_the_work(paid, ada):
    kinds = list(DriverPosting.objects.order_by("sequence").values_list("kind", "cents"))

    assert kinds == [("base", 3600), ("wait", 360), ("tip", 500), ("base", 3600)]
    assert "Nothing differs." in verified(ada)


def edited(cursor):
    cursor.execute("UPDATE drivers_driverposting SET cents = 9999 WHERE kind = 'wait'")


def with_its_own_terms(cursor):
    """The amount follows from its params, which were changed with it."""
    cursor.execute(
        "UPDATE drivers_driverposting SET cents = 600, params = jsonb_set(params, '{minutes}', '\"20\"') "
        "WHERE kind = 'wait'"
    )


def off_the_end(cursor):
    """What is left is a whole chain: only the facts remember."""
    cursor.execute("DELETE FROM drivers_driverposting WHERE sequence = 4")


def out_of_the_middle(cursor):
    cursor.execute("DELETE FROM drivers_driverposting WHERE sequence = 2")


def swapped(cursor):
    cursor.execute("UPDATE drivers_driverposting SET sequence = 99 WHERE sequence = 1")
    cursor.execute("UPDATE drivers_driverposting SET sequence = 1 WHERE sequence = 2")
    cursor.execute("UPDATE drivers_driverposting SET sequence = 2 WHERE sequence = 99")


def another_rule(cursor):
    cursor.execute("UPDATE offers_paypolicy SET weekday_cents = 2500")


def other_minutes(cursor):
    cursor.execute("UPDATE deliveries_handover SET at = at - interval '15 minutes'")


def another_rate(cursor):
    cursor.execute("UPDATE offers_claim SET hourly_cents = 2100")


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (edited, "was changed: its hash"),
        (edited, "pays $99.99 where $3.60 were settled"),
        (with_its_own_terms, "pays $6.00 where the record gives $3.60"),
        (off_the_end, "$36.00 were settled and are not on the account"),
        (off_the_end, "the record gives $36.00, nothing was paid"),
        (out_of_the_middle, "a line is missing or moved"),
        (out_of_the_middle, "$3.60 were settled and are not on the account"),
        (swapped, "does not hang on the line before it"),
        (another_rule, "gives $25.00 an hour, it was published at $18.00"),
        (other_minutes, "pays $3.60 where the record gives nothing"),
        (another_rate, "the record gives $6.00, nothing was paid"),
    ],
)
def test_what_was_changed_behind_the_guards_is_named(paid, ada, harm, said):
    with keys_to_the_database() as cursor:
        harm(cursor)

    assert said in refused(ada)


def test_a_line_put_in_through_the_open_door_is_named_though_the_chain_holds(paid, ada):
    """An insert joins the chain by itself; that nothing was worked for it shows."""
    DriverPosting.objects.create(
        key=f"block:{paid.code}:overtime", driver=ada, kind="overtime", cents=600, text="20 min", rule="las-vegas-2026",
        subject=f"block:{paid.code}", at=AT, params={"minutes": "20", "rate": "1800"},
    )  # fmt: skip

    assert "pays $6.00 where the record gives nothing" in refused(ada)


def test_a_block_withdrawn_at_short_notice_is_priced_again(ada):
    shop = making.store(making.mall())
    block = making.claimed(making.block([making.order(shop)]), ada)

    withdrawing.withdraw(block_code=block.code, reason="Closed.", actor=SYSTEM, at=START - HOUR)

    assert [line.kind for line in DriverPosting.objects.all()] == ["withdrawn"]
    assert rechecking.differences(ada) == []
    Claim.objects.update(ended_at=START - 30 * MINUTE)
    [said] = rechecking.differences(ada)
    assert said.endswith("pays $18.00 where the record gives $36.00")
