"""Any rule or law tried from a file: what the documented form says comes out to the cent."""

import json
import time
from decimal import Decimal
from pathlib import Path

import jsonschema
import pytest
from django.core.management import call_command

from offers.pricing.case import price_case, read_case
from offers.pricing.reading import CaseError, Fields, read_json
from offers.pricing.told import as_json
from offers.tests.test_pricing import table

CASES = sorted((Path(__file__).parent / "cases").glob("*.json"))
RECKONED = json.loads((Path(__file__).parent / "reckoned.json").read_text())
DOCS = Path(__file__).resolve().parents[2] / "docs"
SCHEMA = json.loads((DOCS / "price-case.schema.json").read_text())


def priced(document):
    return as_json(price_case(read_case(read_json(json.dumps(document)))))


def refused(document):
    with pytest.raises(CaseError) as caught:
        price_case(read_case(read_json(json.dumps(document))))
    return str(caught.value)


def summed(answer):
    return {
        "total": answer["total"],
        "floor": "/".join(each["floor"] for each in answer["floors"]),
        "top_up": f"{Decimal(sum(each['top_up_cents'] for each in answer['floors'])) / 100:.2f}",
        "mileage": f"{Decimal(sum(each['mileage_cents'] for each in answer['floors'])) / 100:.2f}",
    }


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_kept_case_comes_out_to_the_cent(path):
    document = json.loads(path.read_text())

    answer = as_json(price_case(read_case(read_json(path.read_text()))))

    assert document["expect"] == {name: summed(answer)[name] for name in document["expect"]}
    assert answer["total_cents"] == sum(line["cents"] for line in answer["lines"])
    jsonschema.validate(document, SCHEMA)


@pytest.mark.parametrize("kept", RECKONED, ids=lambda kept: kept["name"])
def test_a_case_of_published_rates_comes_to_what_plain_fractions_come_to(kept):
    assert priced(kept["case"])["total"] == kept["total"]
    jsonschema.validate(kept["case"], SCHEMA)


@pytest.mark.parametrize("row", table("| Case"), ids=lambda row: row[0])
def test_the_published_examples_of_the_page_are_those_of_the_files(row):
    name, scope, floor, top_up, mileage, total = row
    answer = as_json(price_case(read_case(read_json((CASES[0].parent / f"{name}.json").read_text()))))

    told = {"floor": floor, "top_up": top_up, "mileage": mileage, "total": total}
    assert summed(answer) == {key: value.removeprefix("$") for key, value in told.items()}
    assert {each["scope"] for each in answer["floors"]} == {scope}


def test_the_example_of_the_page_can_be_priced():
    text = (DOCS / "pay.md").read_text().partition("```json")[2].partition("```")[0]

    assert as_json(price_case(read_case(read_json(text))))["total"] == "104.72"


def test_the_schema_knows_the_fields_that_the_parser_knows(monkeypatch):
    known = {}
    done = Fields.done

    def noting(self):
        known.setdefault(self.where.partition("[")[0].rpartition(".")[2], set()).update(self._known)
        done(self)

    monkeypatch.setattr(Fields, "done", noting)
    row = [{"amount": 1}]
    full = {
        "terms": {
            "base_by_kind": {"weekend": 1}, "wait": {"per_hour": 1}, "extra_trip": {"each": 1},
            "withdrawn": [{"less_than_minutes": 1, "percent": 1}],
        },
        "period": {"days": 7, "from": "2026-01-05"},
        "missions": [{"blocks": 2, "amount": 5}],
        "floors": [{"wage": row, "engaged": {"from": "accepted"}}],
        "blocks": [{
            "date": "2026-01-05", "kind": "weekend", "scheduled_hours": 1, "waits": [{"minutes": 1}],
            "tips": [{"amount": 1}], "tolls": [{"amount": 1}], "extra_trips": [{"miles": 1}],
            "engaged": [{"accepted": "10:00", "completed": "11:00", "gaps": [{"from": "10:10", "to": "10:20"}]}],
            "offers": [{"paid": 1}],
        }],
    }  # fmt: skip

    read_case(read_json(json.dumps(full)))

    defs = SCHEMA["$defs"]
    terms = defs["terms"]["properties"]
    expected = {
        "": SCHEMA,
        "terms": defs["terms"],
        "base_by_kind": terms["base_by_kind"],
        "wait": terms["wait"],
        "extra_trip": terms["extra_trip"],
        "withdrawn": defs["notice"],
        "period": SCHEMA["properties"]["period"],
        "missions": defs["mission"],
    }
    for where, schema in expected.items():
        assert known[where] == set(schema["properties"]), where
    lists = known["floors"] | known["blocks"]
    told = {name for part in ("floor", "row", "clip", "block", "offer", "stretch", "gap", "extra_trip")
            for name in defs[part]["properties"]}  # fmt: skip
    told |= {name for part in ("wait", "tip", "bonus") for name in defs[part]["anyOf"][1]["properties"]}
    assert lists | known.get("engaged", set()) <= told
    assert told <= lists | set().union(*known.values())


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ([], "case: write an object"),
        ({}, "blocks: write what was done"),
        ({"work": {"hours": 1}, "flors": []}, "flors: is not a field; did you mean floors?"),
        ({"work": {"hours": -1}}, "work.hours: write a number from 0"),
        ({"work": {"hours": "1h"}}, "work.hours: write a number such as 12.5"),
        ({"work": {"hours": True}}, "work.hours: write a number"),
        ({"work": {"hours": 1e9}}, "work.hours: write a number from 0"),
        ({"work": {"paid": "$5"}}, "work.paid: write a number"),
        ({"work": {"paid": 5.005}}, "work.paid: write at most 2 decimals"),
        ({"work": {"hours": 1, "minutes": 60}}, "work.minutes: says the same as hours"),
        ({"work": {"miles": 1, "km": 2}}, "work.km: says the same as miles"),
        ({"work": {"tips": [1, -2]}}, "work.tips[1]: write a number from 0"),
        ({"work": {"share": 1.5, "scheduled_hours": 1}}, "work.share: write a number from 0 to 1"),
        ({"work": {"done": 3, "of": 2}}, "work.done: is from 0 to the number in of"),
        ({"work": {"done": 3}}, "work.of: write both"),
        ({"work": {"outcome": "withdrawn", "scheduled_hours": 1}}, "work.notice_minutes: write how long"),
        ({"work": {"outcome": "lost"}}, "work.outcome: write one of completed"),
        ({"terms": {"base": 20}, "work": {"returns": 1}}, "work.scheduled_hours: write the length"),
        ({"terms": {"base": 20, "flat": 3}, "work": {}}, "terms.base: the block is paid either"),
        ({"terms": {"base_by_kind": {"weekend": 21}}, "work": {"scheduled_hours": 2}}, "work.kind: write the kind"),
        ({"floors": {"wage": 1, "scope": "month"}, "work": {}}, "floors.scope: write one of offer"),
        ({"floors": {"wage": 1, "creditable": ["tip"]}, "work": {}}, "floors.creditable[0]: tips, tolls"),
        ({"floors": {"per_mile": 1, "per_km": 1}, "work": {}}, "floors.per_km: says the same"),
        ({"floors": {"wage": [{"amount": 1, "place": "A"}]}, "work": {"hours": 1, "place": "B"}}, "'B'"),
        ({"floors": {"wage": [{"amount": 1, "from": "2026-01-01"}]}, "work": {"hours": 1}}, "without a date"),
        ({"floors": {"utilisation": 0}, "work": {}}, "floors.utilisation: write a share above 0"),
        ({"blocks": [{"id": "A"}, {"id": "A"}]}, "blocks: two blocks or offers are called A"),
        ({"work": {"date": "31/01/2026"}}, "work.date: write a date such as"),
        ({"work": {"minutes": 5, "handover_minutes": 1}}, "work.handover_minutes: stands beside worked_minutes"),
        ({"missions": {"blocks": 3}, "work": {}}, "missions: write {"),
        ({"floors": {"minimum": "5.005"}, "work": {}}, "floors.minimum: write at most 2 decimals"),
        ({"floors": {"wage": [{"amount": 1}, {"amount": 2}]}, "work": {}}, "floors.wage[1].from: is that of another"),
        ({"floors": {"wage": 1, "places": "A"}, "work": {"hours": 1}}, "for any place without a date"),
        ({"work": {"date": "2026-05-01", "accepted": "10:00", "completed": "11:00",
                   "gaps": {"from": "09:50", "to": "10:10"}}}, "work.gaps: lies outside the trip"),
        ({"currency": "dollars", "work": {}}, "currency: write three capital letters"),
        ({"title": "\x1b[2J", "work": {}}, "title: write a text without"),
        ({"work": {"scheduled_hours": 2, "notice_minutes": -1}}, "notice_minutes: write a number from 0 to 5270400."),
        ({"work": {"accepted": "10:00"}}, "work.completed: write the moment"),
        ({"time_zone": "Mars/Olympus", "work": {}}, "time_zone: write a zone"),
        ({"work": {"date": "20260131"}}, "work.date: write a date such as"),
        ({"work": {"date": "2026-W05-6"}}, "work.date: write a date such as"),
        ({"work": {"start": "10", "end": "12"}}, "work.start: write a time such as"),
        ({"work": {"start": "10:00Z", "end": "12:00"}}, "work.start: write the date before a time with an offset"),
        ({"work": {"start": "2026-01-31T12:00", "end": "2026-01-31T10:00"}}, "work.end: lies after start"),
        ({"terms": {"base_by_kind": {"weekend": 21}}, "work": {"start": "10:00", "end": "12:00"}},
         "work.date: write the day; the kind"),
        ({"period": {"days": 7, "from": "2026-01-05"}, "work": {"start": "10:00", "end": "11:00"}},
         "blocks: each block needs a date"),
        ({"period": {"days": 7, "from": "10:00"}, "work": {}}, "period: write its days and where one begins"),
        ({"terms": {"wait": 0}, "work": {}}, "terms.wait: write an object"),
        ({"terms": {"extra_trip": False}, "work": {}}, "terms.extra_trip: write an object"),
        ({"terms": {"evening_from": "five"}, "work": {}}, "terms.evening_from: write a time such as 17:00"),
        ({"terms": {"holidays": [None]}, "work": {}}, "terms.holidays[0]: write a date"),
        ({"floors": {"wage": 1, "engaged": []}, "work": {}}, "floors.engaged: write an object"),
        ({"floors": {"wage": 1, "engaged": {"not_cancelled_by": [True]}}, "work": {}},
         "floors.engaged.not_cancelled_by[0]: write a text"),
        ({"floors": {"wage": 1, "places": ["A", "\x00"]}, "work": {}}, "floors.places[1]: write a text without"),
        ({"period": {"days": 7, "from": "2026-01-05"}, "work": {}}, "blocks: each block needs a date"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_refused_by_name_with_the_mend(document, words):
    assert words in refused(document)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "line 1, column 2: not JSON"),
        ('{"work": {"hours": NaN}}', "NaN is no number"),
        ('{"work": {"hours": 1, "hours": 2}}', "hours: is written twice"),
        ('{"work": {"hours": 1e999999999}}', "work.hours: write a number from 0"),
    ],
)
def test_what_is_no_json_is_refused(text, words):
    with pytest.raises(CaseError) as caught:
        read_case(read_json(text))
    assert words in str(caught.value)


def test_a_floor_of_a_period_sees_all_its_blocks_and_one_of_an_offer_sees_one():
    blocks = [{"hours": 1, "paid": 10}, {"hours": 1, "paid": 40}]

    of_period = priced({"floors": {"wage": 20, "scope": "period"}, "blocks": blocks})
    of_offer = priced({"floors": {"wage": 20, "scope": "offer"}, "blocks": blocks})

    assert (of_period["total"], of_offer["total"]) == ("50.00", "60.00")


def test_floors_of_two_laws_are_not_paid_twice_for_one_hour():
    floors = [
        {"rule": "state", "wage": 20, "scope": "period"},
        {"rule": "city", "wage": 18, "scope": "offer"},
    ]

    answer = priced({"floors": floors, "blocks": [{"hours": 1, "paid": 10}, {"hours": 1, "paid": 15}]})

    assert [(each["rule"], each["top_up"]) for each in answer["floors"]] == [
        ("city", "8.00"), ("city", "3.00"), ("state", "4.00"),
    ]  # fmt: skip
    assert answer["total"] == "40.00"


def test_two_trips_at_once_are_one_hour_of_a_period_but_two_offers():
    trips = [
        {"date": "2026-03-01", "accepted": "10:00", "completed": "11:00"},
        {"date": "2026-03-01", "accepted": "10:30", "completed": "11:30"},
    ]

    answer = priced(
        {"floors": [{"wage": 20, "scope": "period"}, {"wage": 20, "scope": "offer"}], "blocks": trips}
    )

    assert [each["hours"] for each in answer["floors"]] == ["1", "1", "1.5"]


def test_an_hour_stays_an_hour_in_the_night_the_clocks_change():
    document = {
        "time_zone": "America/New_York",
        "floors": {"wage": 20},
        "work": {"date": "2026-03-08", "accepted": "01:30", "completed": "03:30"},
    }

    assert priced(document)["total"] == "20.00"


def test_halves_of_a_cent_go_up_once_even_where_hours_are_thirds():
    document = {"floors": {"wage": "0.03"}, "work": [{"minutes": 10}, {"minutes": 20}]}

    assert priced(document)["total"] == "0.02"
    assert (
        priced({"floors": {"wage": "0.03", "scope": "period"}, "work": document["work"]})["total"] == "0.02"
    )


def test_a_pools_shortfall_is_divided_without_losing_a_cent():
    blocks = [{"driver": name, "hours": 1} for name in "ABC"]

    answer = priced({"floors": {"scope": "pool", "minimum": 100}, "blocks": blocks})

    assert [each["total"] for each in answer["drivers"]] == ["33.34", "33.33", "33.33"]


def test_twenty_thousand_drivers_of_a_pool_and_thousands_of_trips_are_no_matter_of_minutes():
    pool = {
        "floors": {"scope": "pool", "wage": 20},
        "blocks": [{"driver": f"D{n}", "hours": 1} for n in range(4000)],
    }
    trips = [
        {
            "date": "2026-03-01",
            "accepted": f"{n // 200:02d}:{n % 40:02d}",
            "completed": f"{n // 200:02d}:{n % 40 + 15:02d}",
        }
        for n in range(3000)
    ]
    began = time.process_time()

    of_pool = priced(pool)
    of_trips = priced({"floors": {"wage": 20, "scope": "period"}, "blocks": trips})

    assert (of_pool["total"], of_trips["total"]) == ("80000.00", "270.00")
    assert time.process_time() - began < 20


def test_the_command_prints_a_table_or_json_and_tells_its_errors(tmp_path, capsys):
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text('{"terms": {"base": 20}, "work": {"scheduled_hours": 2, "tips": 3}}')
    bad.write_text('{"work": {"hours": "x"}}')

    call_command("price", str(good))
    table = capsys.readouterr().out
    call_command("price", str(good), "--json")
    answer = json.loads(capsys.readouterr().out)

    assert "$43.00" in table
    assert "2 h at $20.00 an hour [terms]" in table
    assert (answer["total"], answer["lines"][0]["cents"]) == ("43.00", 4000)
    for path, code, words in ((bad, 1, "work.hours"), (tmp_path / "none.json", 2, "cannot be read")):
        with pytest.raises(SystemExit) as left:
            call_command("price", str(path))
        assert left.value.code == code
        assert words in capsys.readouterr().err
