"""One person, one entry: accounts that share what one person has are shown to operations, once."""

import datetime as dt
import hashlib

import pytest
from django.urls import reverse

from drivers import likenesses, payouts
from drivers.models import Document, Driver, Likeness, PayoutAccount
from retaildelivery.accounts.models import User
from retaildelivery.outbox.models import Fact, Message

pytestmark = pytest.mark.django_db

AT = dt.datetime(2026, 11, 23, 18, 0, tzinfo=dt.UTC)


def driver(name: str, *, phone: str = "", licence: str = "", **more) -> Driver:
    user = User.objects.create(email=f"{name}@example.com", name=name, phone=phone)
    made = Driver.objects.create(user=user, market_code="las-vegas", applied_at=AT)
    if licence:
        Document.objects.create(
            driver=made,
            kind="licence",
            number=licence,
            expires_on=dt.date(2027, 1, 1),
            submitted_at=AT,
            **more,
        )
    return made


def test_the_same_licence_in_two_spellings_is_found_once_and_told(db):
    ada, eve = driver("ada", licence="NV 123-456"), driver("eve", licence="nv123456")
    driver("ben", licence="NV 999")

    assert [likenesses.sweep(at=AT), likenesses.sweep(at=AT)] == [1, 0]

    found = Likeness.objects.get()
    assert (found.kind, found.detail, found.first, found.second) == ("document", "licence", ada, eve)
    fact = Fact.objects.get(name="driver.likeness_found")
    assert fact.subjects == [f"driver:{ada.code}", f"driver:{eve.code}"]
    assert "123" not in str(fact.data)


def test_the_same_phone_is_found_and_no_phone_is_no_likeness(db):
    ada, eve = driver("ada", phone="+17025550123"), driver("eve", phone="+17025550123")
    driver("ben")
    driver("chidi")

    assert likenesses.sweep(at=AT) == 1
    assert list(Likeness.objects.values_list("kind", "first", "second")) == [("phone", ada.pk, eve.pk)]


def pays_to(who: Driver, number: str) -> PayoutAccount:
    return payouts.use_account(
        driver=who, holder=who.user.name, kind="checking", routing="021000021", number=number, at=AT
    )


def test_the_same_bank_account_is_found_without_its_number_being_kept(db):
    ada, ben, eve = driver("ada"), driver("ben"), driver("eve")
    first, other, second = pays_to(ada, "123456789"), pays_to(ben, "123456780"), pays_to(eve, "123456789")

    assert [likenesses.sweep(at=AT), likenesses.sweep(at=AT)] == [1, 0]

    found = Likeness.objects.get()
    assert (found.kind, found.detail, found.first, found.second) == ("payout_account", "", ada, eve)
    assert first.number_digest == second.number_digest != other.number_digest
    plain = hashlib.sha256(b"021000021:123456789").hexdigest()
    assert "123456789" not in first.number_digest
    assert plain not in first.number_digest


def test_an_account_that_was_replaced_makes_nobody_alike(db):
    ada, eve = driver("ada"), driver("eve")
    pays_to(ada, "123456789")
    pays_to(eve, "123456789")
    pays_to(eve, "987654321")

    assert likenesses.sweep(at=AT) == 0


def test_accounts_from_before_and_from_a_key_that_was_replaced_are_compared_as_well(db, settings):
    settings.PAYOUT_KEYS = ["old"]
    ada, ben, eve = driver("ada"), driver("ben"), driver("eve")
    old, before = pays_to(ada, "123456789"), pays_to(ben, "123456789")
    PayoutAccount.objects.filter(pk=before.pk).update(number_digest="")
    settings.PAYOUT_KEYS = ["new", "old"]
    pays_to(eve, "123456789")

    assert likenesses.sweep(at=AT) == 3

    assert PayoutAccount.objects.values("number_digest").distinct().count() == 1
    assert PayoutAccount.objects.get(pk=old.pk).number_digest != old.number_digest


def test_papers_that_were_replaced_or_rejected_make_nobody_alike(db):
    driver("ada", licence="NV1")
    driver("ben", licence="NV1", replaced_at=AT)
    driver("eve", licence="NV1", rejected_at=AT)

    assert likenesses.sweep(at=AT) == 0


def test_one_drivers_own_papers_with_one_number_are_no_likeness(db):
    ada = driver("ada", licence="NV1")
    Document.objects.create(
        driver=ada, kind="insurance", number="NV1", expires_on=dt.date(2027, 1, 1), submitted_at=AT
    )

    assert likenesses.sweep(at=AT) == 0


def test_operations_settle_it_in_the_admin_and_it_stays_settled(client):
    driver("ada", phone="+17025550123")
    driver("eve", phone="+17025550123")
    likenesses.sweep(at=AT)
    ops = User.objects.create(email="ops@example.com", is_staff=True, is_superuser=True)
    client.force_login(ops)
    url = reverse("admin:drivers_likeness_changelist")
    assert "one person, one entry" in client.get(url).content.decode().lower()

    client.post(url, {"action": "settle", "_selected_action": [Likeness.objects.get().pk]})

    assert Likeness.objects.get().settled_by == ops
    assert likenesses.sweep(at=AT) == 0
    assert Likeness.objects.unsettled().count() == 0
    assert Fact.objects.filter(name="driver.likeness_settled").count() == 1


def test_operations_are_mailed_once_and_settle_it_on_their_page(client, django_assert_max_num_queries):
    olga = User.objects.create(email="olga@example.com", name="Olga", is_staff=True, is_superuser=True)
    ada, eve = (
        driver("ada", licence="NV 1", phone="+17025550123"),
        driver("eve", licence="NV1", phone="+17025550123"),
    )
    likenesses.sweep(at=AT)
    likenesses.sweep(at=AT)
    [paper, phone] = Message.objects.filter(name="likeness_found", to=olga.email).order_by("pk")
    assert ada.code in paper.subject
    assert eve.code in paper.subject
    assert "driver's licence" in paper.text
    assert "phone" in phone.text
    assert "NV" not in paper.text
    client.force_login(olga)

    with django_assert_max_num_queries(12):
        page = client.get(reverse("offers:ops_drivers")).content.decode()
    assert page.count("ada and eve") == 2
    likeness = Likeness.objects.get(kind="phone")
    assert client.post(reverse("offers:ops_double_settle", args=[likeness.pk])).status_code == 302

    assert list(Likeness.objects.filter(settled_by=olga)) == [likeness]
    assert client.get(reverse("offers:ops_drivers")).content.decode().count("ada and eve") == 1
    client.force_login(ada.user)
    assert client.post(reverse("offers:ops_double_settle", args=[likeness.pk])).status_code in {302, 403, 404}
    assert Likeness.objects.filter(settled_at=None).count() == 1
