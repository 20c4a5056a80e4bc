"""Becoming a driver, and ceasing to be one for a while."""

import datetime as dt

import pytest

from drivers import applying
from drivers.models import Document, Driver, Vehicle
from retaildelivery.accounts.models import User
from retaildelivery.outbox.models import Fact
from retaildelivery.testing.afternoon import MINUTE, NOW, picture

pytestmark = pytest.mark.django_db

TODAY = dt.date(2026, 11, 24)
CAR = {"kind": "sedan", "make": "Kia", "model": "Rio", "year": 2020, "colour": "red", "plate": "NV9"}


@pytest.fixture
def dara(db):
    return User.objects.create_user(email="dara@example.com", password="x")


def apply(user):
    return applying.apply(user=user, name="Dara Lim", phone="+17025550177", market="las-vegas", at=NOW, **CAR)


def submit(driver, kind, *, at=NOW, expires_on=dt.date(2027, 1, 1)):
    return applying.submit_document(
        driver_code=driver.code, kind=kind, number="N1", expires_on=expires_on, file=picture(), at=at
    )


def names():
    return list(Fact.objects.order_by("pk").values_list("name", flat=True))


def test_an_application_is_a_driver_a_car_and_a_fact(dara):
    driver = apply(dara)

    vehicle = Vehicle.objects.get()
    assert (driver.status, driver.market_code, driver.applied_at) == ("applied", "las-vegas", NOW)
    assert (vehicle.driver, vehicle.litres, vehicle.grams) == (driver, 350, 150_000)
    assert (User.objects.get(pk=dara.pk).name, names()) == ("Dara Lim", ["driver.applied"])


def test_one_person_applies_once(dara):
    apply(dara)

    with pytest.raises(applying.AlreadyApplied):
        apply(dara)

    assert (Driver.objects.count(), Vehicle.objects.count(), names()) == (1, 1, ["driver.applied"])


def test_a_driver_is_approved_when_every_paper_was_seen_and_is_valid(dara, afternoon):
    driver = apply(dara)
    papers = [submit(driver, kind) for kind in Document.REQUIRED]

    with pytest.raises(applying.PapersIncomplete):
        applying.approve(driver_code=driver.code, today=TODAY, by=afternoon.olive, at=NOW)
    for paper in papers:
        applying.verify_document(document_id=paper.pk, by=afternoon.olive, at=NOW)
    applying.approve(driver_code=driver.code, today=TODAY, by=afternoon.olive, at=NOW)

    driver.refresh_from_db()
    assert (driver.status, driver.approved_at) == ("approved", NOW)
    fact = Fact.objects.get(name="driver.approved")
    assert (fact.actor_kind, fact.actor, fact.subjects) == (
        "operations",
        "Olive Tan",
        [f"driver:{driver.code}"],
    )


def test_a_paper_that_has_expired_approves_nobody(dara, afternoon):
    driver = apply(dara)
    for kind in Document.REQUIRED:
        paper = submit(driver, kind, expires_on=TODAY - dt.timedelta(days=1))
        applying.verify_document(document_id=paper.pk, by=afternoon.olive, at=NOW)

    with pytest.raises(applying.PapersIncomplete):
        applying.approve(driver_code=driver.code, today=TODAY, by=afternoon.olive, at=NOW)

    driver.refresh_from_db()
    assert driver.status == "applied"


def test_a_newer_paper_takes_the_place_of_the_one_before(dara):
    driver = apply(dara)
    first = submit(driver, "licence")

    second = submit(driver, "licence", at=NOW + MINUTE)

    first.refresh_from_db()
    assert first.replaced_at == NOW + MINUTE
    assert list(driver.documents.current()) == [second]


def test_a_rejected_paper_says_why(dara, afternoon):
    paper = submit(apply(dara), "licence")

    applying.reject_document(document_id=paper.pk, reason="blurred", by=afternoon.olive, at=NOW)

    paper.refresh_from_db()
    assert (paper.rejected_reason, paper.is_valid_on(TODAY)) == ("blurred", False)


def test_a_suspended_driver_is_reinstated_by_a_person(afternoon):
    applying.suspend(driver_code=afternoon.ada.code, reason="complaint", by=afternoon.olive, at=NOW)
    afternoon.ada.refresh_from_db()
    assert (afternoon.ada.status, afternoon.ada.suspended_reason) == ("suspended", "complaint")

    applying.reinstate(driver_code=afternoon.ada.code, reason="heard", by=afternoon.olive, at=NOW)

    afternoon.ada.refresh_from_db()
    assert (afternoon.ada.status, afternoon.ada.suspended_at) == ("approved", None)
    assert names() == ["driver.suspended", "driver.reinstated"]


def test_who_only_applied_cannot_be_suspended_or_reinstated(dara, afternoon):
    driver = apply(dara)

    with pytest.raises(applying.DriverMoveRefused):
        applying.suspend(driver_code=driver.code, reason="x", by=afternoon.olive, at=NOW)
    with pytest.raises(applying.DriverMoveRefused):
        applying.reinstate(driver_code=driver.code, reason="x", by=afternoon.olive, at=NOW)

    assert names() == ["driver.applied"]


def test_another_car_retires_the_one_before(afternoon):
    applying.change_vehicle(driver_code=afternoon.ada.code, at=NOW, **CAR)

    assert [car.model for car in afternoon.ada.vehicles.in_use()] == ["Rio"]
    assert afternoon.ada.vehicles.count() == 2


def test_nobodys_code_is_refused(afternoon):
    with pytest.raises(applying.DriverNotFound):
        applying.suspend(driver_code="D999999", reason="x", by=afternoon.olive, at=NOW)
