"""A key exchanged for a token that lasts an hour."""

from __future__ import annotations

import base64
import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from retaildelivery.outbox.recording import SYSTEM
from retaildelivery.testing.sellers import Trade
from stores import keys, limits
from stores.models import ApiKey


@pytest.fixture
def api(db: None) -> Client:
    return Client()


def ask(api: Client, secret: str, **more: Any) -> Any:
    said = {
        "grant_type": "client_credentials",
        "client_id": secret[: keys.PREFIX_LENGTH],
        "client_secret": secret,
    }
    return api.post("/oauth/token", {**said, **more})


def stores(api: Client, token: str) -> Any:
    return api.get("/api/v1/stores", headers={"authorization": f"Bearer {token}"})


def test_a_key_buys_a_token_that_opens_the_api(api: Client, trade: Trade) -> None:
    answer = ask(api, trade.secret)

    said = answer.json()
    assert answer.status_code == 200
    assert (said["token_type"], said["expires_in"]) == ("Bearer", 3600)
    assert answer["Cache-Control"] == "no-store"
    assert stores(api, said["access_token"]).status_code == 200


def test_the_client_may_say_who_it_is_by_http_basic(api: Client, trade: Trade) -> None:
    pair = base64.b64encode(f"{trade.secret[: keys.PREFIX_LENGTH]}:{trade.secret}".encode()).decode()

    answer = api.post(
        "/oauth/token", {"grant_type": "client_credentials"}, headers={"authorization": f"Basic {pair}"}
    )

    assert answer.status_code == 200


def test_a_token_may_do_less_than_its_key_and_never_more(api: Client, trade: Trade) -> None:
    narrow = ask(api, trade.secret, scope="webhooks").json()["access_token"]
    wide = ask(api, trade.secret, scope="webhooks everything")

    refused = stores(api, narrow)
    assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
    assert (wide.status_code, wide.json()["error"]) == (400, "invalid_scope")


@pytest.mark.parametrize(
    ("said", "status", "error"),
    [
        ({"client_secret": "sk_live_wrong"}, 401, "invalid_client"),
        ({"client_id": "sk_live_other"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": ""}, 400, "invalid_request"),
    ],
)
def test_what_is_wrong_is_said_in_the_words_of_the_rfc(
    api: Client, trade: Trade, said: dict[str, str], status: int, error: str
) -> None:
    answer = ask(api, trade.secret, **said)

    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_a_token_ends_after_an_hour_and_with_its_key(api: Client, trade: Trade, time_machine: Any) -> None:
    start = timezone.now()
    time_machine.move_to(start, tick=False)
    token = ask(api, trade.secret).json()["access_token"]

    time_machine.move_to(start + limits.TOKEN_LASTS - dt.timedelta(seconds=1), tick=False)
    before = stores(api, token).status_code
    time_machine.move_to(start + limits.TOKEN_LASTS + dt.timedelta(seconds=1), tick=False)
    after = stores(api, token).status_code
    fresh = ask(api, trade.secret).json()["access_token"]
    key = ApiKey.objects.get(prefix=trade.secret[: keys.PREFIX_LENGTH])
    keys.revoke(prefix=key.prefix, scope=ApiKey.objects.all(), actor=SYSTEM, at=timezone.now())

    assert (before, after, stores(api, fresh).status_code) == (200, 401, 401)


def test_a_token_that_was_tampered_with_is_unknown(api: Client, trade: Trade) -> None:
    token = ask(api, trade.secret).json()["access_token"]

    assert stores(api, token[:-1] + ("A" if token[-1] != "A" else "B")).status_code == 401
    assert stores(api, "oat_").status_code == 401


def test_guessing_is_slowed_down_by_address(
    api: Client, trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "TOKENS_PER_MINUTE", 2)

    answers = [ask(api, trade.secret, client_secret="sk_live_wrong") for _each in range(3)]

    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert int(answers[-1]["Retry-After"]) > 0
