"""A key that may be used from some addresses only."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from retaildelivery.outbox.models import Fact
from retaildelivery.outbox.recording import SYSTEM
from retaildelivery.testing.sellers import Trade
from stores import keys, limits
from stores.models import ApiKey


def restrict(trade: Trade, *networks: str) -> ApiKey:
    return keys.restrict(
        prefix=trade.secret[: keys.PREFIX_LENGTH],
        scope=ApiKey.objects.all(),
        networks=networks,
        actor=SYSTEM,
        at=timezone.now(),
    )


def ask(secret: str, address: str) -> Any:
    return Client(REMOTE_ADDR=address).get("/api/v1/stores", headers={"authorization": f"Bearer {secret}"})


@pytest.mark.parametrize(
    ("networks", "address", "status"),
    [
        ([], "198.51.100.9", 200),
        (["203.0.113.0/24"], "203.0.113.255", 200),
        (["203.0.113.0/24"], "203.0.114.0", 403),
        (["203.0.113.7"], "203.0.113.7", 200),
        (["203.0.113.7"], "::ffff:203.0.113.7", 200),
        (["203.0.113.7", "2001:db8::/32"], "2001:db8:1::5", 200),
        (["2001:db8::/32"], "203.0.113.7", 403),
        (["2001:db8::/32"], "2001:db9::1", 403),
        (["::ffff:203.0.113.0/120"], "203.0.113.7", 200),
        (["::ffff:203.0.113.0/120"], "::ffff:203.0.114.7", 403),
        (["::/0"], "203.0.113.7", 403),
    ],
)
def test_a_key_works_from_its_networks_only(
    trade: Trade, networks: list[str], address: str, status: int
) -> None:
    restrict(trade, *networks)

    answer = ask(trade.secret, address)

    assert answer.status_code == status
    if status == 403:
        assert answer.json()["code"] == "address_not_allowed"


def test_a_refused_address_is_no_use_of_the_key(trade: Trade) -> None:
    restrict(trade, "203.0.113.7")

    mine = ApiKey.objects.filter(prefix=trade.secret[: keys.PREFIX_LENGTH])
    mine.update(last_used_at=None)

    ask(trade.secret, "198.51.100.9")
    elsewhere = mine.get().last_used_at
    ask(trade.secret, "203.0.113.7")

    assert elsewhere is None
    assert mine.get().last_used_at is not None


def test_a_token_is_bound_to_the_networks_of_its_key(trade: Trade) -> None:
    restrict(trade, "203.0.113.7")
    said = {
        "grant_type": "client_credentials",
        "client_id": trade.secret[: keys.PREFIX_LENGTH],
        "client_secret": trade.secret,
    }

    elsewhere = Client(REMOTE_ADDR="198.51.100.9").post("/oauth/token", said)
    token = Client(REMOTE_ADDR="203.0.113.7").post("/oauth/token", said).json()["access_token"]

    assert elsewhere.status_code == 401
    assert [ask(token, "203.0.113.7").status_code, ask(token, "198.51.100.9").status_code] == [200, 403]


@pytest.mark.parametrize("said", ["everywhere", "203.0.113.0/33", "203.0.113.7:443"])
def test_what_is_no_network_is_refused_and_nothing_changes(trade: Trade, said: str) -> None:
    restrict(trade, "203.0.113.7")

    with pytest.raises(keys.NetworkUnknown) as refused:
        restrict(trade, "198.51.100.0/24", said)

    assert refused.value.field == "networks"
    assert ApiKey.objects.get(prefix=trade.secret[: keys.PREFIX_LENGTH]).networks == ["203.0.113.7/32"]
    assert Fact.objects.filter(name="key.restricted").count() == 1


def test_there_is_an_end_to_networks(trade: Trade) -> None:
    with pytest.raises(keys.TooManyNetworks):
        restrict(trade, *(f"203.0.113.{number}" for number in range(limits.NETWORKS_PER_KEY + 1)))


def test_a_rotated_key_keeps_its_networks(trade: Trade) -> None:
    old = restrict(trade, "203.0.113.0/24")

    issued = keys.rotate(prefix=old.prefix, scope=ApiKey.objects.all(), actor=SYSTEM, at=timezone.now())

    assert issued.key.networks == ["203.0.113.0/24"]


def test_a_manager_sets_and_clears_them_on_the_page(afternoon: Any, client: Client) -> None:
    seller = afternoon.bookshop.seller
    client.force_login(afternoon.sam)
    issued = keys.issue(seller=seller, name="till", scopes=["orders:read"], actor=SYSTEM, at=timezone.now())
    change = reverse("stores:api_key_change", args=[seller.code, issued.key.prefix])

    client.post(change, {"restrict": "1", "networks": "203.0.113.0/24, 198.51.100.7\n"})
    page = client.get(reverse("stores:api_keys", args=[seller.code])).content.decode()
    wrong = client.post(change, {"restrict": "1", "networks": "nowhere"}, follow=True).content.decode()
    kept = ApiKey.objects.get(pk=issued.key.pk).networks
    client.post(change, {"restrict": "1", "networks": ""})

    assert "203.0.113.0/24, 198.51.100.7/32" in page
    assert "nowhere is neither an address nor a network" in wrong
    assert kept == ["203.0.113.0/24", "198.51.100.7/32"]
    assert ApiKey.objects.get(pk=issued.key.pk).networks == []
