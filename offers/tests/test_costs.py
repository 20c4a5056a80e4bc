"""What driving costs a driver, set on the page and over the API, and what is left of each offer by it."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from rest_framework.test import APIClient

from drivers import costing, tokens
from drivers.models import CostProfile, Driver, MileageRate
from offers import feed
from offers.models import PayPolicy
from offers.tests import making
from offers.tests.making import AT
from retaildelivery.accounts.models import User

pytestmark = pytest.mark.django_db
API = "/api/v1/driver/cost-profile"
PAGE = "/drive/me/costs/"
BUDGET = 12
# 8.415 km from the mall as the crow flies: 11,781 m by road, there and back.
HOME, WAY_M = {"latitude": 36.2, "longitude": -115.2}, 23_562
IRS = [
    (dt.date(2025, 1, 1), dt.date(2026, 1, 1), "70"),
    (dt.date(2026, 1, 1), None, "72.5"),
]


@pytest.fixture(autouse=True)
def _now(time_machine):
    time_machine.move_to(AT, tick=False)


@pytest.fixture(autouse=True)
def rates():
    MileageRate.objects.all().delete()
    MileageRate.objects.bulk_create(
        MileageRate(valid_from=since, valid_to=until, cents_per_mile=cents, source="IRS")
        for since, until, cents in IRS
    )


@pytest.fixture
def ada():
    return making.driver("Ada")


@pytest.fixture
def block():
    return making.block([making.order(making.store(making.mall()), tip_cents=300)])


def api_of(driver: Driver) -> APIClient:
    _token, secret = tokens.issue(driver=driver, name="phone", at=AT)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client


def usd(cents: int) -> dict[str, object]:
    return {"cents": cents, "currency": "USD"}


def form(**changes: str) -> dict[str, str]:
    return {"basis": "irs", "cents_per_mile": "", "use": "", "unit": "", "price_cents": ""} | changes


# -- Setting it ----------------------------------------------------------------------------------------------


def test_who_has_set_nothing_reckons_with_the_rate_of_the_year(ada):
    assert api_of(ada).get(API).json() == {
        "basis": "irs",
        "cents_per_mile": None,
        "use": None,
        "unit": "",
        "price_cents": None,
        "upkeep_cents_per_mile": "0.00",
        "tolls_cents": 0,
        "home": None,
        "irs_cents_per_mile": "72.50",
        "counted_cents_per_mile": "72.50",
    }


def test_the_rate_is_that_of_the_day_and_of_the_year_before_until_the_next_is_known(ada):
    costs = costing.of(ada)

    days = [dt.date(2024, 6, 1), dt.date(2025, 12, 31), dt.date(2026, 1, 1), dt.date(2031, 1, 1)]
    assert [costs.cents_a_mile(day) for day in days] == [70, 70, Decimal("72.5"), Decimal("72.5")]


def test_without_any_row_the_last_known_rate_counts(ada):
    MileageRate.objects.all().delete()

    assert costing.of(ada).cents_a_mile(dt.date(2026, 6, 1)) == Decimal("72.5")


def test_two_rates_on_one_day_are_refused_by_the_database():
    with pytest.raises(IntegrityError), transaction.atomic():
        MileageRate.objects.create(
            valid_from=dt.date(2025, 7, 1), valid_to=None, cents_per_mile=71, source="x"
        )


@pytest.mark.parametrize(
    ("unit", "use", "price", "upkeep", "mile"),
    [
        ("mpg", "32", "349.9", "9", "19.93"),
        ("l_100mi", "11.5", "92.4", "9", "19.63"),
        ("kwh_100mi", "28", "16", "7.5", "11.98"),
        ("mi_kwh", "3.6", "16", "7.5", "11.94"),
    ],
)
def test_a_car_costs_what_it_uses_and_its_upkeep(ada, unit, use, price, upkeep, mile):
    answer = api_of(ada).put(
        API,
        {"basis": "car", "use": use, "unit": unit, "price_cents": price, "upkeep_cents_per_mile": upkeep},
        format="json",
    )

    assert (answer.status_code, answer.json()["counted_cents_per_mile"]) == (200, mile)


def test_of_a_home_three_decimals_are_kept_and_only_its_driver_reads_it(ada, client):
    given = {
        "basis": "flat",
        "cents_per_mile": "61",
        "home": {"latitude": 36.123456, "longitude": -115.987654},
    }

    answer = api_of(ada).put(API, given, format="json")

    assert answer.json()["home"] == {"latitude": 36.123, "longitude": -115.988}
    assert api_of(making.driver("Ben")).get(API).json()["home"] is None
    client.force_login(User.objects.create_superuser(email="root@example.com", password="x"))
    assert "36.123" not in client.get(f"/admin/drivers/driver/{ada.pk}/change/").content.decode()


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({}, {"basis"}),
        ({"basis": "guess"}, {"basis"}),
        ({"basis": "flat"}, {"cents_per_mile"}),
        ({"basis": "car"}, {"use", "unit", "price_cents"}),
        ({"basis": "car", "use": 0, "unit": "mpg", "price_cents": 300}, {"use"}),
        ({"basis": "flat", "cents_per_mile": -1}, {"cents_per_mile"}),
        ({"basis": "flat", "cents_per_mile": "NaN"}, {"cents_per_mile"}),
        ({"basis": "irs", "tolls_cents": 1.5}, {"tolls_cents"}),
        ({"basis": "irs", "home": {"latitude": 91, "longitude": 0}}, {"home.latitude"}),
        ({"basis": "irs", "home": {"latitude": 36}}, {"home.longitude"}),
        ({"basis": "irs", "mpg": 32}, {"mpg"}),
    ],
)
def test_nonsense_names_the_field_and_nothing_is_kept(ada, given, fields):
    answer = api_of(ada).put(API, given, format="json")

    assert answer.status_code == 400
    assert {error["field"] for error in answer.json()["field_errors"]} == fields
    assert CostProfile.objects.count() == 0


def test_what_is_missing_says_how_to_mend_it(ada):
    answer = api_of(ada).put(API, {"basis": "flat"}, format="json").json()

    assert answer["field_errors"] == [
        {
            "field": "cents_per_mile",
            "code": "required",
            "message": "Say what a mile costs you in cents, or choose the rate of the IRS.",
        }
    ]


def test_the_page_keeps_it_and_shows_it_again(client, ada):
    client.force_login(ada.user)

    answer = client.post(
        PAGE,
        form(basis="car", use="32", unit="mpg", price_cents="349.9", upkeep_cents="9", tolls="2.50",
             home_lat="36.1234", home_lng="-115.98765"),
    )  # fmt: skip

    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    page = client.get(PAGE)
    kept = CostProfile.objects.get()
    assert (kept.tolls_cents, str(kept.home_latitude), str(kept.home_longitude)) == (
        250,
        "36.123",
        "-115.988",
    )
    assert "A mile counts 19.93 ¢ now. The rate of the IRS is 72.50 ¢." in page.content.decode()
    assert 'value="36.123"' in page.content.decode()
    assert 'value="-115.988"' in page.content.decode()
    assert page["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"basis": "flat"}, "cents_per_mile"),
        ({"basis": "car", "use": "32", "unit": "mpg"}, "price_cents"),
        ({"cents_per_mile": "501"}, "cents_per_mile"),
        ({"tolls": "-1"}, "tolls"),
        ({"home_lat": "Las Vegas", "home_lng": "0"}, "home_lat"),
        ({"home_lat": "99", "home_lng": "0"}, "home_lat"),
        ({"home_lat": "36.1", "home_lng": "-181"}, "home_lng"),
        ({"home_lat": "36.1"}, "home_lng"),
        ({"home_lng": "-115"}, "home_lat"),
    ],
)
def test_a_page_that_is_filled_in_wrong_names_the_field(client, ada, changes, field):
    client.force_login(ada.user)

    answer = client.post(PAGE, form(**changes))

    assert answer.status_code == 422
    assert f'id="id_{field}_error"' in answer.content.decode()
    assert CostProfile.objects.count() == 0


def test_a_stranger_and_who_is_no_driver_see_nothing(client):
    assert client.get(PAGE).status_code == 302
    assert APIClient().get(API).status_code == 401
    client.force_login(User.objects.create_user(email="sam@example.com", password="x"))
    assert client.get(PAGE).status_code == 403


# -- What is left --------------------------------------------------------------------------------------------


def test_an_offer_counts_the_way_from_home_and_tolls(ada, block):
    api = api_of(ada)
    api.put(API, {"basis": "flat", "cents_per_mile": "61.5", "tolls_cents": 250, "home": HOME}, format="json")

    [offer] = api.get("/api/v1/driver/offers").json()["results"]

    # 20,000 and 23,562 m are 27.07 miles; at 61.5 cents they are $16.65, and $2.50 tolls.
    assert offer["estimate"] == {
        "distance_m": 20_000,
        "way_m": WAY_M,
        "cents_per_mile": "61.50",
        "tolls": usd(250),
        "cost": usd(1665 + 250),
        "left": usd(3600 - 1915),
        "left_hourly": usd(843),
    }


def test_tolls_that_the_market_gives_back_cost_nothing(ada):
    mall = making.mall()
    PayPolicy.objects.update(tolls_refunded=True)
    making.block([making.order(making.store(mall))])
    CostProfile.objects.create(driver=ada, tolls_cents=250, changed_at=AT)

    assert feed.offers(ada, at=AT)[0].net.cost_cents == 901


def test_the_page_opens_the_reckoning_by_one_line(client, ada, block, django_assert_max_num_queries):
    client.force_login(ada.user)
    client.post(PAGE, form(tolls="2.50", home_lat="36.2", home_lng="-115.2"))

    for path in ["/drive/offers/", f"/drive/offers/{making.offer_of(block).code}/"]:
        with django_assert_max_num_queries(BUDGET):
            page = client.get(path).content.decode()
        # 27.07 miles at 72.5 cents are $19.62.
        assert "<summary>27.1 mi × 72.50 ¢ + $2.50 tolls = $22.12</summary>" in page
        assert "<b>$13.88 left</b>, $6.94 an hour" in page
        assert "14.6 mi from home and back" in page


@pytest.mark.django_db(transaction=True)
def test_a_feed_that_was_seen_is_shown_anew_with_new_figures_and_to_nobody_else(ada, block):
    api, other = api_of(ada), api_of(making.driver("Ben"))
    seen, seen_by_ben = api.get("/api/v1/driver/offers"), other.get("/api/v1/driver/offers")

    api.put(API, {"basis": "flat", "cents_per_mile": "10"}, format="json")

    again = api.get("/api/v1/driver/offers", headers={"If-None-Match": seen["ETag"]})
    assert (again.status_code, again.json()["results"][0]["estimate"]["cost"]) == (200, usd(124))
    ben = other.get("/api/v1/driver/offers", headers={"If-None-Match": seen_by_ben["ETag"]})
    assert ben.status_code == 304
