"""Seeding fills an empty database, changes nothing the second time, and its people can sign in."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

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


def test_without_a_geocoder_an_address_of_the_demo_is_found_and_a_pin_elsewhere_is_seen(client):
    seeding.seed(at=AT)
    seeding.seed(at=AT)
    door = data.doors_in("las-vegas")[0]
    address = {
        "line1": door.address1,
        "city": door.city,
        "region": door.region,
        "postal_code": door.postal_code,
    }

    def judged(**pin: float) -> Any:
        answer = client.post(
            "/api/v1/addresses/validate",
            json.dumps({"address": address | pin}),
            content_type="application/json",
            headers={"Authorization": f"Bearer {seeding.API_KEY}"},
        )
        assert answer.status_code == 200, answer.content
        return answer.json()

    known = judged()
    off = judged(latitude=door.point.lat + 0.02, longitude=door.point.lng)

    assert (known["valid"], known["address"]["latitude"]) == (True, round(door.point.lat, 6))
    assert [problem["code"] for problem in off["problems"]] == ["too_far_from_pin"]
