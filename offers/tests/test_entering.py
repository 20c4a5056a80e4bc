"""The rush of a draw's first seconds: an app that showed the offer enters by one statement, by the same rules."""

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from drivers import applying
from drivers.models import DriverToken, Vehicle
from drivers.tokens import revoke
from offers import conditional, recent, withdrawing
from offers.models import Entry
from offers.tests import making
from offers.tests.making import AT, START
from offers.tests.test_driver_api import BASE, api_of
from retaildelivery.outbox.recording import SYSTEM

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _now(time_machine):
    time_machine.move_to(AT, tick=False)
    recent._kept.clear()


@pytest.fixture
def block():
    return making.block([making.order(making.store(making.mall(draws=True)))])


@pytest.fixture
def offer(block):
    return making.offer_of(block)


@pytest.fixture
def ada():
    return making.driver("Ada")


@pytest.fixture
def api(ada, offer):
    """Of a driver who has looked at the feed, where the offer is known since another has entered."""
    other = api_of(making.driver("Ben"))
    other.put(f"{BASE}/offers/{offer.code}/entry", {}, format="json")
    looked = api_of(ada)
    looked.get(f"{BASE}/offers")
    return looked


def enter(api, offer, body="{}", **headers):
    """The answer, and how many statements it took."""
    path = f"{BASE}/offers/{offer.code}/entry"
    with CaptureQueriesContext(connection) as queries:
        answer = api.put(path, body, content_type="application/json", headers=headers)
    return answer, len(queries)


def forget():
    """As after a minute, or in another process with an emptied cache."""
    conditional._askers.clear()
    cache.clear()


def test_who_has_looked_at_the_feed_enters_by_one_statement_and_gets_the_same_answer(api, offer, ada):
    answer, statements = enter(api, offer)

    assert (answer.status_code, statements) == (200, 1)
    assert Entry.objects.get(driver=ada).withdrawn_at is None
    forget()
    again, statements = enter(api, offer)
    assert statements > 1
    assert again.content == answer.content
    assert set(again.headers) == set(answer.headers)
    assert Entry.objects.filter(driver=ada).count() == 1


def test_an_entry_spends_the_callers_budget_either_way(api, offer, settings):
    first, _statements = enter(api, offer)
    forget_word = api.get(f"{BASE}/offers")

    assert int(forget_word["RateLimit-Remaining"]) == int(first["RateLimit-Remaining"]) - 1
    settings.API_REQUESTS_PER_MINUTE = 2
    refused, _statements = enter(api, offer)
    assert refused.status_code == 429
    assert "Retry-After" in refused


@pytest.mark.parametrize("why", ["revoked", "suspended", "withdrawn", "closed"])
def test_what_happened_since_the_look_at_the_feed_refuses(api, offer, block, ada, why, time_machine):
    at = timezone.now()
    if why == "revoked":
        revoke(token=DriverToken.objects.get(driver=ada), at=at)
    elif why == "suspended":
        applying.suspend(driver_code=ada.code, reason="papers", by=None, at=at)
    elif why == "withdrawn":
        withdrawing.withdraw(block_code=block.code, reason="fewer orders", actor=SYSTEM, at=at)
    else:
        time_machine.move_to(offer.closes_at, tick=False)

    answer, _statements = enter(api, offer)

    assert answer.status_code == (401 if why == "revoked" else 409)
    assert not Entry.objects.filter(driver=ada).exists()


def test_who_may_not_have_the_block_is_told_why_as_ever(api, offer, ada, block):
    elsewhere = making.store(making.mall("town-square"))
    making.claimed(making.block([making.order(elsewhere)], start=START), ada)
    api.get(f"{BASE}/offers")

    answer, _statements = enter(api, offer)

    assert answer.status_code == 409
    assert answer.json()["code"] == "window_overlaps"
    assert not Entry.objects.filter(driver=ada).exists()


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [('{"a": 1}', {}, 400), ("[]", {}, 400), ("{}", {"Idempotency-Key": "one"}, 200)],
)
def test_what_is_not_a_plain_entry_is_read_in_full(api, offer, body, headers, status):
    answer, statements = enter(api, offer, body, **headers)

    assert answer.status_code == status
    assert statements > 1 or status == 400


def test_a_session_is_asked_for_its_csrf_token_however_lately_it_looked(ada, offer, api):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ada.user)
    browser.get(f"{BASE}/offers")

    answer = browser.put(f"{BASE}/offers/{offer.code}/entry", "{}", content_type="application/json")

    assert answer.status_code == 403
    assert not Entry.objects.filter(driver=ada).exists()


def test_that_others_were_found_eligible_lets_nobody_in_who_is_not_like_them(api, offer):
    small, twin = making.driver("Cid"), making.driver("Eve")
    Vehicle.objects.filter(driver=small).update(litres=1)
    smalls, twins = api_of(small), api_of(twin)
    smalls.get(f"{BASE}/offers")
    twins.get(f"{BASE}/offers")
    enter(api, offer)

    as_fit, statements = enter(twins, offer)
    refused, _statements = enter(smalls, offer)

    assert (as_fit.status_code, statements) == (200, 1)
    assert (refused.status_code, refused.json()["code"]) == (409, "vehicle_too_small")
    assert not Entry.objects.filter(driver=small).exists()
