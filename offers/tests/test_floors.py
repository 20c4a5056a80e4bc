"""Floors and wages as rows: what laws guarantee comes out of real blocks, to the cent, once."""

import datetime as dt
import json
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse

from drivers import ledger, statements, verify_pay
from drivers.models import DriverPosting, Statement
from offers import closing, paydays, withdrawing
from offers.models import FloorFinding, Jurisdiction, PayFloor, PayPolicy, Wage
from offers.tests import making
from offers.tests.making import HOUR, MINUTE, START
from retaildelivery.accounts.models import User
from retaildelivery.outbox.recording import SYSTEM
from stores.models import Market

pytestmark = pytest.mark.django_db
MILE = Decimal("1609.344")
MONDAY = dt.datetime(2026, 11, 30, 8, 30, tzinfo=dt.UTC)  # half past midnight in Las Vegas
YEAR = dt.date(2026, 1, 1)


@pytest.fixture
def mall():
    return making.mall()


@pytest.fixture
def ada():
    return making.driver("Ada")


def place(code, *malls, cents=None, since=YEAR):
    made = Jurisdiction.objects.create(code=code, name=code.title())
    made.malls.set(malls)
    if cents is not None:
        Wage.objects.create(code=f"{code}-{since}", jurisdiction=made, hour_cents=cents, valid_from=since)
    return made


def pays(**hourly):
    PayPolicy.objects.update(**({"weekday_cents": 0, "weekend_cents": 0, "evening_cents": 0} | hourly))


def drive(mall, driver, *, minutes, miles=0, tip=0, start=START, length=2 * HOUR, store=None):
    """A block whose driver was engaged so long and went so far."""
    order = making.order(
        store or making.store(mall, f"Store {start:%d%H%M} {driver.code}"), at=start - 3 * HOUR, tip_cents=tip,
        point=mall.point,
    )  # fmt: skip
    metres = int(miles * MILE) + 1 if miles else 0
    block = making.block([order], start=start, length=length, at=start - 3 * HOUR, distance_m=metres)
    making.claimed(block, driver, at=start - 3 * HOUR)
    return making.worked(block, driver, check_in_at=start, last=start + minutes * MINUTE)


def lines(driver):
    found = {}
    for kind, cents in DriverPosting.objects.filter(driver=driver).values_list("kind", "cents"):
        found[kind] = found.get(kind, 0) + cents
    return found


def close(at=MONDAY):
    return closing.close_weeks(Market.objects.get(), at=at)


# -- Published examples, through rows and settlement -----------------------------------------------------------


def test_prop_22_as_published(mall, ada):
    pays()
    california = place("california", mall, cents=1500)
    making.floor(
        "prop22-2026",
        jurisdiction=california,
        market=None,
        scope="period",
        wage_percent=120,
        distance_cents=35,
    )

    drive(mall, ada, minutes=15, miles=8)
    close()

    assert lines(ada) == {"floor": 730}


@pytest.mark.parametrize(("bonus", "expected"), [(0, 2594), (3000, 0)])
def test_prop_22_in_2026_and_a_bonus_that_counts(mall, ada, bonus, expected):
    pays(weekday_cents=1500)
    california = place("california", mall, cents=1678)
    making.floor(
        "prop22-2026",
        jurisdiction=california,
        market=None,
        scope="period",
        wage_percent=120,
        distance_cents=36,
    )

    block = drive(mall, ada, minutes=240, miles=15, length=4 * HOUR)
    if bonus:
        with transaction.atomic():
            ledger.post(
                key="b", driver=ada, kind="bonus", cents=bonus, text="Bonus", rule="", at=START,
                subject=f"block:{block.code}",
            )  # fmt: skip
    close()

    finding = FloorFinding.objects.get()
    assert (finding.least_cents, finding.top_up_cents) == (8594, expected)
    assert lines(ada).get("floor", 0) == expected


def test_prop_22_with_two_wages_in_a_week_and_a_tip_on_top(mall, ada):
    pays(weekday_cents=2100)
    other = making.mall("stonestown")
    california = place("california", mall, other, cents=1650)
    place("san-francisco", other, cents=1787)
    making.floor(
        "prop22-2026",
        jurisdiction=california,
        market=None,
        scope="period",
        wage_percent=120,
        distance_cents=36,
    )

    drive(mall, ada, minutes=90, miles=20, tip=2000)
    drive(other, ada, minutes=135, miles=21, start=START + 24 * HOUR, length=2 * HOUR)
    # Fifteen minutes of the second block are overtime at its rate; the example pays 84.00 in all.
    overtime = lines(ada).get("overtime", 0)
    close()

    assert lines(ada)["floor"] == 871 - overtime
    assert lines(ada)["tip"] == 2000
    line = DriverPosting.objects.get(kind="floor")
    assert (line.rule, line.params["wages"]) == (
        "prop22-2026",
        "california-2026-01-01 san-francisco-2026-01-01",
    )


@pytest.mark.parametrize(
    ("minute", "mile", "least", "minutes", "miles", "due"),
    [("44", "74", 500, 30, 5, 1690), ("44", "74", 500, 6, 1, 500), ("45", "77", 520, 8, 1.5, 520)],
)
def test_seattle_pays_each_block_its_minutes_and_miles(mall, ada, minute, mile, least, minutes, miles, due):
    pays()
    seattle = place("seattle", mall)
    making.floor(
        "seattle-2026", jurisdiction=seattle, market=None, minute_cents=Decimal(minute),
        distance_cents=Decimal(mile), mileage="in_offer", each_minimum_cents=least,
    )  # fmt: skip

    drive(mall, ada, minutes=minutes, miles=Decimal(str(miles)))

    assert lines(ada) == {"floor": due}


def test_british_columbia_pays_distance_beside_the_floor(mall, ada):
    pays(weekday_cents=1500)
    bc = place("bc", mall, cents=1740)
    making.floor(
        "bc-2026", jurisdiction=bc, market=None, scope="period", wage_percent=120, distance_cents=35,
        distance_unit="km", mileage="on_top",
    )  # fmt: skip

    drive(mall, ada, minutes=210, miles=Decimal(60_000 - 1) / MILE, length=4 * HOUR)
    close()

    assert lines(ada) == {"base": 6000, "floor": 1308, "mileage": 2100}


def test_new_york_pays_trip_hours_and_a_guarantee_leaves_the_tip_alone(mall, ada):
    pays()
    place("new-york", mall)
    making.floor(
        "nyc-2026", market=None, jurisdiction=Jurisdiction.objects.get(), scope="period", hour_cents=2213
    )

    for day in range(5):
        drive(mall, ada, minutes=360, start=START + day * 24 * HOUR, length=4 * HOUR)
    close()

    assert lines(ada) == {"floor": 66390}


def test_a_guarantee_is_filled_up_and_the_tip_stands_beside_it(mall, ada):
    pays(weekday_cents=1000)
    making.floor("guarantee-2026", minimum_cents=2700)

    drive(mall, ada, minutes=60, tip=1200)

    assert lines(ada) == {"base": 2000, "floor": 700, "tip": 1200}


def test_a_pool_of_all_drivers_is_short_and_each_gets_a_part_by_hours(mall, ada):
    pays(weekday_cents=1000)
    ben = making.driver("Ben")
    making.floor("nyc-individual-2026", scope="period", hour_cents=1000)
    making.floor("nyc-pool-2026", scope="pool", hour_cents=2000, counts_on_call=True)

    drive(mall, ada, minutes=120)
    drive(mall, ben, minutes=60, start=START + 24 * HOUR)
    close()

    # Three hours at 20.00 are 60.00, of which 40.00 were paid; by hours two thirds of the rest are Ada's.
    assert (lines(ada)["floor"], lines(ben)["floor"]) == (1333, 667)
    assert DriverPosting.objects.filter(driver=ada, kind="floor").get().rule == "nyc-pool-2026"


def test_a_shift_is_closed_with_its_last_block_and_counts_what_all_its_blocks_paid(mall, ada):
    pays(weekday_cents=1000, evening_cents=1000)
    making.floor("shift-2026", scope="shift", hour_cents=1500)
    store = making.store(mall)
    first = making.claimed(making.block([making.order(store)]), ada)
    second = making.claimed(
        making.block([making.order(store, window=(START, START + 9 * HOUR))], start=START + 3 * HOUR), ada
    )

    making.worked(first, ada, check_in_at=START, last=START + 2 * HOUR)
    assert "floor" not in lines(ada)
    making.worked(second, ada, check_in_at=START + 3 * HOUR, last=START + 4 * HOUR)

    # Three hours at 15.00 are 45.00; two blocks paid 40.00.
    assert lines(ada) == {"base": 4000, "floor": 500}
    assert DriverPosting.objects.get(kind="floor").subject == f"shift:{first.code}"


# -- Closing the week ------------------------------------------------------------------------------------------


@pytest.fixture
def weekly(mall, ada):
    pays(weekday_cents=1000)
    making.floor("nevada-2026", scope="period", hour_cents=2500)


def test_the_top_up_of_a_week_is_posted_once_and_is_on_its_statement(weekly, mall, ada):
    drive(mall, ada, minutes=120)

    paydays.issue_due(at=MONDAY)
    paydays.issue_due(at=MONDAY + HOUR)
    close(MONDAY + 8 * 24 * HOUR)

    line = DriverPosting.objects.get(kind="floor")
    assert (line.key, line.cents) == (f"week:las-vegas:2026-11-23:{ada.code}:nevada", 3000)
    assert line in statements.lines_of(Statement.objects.get())
    account = ledger.export(ada, at=MONDAY)
    assert verify_pay.differences(json.loads(json.dumps(account))) == []


def test_a_week_waits_for_the_block_that_is_still_open(weekly, mall, ada):
    sunday = dt.datetime(2026, 11, 30, 7, 0, tzinfo=dt.UTC)
    drive(mall, ada, minutes=120)
    late = making.block([making.order(making.store(mall), at=sunday - HOUR)], start=sunday, at=sunday - HOUR)
    making.claimed(late, ada, at=sunday - HOUR)

    assert close() == 0
    making.worked(late, ada, check_in_at=sunday, last=sunday + HOUR)
    assert close(MONDAY + 2 * HOUR) == 1

    assert FloorFinding.objects.get().time == 3 * HOUR


def test_what_a_withdrawn_block_paid_counts_and_its_driver_is_told_the_share(weekly, mall, ada):
    block = making.claimed(making.block([making.order(making.store(mall))]), ada)
    drive(mall, ada, minutes=60, start=START + 24 * HOUR)

    withdrawing.withdraw(block_code=block.code, reason="", actor=SYSTEM, at=START - 30 * MINUTE)
    close()

    # One hour at 25.00; 20.00 for the block and 20.00 for the one withdrawn were paid.
    assert lines(ada) == {"base": 2000, "withdrawn": 2000}
    assert FloorFinding.objects.get().credited_cents == 4000


# -- Rows ------------------------------------------------------------------------------------------------------


def test_a_week_over_a_change_of_rates_is_one_week_and_names_the_newer_row(mall, ada):
    pays()
    making.floor("nevada-2025", scope="period", hour_cents=1000, valid_to=dt.date(2026, 11, 25))
    making.floor("nevada-2026", scope="period", hour_cents=2000, valid_from=dt.date(2026, 11, 25))

    drive(mall, ada, minutes=60)
    drive(mall, ada, minutes=60, start=START + 48 * HOUR)
    close()

    line = DriverPosting.objects.get(kind="floor")
    assert (line.cents, line.rule) == (3000, "nevada-2026")
    assert len(FloorFinding.objects.get().rows) == 2


def test_rows_that_were_used_are_kept_and_others_may_change(mall, ada):
    pays()
    california = place("california", mall, cents=1500)
    making.floor("prop22-2026", jurisdiction=california, market=None, wage_percent=120)
    unused = making.floor("other-2026", scope="pool", hour_cents=1)
    drive(mall, ada, minutes=60)
    used, wage = PayFloor.objects.filter(code="prop22-2026"), Wage.objects.all()

    for change in ({"wage_percent": 1}, {"valid_from": dt.date(2026, 2, 1)}, {"valid_to": START.date()}):
        with pytest.raises(IntegrityError, match="was used"), transaction.atomic():
            used.update(**change)
    for refused in (lambda: wage.update(hour_cents=1), wage.delete):
        with pytest.raises(IntegrityError, match="was used"), transaction.atomic():
            refused()
    used.update(valid_to=dt.date(2026, 12, 1))
    unused.hour_cents = 2
    unused.save()

    assert used.get().wage_percent == 120
    assert wage.get().hour_cents == 1500


def test_rows_of_one_law_do_not_overlap_and_the_refusal_names_the_mend(mall):
    making.floor("nevada-2026", hour_cents=1000)

    with pytest.raises(ValidationError, match="valid from: another row of this law"):
        making.floor("nevada-2027", hour_cents=1000, valid_from=dt.date(2027, 1, 1))
    with pytest.raises(IntegrityError), transaction.atomic():
        PayFloor.objects.create(
            code="x", law="nevada", market=mall.market, hour_cents=1, valid_from=dt.date(2027, 1, 1)
        )

    assert PayFloor.objects.count() == 1


def test_operations_add_a_floor_in_the_admin_and_a_percent_without_a_wage_is_refused(client, mall):
    client.force_login(User.objects.create_superuser(email="olive@example.com", password="x", name="Olive"))
    bc = place("bc", mall)
    form = {
        "code": "bc-2026", "law": "bc", "jurisdiction": bc.pk, "scope": "period", "hour_cents": "0",
        "minute_cents": "0", "wage_percent": "120", "utilisation": "1", "engaged_from": "accepted",
        "share": "hours", "distance_cents": "35", "distance_unit": "km", "mileage": "on_top", "minimum_cents": "0",
        "each_minimum_cents": "0", "creditable": ["base", "step"], "valid_from": "2026-01-01", "valid_to": "",
    }  # fmt: skip

    answer = client.post(reverse("admin:offers_payfloor_add"), form)
    assert "No wage of Bc holds on that day" in answer.content.decode()
    assert not PayFloor.objects.exists()
    Wage.objects.create(code="bc-wage", jurisdiction=bc, hour_cents=1740, valid_from=YEAR)
    answer = client.post(reverse("admin:offers_payfloor_add"), form)

    assert answer.status_code == 302, answer.context["adminform"].errors
    row = PayFloor.objects.get()
    assert (row.creditable, row.mileage) == (["base", "step"], "on_top")
    for name in ("payfloor", "wage", "jurisdiction", "floorfinding"):
        assert client.get(reverse(f"admin:offers_{name}_changelist")).status_code == 200
    assert client.get(reverse("admin:offers_payfloor_change", args=[row.pk])).status_code == 200
