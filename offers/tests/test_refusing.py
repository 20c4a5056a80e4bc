"""A store asks to see a driver no more; operations decide; the record stays."""

import pytest

from offers import refusing
from offers.models import StoreBlockade
from offers.tests import making
from offers.tests.making import AT, MINUTE, START
from retaildelivery.accounts.models import User
from stores.models import StaffMembership


@pytest.fixture(autouse=True)
def _now(time_machine, db):
    time_machine.move_to(AT, tick=False)


@pytest.fixture
def store():
    return making.store(making.mall())


@pytest.fixture
def eve(store):
    """A driver who has a block that collects at the store."""
    eve = making.driver("Eve")
    making.claimed(making.block([making.order(store)], start=START), eve)
    return eve


@pytest.fixture
def manager(store):
    user = User.objects.create(email="manager@example.com", name="Mo")
    StaffMembership.objects.create(user=user, seller=store.seller, role="manager")
    return user


@pytest.fixture
def ops():
    return User.objects.create(email="ops@example.com", is_staff=True, is_superuser=True)


def test_what_a_store_asks_holds_once_it_is_granted_and_until_it_is_lifted(store, eve, manager, ops):
    asked = refusing.ask(store=store, driver_code=eve.code, reason="shouted", by=manager, at=AT)
    assert list(StoreBlockade.objects.open()) == [asked]

    refusing.grant(code=asked.code, by=ops, at=AT + MINUTE)
    assert list(StoreBlockade.objects.in_force()) == [asked]
    refusing.end(code=asked.code, reason="made up", by=ops, at=AT + 2 * MINUTE)

    kept = StoreBlockade.objects.get()
    assert (kept.granted_by, kept.ended_by, kept.ended_reason) == (ops, ops, "made up")
    assert [fact.name for fact in making.facts_named("store_refusal.asked")] == ["store_refusal.asked"]
    assert len(making.facts_named("store_refusal.lifted")) == 1


def test_nobody_is_named_who_never_collected_there(store, eve, manager):
    stranger = making.driver("Nora")

    with pytest.raises(refusing.DriverUnknownHere):
        refusing.ask(store=store, driver_code=stranger.code, reason="x", by=manager, at=AT)

    assert StoreBlockade.objects.count() == 0


def test_asking_twice_and_deciding_twice_is_refused(store, eve, manager, ops):
    asked = refusing.ask(store=store, driver_code=eve.code, reason="x", by=manager, at=AT)
    with pytest.raises(refusing.AlreadyRefused):
        refusing.ask(store=store, driver_code=eve.code, reason="y", by=manager, at=AT)

    refusing.end(code=asked.code, reason="", by=ops, at=AT)

    with pytest.raises(refusing.RefusalDecided):
        refusing.grant(code=asked.code, by=ops, at=AT)
    with pytest.raises(refusing.RefusalDecided):
        refusing.end(code=asked.code, reason="", by=ops, at=AT)
    assert len(making.facts_named("store_refusal.declined")) == 1


def test_a_manager_asks_on_a_page_and_operations_decide_on_theirs(client, store, eve, manager, ops):
    client.force_login(manager)
    page = f"/store/stores/{store.code}/drivers/"
    assert eve.code in client.get(page).content.decode()
    answer = client.post(page, {"driver": eve.code, "reason": "shouted at staff"})
    assert (answer.status_code, answer["Location"]) == (302, page)
    assert client.post(page, {"driver": eve.code, "reason": "again"}).status_code == 409
    assert client.post(page, {"driver": "DNOBODY", "reason": "x"}).status_code == 422
    asked = StoreBlockade.objects.get()

    client.force_login(ops)
    assert "shouted at staff" in client.get("/ops/refusals/").content.decode()
    client.post(f"/ops/refusals/{asked.code}/grant/")

    asked.refresh_from_db()
    assert asked.granted_by == ops
    assert "Lift" in client.get("/ops/refusals/").content.decode()


def test_others_do_not_come_in(client, store, eve, manager):
    page = f"/store/stores/{store.code}/drivers/"
    client.force_login(eve.user)
    assert client.get(page).status_code == 404
    assert client.get("/ops/refusals/").status_code == 403
    clerk = User.objects.create(email="clerk@example.com")
    StaffMembership.objects.create(user=clerk, seller=store.seller, store=store, role="staff")
    client.force_login(clerk)
    assert client.get(page).status_code == 403
