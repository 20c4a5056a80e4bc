"""The demo's past is enough for a forecast, and does not stand in the way of the demo's present."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from deliveries.models import Order
from offers import forecast
from offers.forecasting import Method
from retaildelivery.accounts.models import User
from retaildelivery.demo import cast, history, past, seeding
from stores.models import Mall

# Half past midnight in Las Vegas: the past ended half an hour ago.
AT = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
DAY = timedelta(days=1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def mall():
    seeding.seed(at=AT)
    past.remember(at=AT, markets=["las-vegas"])
    return Mall.objects.select_related("market").get(code="fashion-show")


def test_eight_weeks_are_enough_for_a_seasonal_forecast_with_a_count(mall):
    saturday = (AT + 5 * DAY).astimezone(mall.zone).date()

    found = forecast.recommendations(mall, saturday, at=AT)

    assert {each.expected.method for each in found} == {Method.SEASONAL}
    assert {each.expected.samples for each in found} == {8}
    assert found[0].expected.trend > 1
    assert sum(each.needed for each in found) >= 2


def test_a_second_time_adds_the_days_gone_by_and_the_day_has_orders_of_its_own(mall):
    before = Order.objects.filter(store__mall=mall).count()
    assert before > 500
    assert past.remember(at=AT, markets=["las-vegas"]) == 0

    # Though the past ended half an hour ago.
    assert history.post_some(at=AT) == 24

    assert past.remember(at=AT + 2 * DAY, markets=["las-vegas"]) > 0


def test_operations_read_the_reasoning_on_the_page(client, mall, time_machine):
    time_machine.move_to(AT, tick=False)
    client.force_login(
        User.objects.get(email=cast.OPERATIONS.email),
        backend="allauth.account.auth_backends.AuthenticationBackend",
    )
    day = (AT + 5 * DAY).astimezone(mall.zone).date()

    page = client.get(reverse("offers:ops_schedule", args=[mall.code]), {"day": f"{day}"}).content.decode()

    assert "From 8 days like it in the last eight weeks, times a trend of 1." in page
    assert "on 8 of 10 days" in page
