"""An account is a chain: the database makes it, and a driver can check it without us."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from drivers import ledger, verify_pay
from drivers.models import DriverPosting
from retaildelivery.testing import racing
from retaildelivery.testing.afternoon import NOW
from stores.models import SellerPosting

pytestmark = pytest.mark.django_db
SCRIPT = Path(verify_pay.__file__)
CHAINING = "drivers_driverposting_joins_the_chain"
ODD = 'Señal "wait"\\ back\tslash \u2028 🚚 \x7f é'


def line(key, cents=3600, kind="base", **params):
    return ledger.Line(f"block:B1:{key}", kind, cents, "2 h", "las-vegas-2026", "block:B1", params)


def earn(driver, *lines):
    with transaction.atomic():
        return ledger.post_all(driver=driver, lines=lines, at=NOW)


@pytest.fixture
def account(afternoon):
    earn(
        afternoon.ada,
        line("base", 4200, hours="2.33", seconds="8400", rate="1800"),
        line("wait:T1", 210, "wait", minutes="7", rate="1800", store="T1"),
        line("tip:K7", 500, "tip", order="K7"),
        line("floor", 90, "floor", floor="4500", credited="4410"),
    )
    return ledger.export(afternoon.ada, at=NOW)


def test_lines_posted_at_once_hang_on_one_another(account, afternoon):
    assert [each["sequence"] for each in account["lines"]] == [1, 2, 3, 4]
    assert account["lines"][0]["previous"] == verify_pay.first_link(afternoon.ada.code)
    assert verify_pay.differences(account) == []


def test_a_line_posted_again_leaves_no_gap(afternoon):
    earn(afternoon.ada, line("base"))
    assert earn(afternoon.ada, line("base"), line("step")) == 1
    earn(afternoon.ada, line("base"), line("toll"))

    assert list(ledger.lines_of(afternoon.ada).values_list("sequence", flat=True)) == [1, 2, 3]
    assert verify_pay.differences(ledger.export(afternoon.ada, at=NOW)) == []


def test_odd_characters_hash_alike_in_the_database_and_in_the_script(afternoon):
    odd = ledger.Line("block:B1:é", "bonus", -1, ODD, "", "block:B1", {"näme": ODD, "B": "1", "a": ""})
    earn(afternoon.ada, odd)

    assert verify_pay.differences(ledger.export(afternoon.ada, at=NOW)) == []


def test_a_row_made_by_the_raw_orm_joins_the_chain_and_cannot_forge_it(afternoon):
    earn(afternoon.ada, line("base"))
    DriverPosting.objects.create(
        key="raw", driver=afternoon.ada, kind="base", cents=1, text="t", subject="s", at=NOW, rule="r",
        sequence=77, previous="forged", digest="forged",
    )  # fmt: skip

    assert verify_pay.differences(ledger.export(afternoon.ada, at=NOW)) == []
    assert DriverPosting.objects.get(key="raw").sequence == 2


FLIPS = {
    "sequence": 9, "key": "block:B1:other", "kind": "bonus", "cents": 4201, "text": "3 h", "rule": "other",
    "subject": "block:B2", "at": "2026-11-24T18:00:00.000001Z", "params": {"hours": "2.34"}, "previous": "0" * 64,
    "digest": "0" * 64,
}  # fmt: skip


@pytest.mark.parametrize("field", FLIPS)
@pytest.mark.parametrize("place", [0, 1, 3])
def test_a_change_of_any_field_of_any_line_is_found(account, field, place):
    assert set(account["lines"][place]) == set(FLIPS)
    account["lines"][place][field] = FLIPS[field]

    assert verify_pay.differences(account)


@pytest.mark.parametrize("harm", ["drop first", "drop last", "swap", "repeat", "balance", "driver", "form"])
def test_lines_that_are_missing_moved_or_repeated_are_found(account, harm):
    lines = account["lines"]
    {
        "drop first": lambda: lines.pop(0),
        "drop last": lines.pop,
        "swap": lines.reverse,
        "repeat": lambda: lines.append(lines[-1]),
        "balance": lambda: account.update(balance_cents=0),
        "driver": lambda: account.update(driver="DXXXXXX"),
        "form": lambda: account.update(form="another 1"),
    }[harm]()

    assert verify_pay.differences(account)


def test_an_amount_that_does_not_follow_from_its_terms_is_found_though_the_chain_holds(afternoon):
    earn(afternoon.ada, line("base", 4199, hours="2.33", seconds="8400", rate="1800"))

    found = verify_pay.differences(ledger.export(afternoon.ada, at=NOW))

    assert found == [(1, "pays 4199 cents where its own terms give 4200")]


# 2.5 hours at $15.00 and 8 miles at 35 cents: $40.30, of which base and wait pay $37.00.
LAW = {"floor_hourly_cents": "1500", "floor_mile_cents": "35"}
FLOOR = {"floor": "4030", "credited": "3700", "seconds": "9000", "metres": "12874.752"}


def floored(driver, *, cents=330, law=LAW, **changes):
    earn(
        driver,
        line("base", 3600, seconds="7200", rate="1800"),
        line("wait:T1", 100, "wait", minutes="3", rate="2000"),
        line("tip:K7", 500, "tip", order="K7"),
        line("floor", cents, "floor", **{**FLOOR, **changes}),
    )
    return ledger.export(driver, at=NOW, rules={"las-vegas-2026": law})


def test_a_floor_is_computed_again_from_the_row_of_law_in_the_file(afternoon):
    assert verify_pay.differences(floored(afternoon.ada)) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"credited": "3600", "cents": 430}, "credits 3600 cents, the lines before it come to 3700"),
        ({"credited": "3800", "cents": 230}, "credits 3800 cents, the lines before it come to 3700"),
        ({"cents": 229}, "pays 229 cents where its own terms give 330"),
        ({"floor": "3930", "cents": 230}, "says that the floor is 3930 cents where its law gives 4030"),
        ({"seconds": "8990"}, "says that the floor is 4030 cents where its law gives 4026"),
        ({"metres": "12000"}, "says that the floor is 4030 cents where its law gives 4011"),
        ({"law": {**LAW, "floor_hourly_cents": "1600"}}, "where its law gives 4280"),
        ({"law": {**LAW, "floor_mile_cents": "0"}}, "where its law gives 3750"),
    ],
)
def test_a_floor_of_the_wrong_amount_is_found_though_the_chain_holds(afternoon, changes, said):
    """One value at a time, by somebody who could write to the account."""
    [(number, sentence)] = verify_pay.differences(floored(afternoon.ada, **changes))

    assert number == 4
    assert said in sentence


def test_a_floor_whose_law_is_not_in_the_file_is_found(afternoon):
    account = floored(afternoon.ada)
    account["rules"] = {}

    assert "which the file does not hold" in verify_pay.differences(account)[0][1]


def test_the_script_alone_says_what_differs(account, tmp_path):
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps(account))
    account["lines"][1]["cents"] = 1
    bad.write_text(json.dumps(account))

    # -I: without our packages on the path the script must do.
    said = [
        subprocess.run([sys.executable, "-I", SCRIPT, *files], capture_output=True, text=True, check=False)
        for files in ((good,), (bad,), (good, "--since", good), (good, "--since", bad), (SCRIPT,))
    ]

    assert [each.returncode for each in said] == [0, 1, 0, 0, 2]
    assert "Nothing differs." in said[0].stdout
    assert "line 2 was changed" in said[1].stdout


def test_the_command_checks_one_account_or_all(account, afternoon, capsys, tmp_path):
    call_command("verify_pay", afternoon.ada.code.lower(), export=str(tmp_path / "a.json"))
    call_command("verify_pay", "--all")

    assert capsys.readouterr().out.count("Nothing differs.") == 4
    assert json.loads((tmp_path / "a.json").read_text())["lines"] == account["lines"]
    with pytest.raises(CommandError, match="no driver"):
        call_command("verify_pay", "DXXXXXX")


def test_the_command_finds_what_somebody_with_the_keys_to_the_database_changed(account, afternoon):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE drivers_driverposting DISABLE TRIGGER append_only")
        cursor.execute("UPDATE drivers_driverposting SET cents = 9999 WHERE sequence = 3")

    with pytest.raises(CommandError, match="differ"):
        call_command("verify_pay", afternoon.ada.code)


@pytest.mark.parametrize("model", [DriverPosting, SellerPosting])
@pytest.mark.parametrize("statement", ["UPDATE {} SET cents = 0", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_raw_sql_can_neither_change_nor_empty_an_account(account, afternoon, model, statement):
    SellerPosting.objects.create(
        key="k",
        seller=afternoon.bookshop.seller,
        store=afternoon.bookshop,
        kind="base",
        cents=1,
        text="t",
        subject="s",
        at=NOW,
        rule="r",
    )
    with connection.cursor() as cursor:
        # Only the runner of tests says that its database is thrown away.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET LOCAL retaildelivery.throwaway = off")

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        connection.cursor().execute(statement.format(model._meta.db_table))

    assert DriverPosting.objects.count() == 4
    assert SellerPosting.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_eight_at_once_make_one_chain(afternoon):
    def work(number):
        return lambda: earn(afternoon.ada, line(f"{number}:a", 1), line(f"{number}:b", 2), line("shared", 4))

    outcomes = racing.at_once(*(work(number) for number in range(8)))

    assert sorted(outcomes) == [2] * 7 + [3]
    assert list(ledger.lines_of(afternoon.ada).values_list("sequence", flat=True)) == list(range(1, 18))
    assert verify_pay.differences(ledger.export(afternoon.ada, at=NOW)) == []


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_on_the_account_the_chain_breaks(afternoon):
    """The control: the same race with a trigger that does not wait ends in clashes of numbers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = 'drivers_driverposting_joins_the_chain'")
        source = cursor.fetchone()[0]
        without = source.replace("FOR NO KEY UPDATE", "")
        remake = f"CREATE OR REPLACE FUNCTION {CHAINING}() RETURNS trigger LANGUAGE plpgsql AS $f${{}}$f$"
        cursor.execute(
            remake.format(without.replace("NEW.digest :=", "PERFORM pg_sleep(0.02); NEW.digest :="))
        )
    try:
        outcomes = racing.at_once(*(lambda n=n: earn(afternoon.ada, line(str(n))) for n in range(4)))
    finally:
        with connection.cursor() as cursor:
            cursor.execute(remake.format(source))

    assert any(isinstance(each, DatabaseError) for each in outcomes)
