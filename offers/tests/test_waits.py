"""A wait that a store is charged for: contested by the store, decided by operations; the driver's pay stays."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction

from drivers.models import DriverPosting
from offers.tests import making
from offers.tests.making import HOUR, MINUTE, START
from retaildelivery.accounts.models import User
from retaildelivery.outbox.models import Message
from retaildelivery.outbox.recording import SYSTEM
from stores import contesting
from stores.models import Contest, SellerPosting, StaffMembership

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def _now(time_machine):
    time_machine.move_to(START + 3 * HOUR, tick=False)


@pytest.fixture
def store(db):
    return making.store(making.mall())


@pytest.fixture
def charge(store):
    return making.wait_charge(store)


@pytest.fixture
def mia(store):
    user = User.objects.create_user(email="mia@example.com", name="Mia Meyer")
    StaffMembership.objects.create(seller=store.seller, user=user, role=StaffMembership.Role.MANAGER)
    return user


@pytest.fixture
def olive(db):
    return User.objects.create_user(email="olive@example.com", name="Olive Ops", is_staff=True)


def page_of(charge):
    return f"/store/sellers/{charge.seller.code}/lines/{charge.sequence}/"


def ops_page_of(charge):
    return f"/ops/waits/{charge.seller.code}/{charge.sequence}/"


def contested(client, charge, mia):
    client.force_login(mia)
    answer = client.post(page_of(charge), {"reason": "ready", "text": "They stood on the shelf at noon."})
    assert answer.status_code == 302
    return Contest.objects.get()


def test_a_store_contests_a_charge_and_gets_it_back_while_the_driver_stays_paid(client, charge, mia, olive):
    assert (
        "Not your fault?"
        in (
            client.force_login(mia) or client.get(f"/store/sellers/{charge.seller.code}/account/")
        ).content.decode()
    )
    paid = list(DriverPosting.objects.values_list("key", "cents"))
    contest = contested(client, charge, mia)

    known = contest.evidence
    assert (known["minutes"], known["stops"][0]["arrived_at"]) == ("12", START.isoformat())
    assert known["stops"][0]["handed_over_at"] == (START + 22 * MINUTE).isoformat()
    assert [order["code"] for order in known["orders"]]
    assert known["scans"]

    client.force_login(olive)
    assert contest.code in client.get("/ops/disputes/").content.decode()
    page = client.get(ops_page_of(charge)).content.decode()
    assert "They stood on the shelf at noon." in page
    answer = client.post(
        ops_page_of(charge), {"fault": "driver", "reasons": "The phone was at the food court."}
    )

    assert answer.status_code == 302
    contest.refresh_from_db()
    assert (contest.status, contest.fault, contest.decided_by) == ("granted", "driver", olive)
    credit = SellerPosting.objects.get(kind="adjustment")
    assert (credit.key, credit.cents, credit.subject) == (f"{charge.key}:credit", -360, charge.subject)
    of_the_wait = SellerPosting.objects.filter(subject=charge.subject)
    assert (credit.store, sum(line.cents for line in of_the_wait)) == (charge.store, 0)
    assert list(DriverPosting.objects.values_list("key", "cents")) == paid
    said = "12 min of waiting at store Juniper Books at $18.00 an hour"
    assert charge.text == DriverPosting.objects.get(kind="wait").text == said
    assert Message.objects.filter(name="contest_decided", to=charge.seller.email).count() == 1
    client.force_login(mia)
    page = client.get(page_of(charge)).content.decode()
    assert "The phone was at the food court." in page
    assert "Contest this charge" not in page
    assert [fact.name for fact in making.facts_named("contest.granted")] == ["contest.granted"]


def test_a_charge_that_stands_changes_no_account_and_is_final_for_the_store(client, charge, mia, olive):
    contested(client, charge, mia)
    before = SellerPosting.objects.count()
    client.force_login(olive)

    client.post(ops_page_of(charge), {"fault": "store", "reasons": "Packed at 12:20, says the counter."})

    assert Contest.objects.get().status == "refused"
    client.force_login(mia)
    assert client.post(page_of(charge), {"reason": "ready", "text": "But still."}).status_code == 409
    assert (SellerPosting.objects.count(), Contest.objects.count()) == (before, 1)


def test_operations_decide_without_being_asked_and_the_store_may_still_object(client, charge, mia, olive):
    client.force_login(olive)
    block = charge.subject.removeprefix("block:")
    assert ops_page_of(charge) in client.get(f"/ops/blocks/{block}/").content.decode()
    client.post(ops_page_of(charge), {"fault": "store", "reasons": "Nobody was at the counter."})
    assert Contest.objects.get().reason == "review"

    client.force_login(mia)
    assert (
        client.post(page_of(charge), {"reason": "outage", "text": "The scanner was dead."}).status_code == 302
    )
    client.force_login(olive)
    client.post(ops_page_of(charge), {"fault": "platform", "reasons": "True: the API was down."})

    assert SellerPosting.objects.get(kind="adjustment").cents == -360
    assert client.post(ops_page_of(charge), {"fault": "weather", "reasons": "Again."}).status_code == 409
    assert SellerPosting.objects.filter(kind="adjustment").count() == 1


def test_a_decision_without_reasons_or_without_a_fault_changes_nothing(client, charge, mia, olive):
    contested(client, charge, mia)
    client.force_login(olive)

    for given in ({"fault": "driver", "reasons": " "}, {"fault": "moon", "reasons": "x"}, {"reasons": "x"}):
        assert client.post(ops_page_of(charge), given).status_code == 422

    assert Contest.objects.get().status == "open"
    assert not SellerPosting.objects.filter(kind="adjustment").exists()


def test_sixty_days_later_and_twice_it_is_refused(client, charge, mia, time_machine):
    contested(client, charge, mia)
    assert client.post(page_of(charge), {"reason": "ready", "text": "Again"}).status_code == 409
    client.post(f"/store/sellers/{charge.seller.code}/contests/{Contest.objects.get().code}/withdraw/")
    assert Contest.objects.get().status == "withdrawn"

    time_machine.move_to(charge.at + 60 * DAY + MINUTE, tick=False)
    client.force_login(mia)
    assert client.post(page_of(charge), {"reason": "ready", "text": "Late"}).status_code == 409
    assert Contest.objects.count() == 1


def test_staff_who_manage_nothing_and_other_sellers_see_no_charge(client, charge, mia, olive):
    clerk = User.objects.create_user(email="clerk@example.com")
    StaffMembership.objects.create(seller=charge.seller, user=clerk, role=StaffMembership.Role.STAFF)
    stranger = User.objects.create_user(email="stranger@example.com")

    for user, status in ((clerk, 403), (stranger, 404)):
        client.force_login(user)
        assert client.get(page_of(charge)).status_code == status
        assert client.get(ops_page_of(charge)).status_code == 403
    client.force_login(mia)
    charge.sequence += 1
    assert client.get(page_of(charge)).status_code == 404


def test_a_contest_that_waits_too_long_is_told_once(charge, mia, olive):
    made = contesting.contest(
        posting=charge, reason="ready", text="x", evidence={}, actor=SYSTEM, by=mia, at=charge.at
    )

    assert contesting.tell_overdue(at=made.due_at - MINUTE) == 0
    assert contesting.tell_overdue(at=made.due_at) == 1
    assert contesting.tell_overdue(at=made.due_at + DAY) == 0
    assert Message.objects.filter(name="contest_overdue").count() == 1


def test_the_database_gives_a_charge_back_once_and_knows_who_decided(charge, mia, olive):
    made = contesting.contest(
        posting=charge, reason="ready", text="x", evidence={}, actor=SYSTEM, by=mia, at=charge.at
    )
    contesting.decide(code=made.code, fault="weather", reasons="Flood", by=olive, at=charge.at)

    with pytest.raises(IntegrityError), transaction.atomic():
        Contest.objects.filter(pk=made.pk).update(fault="store")
    with pytest.raises(IntegrityError), transaction.atomic():
        Contest.objects.create(posting=charge, reason="ready", evidence={}, opened_by=mia, opened_at=charge.at,
                               due_at=charge.at, status="granted", fault="weather", decided_by=olive,
                               decided_at=charge.at, decision="x")  # fmt: skip
