"""From policy rows to rates, pay and ladders."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offers import pricing, terms
from offers.models import Block, Holiday, PayPolicy
from offers.tests import making
from offers.tests.making import AT, HOUR, MINUTE, START
from retaildelivery.lib.windows import Window

pytestmark = pytest.mark.django_db


@pytest.fixture
def mall():
    return making.mall()


def kind(mall, start, *, length=2 * HOUR, at):
    return terms.kind_of(mall, Window(start, start + length), at=at)


def test_the_kind_of_shift_follows_the_malls_own_clock_and_the_notice(mall):
    evening = dt.datetime(2026, 11, 24, 1, tzinfo=dt.UTC)
    saturday = dt.datetime(2026, 11, 28, 20, tzinfo=dt.UTC)
    thanksgiving = dt.datetime(2026, 11, 26, 20, tzinfo=dt.UTC)
    Holiday.objects.create(market=mall.market, on=dt.date(2026, 11, 26), name="Thanksgiving")

    assert kind(mall, START, at=AT) == "weekday_day"
    assert kind(mall, evening, at=AT) == "evening"
    assert kind(mall, saturday, at=AT) == "weekend"
    assert kind(mall, thanksgiving, at=AT) == "holiday"
    assert kind(mall, AT + 2 * HOUR, at=AT) == "weekday_day"
    assert kind(mall, AT + 2 * HOUR - MINUTE, at=AT) == "short_notice"


def test_each_kind_has_its_rate(mall):
    policy = terms.policy_on(mall.market, dt.date(2026, 11, 23))

    assert [terms.base_cents(policy, each) for each in pricing.ShiftKind] == [1800, 2000, 2100, 2500, 2200]


def test_the_row_of_the_day_counts_and_a_day_without_one_is_refused(mall):
    PayPolicy.objects.update(valid_to=dt.date(2026, 11, 1))
    newer = PayPolicy.objects.create(
        market=mall.market, code="las-vegas-2026-11", valid_from=dt.date(2026, 11, 1), weekday_cents=1900
    )

    assert terms.policy_on(mall.market, dt.date(2026, 11, 23)) == newer
    assert terms.policy_on(mall.market, dt.date(2026, 10, 31)).code == "las-vegas-2026"
    with pytest.raises(terms.NoPayPolicy) as refusal:
        terms.policy_on(mall.market, dt.date(2025, 12, 31))
    assert refusal.value.code == "no_pay_policy"


def made(mall, *, start=START, hourly=1800):
    policy = terms.policy_on(mall.market, dt.date(2026, 11, 23))
    window = making.DateTimeTZRange(start, start + 2 * HOUR, "[)")
    return Block(mall=mall, window=window, policy=policy, base_hourly_cents=1800, hourly_cents=hourly)


def test_pay_is_base_and_step_for_the_scheduled_window(mall):
    assert terms.pay_cents(made(mall), hourly_cents=1800) == 3600
    assert terms.pay_cents(made(mall), hourly_cents=2300) == 4600


def test_with_hours_to_go_the_price_climbs_at_full_hours_before_the_start(mall):
    steps = terms.ladder(made(mall), hourly_cents=1800, at=AT)

    assert [(step.at, step.hourly_cents) for step in steps] == [
        (AT, 1800),
        (START - 2 * HOUR, 1900),
        (START - 1 * HOUR, 2000),
    ]


def test_at_short_notice_the_cap_is_reached_before_the_start(mall):
    steps = terms.ladder(made(mall, start=AT + 12 * MINUTE), hourly_cents=2200, at=AT)

    assert [((step.at - AT) // MINUTE, step.hourly_cents) for step in steps] == [
        (0, 2200),
        (3, 2300),
        (6, 2400),
        (9, 2500),
    ]


def test_no_step_is_shorter_than_two_minutes_however_near_the_start(mall):
    steps = terms.ladder(made(mall, start=AT + 5 * MINUTE), hourly_cents=2200, at=AT)

    assert [((step.at - AT) // MINUTE, step.hourly_cents) for step in steps] == [(0, 2200), (2, 2300)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(minutes=st.integers(5, 30 * 60), hourly=st.integers(1500, 2600), seconds=st.integers(0, 59))
def test_whenever_it_begins_each_price_of_a_ladder_lasts_and_ends_before_the_start(
    mall, minutes, hourly, seconds
):
    start = AT + minutes * MINUTE
    at = AT + dt.timedelta(seconds=seconds)
    block = Block(
        mall=mall, policy=terms.policy_on(mall.market, AT.date()), window=DateTimeTZRange(start, start + HOUR)
    )

    steps = terms.ladder(block, hourly_cents=hourly, at=at)

    ends = [*(step.at for step in steps[1:]), start]
    assert steps[0] == pricing.Step(at, hourly)
    assert all(end > step.at for step, end in zip(steps, ends, strict=True))
    assert [step.hourly_cents for step in steps] == sorted({step.hourly_cents for step in steps})


def test_a_price_at_the_cap_stands_still(mall):
    assert len(terms.ladder(made(mall), hourly_cents=2500, at=AT)) == 1
    assert len(terms.ladder(made(mall, start=AT + HOUR), hourly_cents=2600, at=AT)) == 1


def test_a_policy_that_was_used_keeps_its_prices_and_the_days_it_was_used_for(mall):
    making.block([making.order(making.store(mall))])
    used = PayPolicy.objects.filter(code="las-vegas-2026")

    for change in ({"weekday_cents": 1}, {"valid_from": dt.date(2026, 2, 1)}, {"valid_to": START.date()}):
        with pytest.raises(IntegrityError, match="was used"), transaction.atomic():
            used.update(**change)
    used.update(valid_to=dt.date(2026, 12, 1))

    row = used.get()
    assert (row.weekday_cents, row.valid_from, row.valid_to) == (
        1800, dt.date(2026, 1, 1), dt.date(2026, 12, 1),
    )  # fmt: skip


def test_a_policy_nobody_used_may_still_change(mall):
    PayPolicy.objects.filter(code="las-vegas-2026").update(weekday_cents=1900)

    assert terms.policy_on(mall.market, dt.date(2026, 11, 23)).weekday_cents == 1900
