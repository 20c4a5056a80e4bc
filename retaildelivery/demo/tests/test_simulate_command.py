"""`simulate` says which option makes no sense, and what is missing, before it does anything."""

from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command

from retaildelivery.demo import seeding, simulation

AT = datetime(2026, 11, 23, 18, tzinfo=UTC)
NOWHERE = "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--speed", "0"], "--speed is above 0"),
        (["--speed", "nan"], "--speed is above 0"),
        (["--speed", "1e9"], "--speed is above 0"),
        (["--orders", "0"], "--orders is from 1"),
        (["--orders", "100000"], "--orders is from 1"),
        (["--minutes", "0"], "--minutes is at least 1"),
        (["--market", "atlantis"], "invalid choice: 'atlantis'"),
        (["--doors", "doors.csv"], "say which with --market"),
        (["--market", "tysons", "--doors", "nowhere.csv"], "--doors: nowhere.csv"),
    ],
)
def test_an_option_that_makes_no_sense_is_named(options, message):
    with pytest.raises(CommandError, match=message):
        call_command("simulate", "--base-url", NOWHERE, *options)


@pytest.mark.django_db
def test_doors_need_a_market_that_was_seeded_and_must_be_within_its_reach(tmp_path):
    path = tmp_path / "doors.csv"
    path.write_text("address1,city,state,zip,lat,lng\n1 Elm St,Reno,NV,89501,39.53,-119.81\n", "utf-8")

    with pytest.raises(CommandError, match=r"run `manage\.py seed_demo` first"):
        call_command("simulate", "--base-url", NOWHERE, "--market", "tysons", "--doors", str(path))
    seeding.seed(at=AT)
    with pytest.raises(CommandError, match="none of 1 doors is within reach of tysons"):
        call_command("simulate", "--base-url", NOWHERE, "--market", "tysons", "--doors", str(path))


def test_a_server_that_does_not_answer_is_named(monkeypatch):
    monkeypatch.setattr(simulation, "READY_WITHIN_S", 0.0)

    with pytest.raises(CommandError, match=r"No server answers at http://127\.0\.0\.1:9; is it running"):
        call_command("simulate", "--base-url", NOWHERE)


@pytest.mark.django_db(transaction=True)
def test_an_empty_database_is_told_from_a_seeded_one(live_server):
    with pytest.raises(CommandError, match=r"run `manage\.py seed_demo` first"):
        call_command("simulate", "--base-url", live_server.url)
