"""What was driven for a block, kept when it ends; what was left beside what the offer had said; the mileage log."""

import csv
import datetime as dt
import io

import pytest
from django.db import connection, transaction
from django.utils import timezone
from rest_framework.test import APIClient

from drivers import ledger, tokens, tracking
from drivers.models import CostProfile, Driver, MileageRate, Position
from offers import aborting, logbook, mileage, tasks, tracing
from offers.models import Block, Claim, Mileage
from offers.tests import making
from offers.tests.making import AT, DOOR, HOUR, MINUTE, START
from retaildelivery.lib.geo import Point, crow_m, road_m

pytestmark = pytest.mark.django_db
BUDGET = 12
MALL = Point(36.1277, -115.1723)
LAST = START + 90 * MINUTE


@pytest.fixture(autouse=True)
def _now(time_machine):
    time_machine.move_to(AT, tick=False)


@pytest.fixture(autouse=True)
def rates():
    MileageRate.objects.all().delete()
    MileageRate.objects.create(valid_from=dt.date(2026, 1, 1), cents_per_mile="72.5", source="IRS")


@pytest.fixture
def ada():
    return making.driver("Ada")


@pytest.fixture
def block():
    return making.block([making.order(making.store(making.mall()), tip_cents=500)])


def api_of(driver: Driver) -> APIClient:
    _token, secret = tokens.issue(driver=driver, name="phone", at=AT)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client


def between(a: Point, b: Point, share: float) -> Point:
    return Point(a.lat + (b.lat - a.lat) * share, a.lng + (b.lng - a.lng) * share)


def drive(driver: Driver, *, start: dt.datetime, end: dt.datetime, way: tuple[Point, Point]) -> None:
    """A position each minute, straight from one place to the other."""
    minutes = int((end - start) / MINUTE)
    for number in range(minutes + 1):
        place = between(*way, number / minutes)
        moment = start + number * MINUTE
        ping = tracking.Ping(place.lat, place.lng, 8, moment)
        tracking.record(driver=driver, pings=[ping], at=moment)


# -- The way of a car ----------------------------------------------------------------------------------------


def fix(minute: float, lat: float, doubt: int = 5) -> tracing.Fix:
    return tracing.Fix(AT + minute * MINUTE, Point(lat, -115.0), doubt)


def test_who_stands_still_drives_nothing_however_the_phone_wanders():
    fixes = [fix(n, 36.0 + (0.0001 if n % 2 else 0)) for n in range(1, 60)]

    assert tracing.way_m(fix(0, 36.0), fixes)[0] == 0


def test_a_jump_and_a_phone_that_doubts_itself_are_left_out():
    fixes = [fix(1, 36.005), fix(1.1, 36.5), fix(1.2, 36.4, doubt=900), fix(2, 36.01)]

    metres, last = tracing.way_m(fix(0, 36.0), fixes)

    assert metres == crow_m(Point(36, -115), Point(36.005, -115)) + crow_m(
        Point(36.005, -115), Point(36.01, -115)
    )
    assert last == fixes[-1]


def test_a_hole_is_filled_by_the_doors_and_the_factor_of_roads():
    door = fix(15, 36.05)

    metres, _last = tracing.way_m(fix(0, 36.0), [fix(30, 36.0)], [door])

    assert metres == 2 * road_m(Point(36.0, -115.0), door.point)


def test_positions_of_less_than_three_quarters_of_the_time_are_not_believed():
    end = AT + 100 * MINUTE
    through = [fix(n, 36.0) for n in range(0, 101, 5)]

    assert tracing.covered(through, start=AT, end=end)
    assert tracing.covered(through[:16], start=AT, end=end)
    assert not tracing.covered(through[:15], start=AT, end=end)
    assert not tracing.covered([], start=AT, end=AT)


# -- Kept when a block ends -------------------------------------------------------------------------------------


def test_positions_are_measured_and_outlive_their_deletion(block, ada):
    making.claimed(block, ada)
    drive(ada, start=START, end=LAST, way=(MALL, DOOR))
    making.worked(block, ada, check_in_at=START, last=LAST)

    assert (mileage.sweep(at=LAST), mileage.sweep(at=LAST)) == (1, 0)
    Position.objects.all().delete()

    kept = Mileage.objects.get()
    straight = crow_m(MALL, DOOR)
    assert kept.source == "positions"
    assert straight * 0.97 <= kept.driven_m <= straight * 1.01
    assert kept.back_m == road_m(DOOR, MALL)
    assert (kept.started_at, kept.ended_at, kept.day) == (START, LAST, dt.date(2026, 11, 23))
    assert (kept.doors, kept.places) == (1, "89102")


def test_without_positions_the_planned_way_counts_when_every_stop_was_reached(block, ada):
    making.worked(making.claimed(block, ada), ada, check_in_at=START, last=LAST)

    tasks.sweep_mileage()

    kept = Mileage.objects.get()
    assert (kept.source, kept.metres, kept.back_m) == ("planned", 20_000, road_m(DOOR, MALL))


def test_a_way_back_that_was_not_planned_counts_as_it_was_driven(block, ada):
    making.claimed(block, ada)
    making.check_in(block, ada, at=START)
    making.collect(block, ada, arrive=START, handover=START)
    making.depart(block, ada, at=START)
    (door,) = making.doors_of(block)
    making.fail(door, ada, at=START + HOUR)
    making.bring_back(block, ada, at=LAST)
    making.relay_all(at=LAST)

    mileage.sweep(at=LAST)

    kept = Mileage.objects.get()
    assert (kept.source, kept.driven_m, kept.back_m) == ("stops", 2 * road_m(MALL, DOOR), 0)


def test_who_broke_down_is_not_said_to_have_driven_back(block, ada):
    making.claimed(block, ada)
    making.check_in(block, ada, at=START)
    aborting.abort(
        block_code=block.code,
        driver_id=ada.pk,
        reason="breakdown",
        note="",
        point=None,
        at=START + 20 * MINUTE,
    )
    making.relay_all(at=START + 30 * MINUTE)

    mileage.sweep(at=LAST)

    kept = Mileage.objects.get()
    assert (kept.metres, kept.doors) == (0, 0)
    assert kept.ended_at >= START + 20 * MINUTE


def test_nobody_drove_for_what_was_released(block, ada):
    making.claimed(block, ada)
    Claim.objects.update(ended_at=AT, ending="released")

    assert mileage.sweep(at=AT) == 0
    assert not Mileage.objects.exists()


# -- Beside what the offer had said -----------------------------------------------------------------------------


def test_a_claim_keeps_what_its_offer_said_though_the_figures_change(block, ada):
    offered = api_of(ada).get(f"/api/v1/driver/offers/{making.offer_of(block).code}").json()["estimate"]
    making.worked(making.claimed(block, ada), ada, check_in_at=START, last=LAST)
    mileage.sweep(at=LAST)
    CostProfile.objects.create(driver=ada, basis="flat", cents_per_mile=10, changed_at=AT)

    (paid,) = api_of(ada).get("/api/v1/driver/earnings").json()["results"]

    said = {name: paid["expected"][name] for name in offered}
    assert said == offered
    assert (paid["expected"]["minutes"], paid["actual"]["minutes"]) == (120, 90)
    # 20,000 m at 10 cents a mile are 124 cents; 18.00 an hour for two hours, and a tip.
    assert paid["actual"]["cost"]["cents"] == 124
    assert paid["actual"]["left"]["cents"] == paid["total"]["cents"] - 124
    assert paid["actual"]["pay"]["cents"] == 3600 + 500
    assert (paid["actual"]["distance_from"], paid["estimate"]["left"]) == ("planned", paid["actual"]["left"])


def test_a_block_that_was_handed_over_is_reckoned_by_who_took_it(block, ada):
    made = making.claimed(block, ada)
    claim = Claim.objects.get(block=made)

    assert (claim.expected_m, claim.expected_way_m) == (20_000, None)
    assert (str(claim.expected_cents_a_mile), claim.expected_tolls_cents) == ("72.50", 0)


def test_the_pages_of_block_and_week_show_both_side_by_side(
    block, ada, client, time_machine, django_assert_max_num_queries
):
    making.worked(making.claimed(block, ada), ada, check_in_at=START, last=LAST)
    client.force_login(ada.user)

    # At once, before any sweep.
    with django_assert_max_num_queries(BUDGET):
        page = client.get(f"/drive/earnings/{block.code}/").content.decode()
    assert "Offer said" in page
    assert "Miles by the planned way" in page
    assert "$31.99" in page  # 41.00 less 12.43 miles at 72.5 cents

    mileage.sweep(at=LAST)
    time_machine.move_to(LAST + HOUR, tick=False)
    with django_assert_max_num_queries(BUDGET):
        page = client.get("/drive/earnings/").content.decode()
    assert "What is left of this week" in page

    time_machine.move_to(AT + dt.timedelta(days=9), tick=False)
    tasks.sweep_statements()
    code = ada.statements.get().code
    with django_assert_max_num_queries(BUDGET):
        page = client.get(f"/drive/earnings/statements/{code}/").content.decode()
    assert "1 block that ended in this week" in page
    assert "$31.99" in page
    left = api_of(ada).get(f"/api/v1/driver/statements/{code}").json()["left"]
    assert (left["blocks"], left["actual"]["left_cents"], left["expected"]["left_cents"]) == (1, 3199, 2699)


# -- The log ----------------------------------------------------------------------------------------------------


@pytest.fixture
def logged(block, ada):
    making.worked(making.claimed(block, ada), ada, check_in_at=START, last=LAST)
    mileage.sweep(at=LAST)
    return block


def test_the_log_says_date_places_purpose_miles_source_and_rate(
    logged, ada, client, django_assert_max_num_queries
):
    client.force_login(ada.user)

    with django_assert_max_num_queries(BUDGET):
        page = client.get("/drive/me/mileage/").content.decode()

    assert "by the planned way" in page
    assert "$8.99" in page  # 12.4 mi at 72.5 cents
    answer = client.get("/drive/me/mileage/2026.csv")
    entry, total = csv.DictReader(io.StringIO(answer.content.decode()))
    assert entry == {
        "date": "2026-11-23",
        "block": logged.code,
        "started_at": "2026-11-23T13:00:00-08:00",
        "ended_at": "2026-11-23T14:30:00-08:00",
        "from": "fashion-show mall, 3200 Las Vegas Blvd S",
        "to": "1 door (89102) and back to the mall",
        "business_miles": "12.4",
        "of_which_back_to_the_mall": "3.1",
        "purpose": "Delivery of parcels from stores of fashion-show mall",
        "source": "planned",
        "irs_cents_per_mile": "72.5",
        "deduction_usd": "8.99",
    }
    assert (total["date"], total["business_miles"], total["deduction_usd"]) == ("total 2026", "12.4", "8.99")


def test_the_log_over_the_api_is_the_same(logged, ada):
    told = api_of(ada).get("/api/v1/driver/mileage-logs/2026").json()

    assert (told["miles"], told["deduction_cents"], told["entries"][0]["miles"]) == ("12.4", 899, "12.4")
    assert api_of(ada).get("/api/v1/driver/mileage-logs/2026.csv").content.count(b"\n") == 3
    assert api_of(ada).get("/api/v1/driver/mileage-logs/1900").status_code == 404
    assert api_of(making.driver("Ben")).get("/api/v1/driver/mileage-logs/2026").json()["entries"] == []


def test_a_year_is_the_sum_of_its_entries_each_at_the_rate_of_its_day(logged, ada):
    MileageRate.objects.update(valid_to=dt.date(2026, 12, 1))
    MileageRate.objects.create(valid_from=dt.date(2026, 12, 1), cents_per_mile="74", source="IRS")
    first = Mileage.objects.get()
    claim = Claim.objects.get()
    claim.pk = None
    claim.save()
    Mileage.objects.create(
        claim=claim, driver=ada, day=dt.date(2026, 12, 1), started_at=first.started_at, ended_at=first.ended_at,
        driven_m=16_093, back_m=0, source="positions", doors=3,
    )  # fmt: skip

    log = logbook.of_year(ada, 2026)

    assert [each.deduction_cents for each in log.entries] == [740, 899]
    assert (str(log.miles), log.deduction_cents, len(log.rates)) == ("22.4", 1639, 2)
    assert logbook.years(ada, today=timezone.now().date()) == [2026]


# -- Years of it --------------------------------------------------------------------------------------------------


def columns(model, *but: str) -> list[str]:
    """Every column that is copied, besides the key."""
    fields = (field.column for field in model._meta.concrete_fields if not field.generated)
    return [f'"{name}"' for name in fields if name not in {"id", *but}]


@pytest.fixture
def five_years(logged, ada):
    """1,300 blocks of one driver, each with five lines, and a statement for all but the newest line."""
    claim, block = Claim.objects.get(), logged
    names, of_block = columns(Claim, "block_id", "ended_at"), columns(Block, "code", "manifest_id")
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO offers_block (code, {', '.join(of_block)}) SELECT 'B' || n, {', '.join(of_block)} "  # noqa: S608
            "FROM offers_block, generate_series(1000, 2299) n WHERE id = %s", [block.pk],
        )  # fmt: skip
        cursor.execute(
            f"INSERT INTO offers_claim (block_id, ended_at, {', '.join(names)}) "  # noqa: S608
            f"SELECT b.id, c.ended_at - (b.id - %s) * interval '1 day', {', '.join(f'c.{n}' for n in names)} "
            "FROM offers_claim c, offers_block b WHERE c.id = %s AND b.code ~ '^B[12][0-9]{3}$'",
            [block.pk, claim.pk],
        )
        cursor.execute(
            "INSERT INTO drivers_driverposting "
            "(key, driver_id, kind, cents, text, rule, subject, at, params, sequence, previous, digest) "
            "SELECT 'old:' || b.code || k, %s, k, 1000, 't', 'r', 'block:' || b.code, %s, '{}', 0, '', '' "
            "FROM offers_block b, unnest(ARRAY['base', 'step', 'wait', 'overtime', 'bonus']) k "
            "WHERE b.code ~ '^B[12][0-9]{3}$' ORDER BY b.id",
            [ada.pk, AT - dt.timedelta(days=30)],
        )
        # Others have lines and blocks as well: where all are of one driver, reading the whole table may be cheapest.
        others = [making.driver(f"D{number}").pk for number in range(4)]
        cursor.execute(
            "INSERT INTO drivers_driverposting "
            "(key, driver_id, kind, cents, text, rule, subject, at, params, sequence, previous, digest) "
            "SELECT 'other:' || d || ':' || n, d, 'base', 1000, 't', 'r', 's', %s, '{}', 0, '', '' "
            "FROM unnest(%s) d, generate_series(1, 6500) n ORDER BY d, n",
            [AT - dt.timedelta(days=30), others],
        )
        cursor.execute("ANALYZE offers_claim, drivers_driverposting, offers_block")
    return 1_300


def test_five_years_of_postings_open_within_the_budget_and_page_by_cursor(
    five_years, ada, client, time_machine, django_assert_max_num_queries
):
    time_machine.move_to(LAST + HOUR, tick=False)
    client.force_login(ada.user)

    with django_assert_max_num_queries(BUDGET) as read:
        page = client.get("/drive/earnings/").content.decode()

    assert "$65,041.00" in page  # 1,300 times 50.00, and this week's 41.00
    with connection.cursor() as cursor:
        for query in read.captured_queries:
            cursor.execute("EXPLAIN " + query["sql"])
            plan = "\n".join(row[0] for row in cursor.fetchall())
            for table in ("drivers_driverposting", "offers_claim"):
                assert f"Seq Scan on {table}" not in plan, plan

    phone, seen, cursor_ = api_of(ada), [], ""
    for _page in range(3):
        told = phone.get(
            "/api/v1/driver/earnings", {"limit": 2, "cursor": cursor_} if cursor_ else {"limit": 2}
        )
        seen += [row["block"] for row in told.json()["results"]]
        cursor_ = told.json()["next"]
    assert len(set(seen)) == 6
    assert phone.get("/api/v1/driver/earnings?cursor=NOPE").json()["code"] == "unknown_cursor"


def test_the_balance_by_the_newest_statement_is_the_sum_of_all_lines(logged, ada, time_machine):
    assert ledger.balance_now(ada) == ledger.balance(ada) == 4100
    time_machine.move_to(AT + dt.timedelta(days=9), tick=False)
    tasks.sweep_statements()
    with transaction.atomic():
        ledger.post(
            key="late", driver=ada, kind="adjustment", cents=-100, text="t", rule="", subject="s", at=AT
        )

    assert ledger.balance_now(ada) == ledger.balance(ada) == 4000
    assert ledger.balance_now(making.driver("Ben")) == 0
