"""What a standing would be if, by the same sum; and the page that shows it."""

import datetime as dt

import pytest
from django.urls import reverse

from drivers.models import StandingEvent
from offers import drawrules, outlook
from offers.outlook import Counted
from offers.tests import making
from retaildelivery.testing.afternoon import make_driver

NOW = dt.datetime(2026, 11, 24, 18, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("counted", "happens", "days", "points", "may_claim", "share"),
    [
        ([], {}, 0, 0, True, drawrules.FAIR),
        ([Counted(9, NOW + 90 * DAY)], {"completed": 1}, 0, 10, True, drawrules.GOOD),
        ([Counted(-6, NOW + 10 * DAY)], {}, 9, -6, True, drawrules.LOW),
        ([Counted(-6, NOW + 10 * DAY)], {}, 10, 0, True, drawrules.FAIR),
        ([Counted(-12, NOW + DAY)], {}, 0, -12, True, drawrules.LOW),
        ([Counted(-12, NOW + DAY)], {"late_told": 1}, 0, -13, False, drawrules.LOW),
        ([], {"no_show": 2, "forfeit": 1, "late": 1, "completed": 3}, 0, -14, False, drawrules.LOW),
    ],
)
def test_the_sum_takes_in_what_may_happen(counted, happens, days, points, may_claim, share):
    found = outlook.outlook(counted, happens, on=NOW + days * DAY)

    assert (found.points, found.may_claim, found.share) == (points, may_claim, share)


def test_who_stands_too_low_is_told_when_that_ends():
    counted = [Counted(-6, NOW + 5 * DAY), Counted(-6, NOW + 20 * DAY), Counted(-3, NOW + 40 * DAY)]

    assert outlook.free_again_on(counted, at=NOW) == NOW + 5 * DAY
    assert outlook.free_again_on(counted[1:], at=NOW) is None


def test_the_page_answers_the_sliders_and_counts_only_what_counts(db, client, time_machine):
    time_machine.move_to(NOW, tick=False)
    ada = make_driver("Ada")
    for number, (points, state) in enumerate(
        [(-6, {}), (-6, {"disputed_at": NOW}), (-6, {"set_aside_at": NOW})]
    ):
        StandingEvent.objects.create(
            key=f"claim:{number}:no_show", driver=ada, kind="no_show", fault="driver", points=points,
            subject="block:B1", at=NOW - DAY, decays_at=NOW + 80 * DAY, **state,
        )  # fmt: skip
    client.force_login(ada.user)
    address = reverse("offers:driver_standing_if")

    page = client.get(address)
    then = client.get(address, {"completed": 4, "days": 85})
    fragment = client.get(address, {"completed": 4}, headers={"HX-Request": "true"})
    nonsense = client.get(address, {"completed": 400})

    assert (page.context["now"].points, page.context["then"].points) == (-6, -6)
    assert then.context["then"].points == 4
    assert "<html" not in fragment.content.decode()
    assert nonsense.status_code == 422


def test_today_is_the_day_where_the_driver_is(client, db, time_machine):
    mall = making.mall()
    late_in_nevada = dt.datetime(2026, 11, 27, 1, 30, tzinfo=dt.UTC)
    time_machine.move_to(late_in_nevada, tick=False)
    client.force_login(making.driver("Ada").user)

    page = client.get(reverse("offers:driver_standing_if"), {"days": 1})

    assert late_in_nevada.astimezone(mall.zone).day == 26
    assert "Fri, Nov 27" in page.content.decode()


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("America/Los_Angeles", "Feb. 21, 2027"),
        ("Pacific/Honolulu", "Feb. 20, 2027"),
        ("Asia/Tokyo", "Feb. 21, 2027"),
    ],
)
def test_an_event_counts_until_the_day_it_ends_where_the_driver_is(client, db, time_machine, zone, day):
    time_machine.move_to(NOW, tick=False)
    making.mall(zone=zone)
    ada = making.driver("Ada")
    StandingEvent.objects.create(
        key="claim:1:late", driver=ada, kind="late", fault="driver", points=-2, subject="block:B1",
        at=NOW - DAY, decays_at=dt.datetime(2027, 2, 21, 8, 30, tzinfo=dt.UTC),
    )  # fmt: skip
    client.force_login(ada.user)

    page = client.get(reverse("drivers:standing")).content.decode()

    assert f"−2 until {day}" in page
