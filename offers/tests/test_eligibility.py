"""Each rule by itself over frozen values, then the loader on the database."""

import datetime as dt
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from django.utils import translation

from drivers import standing
from drivers.models import Document, Driver, StandingEvent, Vehicle
from offers import claiming, eligibility
from offers.eligibility import Applicant, Car, Held, Paper, Work
from offers.models import MallBlockade, StoreBlockade
from offers.tests import making
from offers.tests.making import AT, HOUR, START
from retaildelivery.lib.windows import Window

VEGAS = ZoneInfo("America/Los_Angeles")
DAY = dt.timedelta(days=1)


def local(text: str, zone: ZoneInfo = VEGAS) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=zone)


def window(start: str, end: str, zone: ZoneInfo = VEGAS) -> Window:
    return Window(local(start, zone), local(end, zone))


WORK = Work(
    block="B1",
    market="las-vegas",
    zone=VEGAS,
    mall_id=1,
    window=window("2026-11-23 13:00", "2026-11-23 15:00"),
    litres=100,
    grams=20_000,
)
ADA = Applicant(
    status="approved",
    market="las-vegas",
    papers=tuple(Paper(kind, True, dt.date(2027, 1, 1)) for kind in Document.REQUIRED),
    car=Car(1, 350, 150_000),
    held=(),
    points=0,
    refused_by=frozenset(),
)


def held(start: str, end: str, *, live: bool = True, zone: ZoneInfo = VEGAS) -> Held:
    return Held(window(start, end, zone), live, "B0")


def codes(applicant: Applicant, work: Work = WORK) -> list[str]:
    return [refusal.code for refusal in eligibility.objections(applicant, work)]


def test_a_driver_with_all_in_order_is_eligible():
    assert codes(ADA) == []


def test_who_is_not_approved_is_refused():
    assert codes(replace(ADA, status="applied")) == ["not_approved"]
    assert codes(replace(ADA, status="suspended")) == ["not_approved"]


def test_a_block_of_another_market_is_refused():
    assert codes(replace(ADA, market="chandler")) == ["other_market"]


def test_a_missing_paper_and_an_unchecked_one_are_named():
    licence, insurance, _registration = ADA.papers
    refusals = eligibility.objections(
        replace(ADA, papers=(licence, replace(insurance, verified=False))), WORK
    )

    assert [(each.code, each.reason) for each in refusals] == [
        ("document_missing", "insurance"),
        ("document_missing", "registration"),
    ]
    assert refusals[0].message == "A paper is missing or not yet checked: car insurance."


def test_a_paper_valid_on_the_last_day_of_the_block_is_enough():
    papers = tuple(replace(paper, expires_on=dt.date(2026, 11, 23)) for paper in ADA.papers)

    assert codes(replace(ADA, papers=papers)) == []


def test_a_paper_that_expires_before_the_block_ends_over_midnight_is_refused():
    papers = tuple(replace(paper, expires_on=dt.date(2026, 11, 23)) for paper in ADA.papers)
    over_midnight = replace(WORK, window=window("2026-11-23 23:00", "2026-11-24 01:00"))

    assert codes(replace(ADA, papers=papers), over_midnight) == ["document_expired"] * 3


def test_a_block_that_ends_at_midnight_needs_no_paper_for_the_next_day():
    papers = tuple(replace(paper, expires_on=dt.date(2026, 11, 23)) for paper in ADA.papers)
    to_midnight = replace(WORK, window=window("2026-11-23 22:00", "2026-11-24 00:00"))

    assert codes(replace(ADA, papers=papers), to_midnight) == []


def test_without_a_car_there_is_no_block():
    assert codes(replace(ADA, car=None)) == ["vehicle_missing"]


@pytest.mark.parametrize(("litres", "grams"), [(99, 20_000), (100, 19_999)])
def test_a_load_that_does_not_fit_is_refused(litres, grams):
    refusals = eligibility.objections(replace(ADA, car=Car(1, litres, grams)), WORK)

    assert [each.code for each in refusals] == ["vehicle_too_small"]


def test_a_load_that_just_fits_is_accepted():
    assert codes(replace(ADA, car=Car(1, 100, 20_000))) == []


def test_blocks_that_overlap_are_refused_and_blocks_that_touch_are_not():
    assert codes(replace(ADA, held=(held("2026-11-23 12:00", "2026-11-23 13:01"),))) == ["window_overlaps"]
    assert codes(replace(ADA, held=(held("2026-11-23 11:00", "2026-11-23 13:00"),))) == []


def test_work_that_is_over_does_not_overlap():
    assert codes(replace(ADA, held=(held("2026-11-23 12:00", "2026-11-23 14:00", live=False),))) == []


def test_ten_hours_a_day_are_allowed_and_a_minute_more_is_not():
    eight = held("2026-11-23 05:00", "2026-11-23 13:00")
    more = held("2026-11-23 04:59", "2026-11-23 13:00")

    assert codes(replace(ADA, held=(eight,))) == []
    assert codes(replace(ADA, held=(more,))) == ["day_hours_exceeded"]


def test_hours_over_midnight_count_on_the_day_they_fall_on():
    late = replace(WORK, window=window("2026-11-23 22:00", "2026-11-24 02:00"))
    morning = held("2026-11-23 06:00", "2026-11-23 14:00")

    assert codes(replace(ADA, held=(morning,)), late) == []
    assert codes(replace(ADA, held=(held("2026-11-23 05:30", "2026-11-23 14:00"),)), late) == [
        "day_hours_exceeded"
    ]


def test_the_day_the_clocks_go_back_has_twenty_five_hours_and_still_ten_of_work():
    """2026-11-01 in Las Vegas: 01:30 happens twice, so 01:00 to 03:00 are three hours."""
    night = Window(local("2026-11-01 01:00"), local("2026-11-01 03:00"))
    work = replace(WORK, window=window("2026-11-01 03:00", "2026-11-01 10:00"))

    assert night.duration == 3 * HOUR
    assert codes(replace(ADA, held=(Held(night, True, "B0"),)), work) == []
    longer = replace(work, window=window("2026-11-01 03:00", "2026-11-01 10:01"))
    assert codes(replace(ADA, held=(Held(night, True, "B0"),)), longer) == ["day_hours_exceeded"]


def test_forty_hours_a_week_are_allowed_and_a_minute_more_is_not():
    days = tuple(held(f"2026-11-{day} 08:00", f"2026-11-{day} 17:30") for day in (24, 25, 26, 27))
    exactly = replace(ADA, held=days)

    assert codes(exactly) == []
    over = replace(WORK, window=window("2026-11-23 13:00", "2026-11-23 15:01"))
    assert codes(exactly, over) == ["week_hours_exceeded"]


def test_the_week_begins_on_monday_in_the_markets_own_time():
    sunday = tuple(held(f"2026-11-{day} 08:00", f"2026-11-{day} 18:00") for day in (18, 19, 20, 21))

    assert codes(replace(ADA, held=sunday)) == []
    on_sunday = replace(WORK, window=window("2026-11-22 13:00", "2026-11-22 15:00"))
    assert codes(replace(ADA, held=sunday), on_sunday) == ["week_hours_exceeded"]


def test_between_two_days_of_work_lie_eight_hours():
    late = held("2026-11-22 22:00", "2026-11-22 23:59")
    early = replace(WORK, window=window("2026-11-23 07:59", "2026-11-23 09:59"))
    too_early = replace(WORK, window=window("2026-11-23 07:58", "2026-11-23 09:58"))

    assert codes(replace(ADA, held=(late,)), early) == []
    assert codes(replace(ADA, held=(late,)), too_early) == ["rest_too_short"]


@pytest.mark.parametrize(
    ("had", "start", "end", "words"),
    [
        (("2026-11-23 04:59", "2026-11-23 13:00"), "13:00", "15:00", "would work 10.1 h on"),
        (("2026-11-22 22:00", "2026-11-22 23:59"), "07:58", "09:58", "8 h of rest; it would be 7.9 h"),
        (("2026-11-22 21:30", "2026-11-23 00:00"), "00:01", "07:32", "it would be 10.1 h without a rest"),
    ],
)
def test_a_minute_too_much_is_never_told_as_the_limit_itself(had, start, end, words):
    work = replace(WORK, window=window(f"2026-11-23 {start}", f"2026-11-23 {end}"))

    [refusal] = eligibility.objections(replace(ADA, held=(held(*had),)), work)

    assert words in str(refusal.message)


def test_on_one_day_no_rest_is_asked_between_blocks():
    assert codes(replace(ADA, held=(held("2026-11-23 10:00", "2026-11-23 12:30"),))) == []


def test_a_mall_that_refuses_the_driver_is_named():
    assert codes(replace(ADA, refused_by=frozenset({1}))) == ["blocked_by_mall"]
    assert codes(replace(ADA, refused_by=frozenset({2}))) == []


def test_standing_below_the_floor_is_refused_and_on_the_floor_is_not():
    assert codes(replace(ADA, points=-12)) == []
    assert codes(replace(ADA, points=-13)) == ["standing_too_low"]


def test_check_raises_the_first_refusal_in_the_order_of_the_rules():
    with pytest.raises(eligibility.NotApproved):
        eligibility.check(replace(ADA, status="applied", car=None), WORK)


def test_every_refusal_has_a_code_of_its_own_and_a_sentence():
    kinds = eligibility.Ineligible.__subclasses__()

    assert len({kind.code for kind in kinds}) == len(kinds) == 15
    assert all(str(kind.sentence).endswith(".") for kind in kinds)


@pytest.mark.django_db
def test_why_lists_all_reasons_at_once():
    store = making.store(making.mall())
    block = making.block([making.order(store, litres=300, parcels=2)])
    eve = making.driver("Eve", status="suspended")
    MallBlockade.objects.create(mall=store.mall, driver=eve, reason="quarrel", created_at=AT)
    Document.objects.filter(driver=eve, kind="insurance").update(expires_on=dt.date(2026, 11, 22))

    reasons = eligibility.why(eve, making.offer_of(block), AT)

    assert [each.code for each in reasons] == [
        "not_approved",
        "document_expired",
        "vehicle_too_small",
        "blocked_by_mall",
    ]


@pytest.mark.django_db
def test_the_snapshot_holds_live_and_worked_windows_and_forgets_released_ones(django_assert_num_queries):
    store = making.store(making.mall())
    first, second = (making.block([making.order(store)], start=START + n * 3 * HOUR) for n in (0, 1))
    ada = making.driver("Ada")
    claiming.claim(offer_code=making.offer_of(first).code, driver_id=ada.pk, at=AT)
    claiming.claim(offer_code=making.offer_of(second).code, driver_id=ada.pk, at=AT)
    claiming.release(block_code=second.code, driver_id=ada.pk, at=AT)
    around = Window(START, START + HOUR)

    with django_assert_num_queries(1):
        applicant = eligibility.load(ada, around=around, zone=VEGAS, at=AT)

    assert applicant.held == (Held(Window(START, START + 2 * HOUR), True, first.code),)
    assert (applicant.status, applicant.car.litres) == ("approved", Vehicle.CAPACITY["sedan"][0])


@pytest.mark.django_db
def test_points_that_have_decayed_count_no_more():
    ada = making.driver("Ada")
    for number, decays_at in enumerate((AT, AT + DAY)):
        making_event(ada, key=f"k{number}", decays_at=decays_at)

    applicant = eligibility.load(ada, around=Window(START, START + HOUR), zone=VEGAS, at=AT)

    assert applicant.points == -6
    assert standing.points(ada, at=AT) == -6


@pytest.mark.django_db(transaction=True)
def test_the_same_event_counts_once():
    ada = making.driver("Ada")

    noted = [making_event(ada, key="k", decays_at=AT + DAY) for _ in range(2)]

    assert noted == [True, False]
    assert standing.points(ada, at=AT) == -6


def making_event(driver: Driver, *, key: str, decays_at: dt.datetime) -> bool:
    with transaction.atomic():
        event = StandingEvent(
            key=key,
            driver=driver,
            kind="no_show",
            fault="driver",
            points=-6,
            subject="block:B1",
            at=AT,
            decays_at=decays_at,
        )
        return standing.record_all([event]) == 1


# -- Classes of cars, nights, stores -------------------------------------------------------------------------


def test_a_smaller_kind_of_car_than_the_block_asks_for_is_refused():
    van_work = replace(WORK, car=Vehicle.Kind.MINIVAN)
    suv = replace(ADA, car=Car(1, 900, 300_000, Vehicle.Kind.SUV))
    minivan = replace(ADA, car=Car(1, 1_800, 400_000, Vehicle.Kind.MINIVAN))

    (refusal,) = eligibility.objections(suv, van_work)

    assert (refusal.code, refusal.reason) == ("vehicle_class", "minivan")
    assert refusal.message == "This block needs at least this kind of car: minivan. Yours: SUV or wagon."
    assert codes(minivan, van_work) == []


def test_two_blocks_of_one_night_are_one_shift_though_midnight_lies_between_them():
    evening = held("2026-11-23 21:00", "2026-11-23 23:30")
    small_hours = replace(WORK, window=window("2026-11-24 00:30", "2026-11-24 02:30"))

    assert codes(replace(ADA, held=(evening,)), small_hours) == []


def test_a_break_of_more_than_two_hours_over_midnight_is_no_rest_and_no_break():
    evening = held("2026-11-23 20:00", "2026-11-23 22:29")
    small_hours = replace(WORK, window=window("2026-11-24 00:30", "2026-11-24 02:30"))

    (refusal,) = eligibility.objections(replace(ADA, held=(evening,)), small_hours)

    assert (refusal.code, refusal.message) == (
        "rest_too_short",
        "Between two days of work you need 8 h of rest; it would be 2 h.",
    )


def test_after_a_night_the_rest_counts_from_its_last_block():
    night = (
        held("2026-11-22 22:00", "2026-11-23 01:00"),
        held("2026-11-23 02:00", "2026-11-23 05:00"),
    )

    assert codes(replace(ADA, held=night)) == []
    early = replace(WORK, window=window("2026-11-23 12:59", "2026-11-23 14:00"))
    assert codes(replace(ADA, held=night), early) == ["rest_too_short"]


def test_a_night_has_no_more_work_in_it_than_a_day():
    evening = held("2026-11-23 16:00", "2026-11-24 00:00")
    two_more = replace(WORK, window=window("2026-11-24 00:00", "2026-11-24 02:00"))
    a_minute_over = replace(WORK, window=window("2026-11-24 00:00", "2026-11-24 02:01"))

    assert codes(replace(ADA, held=(evening,)), two_more) == []
    assert codes(replace(ADA, held=(evening,)), a_minute_over) == ["night_too_long"]


def test_the_rest_of_a_night_in_which_clocks_change_is_eight_real_hours():
    """2026-03-08 in Las Vegas: 02:00 becomes 03:00, so the clock shows nine where eight have passed."""
    late = Held(Window(local("2026-03-07 20:00"), local("2026-03-07 23:00")), True, "B0")
    by_the_clock = replace(WORK, window=Window(local("2026-03-08 07:00"), local("2026-03-08 09:00")))
    rested = replace(WORK, window=Window(local("2026-03-08 08:00"), local("2026-03-08 10:00")))

    assert codes(replace(ADA, held=(late,)), by_the_clock) == ["rest_too_short"]
    assert codes(replace(ADA, held=(late,)), rested) == []


def test_hours_of_a_block_over_the_end_of_the_week_are_split_between_the_weeks():
    """Sunday 22:00 to Monday 02:00: two hours in either week."""
    over_sunday = replace(WORK, window=window("2026-11-29 22:00", "2026-11-30 02:00"))
    days = tuple(held(f"2026-11-{day} 08:00", f"2026-11-{day} 17:30") for day in (23, 24, 25, 26))

    assert codes(replace(ADA, held=days), over_sunday) == []
    longer = replace(over_sunday, window=window("2026-11-29 21:59", "2026-11-30 02:00"))
    assert codes(replace(ADA, held=days), longer) == ["week_hours_exceeded"]


@pytest.mark.django_db
def test_a_block_that_collects_at_a_store_which_refuses_the_driver_is_refused_once_it_is_granted():
    mall = making.mall()
    store, other = making.store(mall), making.store(mall, "Loom & Thread")
    there = making.block([making.order(store), making.order(other)])
    elsewhere = making.block([making.order(other)])
    eve = making.driver("Eve")
    by = making.driver("Staff").user
    asked = StoreBlockade.objects.create(store=store, driver=eve, reason="shouted", asked_by=by, asked_at=AT)
    assert eligibility.why(eve, making.offer_of(there), AT) == []

    StoreBlockade.objects.filter(pk=asked.pk).update(granted_by=by, granted_at=AT)

    (refusal,) = eligibility.why(eve, making.offer_of(there), AT)
    assert refusal.code == "blocked_by_store"
    assert refusal.message == "Juniper Books does not accept you as a driver. Operations can tell you why."
    assert eligibility.why(eve, making.offer_of(elsewhere), AT) == []
    with pytest.raises(eligibility.BlockedByStore):
        claiming.claim(offer_code=making.offer_of(there).code, driver_id=eve.pk, at=AT)
    StoreBlockade.objects.filter(pk=asked.pk).update(ended_at=AT)
    assert eligibility.why(eve, making.offer_of(there), AT) == []


@pytest.mark.parametrize("refusal", eligibility.Ineligible.__subclasses__(), ids=lambda kind: kind.code)
def test_every_reason_is_said_in_both_languages(refusal):
    with translation.override("en"):
        english = str(refusal.sentence)
    with translation.override("es"):
        spanish = str(refusal.sentence)

    assert english != spanish
