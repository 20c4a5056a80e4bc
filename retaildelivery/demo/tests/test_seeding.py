"""Seeding fills an empty database, changes nothing the second time, and its people can sign in."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import authenticate

from drivers.models import Document, Driver, Vehicle
from offers.models import PayPolicy
from retaildelivery.accounts.models import User
from retaildelivery.demo import cast, data, seeding
from stores.models import ApiKey, Mall, Market, StaffMembership, Store, StoreHours

AT = datetime(2026, 11, 23, 18, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def counts() -> dict[str, int]:
    models = (
        Market,
        Mall,
        Store,
        StoreHours,
        StaffMembership,
        User,
        Driver,
        Vehicle,
        Document,
        PayPolicy,
        ApiKey,
    )
    return {model.__name__: model.objects.count() for model in models}


def test_seeding_an_empty_database_sets_up_the_four_malls():
    seeding.seed(at=AT)

    assert counts() == {
        "Market": 4,
        "Mall": 4,
        "Store": 30,
        "StoreHours": 210,
        "StaffMembership": 35,
        "User": 66,
        "Driver": 30,
        "Vehicle": 30,
        "Document": 90,
        "PayPolicy": 4,
        "ApiKey": 2,
    }
    assert seeding.store_of(data.stores()[0]).mall.zone.key == "America/Los_Angeles"


def test_seeding_twice_changes_nothing_that_people_edited():
    seeding.seed(at=AT)
    before = counts()
    Store.objects.filter(name="Orrin & Vale").update(prep_minutes=3)

    seeding.seed(at=AT + timedelta(days=1))

    assert counts() == before
    assert Store.objects.get(name="Orrin & Vale").prep_minutes == 3


def test_papers_of_the_demo_are_renewed_before_they_expire():
    seeding.seed(at=AT)

    seeding.seed(at=AT + timedelta(days=380))

    assert Document.objects.current().count() == 90
    assert Document.objects.count() == 180
    assert Document.objects.current().filter(expires_on__lt=AT.date() + timedelta(days=700)).count() == 0


def test_the_logins_that_are_printed_open_their_doors(rf):
    seeding.seed(at=AT)

    for login in cast.headline():
        user = authenticate(rf.post("/"), email=login.email, password=cast.PASSWORD)

        assert user is not None
        assert user.is_staff is (login.role == "operations")
        assert Store.objects.visible_to(user).exists() is (login.role in {"office", "manager"})
        assert Driver.objects.approved().visible_to(user).exists() is (login.role == "driver")


def test_staff_see_their_store_and_the_office_all_of_the_seller():
    seeding.seed(at=AT)

    def seen(email):
        return sorted(store.name for store in Store.objects.visible_to(User.objects.get(email=email)))

    assert seen("loomstead@las-vegas.example.com") == ["Loomstead Fashion Show"]
    assert seen("manager@tysons.example.com") == ["Loomstead Tysons"]
    assert seen("office@loomstead.example.com") == [
        "Loomstead Baybrook",
        "Loomstead Chandler",
        "Loomstead Fashion Show",
        "Loomstead Tysons",
    ]
