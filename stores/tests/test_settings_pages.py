"""The store's own affairs through its pages, by role."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from retaildelivery.accounts.models import User
from retaildelivery.outbox.models import Fact
from retaildelivery.testing.afternoon import NOW, Afternoon
from stores import keys
from stores.models import ApiKey, StaffMembership, StoreHours, WebhookEndpoint

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.fixture
def sam(afternoon: Afternoon) -> Any:
    with time_machine.travel(NOW, tick=False):
        yield signed_in(afternoon.sam)


def test_a_pause_stops_orders_and_is_a_fact(afternoon: Afternoon, sam: Client) -> None:
    sam.post(reverse("stores:store_pause", args=[afternoon.bookshop.code]), {"minutes": "60"})

    afternoon.bookshop.refresh_from_db()
    assert afternoon.bookshop.paused_until == NOW + dt.timedelta(hours=1)
    assert Fact.objects.get(name="store.paused").actor == "Sam Okafor"


def test_the_counter_goes_on_before_the_pause_is_over(afternoon: Afternoon, sam: Client) -> None:
    sam.post(reverse("stores:store_pause", args=[afternoon.bookshop.code]), {"minutes": "60"})

    sam.post(reverse("stores:store_pause", args=[afternoon.bookshop.code]), {"resume": "1"})

    afternoon.bookshop.refresh_from_db()
    assert afternoon.bookshop.paused_until is None


def test_hours_are_kept_by_weekday(afternoon: Afternoon, sam: Client) -> None:
    answer = sam.post(
        reverse("stores:store_hours", args=[afternoon.bookshop.code]),
        {"opens_0": "10:00", "closes_0": "21:00"},
    )

    assert answer.status_code == 302
    assert list(StoreHours.objects.values_list("weekday", "opens", "closes")) == [
        (0, dt.time(10), dt.time(21))
    ]


@pytest.mark.parametrize(
    "week",
    [{"opens_0": "21:00", "closes_0": "10:00"}, {"opens_0": "10:00"}, {"opens_0": "noon", "closes_0": "x"}],
)
def test_hours_that_cannot_be_are_refused(afternoon: Afternoon, sam: Client, week: dict[str, str]) -> None:
    answer = sam.post(reverse("stores:store_hours", args=[afternoon.bookshop.code]), week)

    assert answer.status_code == 422
    assert not StoreHours.objects.exists()


def test_a_manager_adds_and_removes_a_colleague(afternoon: Afternoon, sam: Client) -> None:
    seller = afternoon.bookshop.seller
    url = reverse("stores:staff", args=[seller.code])

    sam.post(url, {"email": "MIA@harbor.example", "store": afternoon.bookshop.code, "role": "staff"})
    joined = StaffMembership.objects.get(seller=seller, user=afternoon.mia)
    sam.post(reverse("stores:staff_end", args=[seller.code, joined.code]))

    joined.refresh_from_db()
    assert joined.ended_at == NOW
    assert list(Fact.objects.oldest_first().values_list("name", flat=True)) == ["staff.joined", "staff.left"]


def test_nobody_is_added_who_never_signed_up(afternoon: Afternoon, sam: Client) -> None:
    answer = sam.post(
        reverse("stores:staff", args=[afternoon.bookshop.seller.code]),
        {"email": "who@example.com", "role": "staff"},
    )

    assert answer.status_code == 409
    assert StaffMembership.objects.count() == 2


def test_the_last_manager_cannot_be_removed(afternoon: Afternoon, sam: Client) -> None:
    seller = afternoon.bookshop.seller
    own = StaffMembership.objects.get(user=afternoon.sam)

    answer = sam.post(reverse("stores:staff_end", args=[seller.code, own.code]))

    own.refresh_from_db()
    assert answer.status_code == 409
    assert own.ended_at is None


def test_a_new_key_is_shown_once_and_works(afternoon: Afternoon, sam: Client) -> None:
    url = reverse("stores:api_keys", args=[afternoon.bookshop.seller.code])

    shown = sam.post(url, {"name": "Till", "scopes": ["orders:read"]}).content.decode()
    key = ApiKey.objects.get()
    secret = shown.split('data-copy="')[1].split('"')[0]

    assert keys.find(secret, at=NOW) == key
    assert secret not in sam.get(url).content.decode()


def test_a_test_key_is_made_on_the_same_page(afternoon: Afternoon, sam: Client) -> None:
    url = reverse("stores:api_keys", args=[afternoon.bookshop.seller.code])

    shown = sam.post(url, {"name": "Staging", "scopes": ["orders:read"], "test": "on"}).content.decode()
    key = ApiKey.objects.get()
    secret = shown.split('data-copy="')[1].split('"')[0]

    assert (keys.find(secret, at=NOW), key.live_mode) == (key, False)
    assert secret.startswith("sk_test_")
    assert "test key" in shown


def test_a_key_that_signs_is_offered_where_its_door_is_open_and_shown_once(
    afternoon: Afternoon, sam: Client, settings: Any
) -> None:
    url = reverse("stores:api_keys", args=[afternoon.bookshop.seller.code])
    before = sam.get(url).content.decode()
    settings.DOOR_DRIVE = True

    offered = sam.get(url).content.decode()
    form = {"name": "Till", "scopes": ["orders:read"], "signing": "on"}
    shown = sam.post(url, form).content.decode()
    key = ApiKey.objects.get()
    secret = shown.split('data-copy="')[1].split('"')[0]

    assert ('name="signing"' in before, 'name="signing"' in offered) == (False, True)
    assert all(said in shown for said in (key.prefix, afternoon.bookshop.seller.code, secret))
    assert secret not in sam.get(url).content.decode()
    assert keys.digest(secret) == key.digest


def test_a_revoked_key_no_longer_opens(afternoon: Afternoon, sam: Client) -> None:
    seller = afternoon.bookshop.seller
    shown = sam.post(
        reverse("stores:api_keys", args=[seller.code]), {"name": "Till", "scopes": ["orders:read"]}
    ).content.decode()
    secret = shown.split('data-copy="')[1].split('"')[0]

    sam.post(
        reverse("stores:api_key_change", args=[seller.code, ApiKey.objects.get().prefix]), {"revoke": "1"}
    )

    assert keys.find(secret, at=NOW) is None


def test_an_endpoint_on_a_private_address_is_refused(afternoon: Afternoon, sam: Client) -> None:
    answer = sam.post(
        reverse("stores:webhooks", args=[afternoon.bookshop.seller.code]), {"url": "https://10.0.0.8/hook"}
    )

    assert answer.status_code in {409, 422}
    assert not WebhookEndpoint.objects.exists()


def test_an_endpoint_is_added_switched_off_and_removed(afternoon: Afternoon, sam: Client) -> None:
    seller = afternoon.bookshop.seller
    sam.post(reverse("stores:webhooks", args=[seller.code]), {"url": "https://hooks.example.com/retail"})
    endpoint = WebhookEndpoint.objects.get()
    change = reverse("stores:webhook_change", args=[seller.code, endpoint.code])

    page = sam.get(reverse("stores:webhook", args=[seller.code, endpoint.code]))
    sam.post(change, {"disable": "1"})
    sam.post(change, {"remove": "1"})

    endpoint.refresh_from_db()
    assert endpoint.secret in page.content.decode()
    assert endpoint.disabled_reason == "switched_off"
    assert endpoint.deleted_at == NOW


MANAGERS_ONLY = ["staff", "api_keys", "webhooks"]


@pytest.mark.parametrize("name", MANAGERS_ONLY)
def test_staff_may_not_open_what_is_for_managers(afternoon: Afternoon, name: str) -> None:
    mia = signed_in(afternoon.mia)

    assert mia.get(reverse(f"stores:{name}", args=[afternoon.shoes.seller.code])).status_code == 403


@pytest.mark.parametrize("name", MANAGERS_ONLY)
def test_another_sellers_affairs_are_not_there(afternoon: Afternoon, name: str) -> None:
    sam = signed_in(afternoon.sam)

    assert sam.get(reverse(f"stores:{name}", args=[afternoon.shoes.seller.code])).status_code == 404


@pytest.mark.parametrize("name", ["store", "store_hours", "store_pause"])
def test_another_store_is_not_there(afternoon: Afternoon, name: str) -> None:
    answer = signed_in(afternoon.sam).post(
        reverse(f"stores:{name}", args=[afternoon.shoes.code]), {"minutes": "60", "prep_minutes": "5"}
    )

    afternoon.shoes.refresh_from_db()
    assert answer.status_code == 404
    assert afternoon.shoes.paused_until is None


def test_pages_keep_to_their_budget_of_queries(
    afternoon: Afternoon, sam: Client, django_assert_max_num_queries: Any
) -> None:
    seller = afternoon.bookshop.seller
    paths = [
        reverse("stores:settings"),
        reverse("stores:store", args=[afternoon.bookshop.code]),
        *(reverse(f"stores:{name}", args=[seller.code]) for name in MANAGERS_ONLY),
    ]

    for path in paths:
        with django_assert_max_num_queries(12):
            assert sam.get(path).status_code == 200
