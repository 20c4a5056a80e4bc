"""The preferences of a driver's app: read, set anew, and refused field by field."""

import pytest

from drivers import tokens
from offers.models import MallPreference, Wish
from offers.tests import making
from offers.tests.making import AT

pytestmark = pytest.mark.django_db

ADDRESS = "/api/v1/driver/preferences"
GIVEN = {
    "malls": ["fashion-show"],
    "weekdays": [0, 6],
    "starts": {"earliest": "08:00", "latest": "18:30"},
    "least_hourly_cents": 2050,
    "quiet_hours": {"start": "22:00", "end": "07:00"},
    "channels": {"push": True, "email": False},
}


@pytest.fixture(autouse=True)
def _now(time_machine):
    time_machine.move_to(AT, tick=False)


@pytest.fixture
def ada():
    return making.driver("Ada")


@pytest.fixture
def api(client, ada):
    making.mall()
    _token, secret = tokens.issue(driver=ada, name="app", at=AT)
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {secret}"
    return client


def put(client, body):
    return client.put(ADDRESS, body, content_type="application/json")


def test_what_is_set_is_read_and_can_be_set_again(api, ada, django_assert_max_num_queries):
    first = put(api, GIVEN)
    with django_assert_max_num_queries(6):
        read = api.get(ADDRESS).json()
    again = put(api, read)

    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == read == again.json() == GIVEN
    made = Wish.objects.get(driver=ada)
    assert (made.by_push, made.by_email, made.least_hourly_cents) == (True, False, 2050)


def test_who_has_set_nothing_reads_that_nothing_is_told(api):
    assert api.get(ADDRESS).json() == {
        "malls": [],
        "weekdays": [],
        "starts": {"earliest": "00:00", "latest": "23:59"},
        "least_hourly_cents": 0,
        "quiet_hours": {"start": "22:00", "end": "07:00"},
        "channels": {"push": False, "email": False},
    }


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"malls": ["fashion-show", "chandler"]}, "malls[1]", "unknown_mall"),
        ({"weekdays": [0, 7]}, "weekdays[1]", "max_value"),
        ({"weekdays": ["0"]}, "weekdays[0]", "invalid"),
        ({"starts": {"earliest": "8:00", "latest": "18:00"}}, "starts.earliest", "invalid"),
        ({"starts": {"earliest": "18:00", "latest": "08:00"}}, "starts.latest", "invalid_window"),
        ({"starts": {"earliest": "08:00"}}, "starts.latest", "required"),
        ({"least_hourly_cents": -1}, "least_hourly_cents", "min_value"),
        ({"least_hourly_cents": 20.5}, "least_hourly_cents", "invalid"),
        ({"quiet_hours": {"start": "24:00", "end": "07:00"}}, "quiet_hours.start", "invalid"),
        ({"channels": {"push": "yes", "email": False}}, "channels.push", "invalid"),
        ({"channels": {"push": True, "email": True, "fax": True}}, "channels.fax", "unknown_field"),
        ({"colour": "red"}, "colour", "unknown_field"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_set(api, changes, field, code):
    making.mall("chandler", market="chandler")

    answer = put(api, GIVEN | changes)

    assert answer.status_code == 400
    assert [(each["field"], each["code"]) for each in answer.json()["field_errors"]] == [(field, code)]
    assert not Wish.objects.exists()
    assert not MallPreference.objects.exists()


def test_one_driver_sets_their_own_alone(api, client):
    ben = making.driver("Ben")
    put(api, GIVEN)

    assert not Wish.objects.filter(driver=ben).exists()
    assert client.get(ADDRESS, HTTP_AUTHORIZATION="Bearer dt_nobody").status_code == 401
