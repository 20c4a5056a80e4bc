"""Who calls by a key or token has no session; who has a session is a browser, and is asked for its form token."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from offers.tests import making
from offers.tests.making import AT
from offers.tests.test_driver_api import BASE, api_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now(time_machine):
    time_machine.move_to(AT, tick=False)


@pytest.fixture
def ada():
    return making.driver("Ada")


@pytest.fixture
def browser(ada):
    """Ada's, signed in to the portal."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada.user)
    return client


def test_a_page_calls_the_api_by_its_session(browser):
    answer = browser.get(f"{BASE}/hours")

    assert answer.status_code == 200
    assert "Cookie" in answer["Vary"]


def test_a_call_by_session_without_a_form_token_is_refused(browser, ada):
    answer = browser.put(f"{BASE}/cost-profile", {"basis": "irs"}, content_type="application/json")

    assert answer.status_code == 403
    assert answer.json()["code"] == "permission_denied"


def test_a_session_beside_a_bad_token_does_not_count(browser):
    answer = browser.get(f"{BASE}/hours", headers={"Authorization": "Bearer dt_nobody"})

    assert answer.status_code == 401


def test_a_session_beside_another_scheme_counts_as_behind_a_proxy_with_a_password(browser):
    answer = browser.get(f"{BASE}/hours", headers={"Authorization": "Basic c3RhZ2luZzpzdGFnaW5n"})

    assert answer.status_code == 200


def test_a_call_by_token_gets_no_cookie_and_asks_for_no_session(ada):
    api = api_of(ada)
    api.get(f"{BASE}/hours")
    with CaptureQueriesContext(connection) as queries:
        answer = api.get(f"{BASE}/hours")

    assert answer.status_code == 200
    assert not answer.cookies
    assert not [query for query in queries if "session" in query["sql"]]
