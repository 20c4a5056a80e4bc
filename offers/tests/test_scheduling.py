"""Blocks published ahead of their orders: what is recommended and why, who publishes, and the day that publishes
itself."""

import datetime as dt
import re

import pytest
from django.test import Client
from django.urls import reverse

from deliveries.models import Order
from offers import forecast, forecasting, scheduling, standing_down
from offers.forecasting import History
from offers.models import AutoSchedule, Block, Holiday, Offer, Publication, ScheduledDay
from offers.tests import making
from offers.tests.making import AT, HOUR, MINUTE, START
from retaildelivery.accounts.models import User
from retaildelivery.lib.refusals import Refused
from retaildelivery.lib.windows import Window

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
WEEK = 7 * DAY
TODAY = dt.date(2026, 11, 23)
TOMORROW = TODAY + DAY


@pytest.fixture(autouse=True)
def _now(time_machine):
    time_machine.move_to(AT, tick=False)


@pytest.fixture
def mall():
    return making.mall()


@pytest.fixture
def olga():
    return User.objects.create(email="olga@example.com", name="Olga", is_staff=True)


@pytest.fixture
def ops(olga):
    client = Client()
    client.force_login(olga, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def history(counts, *, since=TODAY - 8 * WEEK, holidays=()):
    return History(counts=counts, since=since, until=TODAY, holidays=frozenset(holidays))


def every(weekday_day, count, *, hour=10, weeks=8):
    return {(weekday_day - number * WEEK, hour): count for number in range(1, weeks + 1)}


def bought(mall, days, *, hour=10, each=6):
    """So many orders, packed at that hour of each of these days at the mall."""
    store = making.store(mall)
    for day in days:
        at = dt.datetime.combine(day, dt.time(hour, 30), tzinfo=mall.zone).astimezone(dt.UTC)
        made = making.order(store, at=at)
        rows = [
            Order(
                **{
                    field.attname: getattr(made, field.attname)
                    for field in Order._meta.concrete_fields
                    if field.name not in {"id", "code", "tracking_token"}
                }
            )
            for _number in range(each - 1)
        ]
        Order.objects.bulk_create(rows)


def test_the_same_weekday_and_hour_is_expected_again():
    expected = forecasting.expect(history(every(TOMORROW, 12)), TOMORROW, [10, 11, 12])

    assert (expected.method, expected.samples) == ("seasonal", 8)
    assert (expected.orders, expected.trend) == (pytest.approx(12), 1.0)
    # No week differs, so the band is chance alone: 1.28 times the root of twelve.
    assert expected.low == pytest.approx(12 - 1.28 * 12**0.5)
    assert expected.high == pytest.approx(12 + 1.28 * 12**0.5)


def test_other_weekdays_and_hours_say_nothing():
    known = history(every(TOMORROW, 12))

    assert forecasting.expect(known, TOMORROW + DAY, [10]).orders == 0
    assert forecasting.expect(known, TOMORROW, [11]).orders == 0


def test_newer_weeks_weigh_more_and_growth_is_half_believed():
    counts = {(TOMORROW - week * WEEK, 10): 20 if week <= 4 else 10 for week in range(1, 9)}

    expected = forecasting.expect(history(counts), TOMORROW, [10])

    weights = [0.85**week for week in range(1, 9)]
    mean = (20 * sum(weights[:4]) + 10 * sum(weights[4:])) / sum(weights)
    assert expected.trend == pytest.approx(2**0.5)
    assert expected.orders == pytest.approx(mean * 2**0.5)


def test_a_short_history_counts_all_days_alike_and_says_so():
    since = TODAY - 10 * DAY
    counts = {(since + number * DAY, 10): 5 for number in range(10)}

    expected = forecasting.expect(history(counts, since=since), TOMORROW, [10])

    assert (expected.method, expected.samples, expected.orders) == ("average_day", 10, 5)


def test_less_than_a_week_is_no_forecast():
    since = TODAY - 6 * DAY
    known = history({(since, 10): 50}, since=since)

    assert forecasting.expect(known, TOMORROW, [10]).method == "none"
    assert forecasting.cut(known, TOMORROW) == []


def test_a_holiday_is_like_the_holidays_before_it_or_like_a_sunday():
    sunday = TODAY - DAY
    counts = {**every(TOMORROW, 12), **every(sunday + WEEK, 3)}
    first = history(counts, holidays=[TOMORROW])
    second = history({**counts, (TODAY - 12 * DAY, 10): 30}, holidays=[TOMORROW, TODAY - 12 * DAY])

    assert forecasting.expect(first, TOMORROW, [10]).orders == pytest.approx(3)
    assert forecasting.expect(first, TOMORROW, [10]).holiday == "sunday"
    assert forecasting.expect(second, TOMORROW, [10]).orders == pytest.approx(30)


@pytest.mark.parametrize(
    ("hours", "pieces"),
    [
        ([10], [(10, 2)]),
        ([10, 12], [(10, 3)]),
        ([10, 13], [(10, 4)]),
        ([10, 14], [(10, 2), (12, 3)]),
        ([9, 19], [(9, 3), (12, 3), (15, 2), (17, 3)]),
        ([23], []),
    ],
)
def test_a_day_is_cut_into_lengths_that_are_sold(hours, pieces):
    counts = {key: n for hour in hours for key, n in every(TOMORROW, 4, hour=hour).items()}

    assert forecasting.cut(history(counts), TOMORROW) == pieces


def test_the_recommendation_says_what_it_was_made_from(mall):
    bought(mall, [TOMORROW - number * WEEK for number in range(1, 9)], each=12)

    (row,) = forecast.recommendations(mall, TOMORROW, at=AT)

    assert row.window == Window(AT + DAY, AT + DAY + 2 * HOUR)
    # Three orders an hour are assumed while no block was worked: two blocks of six.
    assert (row.per_block, row.blocks_known, row.needed, row.published, row.count) == (6.0, 0, 2, 0, 2)
    assert row.reckoning()["orders"] == 12.0


def test_what_is_there_already_is_taken_off(mall):
    bought(mall, [TOMORROW - number * WEEK for number in range(1, 9)], each=12)
    making.empty_block(mall, start=AT + DAY)

    (row,) = forecast.recommendations(mall, TOMORROW, at=AT)

    assert (row.needed, row.published, row.count, row.publications) == (2, 1, 1, 1)


@pytest.mark.parametrize(
    ("early", "there"),
    [(dt.timedelta(minutes=30), 1), (dt.timedelta(hours=1), 1), (dt.timedelta(hours=2), 0)],
)
def test_a_block_of_another_start_is_taken_off_where_it_lies(mall, early, there):
    bought(mall, [TOMORROW - number * WEEK for number in range(1, 9)], each=12)
    making.empty_block(mall, start=AT + DAY - early)

    (row,) = forecast.recommendations(mall, TOMORROW, at=AT)

    assert (row.needed, row.published, row.count) == (2, there, 2 - there)


def test_a_block_over_two_recommended_starts_is_taken_off_once():
    eleven, two, five = (Window(AT + n * HOUR, AT + (n + 3) * HOUR) for n in (0, 3, 6))

    def answered(start, length=3):
        return forecast.answered(Window(AT + start * HOUR, AT + (start + length) * HOUR), [eleven, two, five])

    assert [answered(start) for start in (-1, 1, 2, 4.5, 8)] == [eleven, eleven, two, two, five]
    assert answered(9) is None
    assert answered(-4) is None


def test_two_tabs_of_two_days_publish_each_on_its_own_day(ops, mall):
    bought(
        mall, [TOMORROW + number * DAY - 7 * week * DAY for number in (0, 1) for week in range(1, 9)], each=12
    )
    pages = {
        day: ops.get(
            reverse("offers:ops_schedule", args=[mall.code]), {"day": day.isoformat()}
        ).content.decode()
        for day in (TOMORROW, TOMORROW + DAY)
    }

    # The older tab answers after the newer one was opened, each twice.
    for day, page in [*pages.items(), *pages.items()]:
        fields = dict(
            re.findall(r'name="(day|start|hours|answers)" value="([^"]*)"', page.split("schedule-answer")[1])
        )
        assert fields["day"] == day.isoformat()
        ops.post(reverse("offers:ops_schedule_publish", args=[mall.code]), {**fields, "count": 1})

    assert [
        block.starts_at.astimezone(mall.zone).date() for block in Block.objects.order_by("window")
    ] == list(pages)


def test_hours_are_those_of_the_malls_clock_across_the_change_of_clocks(mall):
    # Clocks went back on 1 November: 10:30 was 17:30 UTC before it, and is 18:30 since.
    bought(mall, [TOMORROW - number * WEEK for number in range(1, 9)], each=2)

    known = forecast.history_of(mall, TOMORROW, at=AT)

    assert {hour for _day, hour in known.counts} == {10}
    assert known.since == TOMORROW - 8 * WEEK
    assert known.until == TODAY


def test_operations_publish_with_another_number_and_the_row_keeps_both(mall, ops, olga):
    bought(mall, [TOMORROW - number * WEEK for number in range(1, 9)], each=12)
    page = ops.get(reverse("offers:ops_schedule", args=[mall.code]), {"day": TOMORROW.isoformat()})
    (row, key) = page.context["rows"][0]
    said = {"day": TOMORROW.isoformat(), "start": "10:00", "hours": row.hours, "answers": key, "count": 3}

    answer = ops.post(reverse("offers:ops_schedule_publish", args=[mall.code]), said)
    again = ops.post(reverse("offers:ops_schedule_publish", args=[mall.code]), said)

    assert (answer.status_code, again.status_code) == (302, 409)
    made = Publication.objects.get()
    assert (made.count, made.recommended, made.method, made.published_by) == (3, 2, "seasonal", olga)
    assert made.reckoning["needed"] == 2
    blocks = Block.objects.filter(publication=made)
    assert [(each.origin, each.status, each.manifest, each.starts_at) for each in blocks] == [
        ("scheduled", "offered", None, AT + DAY)
    ] * 3
    assert Offer.objects.filter(status="open").count() == 3
    assert "Olga" in again.content.decode()
    assert making.facts_named("blocks.scheduled")[0].data["count"] == 3


def test_blocks_of_ones_own_choice_are_published_without_a_forecast(mall, ops):
    said = {"day": TOMORROW.isoformat(), "start": "16:00", "hours": 4, "answers": "once", "count": 1}

    ops.post(reverse("offers:ops_schedule_publish", args=[mall.code]), said)

    made = Publication.objects.get()
    assert (made.recommended, made.method) == (None, "none")
    assert made.starts_at == AT + DAY + 6 * HOUR
    assert made.length == 4 * HOUR


@pytest.mark.parametrize(
    ("window", "count", "code"),
    [
        (Window(AT + 59 * MINUTE, AT + 179 * MINUTE), 1, "too_near_to_publish"),
        (Window(AT + 15 * DAY, AT + 15 * DAY + 2 * HOUR), 1, "too_far_to_publish"),
        (Window(START, START + HOUR), 1, "bad_block_length"),
        (Window(START, START + 2 * HOUR), 21, "bad_block_count"),
    ],
)
def test_what_is_not_sold_is_refused_and_nothing_is_published(mall, olga, window, count, code):
    with pytest.raises(Refused) as refused:
        scheduling.publish(
            mall=mall, window=window, count=count, key="k", by=olga, recommendation=None, at=AT
        )

    assert refused.value.code == code
    assert (Publication.objects.count(), Block.objects.count()) == (0, 0)


def test_a_mistyped_form_says_which_field_and_publishes_nothing(mall, ops):
    said = {"day": TOMORROW.isoformat(), "start": "", "hours": 5, "answers": "k", "count": 0}

    answer = ops.post(reverse("offers:ops_schedule_publish", args=[mall.code]), said)

    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"start", "hours", "count"}
    assert Block.objects.count() == 0


def test_nothing_publishes_itself_unless_it_was_switched_on(mall):
    bought(mall, [TOMORROW - number * WEEK for number in range(1, 9)], each=12)

    assert scheduling.sweep(at=AT) == 0
    assert Block.objects.count() == 0


def test_a_day_publishes_itself_once_from_its_hour_on(mall, ops, olga):
    bought(mall, [TOMORROW - number * WEEK for number in range(1, 9)], each=12)
    ops.post(
        reverse("offers:ops_schedule_automatic", args=[mall.code]),
        {"day": "", "on": "on", "days_ahead": 1, "hour": 10},
    )

    # 10:00 at the mall is AT; a minute before it is too early.
    assert scheduling.sweep(at=AT - MINUTE) == 0
    assert scheduling.sweep(at=AT) == 2
    assert scheduling.sweep(at=AT) == 0
    assert scheduling.run(mall=mall, day=TOMORROW, at=AT) == 0

    assert AutoSchedule.objects.get().changed_by == olga
    assert ScheduledDay.objects.get().blocks == 2
    made = Publication.objects.get()
    assert (made.automatic, made.published_by, made.count) == (True, None, 2)


def test_a_day_for_which_nothing_is_recommended_is_done_as_well(mall, olga):
    scheduling.switch(mall=mall, on=True, days_ahead=1, hour=10, by=olga, at=AT)

    assert scheduling.sweep(at=AT) == 0

    assert ScheduledDay.objects.get().blocks == 0


def test_the_page_keeps_its_budget_of_queries(mall, ops, django_assert_max_num_queries):
    bought(mall, [TOMORROW - number * WEEK for number in range(1, 9)], each=12)
    making.empty_block(mall, start=AT + DAY)

    with django_assert_max_num_queries(12):
        page = ops.get(reverse("offers:ops_schedule", args=[mall.code]), {"day": TOMORROW.isoformat()})

    assert page.status_code == 200


def test_only_operations_may_look_or_publish(mall):
    store_user = User.objects.create(email="mo@example.com", name="Mo")
    client = Client()
    client.force_login(store_user, backend="allauth.account.auth_backends.AuthenticationBackend")

    for name in ("ops_schedule_publish", "ops_schedule_automatic"):
        assert client.post(reverse(f"offers:{name}", args=[mall.code])).status_code == 403
    assert client.get(reverse("offers:ops_schedule", args=[mall.code])).status_code == 403


def test_holidays_of_the_market_are_known(mall):
    Holiday.objects.create(market=mall.market, on=TOMORROW, name="Day off")

    assert forecast.history_of(mall, TOMORROW, at=AT).holidays == {TOMORROW}


def test_what_was_published_and_withdrawn_can_be_published_again(mall, olga):
    making.empty_block(mall)
    standing_down.sweep(at=START - 30 * MINUTE)

    made = making.empty_block(mall, start=START + DAY)

    assert made.status == "offered"
