"""Both accounts and the payouts, held against each other: together they are zero."""

import datetime as dt

import pytest
from django.db import transaction
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deliveries import fees
from drivers import adjusting, ledger, payouts, taxforms
from drivers.models import DriverPosting, Payout
from drivers.tests.test_payouts import bank
from offers import balance, pricing
from offers.tests import making
from offers.tests.making import AT, HOUR
from retaildelivery.accounts.models import User
from retaildelivery.lib.refusals import Refused
from retaildelivery.lib.windows import Window
from stores import billing
from stores.models import Market, SellerPosting

BUDGET = 12
FOREVER = Window(AT - dt.timedelta(days=400), AT + dt.timedelta(days=400))


def test_every_kind_of_line_that_can_be_posted_has_its_place():
    assert set(balance.OF_SELLERS) == set(billing.KINDS) >= set(map(str, fees.FEE_SENTENCES))
    assert set(balance.OF_DRIVERS) == {*map(str, pricing.LineKind), *taxforms.MOVED, "adjustment"}
    assert set(balance.WORDS) == set(balance.OF_DRIVERS)


class Books:
    """A market with two drivers and a seller, to whom anything may happen; each act an hour after the one before."""

    def __init__(self) -> None:
        self.store = making.store(making.mall())
        making.mall("elsewhere", market="reno")
        self.market = Market.objects.get(code="las-vegas")
        self.drivers = [making.driver("Ada"), making.driver("Ben")]
        self.stranger = making.driver("Zoe", market="reno")
        self.olive, self.otto = (
            User.objects.create_user(email=f"{name}@ops.example", name=name, is_staff=True)
            for name in ("olive", "otto")
        )
        for driver in self.drivers:
            bank(driver, number=f"12345{driver.pk}")
        self.at, self.number = AT, 0

    def do(self, act: str, who: int, cents: int) -> None:
        self.at += HOUR
        self.number += 1
        getattr(self, act)(self.drivers[who], cents)

    @transaction.atomic
    def work(self, driver, cents: int) -> None:
        """A wait, paid to the driver and charged to the store; beside it base and a tip. The same elsewhere."""
        block = f"block:B{self.number}"
        lines = [("base", 3 * cents), ("tip", cents // 2), ("wait", cents)]
        posted = [
            ledger.Line(f"{block}:{kind}", kind, amount, "t", "las-vegas-2026", block)
            for kind, amount in lines
        ]
        ledger.post_all(driver=driver, lines=posted, at=self.at)
        other = ledger.Line(f"{block}:reno", "base", cents, "t", "reno-2026", block)
        ledger.post_all(driver=self.stranger, lines=[other], at=self.at)
        self.charge("wait", cents)

    @transaction.atomic
    def deliver(self, _driver, cents: int) -> None:
        self.charge("base", 2 * cents)
        self.charge("tax", cents // 7)

    def charge(self, kind: str, cents: int) -> None:
        billing.post(
            key=f"order:{self.number}:{kind}", seller=self.store.seller, store=self.store, kind=kind, cents=cents,
            text="t", rule="r", subject=f"order:{self.number}", at=self.at,
        )  # fmt: skip

    def correct(self, driver, cents: int) -> None:
        signed = cents if self.number % 2 else -cents
        made = adjusting.propose(
            driver=driver, cents=signed, reason="r", evidence="e", subject="", by=self.olive, at=self.at
        )
        adjusting.sign(code=made.code, by=self.otto, at=self.at)

    def pay(self, _driver, _cents: int) -> None:
        made = payouts.draft(
            market_code=self.market.code, effective_on=self.at.date(), by=self.olive, at=self.at
        )
        if self.number % 3:
            payouts.release(code=made.code, by=self.otto, at=self.at)
        else:
            payouts.discard(code=made.code, at=self.at)

    def send_back(self, driver, _cents: int) -> None:
        sent = (
            Payout.objects.filter(driver=driver, status="sent").select_related("batch").order_by("pk").first()
        )
        if sent is not None:
            payouts.came_back(batch_code=sent.batch.code, number=sent.number, return_code="R01", at=self.at)
            bank(driver, number=f"54321{self.number}")


def check(books: Books) -> None:
    whole = balance.of(books.market, FOREVER)
    assert whole.holds
    assert whole.sum_cents == 0
    own = DriverPosting.objects.exclude(driver=books.stranger)
    assert sum(part.lines for part in whole.drivers) == own.count()
    assert sum(part.lines for part in whole.charged) == SellerPosting.objects.count()
    assert whole.owed_cents == sum(ledger.balance(driver) for driver in books.drivers)
    assert whole.places[balance.SELLERS] == billing.balance(books.store.seller)
    # What is owed, what was paid out and what is left over is all that sellers were charged, tax aside.
    tax = -whole.places[balance.TAX]
    assert whole.charged_cents - tax == whole.owed_cents + whole.paid_out_cents + whole.remainder_cents
    # Cut anywhere, the two parts are the whole, and the second begins where the first ends.
    cut = books.at - 2 * HOUR
    first, second = (
        balance.of(books.market, Window(*ends)) for ends in ((FOREVER.start, cut), (cut, FOREVER.end))
    )
    assert first.holds
    assert second.holds
    assert first.owed_cents == second.owed_before_cents
    assert second.owed_cents == whole.owed_cents
    assert {place: first.places[place] + second.places[place] for place in balance.PLACES} == whole.places


acts = st.tuples(
    st.sampled_from(["work", "work", "deliver", "correct", "pay", "pay", "send_back"]),
    st.integers(0, 1),
    st.integers(150, 9_999),
)


@pytest.mark.django_db
@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(history=st.lists(acts, min_size=6, max_size=14))
def test_whatever_is_earned_charged_paid_and_sent_back_the_accounts_balance(history):
    with transaction.atomic():
        transaction.get_connection().atomic_blocks[-1]._from_testcase = True
        books = Books()
        for act, who, cents in history:
            try:
                books.do(act, who, cents)
            except Refused:
                continue
        check(books)
        transaction.set_rollback(True)


@pytest.fixture
def books(db):
    made = Books()
    for act in ("work", "deliver", "correct", "pay"):
        made.do(act, 0, 4_000)
    return made


def test_money_that_left_an_account_without_a_payout_is_seen(books):
    check(books)
    with transaction.atomic():
        ledger.post(
            key="payout:PNONE:1", driver=books.drivers[1], kind="payout", cents=-700, text="t", rule="",
            subject="payout:PNONE", at=books.at,
        )  # fmt: skip

    found = balance.of(books.market, FOREVER)

    assert (found.holds, found.sum_cents, found.unexplained_cents) == (False, 0, 700)


def test_a_line_of_a_kind_that_nobody_has_placed_is_seen(books):
    with transaction.atomic():
        ledger.post(
            key="k", driver=books.drivers[0], kind="loan", cents=500, text="t", rule="", subject="s", at=books.at
        )  # fmt: skip

    found = balance.of(books.market, FOREVER)

    assert (found.holds, found.places[balance.UNKNOWN]) == (False, 500)
    assert found.drivers[-1].kind == "loan"


def test_operations_see_a_market_month_by_month(client, books, time_machine, django_assert_max_num_queries):
    time_machine.move_to(AT, tick=False)
    url = reverse("offers:ops_balance", args=["las-vegas", 2026, 11])
    client.force_login(books.drivers[0].user)
    assert client.get(url).status_code == 403

    client.force_login(books.olive)
    assert client.get(reverse("offers:ops_balances")).headers["Location"] == url
    with django_assert_max_num_queries(BUDGET):
        page = client.get(url).content.decode()
    # Twice 4,000 cents for deliveries, a wait of 4,000 and tax; three times 4,000 for work, the wait, a tip, and
    # 4,000 corrected, all of it paid out.
    for said in ("$125.71", "$220.00", "−$100.00", "Still owed", "$0.00"):
        assert said in page
    assert "do not agree" not in page
    for year, month in ((2026, 13), (0, 1), (9999, 12)):
        assert client.get(f"/ops/money/las-vegas/{year}-{month}/").status_code == 404
    assert client.get("/ops/money/atlantis/2026-11/").status_code == 404
    later = client.get(reverse("offers:ops_balance", args=["las-vegas", 2026, 12])).content.decode()
    assert "Left to the platform" in later
