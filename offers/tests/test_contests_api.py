"""The seller's API of charges for waiting: what the pages show and do."""

import datetime as dt

import pytest

from offers.tests import making
from offers.tests.making import HOUR, START
from retaildelivery.accounts.models import User
from retaildelivery.outbox.recording import SYSTEM
from retaildelivery.testing.sellers import SellerClient
from stores import contesting, keys
from stores.models import Contest, SellerPosting

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
BOTH = ["billing:read", "billing:contest"]


@pytest.fixture(autouse=True)
def _now(time_machine):
    time_machine.move_to(START + 3 * HOUR, tick=False)


@pytest.fixture
def store(db):
    return making.store(making.mall())


@pytest.fixture
def charge(store):
    return making.wait_charge(store)


def system(seller, *scopes, **more):
    made = keys.issue(
        seller=seller, name="books", scopes=list(scopes or BOTH), actor=SYSTEM, at=START, **more
    )
    return SellerClient(made.secret)


def said(charge, **changes):
    return {"line": charge.sequence, "reason": "ready", "text": "They stood on the shelf at noon."} | changes


def test_a_charge_is_read_contested_and_given_back_whole(store, charge):
    books = system(store.seller)

    [listed] = books.get("wait-charges").json()["results"]
    shown = books.get(f"wait-charges/{charge.sequence}").json()
    made = books.post("contests", said(charge))

    assert (listed["number"], listed["cents"], listed["minutes"], listed["contestable"]) == (
        charge.sequence, 360, "12", True,
    )  # fmt: skip
    assert shown["known"]["stops"][0]["arrived_at"] == START.isoformat()
    assert shown["contests"] == []
    code = made.json()["code"]
    assert (made.status_code, made.json()["status"]) == (201, "open")
    contest = Contest.objects.get()
    assert (contest.opened_by, contest.evidence) == (None, shown["known"])
    assert contest.opened_by_key.startswith("sk_live_")
    [fact] = making.facts_named("contest.opened")
    assert (fact.actor_kind, fact.actor) == ("seller", "books")

    olive = User.objects.create_user(email="olive@example.com", name="Olive Ops", is_staff=True)
    contesting.decide(
        code=code, fault="platform", reasons="Nobody had told the store.", by=olive, at=START + DAY
    )

    answer = books.get(f"contests/{code}").json()
    assert (answer["status"], answer["fault"], answer["decided_by"]) == ("granted", "platform", "Olive Ops")
    assert books.get("contests").json()["results"] == [answer]
    shown = books.get(f"wait-charges/{charge.sequence}").json()
    assert (shown["contestable"], shown["contests"]) == (False, [answer])
    assert sum(SellerPosting.objects.filter(subject=charge.subject).values_list("cents", flat=True)) == 0


def test_a_contest_is_taken_back_and_opened_again(store, charge):
    books = system(store.seller)
    code = books.post("contests", said(charge)).json()["code"]
    again = books.post("contests", said(charge, text="Once more."))
    assert (again.status_code, again.json()["code"]) == (409, "contest_open")

    backs = [books.put(f"contests/{code}/withdrawal", {}).json()["status"] for _time in range(2)]

    assert backs == ["withdrawn", "withdrawn"]
    assert books.post("contests", said(charge, text="After all.")).status_code == 201
    assert [each["status"] for each in books.get("contests").json()["results"]] == ["open", "withdrawn"]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"reason": "review"}, 400, "validation_error"),
        ({"text": ""}, 400, "validation_error"),
        ({"line": 0}, 400, "validation_error"),
        ({"line": 9_999}, 404, "not_found"),
        ({"fault": "driver"}, 400, "validation_error"),
    ],
)
def test_a_wrong_contest_changes_nothing(store, charge, change, status, code):
    answer = system(store.seller).post("contests", said(charge, **change))

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert Contest.objects.count() == 0


def test_too_late_decided_and_given_back_charges_are_refused(store, charge, time_machine):
    books = system(store.seller)
    olive = User.objects.create_user(email="olive@example.com", name="Olive Ops", is_staff=True)
    time_machine.move_to(START + 61 * DAY, tick=False)
    assert books.post("contests", said(charge)).json()["code"] == "contest_too_late"
    time_machine.move_to(START + DAY, tick=False)
    code = books.post("contests", said(charge)).json()["code"]
    contesting.decide(code=code, fault="store", reasons="Packed late.", by=olive, at=START + DAY)

    assert books.post("contests", said(charge)).json()["code"] == "contest_decided"
    assert books.put(f"contests/{code}/withdrawal", {}).json()["code"] == "already_decided"
    assert Contest.objects.get().status == "refused"
    # A credit is a line of the account as well, and no charge for waiting.
    assert books.get("wait-charges/9999").status_code == 404


def test_another_seller_another_store_and_a_key_without_the_scope_reach_nothing(store, charge):
    rival = making.store(store.mall, "Cellar Forty")
    sibling = making.store(store.mall, "Juniper Annexe")
    sibling.seller = store.seller
    sibling.save()
    code = system(store.seller).post("contests", said(charge)).json()["code"]

    for books in (system(rival.seller), system(store.seller, store=sibling)):
        assert books.get("wait-charges").json()["results"] == books.get("contests").json()["results"] == []
        for path in (f"wait-charges/{charge.sequence}", f"contests/{code}"):
            assert books.get(path).status_code == 404
        assert books.post("contests", said(charge)).status_code == 404
        assert books.put(f"contests/{code}/withdrawal", {}).status_code == 404
    reader = system(store.seller, "billing:read")
    assert reader.get(f"contests/{code}").status_code == 200
    assert reader.put(f"contests/{code}/withdrawal", {}).json()["code"] == "scope_missing"
    assert reader.post("contests", said(charge)).json()["code"] == "scope_missing"
    own = system(store.seller, store=store)
    assert own.get(f"wait-charges/{charge.sequence}").json()["contests"][0]["code"] == code
    assert Contest.objects.get().status == "open"
