import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offers import pricing, terms
from offers.models import PayPolicy
from offers.pricing import (
    Bonus,
    Engaged,
    FloorRule,
    LineKind,
    Mileage,
    ShiftKind,
    Step,
    Terms,
    Tip,
    Wait,
    Work,
)
from retaildelivery.lib import money
from retaildelivery.lib.windows import Window

VEGAS = ZoneInfo("America/Los_Angeles")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "pay.md"
hour = timedelta(hours=1)
minute = timedelta(minutes=1)


def table(header: str) -> list[list[str]]:
    """Rows of the table on docs/pay.md whose header line starts so."""
    lines = PAGE.read_text().splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith(header)) + 2
    last = next(number for number in range(first, len(lines)) if not lines[number].startswith("|"))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[first:last]]


def cents(text: str) -> int:
    return money.cents(Decimal(text.removeprefix("$")))


def listed(text: str) -> list[str]:
    return [part.strip() for part in text.replace("-", "").split(",") if part.strip()]


@pytest.mark.parametrize("row", table("| Base/h"), ids=lambda row: " ".join(row[:7]))
def test_the_worked_blocks_of_the_page_come_out(row):
    base, step, window, overtime, waits, returns, tips, *expected, total = row
    agreed = Terms("P1", base_cents_h=cents(base), step_cents_h=cents(step), return_cents=600)
    work = Work(
        scheduled=int(window) * minute,
        overtime=int(overtime) * minute,
        waits=tuple(Wait(f"S{n}", int(each) * minute) for n, each in enumerate(listed(waits))),
        returns=int(returns),
        tips=tuple(Tip(f"O{n}", cents(each)) for n, each in enumerate(listed(tips))),
    )

    pay = pricing.price(agreed, work)

    kinds = [LineKind.BASE, LineKind.STEP, LineKind.OVERTIME, LineKind.WAIT, LineKind.RETURN, LineKind.TIP]
    assert [pay.of(kind) for kind in kinds] == [cents(each) for each in expected]
    assert pay.total_cents == cents(total)


@pytest.mark.parametrize("row", table("| Wage/h"), ids=lambda row: " ".join(row[:10]))
def test_the_worked_floors_of_the_page_come_out(row):
    wage, percent, hours, distance, per_unit, mileage, minimum, paid, bonus, tips, floor, *expected = row
    number, unit = distance.split()
    rule = FloorRule(
        "F1",
        wage_cents_h=Decimal(cents(wage)),
        wage_factor=Decimal(percent) / 100,
        distance_cents=Decimal(cents(per_unit)),
        distance_unit=unit,
        mileage=Mileage(mileage),
        minimum_cents=cents(minimum),
    )
    work = Work(
        scheduled=hour,
        bonuses=(Bonus("mission", cents(bonus), "B1"),),
        tips=(Tip("O1", cents(tips)),),
        engaged=(Engaged(float(hours) * hour, round(Decimal(number) * pricing.METRES[unit])),),
    )

    pay = pricing.price(Terms("P1", base_cents_h=cents(paid), floors=(rule,)), work)

    assert [pay.of(LineKind.FLOOR), pay.of(LineKind.MILEAGE), pay.total_cents] == [cents(x) for x in expected]
    assert pay.total_cents - pay.of(LineKind.TIP, LineKind.MILEAGE) >= cents(floor)


@pytest.mark.parametrize("row", table("| Kind"), ids=lambda row: row[0])
def test_the_rates_of_the_page_are_those_of_a_new_policy(row):
    assert terms.base_cents(PayPolicy(), ShiftKind(row[0])) == cents(row[2])


def test_the_page_tells_every_kind_of_shift():
    assert {row[0] for row in table("| Kind")} == set(ShiftKind)


@pytest.mark.parametrize("row", table("| First offered"), ids=lambda row: row[0])
def test_the_ladders_of_the_page_come_out(row):
    start = datetime(2026, 11, 24, 12, tzinfo=UTC)
    first_hours = int(row[0].split()[0])

    steps = pricing.ladder(
        base_cents_h=1800,
        cap_cents_h=2500,
        step_cents_h=100,
        start=start,
        first_at=start - first_hours * hour,
    )

    told = [f"{(start - step.at) // hour} h: {money.format_cents(step.hourly_cents)}" for step in steps]
    assert told == row[1].split(", ")


@pytest.mark.parametrize("row", table("| Offered at"), ids=lambda row: row[0])
def test_the_ladders_at_short_notice_of_the_page_come_out(row):
    start = datetime(2026, 11, 24, 12, tzinfo=UTC)
    block = SimpleNamespace(policy=PayPolicy(), starts_at=start)

    steps = terms.ladder(block, hourly_cents=2200, at=start - int(row[0].split()[0]) * minute)

    told = [f"{(start - step.at) // minute} min: {money.format_cents(step.hourly_cents)}" for step in steps]
    assert told == row[1].split(", ")


@pytest.mark.parametrize("row", table("| Pay"), ids=lambda row: " ".join(row[:3]))
def test_what_is_left_on_the_page_comes_out(row):
    pay, metres, rate, car, left = row

    assert pricing.car_cents(int(metres), Decimal(rate)) == cents(car)
    assert pricing.what_is_left(cents(pay), int(metres), Decimal(rate)) == cents(left)


def test_a_long_way_for_little_pay_is_shown_as_a_loss():
    assert pricing.what_is_left(1000, 160934, Decimal("72.5")) == -6250


def test_wages_of_two_places_in_one_block_make_one_floor():
    rule = FloorRule("CA", Decimal(1650), Decimal("1.2"), distance_cents=Decimal(36))
    work = Work(
        scheduled=4 * hour,
        tips=(Tip("O1", 2000),),
        engaged=(Engaged(1.5 * hour, 0), Engaged(2.25 * hour, 65983, wage_cents_h=Decimal(1787))),
    )

    pay = pricing.price(Terms("P1", base_cents_h=2100, floors=(rule,)), work)

    assert pay.of(LineKind.FLOOR) == 871
    assert pay.total_cents == 8400 + 871 + 2000


def test_a_wait_is_charged_to_the_store_only_when_it_is_at_fault():
    waits = (Wait("S1", 40 * minute), Wait("S2", 40 * minute, at_fault=False))

    pay = pricing.price(Terms("P1", base_cents_h=1800), Work(scheduled=2 * hour, waits=waits))

    told = [(line.cents, line.charged_to) for line in pay.lines if line.kind is LineKind.WAIT]
    assert told == [(900, "S1"), (900, None)]


def test_rates_of_the_policy_take_the_place_of_the_blocks_rate():
    agreed = Terms("P1", base_cents_h=1800, overtime_cents_h=3000, wait_cents_h=0)

    pay = pricing.price(agreed, Work(2 * hour, overtime=10 * minute, waits=(Wait("S1", hour),)))

    assert [(line.kind, line.cents) for line in pay.lines] == [
        (LineKind.BASE, 3600),
        (LineKind.OVERTIME, 500),
    ]


def test_every_line_names_its_rule_and_its_sentence_can_be_said():
    floor = FloorRule("F7", Decimal(9000), distance_cents=Decimal(35), mileage=Mileage.ON_TOP)
    agreed = Terms("P1", 1800, 100, step_rule="L3", return_cents=500, tolls_refunded=True, floors=(floor,))
    work = Work(
        2 * hour, 5 * minute, (Wait("S1", hour),), 1, (Tip("O1", 300),), (Bonus("rain", 200, "B2"),), 150,
        (Engaged(2 * hour, 10_000),),
    )  # fmt: skip

    pay = pricing.price(agreed, work)

    assert {line.kind: line.rule for line in pay.lines} == {
        LineKind.BASE: "P1", LineKind.STEP: "L3", LineKind.OVERTIME: "P1", LineKind.WAIT: "P1",
        LineKind.RETURN: "P1", LineKind.BONUS: "B2", LineKind.TOLL: "P1", LineKind.TIP: "P1",
        LineKind.FLOOR: "F7", LineKind.MILEAGE: "F7",
    }  # fmt: skip
    assert all(pricing.LINE_SENTENCES[line.kind] % dict(line.params) for line in pay.lines)


def test_tolls_stay_with_the_driver_where_the_market_does_not_refund_them():
    assert pricing.price(Terms("P1", 1800), Work(hour, tolls_cents=500)).total_cents == 1800


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Terms("P1", base_cents_h=-1), "negative"),
        (lambda: Work(hour, tips=(Tip("O1", -1),)), "negative"),
        (lambda: Work(-hour), "negative"),
        (lambda: FloorRule("F", Decimal(-1)), "negative"),
        (lambda: FloorRule("F", Decimal(1), distance_unit="furlong"), "neither"),
        (lambda: FloorRule("F", Decimal(1), creditable=frozenset({LineKind.TIP})), "never count"),
    ],
)
def test_nonsense_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def block(day: int, start: int, hours: int) -> Window:
    begin = datetime(2026, 11, day, start, tzinfo=VEGAS)
    return Window(begin, begin + hours * hour)


@pytest.mark.parametrize(
    ("window", "lead", "kind"),
    [
        (block(23, 10, 3), 5 * hour, ShiftKind.WEEKDAY_DAY),
        (block(23, 14, 4), 5 * hour, ShiftKind.WEEKDAY_DAY),
        (block(23, 15, 4), 5 * hour, ShiftKind.EVENING),
        (block(23, 18, 2), 5 * hour, ShiftKind.EVENING),
        (block(21, 18, 2), 5 * hour, ShiftKind.WEEKEND),
        (block(23, 10, 3), 2 * hour, ShiftKind.WEEKDAY_DAY),
        (block(23, 10, 3), 2 * hour - minute, ShiftKind.SHORT_NOTICE),
        (block(21, 18, 2), minute, ShiftKind.SHORT_NOTICE),
        (block(26, 18, 2), minute, ShiftKind.HOLIDAY),
    ],
)
def test_the_kind_of_a_shift_is_the_first_that_applies(window, lead, kind):
    holidays = {date(2026, 11, 26)}

    assert pricing.shift_kind(window, tz=VEGAS, holidays=holidays, lead=lead) == kind


def test_the_ladder_stops_at_a_cap_that_is_no_whole_step():
    start = datetime(2026, 11, 24, 12, tzinfo=UTC)

    steps = pricing.ladder(
        base_cents_h=1800, cap_cents_h=1950, step_cents_h=100, start=start, first_at=start - 90 * minute
    )
    high = pricing.ladder(
        base_cents_h=1800, cap_cents_h=1850, step_cents_h=100, start=start, first_at=start - 30 * hour
    )

    assert steps == (Step(start - 90 * minute, 1800), Step(start - hour, 1900))
    assert [step.hourly_cents for step in high] == [1800, 1850]
    assert pricing.rate_at(steps, start - 61 * minute) == 1800
    assert pricing.rate_at(steps, start - hour) == 1900
    assert pricing.rate_at(steps, start - 40 * hour) == 1800


def test_a_ladder_that_does_not_climb_is_refused():
    start = datetime(2026, 11, 24, 12, tzinfo=UTC)

    with pytest.raises(ValueError, match="goes up"):
        pricing.ladder(base_cents_h=1800, cap_cents_h=2500, step_cents_h=0, start=start, first_at=start)


amounts = st.integers(0, 10_000)
times = st.integers(0, 600).map(lambda minutes: minutes * minute)
rules = st.builds(
    FloorRule,
    rule=st.just("F"),
    wage_cents_h=st.integers(0, 5000).map(Decimal),
    distance_cents=st.integers(0, 100).map(Decimal),
    mileage=st.sampled_from(Mileage),
    minimum_cents=amounts,
)
terms_of_any_kind = st.builds(
    Terms,
    rule=st.just("P"),
    base_cents_h=amounts,
    step_cents_h=amounts,
    overtime_cents_h=st.none() | amounts,
    wait_cents_h=st.none() | amounts,
    return_cents=amounts,
    tolls_refunded=st.booleans(),
    floors=st.lists(rules, max_size=2).map(tuple),
)
work_of_any_kind = st.builds(
    Work,
    scheduled=times,
    overtime=times,
    waits=st.lists(st.builds(Wait, st.just("S"), times), max_size=3).map(tuple),
    returns=st.integers(0, 3),
    tips=st.lists(st.builds(Tip, st.just("O"), amounts), max_size=3).map(tuple),
    bonuses=st.lists(st.builds(Bonus, st.just("b"), amounts, st.just("B")), max_size=2).map(tuple),
    tolls_cents=amounts,
    engaged=st.lists(st.builds(Engaged, times, st.integers(0, 200_000)), max_size=2).map(tuple),
)


@given(terms_of_any_kind, work_of_any_kind)
def test_lines_sum_to_the_total_and_none_is_negative(agreed, work):
    pay = pricing.price(agreed, work)

    assert pay.total_cents == sum(line.cents for line in pay.lines)
    assert all(line.cents > 0 and isinstance(line.cents, int) for line in pay.lines)
    assert pay.of(LineKind.TIP) == sum(tip.cents for tip in work.tips)


@given(terms_of_any_kind, work_of_any_kind, st.lists(amounts, max_size=3))
def test_tips_come_on_top_whatever_else_is_paid(agreed, work, more):
    tipped = Work(
        work.scheduled, work.overtime, work.waits, work.returns,
        (*work.tips, *(Tip("O", each) for each in more)), work.bonuses, work.tolls_cents, work.engaged,
    )  # fmt: skip

    assert pricing.price(agreed, tipped).total_cents == pricing.price(agreed, work).total_cents + sum(more)


@given(terms_of_any_kind, work_of_any_kind, st.integers(1, 3000))
def test_a_higher_step_never_pays_less(agreed, work, more):
    higher = Terms(
        agreed.rule, agreed.base_cents_h, agreed.step_cents_h + more, agreed.step_rule, agreed.overtime_cents_h,
        agreed.free_wait, agreed.wait_cents_h, agreed.return_cents, agreed.tolls_refunded, agreed.floors,
    )  # fmt: skip

    assert pricing.price(higher, work).total_cents >= pricing.price(agreed, work).total_cents


@given(st.integers(0, 100_000), st.integers(1, 3000), st.integers(0, 60 * 24 * 3), amounts)
def test_a_ladder_only_climbs_and_ends_before_the_start(base, step, minutes_before, above):
    start = datetime(2026, 11, 24, 12, tzinfo=UTC)
    first_at = start - minutes_before * minute

    steps = pricing.ladder(
        base_cents_h=base, cap_cents_h=base + above, step_cents_h=step, start=start, first_at=first_at
    )

    assert steps[0] == Step(first_at, base)
    assert all(a.at < b.at and a.hourly_cents < b.hourly_cents for a, b in pairwise(steps))
    assert steps[-1].hourly_cents <= base + above
    assert all(step.at < start for step in steps[1:])


def straightforward(agreed, work):
    """The same rules written down once more, in thousandths of a second and fractions, without the engine."""

    def worth(rate, seconds):
        return math.floor(Fraction(rate * seconds, 3600) + Fraction(1, 2))

    def begun(time):
        return 60 * max(0, math.ceil(time.total_seconds() / 60))

    rate = agreed.base_cents_h + agreed.step_cents_h
    window = int(work.scheduled.total_seconds())
    before = worth(agreed.base_cents_h, window) + worth(agreed.step_cents_h, window)
    before += worth(
        rate if agreed.overtime_cents_h is None else agreed.overtime_cents_h, begun(work.overtime)
    )
    wait_rate = rate if agreed.wait_cents_h is None else agreed.wait_cents_h
    spent = dict.fromkeys((wait.store for wait in work.waits), timedelta(0))
    for wait in work.waits:
        since, until = spent[wait.store], spent[wait.store] + wait.waited
        before += worth(wait_rate, begun(until - max(since, agreed.free_wait)))
        spent[wait.store] = until
    before += agreed.return_cents * work.returns + sum(bonus.cents for bonus in work.bonuses)
    topped, beside = 0, 0
    for floor in agreed.floors:
        seconds = sum(int(each.time.total_seconds()) for each in work.engaged)
        miles = Fraction(sum(each.metres for each in work.engaged) * 1000, 1_609_344)
        least = Fraction(int(floor.wage_cents_h) * seconds, 3600)
        way = miles * int(floor.distance_cents)
        if floor.mileage is Mileage.ON_TOP:
            beside += math.floor(way + Fraction(1, 2))
        else:
            least += way
        least = max(least, floor.minimum_cents)
        topped += max(0, math.floor(least - before - topped + Fraction(1, 2)))
    tolls = work.tolls_cents if agreed.tolls_refunded else 0
    return before + topped + beside + tolls + sum(tip.cents for tip in work.tips)


@given(terms_of_any_kind, work_of_any_kind)
def test_the_engine_agrees_with_the_rules_written_down_once_more(agreed, work):
    assert pricing.price(agreed, work).total_cents == straightforward(agreed, work)
