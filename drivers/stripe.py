"""Transfers by Stripe Connect: one request, sent again under the same key until its answer is known.

https://docs.stripe.com/api/transfers/create and https://docs.stripe.com/api/idempotent_requests: a key given twice
is answered as the first time, also with its error; keys are forgotten after a day at the earliest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import requests
from django.conf import settings

from drivers import limits

CONFLICT, TOO_MANY, SERVER_ERROR = 409, 429, 500


class StripeTrouble(Exception):
    """Nobody knows whether the money went: no answer, or none that says. Ask again under the same key."""


class TransferRefused(Exception):
    """Stripe said no and moved nothing. `code` is Stripe's word, such as balance_insufficient; `account` says
    whether the driver's account is what was wrong."""

    def __init__(self, code: str, message: str, *, account: bool) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.account = account


@dataclass(frozen=True, slots=True)
class Transfer:
    """Money from the platform to a connected account. `reference` is unique and serves as key and group."""

    reference: str
    account: str
    cents: int
    currency: str


def send(transfer: Transfer) -> str:
    """The id of the transfer, made now or by an earlier try. Raises TransferRefused, StripeTrouble."""
    answer = _ask(
        "POST",
        "/v1/transfers",
        data={
            "amount": str(transfer.cents),
            "currency": transfer.currency.lower(),
            "destination": transfer.account,
            "transfer_group": transfer.reference,
            "metadata[payout]": transfer.reference,
        },
        headers={"Idempotency-Key": f"payout-{transfer.reference}"},
    )
    return _id_of(answer)


def find(reference: str) -> str:
    """The id of a transfer made before, or nothing: what to ask once Stripe may have forgotten the key. Raises
    StripeTrouble."""
    try:
        found = _ask("GET", "/v1/transfers", params={"transfer_group": reference, "limit": "1"})
    except TransferRefused as refused:
        # A list that is refused says nothing about the money.
        raise StripeTrouble(str(refused)) from refused
    rows = found.get("data")
    if not isinstance(rows, list):
        raise StripeTrouble("the list of transfers holds no data")
    return _id_of(rows[0]) if rows else ""


def _id_of(answer: Any) -> str:
    found = answer.get("id") if isinstance(answer, dict) else None
    if not isinstance(found, str) or not found.startswith("tr_"):
        raise StripeTrouble("the answer names no transfer")
    return found


def _ask(method: str, path: str, *, headers: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    try:
        answer = requests.request(
            method,
            f"{settings.STRIPE_URL}{path}",
            auth=(settings.STRIPE_SECRET_KEY, ""),
            headers={"Stripe-Version": settings.STRIPE_VERSION, **(headers or {})},
            timeout=(limits.STRIPE_CONNECT_S, limits.STRIPE_READ_S),
            allow_redirects=False,
            **more,
        )
        body = answer.json()
    except (requests.RequestException, ValueError) as failure:
        raise StripeTrouble(type(failure).__name__) from failure
    if answer.status_code == requests.codes.ok and isinstance(body, dict):
        return body
    error = body.get("error", {}) if isinstance(body, dict) else {}
    code = str(error.get("code") or error.get("type") or answer.status_code)
    unknown = answer.status_code in {CONFLICT, TOO_MANY} or answer.status_code >= SERVER_ERROR
    if unknown or answer.status_code not in {400, 402, 404}:
        # 401 and 403 are a wrong key of ours: the driver has nothing to do with it, and nothing was moved.
        raise StripeTrouble(code)
    account = str(error.get("param", "")) == "destination" or code in {"account_invalid", "no_account"}
    raise TransferRefused(code, str(error.get("message", "")), account=account)
