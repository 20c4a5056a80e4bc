"""A driver contests what counts against them; a named person answers."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from drivers import appealing, standing, tokens
from drivers.models import Appeal, Driver, StandingEvent
from retaildelivery.accounts.models import User
from retaildelivery.outbox.models import Fact, Message

NOW = dt.datetime(2026, 11, 24, 18, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def _now(time_machine, db):
    time_machine.move_to(NOW, tick=False)


def make_driver(name):
    user = User.objects.create_user(email=f"{name.lower()}@example.com", password="x", name=name)
    return Driver.objects.create(
        user=user, market_code="las-vegas", status="approved", applied_at=NOW, approved_at=NOW
    )


@pytest.fixture
def ada():
    return make_driver("Ada")


@pytest.fixture
def ops():
    return User.objects.create_user(email="olu@example.com", password="x", name="Olu", is_staff=True)


@pytest.fixture
def other_ops():
    return User.objects.create_user(email="pia@example.com", password="x", name="Pia", is_staff=True)


def event(driver, key="claim:1:no_show", points=-6, at=NOW - DAY):
    return StandingEvent.objects.create(
        key=key,
        driver=driver,
        kind="no_show" if points < 0 else "completed",
        fault="driver" if points < 0 else "none",
        points=points,
        subject="block:BX7K2M",
        at=at,
        decays_at=at + 90 * DAY,
    )


def appeal(driver, found, at=NOW):
    return appealing.appeal(driver=driver, event_key=found.key, text="The mall was closed.", at=at)


def decide(made, by, *, granted=False, at=NOW + DAY):
    return appealing.decide(code=made.code, granted=granted, reason="We compared the scans.", by=by, at=at)


def test_the_event_does_not_count_from_the_appeal_to_the_answer(ada, ops):
    found = event(ada)
    event(ada, key="claim:2:completed", points=1)

    before = standing.points(ada, at=NOW)
    made = appeal(ada, found)
    meanwhile = standing.points(ada, at=NOW)
    decide(made, ops)
    after = standing.points(ada, at=NOW + DAY)

    assert (before, meanwhile, after) == (-5, 1, -5)
    assert made.answer_by == NOW + dt.timedelta(hours=72)


def test_a_granted_appeal_sets_the_event_aside_for_good(ada, ops):
    made = appeal(ada, event(ada))

    decide(made, ops, granted=True)

    assert standing.points(ada, at=NOW + DAY) == 0
    found = StandingEvent.objects.get()
    assert (found.disputed_at, found.set_aside_at) == (None, NOW + DAY)


def test_the_driver_reads_who_decided_and_why(ada, ops):
    made = appeal(ada, event(ada))

    decide(made, ops)

    letter = Message.objects.get(name="appeal_decided")
    assert letter.to == "ada@example.com"
    assert "Olu says:\n\nWe compared the scans." in letter.text
    assert "somebody else decides" in letter.text
    assert list(Fact.objects.order_by("pk").values_list("name", "actor_kind")) == [
        ("appeal.filed", "driver"),
        ("appeal.decided", "operations"),
    ]


def test_the_second_appeal_is_decided_by_somebody_else_and_is_the_last(ada, ops, other_ops):
    found = event(ada)
    decide(appeal(ada, found), ops)
    second = appeal(ada, found, at=NOW + 2 * DAY)

    with pytest.raises(appealing.SamePerson):
        decide(second, ops, at=NOW + 3 * DAY)
    undecided = Appeal.objects.get(code=second.code).decided_at
    decide(second, other_ops, at=NOW + 3 * DAY)
    with pytest.raises(appealing.AppealsExhausted):
        appeal(ada, found, at=NOW + 4 * DAY)

    assert undecided is None
    assert Appeal.objects.get(code=second.code).decided_by == other_ops
    assert Appeal.objects.count() == 2


def test_what_does_not_count_against_a_driver_cannot_be_appealed(ada):
    with pytest.raises(appealing.NothingToAppeal):
        appeal(ada, event(ada, points=1))
    with pytest.raises(appealing.NothingToAppeal):
        appeal(ada, event(ada, key="claim:3:no_show", at=NOW - 90 * DAY))

    assert not Appeal.objects.exists()


@pytest.mark.parametrize(("age", "late"), [(30 * DAY, False), (30 * DAY + dt.timedelta(seconds=1), True)])
def test_an_appeal_is_possible_for_thirty_days_to_the_second(ada, age, late):
    found = event(ada, at=NOW - age)

    refused = None
    try:
        appeal(ada, found)
    except appealing.AppealTooLate as refusal:
        refused = refusal

    assert (refused is not None) == late
    assert Appeal.objects.exists() != late


def test_one_appeal_of_an_event_is_open_at_a_time(ada):
    found = event(ada)
    appeal(ada, found)

    with pytest.raises(appealing.AppealOpen):
        appeal(ada, found)

    assert Appeal.objects.count() == 1


def test_a_decision_is_made_once(ada, ops, other_ops):
    made = appeal(ada, event(ada))
    decide(made, ops)

    with pytest.raises(appealing.AppealDecided):
        decide(made, other_ops, granted=True)

    assert Appeal.objects.get().outcome == "turned_down"
    assert Message.objects.filter(name="appeal_decided").count() == 1


def test_operations_are_told_once_when_an_answer_is_late(ada, ops, other_ops):
    made = appeal(ada, event(ada))

    early = appealing.sweep(at=made.answer_by - dt.timedelta(seconds=1))
    late = appealing.sweep(at=made.answer_by)
    again = appealing.sweep(at=made.answer_by + DAY)

    assert (early, late, again) == (0, 1, 0)
    letters = Message.objects.filter(name="appeal_overdue").order_by("to").values_list("to", flat=True)
    assert list(letters) == ["olu@example.com", "pia@example.com"]
    assert Fact.objects.filter(name="appeal.overdue").count() == 1


def test_somebody_elses_event_is_not_there(ada, client):
    theirs = event(make_driver("Ben"))
    client.force_login(ada.user)

    page = client.get(reverse("drivers:appeal", args=[theirs.key]))
    with pytest.raises(appealing.EventNotFound):
        appealing.appeal(driver=ada, event_key=theirs.key, text="Mine", at=NOW)

    assert page.status_code == 404
    assert not Appeal.objects.exists()


def test_an_appeal_is_filed_on_the_page_and_shown_with_its_answer(ada, ops, client):
    found = event(ada)
    client.force_login(ada.user)

    shown = client.get(reverse("drivers:standing")).content.decode()
    empty = client.post(reverse("drivers:appeal", args=[found.key]), {"text": "  "})
    filed = client.post(reverse("drivers:appeal", args=[found.key]), {"text": "The mall was closed."})
    meanwhile = client.get(reverse("drivers:standing")).content.decode()
    twice = client.post(reverse("drivers:appeal", args=[found.key]), {"text": "Again"})
    decide(Appeal.objects.get(), ops, at=timezone.now())
    after = client.get(reverse("drivers:standing")).content.decode()

    assert reverse("drivers:appeal", args=[found.key]) in shown
    assert (empty.status_code, filed.status_code, twice.status_code) == (422, 302, 409)
    assert "it does not count meanwhile" in meanwhile
    assert "No-show" in shown
    assert "BX7K 2M" in shown
    assert "−6 until Feb. 21, 2027" in shown
    assert f'<time datetime="{Appeal.objects.get().answer_by.isoformat()}"' in meanwhile
    assert "Olu says: We compared the scans." in after
    assert "Appeal once more" in after


def test_what_counts_is_told_in_the_readers_language_whoever_recorded_it(ada, client):
    event(ada)
    _token, secret = tokens.issue(driver=ada, name="phone", at=NOW)
    client.force_login(ada.user)
    boss = User.objects.create_superuser(email="boss@example.com", password="x", name="Bo")

    page = client.get(reverse("drivers:standing"), headers={"accept-language": "es"}).content.decode()
    app = client.get(
        "/api/v1/driver/standing",
        headers={"authorization": f"Bearer {secret}", "accept-language": "es"},
    ).json()
    client.force_login(boss)
    rows = client.get(
        reverse("admin:drivers_standingevent_changelist"), headers={"accept-language": "es"}
    ).content.decode()

    assert "No se presentó" in page
    assert app["results"][0]["text"] == "Bloque BX7K2M: no se presentó"
    assert "no se presentó" in rows
    assert f'href="{reverse("offers:ops_block", args=["BX7K2M"])}"' in rows
    assert [text for text in (page, rows) if "o-show" in text.replace("claim:1:no_show", "")] == []


def test_the_standing_page_keeps_to_its_budget_of_queries(ada, ops, client, django_assert_max_num_queries):
    for number in range(8):
        made = appeal(ada, event(ada, key=f"claim:{number}:no_show"))
        decide(made, ops)
    client.force_login(ada.user)

    with django_assert_max_num_queries(12):
        client.get(reverse("drivers:standing"))


def test_an_app_files_and_follows_an_appeal(ada, ops, client):
    found = event(ada)
    _token, secret = tokens.issue(driver=ada, name="phone", at=NOW)
    headers = {"authorization": f"Bearer {secret}"}

    filed = client.post(
        "/api/v1/driver/appeals",
        {"event": found.key, "text": "The mall was closed."},
        content_type="application/json",
        headers=headers,
    )
    unknown = client.post(
        "/api/v1/driver/appeals",
        {"event": "claim:9:late", "text": "What?"},
        content_type="application/json",
        headers=headers,
    )
    decide(Appeal.objects.get(), ops, granted=True)
    listed = client.get("/api/v1/driver/appeals", headers=headers).json()["results"]

    assert (filed.status_code, filed.json()["round"], filed.json()["outcome"]) == (201, 1, "")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "standing_event_not_found")
    assert [(row["outcome"], row["decided_by"], row["reason"]) for row in listed] == [
        ("granted", "Olu", "We compared the scans.")
    ]


def test_operations_decide_in_the_admin_with_a_reason(ada, client):
    made = appeal(ada, event(ada))
    boss = User.objects.create_superuser(email="boss@example.com", password="x", name="Bo")
    client.force_login(boss)
    action = {"action": "grant", "_selected_action": [made.pk]}

    listed = client.get(reverse("admin:drivers_appeal_changelist")).content.decode()
    asked = client.post(reverse("admin:drivers_appeal_changelist"), action)
    decided = client.post(
        reverse("admin:drivers_appeal_changelist"), action | {"reason": "The desk confirms it."}
    )

    assert asked.status_code == 200
    assert f'href="{reverse("offers:ops_block", args=["BX7K2M"])}">Block BX7K2M: no-show</a>' in listed
    assert "Block BX7K2M: no-show (-6)" in asked.content.decode()
    assert "The mall was closed." in asked.content.decode()
    assert decided.status_code == 302
    made.refresh_from_db()
    assert (made.outcome, made.decided_by, made.reason) == ("granted", boss, "The desk confirms it.")


def test_operations_see_what_waits_and_what_is_overdue_until_it_is_answered(ada, ops, client, time_machine):
    made = appeal(ada, event(ada))
    client.force_login(ops)
    page = reverse("offers:ops_drivers")

    shown = client.get(page).content.decode()
    time_machine.move_to(NOW + 3 * DAY, tick=False)
    late = client.get(page).content.decode()
    decide(made, ops, at=NOW + 3 * DAY)
    after = client.get(page).content.decode()

    assert "The mall was closed." in shown
    assert "appeal 1 of 2" in shown
    assert f'href="{reverse("offers:ops_block", args=["BX7K2M"])}"' in shown
    assert f"?q={made.code}" in shown
    assert ("overdue" in shown.lower(), "overdue" in late.lower()) == (False, True)
    assert "The mall was closed." not in after
