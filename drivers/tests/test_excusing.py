"""A storm is nobody's fault: what others caused stays in the standing and counts nothing."""

import datetime as dt

import pytest
from django.urls import reverse

from drivers import appealing, excusing, standing
from drivers.models import Driver, Notice, StandingEvent
from retaildelivery.accounts.models import User
from retaildelivery.outbox.models import Fact

NOW = dt.datetime(2026, 11, 24, 18, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def _now(time_machine, db):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def ada():
    user = User.objects.create_user(email="ada@example.com", password="x", name="Ada")
    return Driver.objects.create(
        user=user, market_code="las-vegas", status="approved", applied_at=NOW, approved_at=NOW
    )


@pytest.fixture
def boss():
    return User.objects.create_superuser(email="boss@example.com", password="x", name="Olu")


def event(driver, *, key="claim:1:late", points=-2):
    fault = "driver" if points < 0 else "none"
    return StandingEvent.objects.create(
        key=key, driver=driver, kind="late", fault=fault, points=points,
        subject="block:BX7K2M", at=NOW - DAY, decays_at=NOW + 80 * DAY,
    )  # fmt: skip


@pytest.mark.parametrize("cause", ["store", "recipient", "weather", "platform"])
def test_operations_say_whose_fault_it_was_and_it_counts_no_more(ada, boss, client, cause):
    first, second = event(ada), event(ada, key="claim:2:late")
    client.force_login(boss)
    action = {"action": f"by_{cause}", "_selected_action": [first.pk, second.pk]}

    asked = client.post(reverse("admin:drivers_standingevent_changelist"), action)
    assert "Reason; the driver reads it" in asked.content.decode()
    assert standing.points(ada, at=NOW) == -4
    client.post(reverse("admin:drivers_standingevent_changelist"), action | {"reason": "Flash flood."})

    assert standing.points(ada, at=NOW) == 0
    assert set(StandingEvent.objects.values_list("fault", "points")) == {(cause, 0)}
    fact = Fact.objects.filter(name="driver.event_excused").first()
    assert (fact.data["counted"], fact.data["fault"]) == (-2, cause)
    notice = Notice.objects.filter(driver=ada, name="standing_excused").first()
    assert "Olu says:\n\nFlash flood." in notice.text
    client.force_login(ada.user)
    page = client.get(reverse("drivers:standing")).content.decode()
    assert page.count("Does not count.") == 2
    assert f"At fault: {StandingEvent.Fault(cause).label}." in page


def test_what_counts_for_a_driver_or_is_under_appeal_is_left_alone(ada, boss):
    good, bad = event(ada, points=1), event(ada, key="claim:2:late")
    appealing.appeal(driver=ada, event_key=bad.key, text="Flood", at=NOW)

    for each in (good, bad):
        with pytest.raises(excusing.NothingToExcuse):
            excusing.excuse(event=each, fault="weather", reason="Flood", by=boss, at=NOW)

    assert sorted(StandingEvent.objects.values_list("points", flat=True)) == [-2, 1]
    assert not Fact.objects.filter(name="driver.event_excused").exists()
