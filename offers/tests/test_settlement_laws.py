"""What holds of pay whatever the terms and whatever happened: settled by the product on the real database, and computed
once more here with plain loops and fractions. Nothing of the engine is imported."""

import dataclasses
import datetime as dt
import math
from decimal import Decimal
from fractions import Fraction

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from deliveries.models import Order
from deliveries.revising import tip
from drivers import ledger, verify_pay
from drivers.models import DriverPosting
from offers import aborting, expiry, settlement, terms, withdrawing
from offers.models import Claim, PayFloor, PayPolicy
from offers.tests import making
from offers.tests.making import AT, DOOR, HOUR, START
from retaildelivery.lib.geo import road_m
from retaildelivery.outbox.recording import SYSTEM
from stores.models import Mall, Market, SellerPosting

SECOND = dt.timedelta(seconds=1)
TODAY, TOMORROW = dt.date(2026, 11, 23), dt.date(2026, 11, 24)
YEAR = dt.date(2026, 1, 1)


@dataclasses.dataclass(frozen=True)
class Law:
    hour: int
    mile: int
    mileage: str
    minimum: int


@dataclasses.dataclass(frozen=True)
class Case:
    """Terms of a market, and a block in it from its claim to its end. Times in seconds from the block's start."""

    weekday: int
    step: int
    free: int
    back: int
    laws: tuple[Law, ...]
    hours: int
    claimed: int
    checked_in: int
    kept: int
    on_the_road: int
    ending: str
    tips: tuple[int, ...]
    later_tip: int
    distance: int


laws = st.builds(
    Law,
    hour=st.integers(0, 6000),
    mile=st.integers(0, 130),
    mileage=st.sampled_from(["in_floor", "on_top", "in_offer"]),
    minimum=st.sampled_from([0, 0, 7333]),
)
cases = st.builds(
    Case,
    weekday=st.integers(1501, 2499),
    step=st.integers(0, 137),
    free=st.integers(0, 15),
    back=st.integers(0, 777),
    laws=st.lists(laws, max_size=2).map(tuple),
    hours=st.sampled_from([2, 3, 4]),
    claimed=st.sampled_from([-10_800, -7_200, -3_600, -1_200]),
    checked_in=st.integers(-900, 1_190),
    kept=st.integers(0, 2_400),
    on_the_road=st.integers(60, 18_000),
    ending=st.sampled_from(["delivered", "delivered", "returned", "aborted", "withdrawn"]),
    tips=st.lists(st.integers(0, 2_500), min_size=1, max_size=2).map(tuple),
    later_tip=st.integers(0, 900),
    distance=st.sampled_from([1_000, 20_000, 33_333]),
)


# -- The product ----------------------------------------------------------------------------------------------------


def market_of(case: Case):
    """A store at a mall whose rows of pay and law end today, so that whoever took tomorrow's would show."""
    city = Market.objects.create(code="las-vegas", name="Las Vegas", time_zone="America/Los_Angeles")
    now = {"weekday_cents": case.weekday, "step_cents": case.step, "wait_free_minutes": case.free}
    PayPolicy.objects.create(
        market=city, code="now", valid_from=YEAR, valid_to=TOMORROW, return_cents=case.back, **now
    )
    PayPolicy.objects.create(market=city, code="then", valid_from=TOMORROW, weekday_cents=900)
    store = making.store(making.mall())
    for number, law in enumerate(case.laws):
        amounts = {"mileage": law.mileage, "minimum_cents": law.minimum, "law": f"law{number}"}
        amounts |= {"hour_cents": Decimal(law.hour), "distance_cents": Decimal(law.mile)}
        making.floor(f"law{number}-now", valid_to=TOMORROW, **amounts)
        making.floor(
            f"law{number}-then", **{**amounts, "valid_from": TOMORROW, "hour_cents": Decimal(99_999)}
        )
    return store


def at(seconds: int) -> dt.datetime:
    return START + seconds * SECOND


def happen(case: Case):
    """The block, worked and settled; what it was quoted when it was claimed."""
    store = market_of(case)
    orders = [making.order(store, tip_cents=cents) for cents in case.tips]
    driver = making.driver("Ada")
    block = making.block(orders, length=case.hours * HOUR, distance_m=case.distance)
    moment = at(case.claimed)
    expiry.sweep(at=moment)
    making.claimed(block, driver, at=moment)
    claim = Claim.objects.get()
    if case.ending == "withdrawn":
        moment = at(max(case.claimed, case.checked_in - 3 * case.kept))
        withdrawing.withdraw(block_code=block.code, reason="storm", actor=SYSTEM, at=moment)
        making.relay_all(at=moment)
        return block, driver, claim
    making.check_in(block, driver, at=at(case.checked_in))
    handed = case.checked_in + case.kept
    if case.ending == "aborted":
        aborting.abort(
            block_code=block.code, driver_id=driver.pk, reason="breakdown", note="", point=None, at=at(handed)
        )
        making.relay_all(at=at(handed))
        return block, driver, claim
    making.collect(block, driver, arrive=at(case.checked_in), handover=at(handed))
    making.depart(block, driver, at=at(handed))
    last = at(handed + case.on_the_road)
    first, *others = making.doors_of(block)
    if case.ending == "returned":
        making.fail(first, driver, at=last)
    else:
        making.deliver(first, driver, at=last)
    for stop in others:
        making.deliver(stop, driver, at=last)
    if case.ending == "returned":
        making.bring_back(block, driver, at=last + back_after(case) * SECOND)
    making.relay_all(at=last + 3 * HOUR)
    return block, driver, claim


def back_after(case: Case) -> int:
    """Seconds from the last door to the counter: at once, or so late that it is another day's work."""
    return 1_200 if case.kept % 2 else 6_000


# -- The same once more ---------------------------------------------------------------------------------------------


def cent(exact: Fraction) -> int:
    return math.floor(exact + Fraction(1, 2))


def worth(rate: int, seconds: int) -> Fraction:
    return Fraction(rate * seconds, 3600)


def begun(seconds: int) -> int:
    return max(0, math.ceil(Fraction(seconds, 60)))


def expected(case: Case, claim: Claim, orders: list[str]) -> dict[tuple[str, str], int]:
    """Cents by kind and by what tells lines of one kind apart."""
    rate = claim.hourly_cents
    step = rate - case.weekday
    window = case.hours * 3600
    if case.ending == "withdrawn":
        notice = -max(case.claimed, case.checked_in - 3 * case.kept)
        whole = cent(worth(case.weekday, window)) + cent(worth(step, window))
        half = cent(worth(rate, window) / 2)
        return {("withdrawn", ""): whole if notice < 2_700 else half if notice < 7_200 else 0}
    handed = case.checked_in + case.kept
    last = handed + case.on_the_road
    lines: dict[tuple[str, str], int] = {}
    if case.ending == "aborted":
        until = handed
        paid, over = max(0, until - max(0, case.checked_in)), 0
        distance = int(case.distance * Decimal(min(1.0, max(0.0, until / window))))
        tips = []
    else:
        until = last
        if case.ending == "returned" and back_after(case) <= 90 * 60:
            until = last + back_after(case)
        paid, over = window, max(0, until - window - max(0, case.checked_in))
        way = road_m(Mall.objects.get().point, DOOR)
        distance = max(case.distance, way * 2 if case.ending == "returned" else way)
        waited = handed - max(0, case.checked_in) - case.free * 60
        lines["wait", ""] = cent(worth(rate, 60 * begun(waited)))
        lines["return", ""] = case.back if case.ending == "returned" else 0
        tips = list(zip(orders, case.tips, strict=True))
    lines["base", ""] = cent(worth(case.weekday, paid))
    lines["step", ""] = cent(worth(step, paid))
    lines["overtime", ""] = cent(worth(rate, 60 * begun(over)))
    earned = sum(lines.values())
    for number, law in enumerate(case.laws):
        least = worth(law.hour, until - case.checked_in)
        way = Fraction(distance * 1000, 1_609_344) * law.mile
        if law.mileage == "on_top":
            lines["mileage", f"law{number}-now"] = cent(way)
        else:
            least += way
        due = max(0, cent(max(least, Fraction(law.minimum)) - earned))
        lines["floor", f"law{number}-now"] = due
        # What one law topped up counts towards the next.
        earned += due
    for number, (order, cents) in enumerate(tips):
        if not (case.ending == "returned" and number == 0):
            lines["tip", order] = cents
    return lines


def posted(driver) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for line in DriverPosting.objects.filter(driver=driver):
        what = {"tip": line.params.get("order"), "floor": line.rule, "mileage": line.rule}.get(line.kind, "")
        key = (line.kind, what)
        found[key] = found.get(key, 0) + line.cents
    return found


def check(case: Case) -> None:
    _block, driver, claim = happen(case)
    orders = list(Order.objects.order_by("pk").values_list("code", flat=True))
    # Two ways of computing agree, line by line, each rounded once from the exact amount.
    told = {key: cents for key, cents in expected(case, claim, orders).items() if cents}
    assert posted(driver) == told
    # Lines sum to totals, in the account, in the fact and in what the driver can check alone.
    totals = [fact.data["total_cents"] for fact in making.facts_named("pay.settled")]
    totals += [fact.data["paid_cents"] for fact in making.facts_named("block.withdrawn")]
    assert sum(totals) == sum(told.values()) == ledger.balance(driver)
    assert verify_pay.differences(terms.account_of(driver, at=AT)) == []
    # What was quoted is paid, though the market's rows are lower from tomorrow on.
    if case.ending in {"delivered", "returned"}:
        assert told["base", ""] + told.get(("step", ""), 0) == claim.pay_cents
        assert sum(told.values()) >= claim.pay_cents + sum(told.get(("tip", code), 0) for code in orders)
    # Every line names a row that held on the day.
    held = PayPolicy.objects.valid_on(TODAY).values_list("code", flat=True)
    laws_held = PayFloor.objects.valid_on(TODAY).values_list("code", flat=True)
    assert set(DriverPosting.objects.values_list("rule", flat=True)) <= {*held, *laws_held}
    # What a store is charged for waiting is what the driver was paid for it.
    waits = SellerPosting.objects.filter(kind="wait").values_list("cents", flat=True)
    assert sum(waits) == told.get(("wait", ""), 0)
    repeat_and_tip(case, driver, orders)


def repeat_and_tip(case: Case, driver, orders: list[str]) -> None:
    """Everything once more pays nothing; a tip raised later reaches the driver whole, once."""
    before = ledger.balance(driver)
    for name, effect in (
        ("manifest.completed", settlement.settle),
        ("block.aborted", settlement.settle_aborted),
    ):
        for fact in making.facts_named(name):
            effect(fact=fact, at=START + 12 * HOUR)
    assert ledger.balance(driver) == before
    if case.ending == "delivered":
        raised = case.tips[0] + case.later_tip
        for _twice in range(2):
            tip(
                order_code=orders[0],
                scope=Order.objects.all(),
                cents=raised,
                actor=SYSTEM,
                at=START + 9 * HOUR,
            )
            making.relay_all(at=START + 9 * HOUR)
        assert ledger.balance(driver) == before + case.later_tip
        assert posted(driver).get(("tip", orders[0]), 0) == raised


# Two laws of which the first counts towards the second, a wait, overtime, a late way back.
EVERYTHING = Case(
    weekday=1777, step=101, free=5, back=333,
    laws=(Law(4_001, 37, "on_top", 7_333), Law(4_100, 35, "in_floor", 0)), hours=2, claimed=-3_600,
    checked_in=-613, kept=1_999, on_the_road=9_001, ending="returned", tips=(350, 1_205), later_tip=0,
    distance=33_333,
)  # fmt: skip


@pytest.mark.django_db
@settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(case=cases)
@example(case=EVERYTHING)
def test_pay_is_what_the_terms_say_whatever_they_are_and_whatever_happened(case):
    with transaction.atomic():
        transaction.get_connection().atomic_blocks[-1]._from_testcase = True
        check(case)
        transaction.set_rollback(True)
