"""Draws by the driver's API."""

import datetime as dt

import pytest

from offers import expiry
from offers.models import Entry
from offers.tests import making
from offers.tests.making import AT, MINUTE
from offers.tests.test_driver_api import BASE, api_of

CLOSE = AT + 5 * MINUTE


@pytest.fixture(autouse=True)
def _now(time_machine, db):
    time_machine.move_to(AT, tick=False)


@pytest.fixture
def block():
    return making.block([making.order(making.store(making.mall(draws=True)))])


@pytest.fixture
def offer(block):
    return making.offer_of(block)


@pytest.fixture
def ada():
    return making.driver("Ada")


def test_an_offer_publishes_the_hash_of_its_seed_and_never_the_seed_before_it_is_drawn(offer, ada):
    answer = api_of(ada).get(f"{BASE}/offers/{offer.code}")

    assert answer.json()["draw"] == {
        "seed_hash": offer.draw.seed_hash,
        "entries_close_at": "2026-11-23T18:05:00.000Z",
        "hold_seconds": 900,
        "drawn_at": None,
        "result": None,
    }
    assert answer.json()["mode"] == "draw"
    assert answer.json()["place"]["state"] == "not_entered"
    assert offer.draw.seed not in answer.content.decode()


def test_entering_and_leaving_are_harmless_to_repeat(offer, ada):
    api = api_of(ada)

    first = api.put(f"{BASE}/offers/{offer.code}/entry", {})
    again = api.put(f"{BASE}/offers/{offer.code}/entry", {})

    assert (first.status_code, first.json()) == (200, again.json())
    assert first.json()["place"]["state"] == "entered"
    assert first.json()["place"]["entrant"] == Entry.objects.get().entrant
    assert api.get(f"{BASE}/offers/{offer.code}/why").json()["entered"] is True
    assert api.delete(f"{BASE}/offers/{offer.code}/entry").json()["place"]["state"] == "left"
    assert api.delete(f"{BASE}/offers/{offer.code}/entry").status_code == 200
    assert api.get(f"{BASE}/offers/{offer.code}/why").json()["entered"] is False


def test_why_says_how_the_draw_came_out_for_the_driver(block, offer, ada, time_machine):
    ben = making.driver("Ben")
    making.entered(offer, ada, ben)
    time_machine.move_to(CLOSE, tick=False)
    expiry.sweep(at=CLOSE)
    winner, reserve = making.drawn(block)

    first = api_of(winner).get(f"{BASE}/offers/{offer.code}/why").json()
    second = api_of(reserve).get(f"{BASE}/offers/{offer.code}/why").json()

    assert (first["place"]["state"], first["place"]["rank"], first["place"]["weight"]) == ("asked", 1, 1000)
    until = dt.datetime.fromisoformat(first["place"]["confirm_until"])
    assert until == CLOSE + 15 * MINUTE
    assert (second["place"]["state"], second["place"]["rank"]) == ("reserve", 2)
    assert (first["eligible"], second["eligible"]) == (True, False)
    assert [refusal["code"] for refusal in second["refusals"]] == ["not_asked"]
    assert second["place"]["confirm_until"] is None
    assert second["draw"]["result"] == f"/draws/{offer.code}/"
    listed = api_of(winner).get(f"{BASE}/offers").json()["results"]
    assert [(row["code"], row["place"]["state"]) for row in listed] == [(offer.code, "asked")]
    assert api_of(making.driver("Chidi")).get(f"{BASE}/offers").json()["results"] == []


def test_the_winner_confirms_by_claiming_and_the_others_read_why_not(block, offer, ada, time_machine):
    ben = making.driver("Ben")
    making.entered(offer, ada, ben)
    assert api_of(ada).put(f"{BASE}/offers/{offer.code}/claim", {}).json()["code"] == "enter_the_draw"
    time_machine.move_to(CLOSE, tick=False)
    expiry.sweep(at=CLOSE)
    winner, reserve = making.drawn(block)

    refused = api_of(reserve).put(f"{BASE}/offers/{offer.code}/claim", {})
    confirmed = api_of(winner).put(f"{BASE}/offers/{offer.code}/claim", {})

    assert (refused.status_code, refused.json()["code"]) == (409, "not_asked")
    assert (confirmed.status_code, confirmed.json()["status"]) == (200, "claimed")
    state = api_of(winner).get(f"{BASE}/offers/{offer.code}/why").json()["place"]["state"]
    assert state == "confirmed"


def test_entries_after_the_close_are_refused_with_their_code(offer, ada, time_machine):
    time_machine.move_to(CLOSE, tick=False)

    answer = api_of(ada).put(f"{BASE}/offers/{offer.code}/entry", {})

    assert (answer.status_code, answer.json()["code"]) == (409, "entries_closed")
    assert Entry.objects.count() == 0


def test_an_offer_of_another_market_is_not_there_and_staff_are_no_drivers(offer):
    stranger = making.driver("Eve", market="tysons")

    assert api_of(stranger).put(f"{BASE}/offers/{offer.code}/entry", {}).status_code == 404
    assert api_of(stranger).delete(f"{BASE}/offers/{offer.code}/entry").status_code == 404
    assert Entry.objects.count() == 0
