"""A change of pay: seen before it is saved, told in time, and never a fall of what was promised."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.models import DriverPosting
from offers import policies, pricing
from offers.models import Block, FloorFinding, Mission, PayFloor, PayPolicy
from offers.tests import making
from offers.tests.making import HOUR, MINUTE, START
from retaildelivery.accounts.models import User
from retaildelivery.outbox.models import Message

NOW = START + 24 * HOUR  # Tuesday the 24th of November
LOWER_FROM = dt.date(2026, 12, 8)
FORM = {
    "weekday_cents": 1800, "evening_cents": 2000, "weekend_cents": 2100, "holiday_cents": 2500,
    "short_notice_cents": 2200, "cap_cents": 2500, "step_cents": 100, "step_minutes": 15, "wait_free_minutes": 10,
    "return_cents": 500, "extra_trip_cents": 0, "extra_mile_cents": "0", "max_orders": 12, "valid_to": "",
}  # fmt: skip


@pytest.fixture
def mall(db, time_machine):
    time_machine.move_to(NOW, tick=False)
    return making.mall()


@pytest.fixture
def olive(client, mall):
    made = User.objects.create_superuser(email="olive@example.com", password="x", name="Olive")
    client.force_login(made)
    return made


@pytest.fixture
def ada(mall):
    ada = making.driver("Ada")
    drive(mall, ada)
    return ada


def drive(mall, driver, *, start=START, last=HOUR):
    order = making.order(making.store(mall, f"Store {start:%d%H}"), at=start - 3 * HOUR, tip_cents=700)
    block = making.claimed(
        making.block([order], start=start, at=start - 3 * HOUR), driver, at=start - 3 * HOUR
    )
    return making.worked(block, driver, check_in_at=start, last=start + last)


def post(client, mall, **more):
    form = FORM | {"code": "las-vegas-next", "market": mall.market_id} | more
    return client.post(reverse("admin:offers_paypolicy_add"), form)


def end_the_old(day):
    PayPolicy.objects.filter(code="las-vegas-2026").update(valid_to=day)


def test_a_change_is_tried_on_the_last_30_days_and_saved_only_when_confirmed(client, olive, mall, ada):
    drive(mall, ada, start=START + 3 * HOUR, last=2 * HOUR + 30 * MINUTE)
    end_the_old(LOWER_FROM)
    change = {"weekday_cents": 1500, "evening_cents": 2100, "valid_from": LOWER_FROM.isoformat()}

    page = post(client, mall, **change).content.decode()

    # 36.00 become 30.00; the evening block of 40.00 and half an hour of overtime at 20.00 becomes 42.00 and 10.50.
    assert "2 blocks, was $86.00, would be $82.50" in page
    assert "It lowers: weekday cents" in page
    assert "$52.50" in page
    assert PayPolicy.objects.count() == 1
    answer = post(client, mall, **change, confirmed="1")
    assert answer.status_code == 302
    assert PayPolicy.objects.get(code="las-vegas-next").weekday_cents == 1500


def test_what_lowers_a_rate_begins_14_days_ahead_and_raising_may_begin_at_once(client, olive, mall):
    end_the_old(dt.date(2026, 11, 25))

    page = post(client, mall, weekday_cents=1700, valid_from="2026-11-25", confirmed="1").content.decode()
    assert "This row lowers weekday cents" in page
    assert "choose 2026-12-08 or later" in page
    assert PayPolicy.objects.count() == 1
    answer = post(client, mall, weekday_cents=1900, valid_from="2026-11-25", confirmed="1")

    assert answer.status_code == 302
    assert PayPolicy.objects.count() == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [("wait_free_minutes", 11), ("step_minutes", 20), ("cap_cents", 2400), ("return_cents", 499)],
)
def test_whatever_gives_a_driver_less_is_a_lowering(mall, name, value):
    old = PayPolicy.objects.get()
    row = PayPolicy(market=mall.market, valid_from=dt.date(2026, 11, 25), **{name: value})

    assert policies.lowered(row, old) == [name]
    with pytest.raises(policies.NoticeTooShort):
        policies.refuse_short_notice(row, at=NOW)


def test_rows_that_overlap_are_refused_with_the_field_and_the_mend(client, olive, mall):
    page = post(client, mall, weekday_cents=1900, valid_from="2026-12-25").content.decode()

    assert (
        "valid from: another row of this market holds on some of these days. Give that row an end first"
        in page
    )
    row = PayPolicy(code="x", market=mall.market, valid_from=dt.date(2026, 12, 25))
    with pytest.raises(ValidationError):
        row.full_clean()
    with pytest.raises(IntegrityError, match="do_not_overlap"), transaction.atomic():
        row.save()
    assert PayPolicy.objects.count() == 1


def test_drivers_of_the_market_are_told_with_the_effect_on_their_own_blocks(
    client, olive, mall, ada, django_assert_max_num_queries
):
    ben, away = making.driver("Ben"), making.driver("Away", market="boulder")
    end_the_old(LOWER_FROM)
    post(client, mall, weekday_cents=1500, valid_from=LOWER_FROM.isoformat(), confirmed="1")
    making.relay_all(at=NOW)

    mails = {mail.to: mail.text for mail in Message.objects.filter(name="pay_policy_announced")}
    assert set(mails) == {ada.user.email, ben.user.email}
    assert away.user.email not in mails
    assert "paid $36.00; under the new rates they would have paid $30.00" in mails[ada.user.email]
    assert "no settled blocks" in mails[ben.user.email]
    client.force_login(ada.user)
    with django_assert_max_num_queries(12):
        assert "Pay changes on Tue, Dec 8" in client.get("/drive/earnings/").content.decode()
    with django_assert_max_num_queries(12):
        page = client.get("/drive/earnings/changes/").content.decode()
    assert "$36.00, would be $30.00" in page
    assert "was $18.00" in page


def test_a_row_that_was_used_only_gets_an_end_and_nobody_is_told(client, olive, mall, ada):
    row = PayPolicy.objects.get()

    answer = client.post(reverse("admin:offers_paypolicy_change", args=[row.pk]), {"valid_to": "2026-12-31"})

    assert answer.status_code == 302
    assert PayPolicy.objects.get().valid_to == dt.date(2026, 12, 31)
    assert not making.facts_named("pay_policy.announced")


# -- Laws ------------------------------------------------------------------------------------------------------

rates = st.integers(0, 10_000)
minutes = st.integers(1, 600)


@settings(max_examples=60)
@given(base=rates, step=rates, length=minutes, over=st.integers(0, 300), waited=st.integers(0, 90))
def test_a_locked_quote_never_falls(base, step, length, over, waited):
    agreed = pricing.Terms(rule="r", base_cents_h=base, step_cents_h=step, return_cents=500)
    window = length * MINUTE
    quote = pricing.price(agreed, pricing.Work(window)).total_cents
    happened = (
        pricing.Work(window, overtime=over * MINUTE, waits=(pricing.Wait("S", waited * MINUTE),)),
        pricing.Work(window, returns=1, tips=(pricing.Tip("O", 100),)),
        pricing.Work(window, outcome=pricing.Outcome.STOOD_DOWN),
        pricing.Work(window, outcome=pricing.Outcome.WITHDRAWN, notice=44 * MINUTE),
    )

    paid = [pricing.price(agreed, work).total_cents for work in happened]

    assert min(paid) >= quote
    half = pricing.Work(window, outcome=pricing.Outcome.WITHDRAWN, notice=60 * MINUTE)
    assert abs(2 * pricing.price(agreed, half).total_cents - quote) <= 2


def test_the_row_that_each_line_names_was_valid_on_the_day(mall):
    ada = making.driver("Ada")
    ends = [dt.date(2026, 11, day) for day in (23, 24, 26)]
    PayPolicy.objects.update(valid_to=ends[0])
    for number, (since, until) in enumerate(zip(ends, [*ends[1:], None], strict=True)):
        PayPolicy.objects.create(
            code=f"lv-{number}",
            market=mall.market,
            valid_from=since,
            valid_to=until,
            weekday_cents=1000 + number,
        )
        making.floor(
            f"nv-{number}",
            law="nv",
            scope="offer",
            hour_cents=Decimal(9_000),
            valid_from=since,
            valid_to=until,
        )
    Mission.objects.create(
        code="m", name="m", mall=mall, blocks=2, cents=100, valid_from=dt.date(2026, 11, 23), valid_to=None
    )
    for day in range(5):
        drive(mall, ada, start=START + day * 24 * HOUR)

    lines = DriverPosting.objects.all()
    assert {line.kind for line in lines} == {"base", "floor", "tip", "bonus"}
    for line in lines:
        block = Block.objects.get(code=line.subject.removeprefix("block:"))
        day = block.starts_at.astimezone(mall.zone).date()
        rows = [
            *PayPolicy.objects.filter(code=line.rule), *PayFloor.objects.filter(code=line.rule),
            *Mission.objects.filter(code=line.rule),
        ]  # fmt: skip
        assert [row.valid_from <= day and (row.valid_to is None or day < row.valid_to) for row in rows] == [
            True
        ]
    assert FloorFinding.objects.count() == 5
