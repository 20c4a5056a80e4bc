"""Stripe Connect behind the door of payouts: its documented answers, played by a server on the loopback interface."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from drivers import ledger, limits, payouts, transferring
from drivers.models import Payout, PayoutAccount, PayoutBatch
from drivers.tests.test_payouts import MONDAY, earn
from retaildelivery.accounts.models import User
from retaildelivery.testing.afternoon import NOW

pytestmark = pytest.mark.django_db
Answer = tuple[int, dict[str, Any]]
INSUFFICIENT: Answer = (
    400,
    {
        "error": {
            "type": "invalid_request_error",
            "code": "balance_insufficient",
            "message": "Insufficient funds",
        }
    },
)
NO_SUCH_ACCOUNT: Answer = (
    400,
    {"error": {"type": "invalid_request_error", "code": "resource_missing", "param": "destination",
               "message": "No such destination"}},
)  # fmt: skip
IN_FLIGHT: Answer = (409, {"error": {"type": "idempotency_error", "code": "idempotency_key_in_use"}})
DOWN: Answer = (503, {"error": {"type": "api_error"}})
WRONG_KEY: Answer = (401, {"error": {"type": "invalid_request_error", "message": "Invalid API Key provided"}})


class Stripe:
    """Keeps transfers by key and answers a repeat as the first time, errors too. `lose` hangs up on so many answers
    after doing the work; `answers` are given instead of working, one after the other."""

    def __init__(self) -> None:
        self.made: dict[str, dict[str, Any]] = {}
        self.kept: dict[str, Answer] = {}
        self.asked: list[tuple[str, str, dict[str, list[str]]]] = []
        self.answers: list[Answer] = []
        self.lose = 0
        self.url = ""

    def transfer(self, key: str, form: dict[str, list[str]]) -> Answer:
        if key in self.kept:
            return self.kept[key]
        if self.answers:
            answer = self.answers.pop(0)
            if answer[0] < 409 and answer[0] != 401:
                self.kept[key] = answer
            return answer
        made = {
            "id": f"tr_{len(self.made) + 1:024d}",
            "object": "transfer",
            "amount": int(form["amount"][0]),
            "currency": form["currency"][0],
            "destination": form["destination"][0],
            "transfer_group": form["transfer_group"][0],
        }
        self.made[key] = made
        self.kept[key] = (200, made)
        return self.kept[key]

    def listed(self, group: str) -> Answer:
        rows = [each for each in self.made.values() if each["transfer_group"] == group]
        return 200, {"object": "list", "data": rows, "has_more": False}


@contextmanager
def playing() -> Iterator[Stripe]:
    stripe = Stripe()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            key = self.headers["Idempotency-Key"]
            stripe.asked.append((self.headers["Authorization"], key, form))
            self.answer(*stripe.transfer(key, form))

        def do_GET(self) -> None:
            self.answer(*stripe.listed(parse_qs(urlsplit(self.path).query)["transfer_group"][0]))

        def answer(self, status: int, body: dict[str, Any]) -> None:
            if stripe.lose:
                stripe.lose -= 1
                self.close_connection = True
                return
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stripe.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield stripe
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def stripe(settings: Any) -> Iterator[Stripe]:
    with playing() as found:
        settings.PAYOUT_PROVIDER, settings.STRIPE_SECRET_KEY = "stripe", "sk_test_played"
        settings.STRIPE_URL = found.url
        yield found


@pytest.fixture
def released(stripe: Stripe, afternoon: Any) -> PayoutBatch:
    """A batch of one payout of $41.00 to Ada's connected account, let go by a second person."""
    otto = User.objects.create_user(email="otto@ops.example", name="Otto", is_staff=True)
    earn(afternoon.ada, 4100)
    connect(afternoon.ada)
    batch = payouts.draft(market_code="las-vegas", effective_on=MONDAY, by=afternoon.olive, at=NOW)
    return payouts.release(code=batch.code, by=otto, at=NOW)


def connect(driver: Any, account: str = "acct_1MTfjCQ9PRzxEwkZ") -> PayoutAccount:
    return payouts.use_account(driver=driver, holder="Ada", kind="stripe", routing="", number=account, at=NOW)


def sweep(after: dt.timedelta = dt.timedelta()) -> int:
    return transferring.sweep(at=NOW + after)


def test_a_released_payout_is_transferred_once_under_its_own_key(
    released: PayoutBatch, stripe: Stripe, afternoon: Any
) -> None:
    assert (sweep(), sweep(), sweep(limits.TRANSFER_RETRY)) == (1, 0, 0)

    payout = Payout.objects.get()
    [(_auth, key, form)] = stripe.asked
    assert key == f"payout-{payout.code}"
    assert (form["amount"], form["currency"], form["destination"]) == (
        ["4100"],
        ["usd"],
        ["acct_1MTfjCQ9PRzxEwkZ"],
    )
    assert (payout.status, payout.transfer) == ("sent", "tr_000000000000000000000001")
    assert ledger.balance(afternoon.ada) == 0


@pytest.mark.parametrize("trouble", ["lost", "in flight", "down", "wrong key"])
def test_what_nobody_knows_is_asked_again_under_the_same_key_and_moves_money_once(
    released: PayoutBatch, stripe: Stripe, afternoon: Any, trouble: str
) -> None:
    """An answer that is lost after the money went is the same answer the second time."""
    plays: dict[str, Callable[[], None]] = {
        "lost": lambda: setattr(stripe, "lose", 1),
        "in flight": lambda: stripe.answers.append(IN_FLIGHT),
        "down": lambda: stripe.answers.append(DOWN),
        "wrong key": lambda: stripe.answers.append(WRONG_KEY),
    }
    plays[trouble]()

    assert sweep() == 0
    assert (Payout.objects.get().status, ledger.balance(afternoon.ada)) == ("sent", 0)
    assert (sweep(), sweep(limits.TRANSFER_RETRY)) == (0, 1)

    assert len({key for _auth, key, _form in stripe.asked}) == 1
    assert len(stripe.made) == 1
    assert Payout.objects.get().transfer == "tr_000000000000000000000001"


def test_once_the_key_may_be_forgotten_the_list_says_whether_the_money_went(
    released: PayoutBatch, stripe: Stripe
) -> None:
    stripe.lose = 1
    sweep()
    stripe.kept.clear()

    assert sweep(limits.STRIPE_KEY_LASTS) == 1

    assert (len(stripe.asked), len(stripe.made)) == (1, 1)
    assert Payout.objects.get().transfer == "tr_000000000000000000000001"


@pytest.mark.parametrize(("answer", "blamed"), [(INSUFFICIENT, False), (NO_SUCH_ACCOUNT, True)])
def test_a_refused_transfer_comes_back_to_the_driver(
    released: PayoutBatch, stripe: Stripe, afternoon: Any, answer: Answer, blamed: bool
) -> None:
    stripe.answers.append(answer)

    assert (sweep(), sweep(limits.TRANSFER_RETRY)) == (1, 0)

    payout = Payout.objects.get()
    assert (payout.status, payout.return_code) == ("returned", answer[1]["error"]["code"])
    assert ledger.balance(afternoon.ada) == 4100
    assert (PayoutAccount.objects.get().refused_at is not None) == blamed


def test_a_batch_of_stripe_has_no_file_for_the_bank_and_one_of_the_bank_no_transfer(
    released: PayoutBatch, stripe: Stripe, afternoon: Any, settings: Any
) -> None:
    with pytest.raises(payouts.NotForTheBank):
        payouts.nacha_file(released)
    settings.PAYOUT_PROVIDER = "bank"

    earn(afternoon.ada, 5000, "more")
    with pytest.raises(payouts.NothingToPay):
        payouts.draft(market_code="las-vegas", effective_on=MONDAY, by=afternoon.olive, at=NOW)


@pytest.mark.parametrize("account", ["acct_", "1234567890", "acct_1MTfjCQ9PRzx EwkZ", "acct_" + "x" * 60])
def test_what_is_no_connected_account_is_refused(stripe: Stripe, afternoon: Any, account: str) -> None:
    with pytest.raises(payouts.ConnectedAccountInvalid):
        connect(afternoon.ada, account)

    assert not PayoutAccount.objects.exists()


def test_nothing_of_stripe_is_on_unless_it_is_switched_on(afternoon: Any) -> None:
    with pytest.raises(payouts.ProviderOff):
        connect(afternoon.ada)
