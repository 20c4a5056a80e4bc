"""A driver's account and devices."""

import pytest
from django.db import DatabaseError, transaction

from drivers import ledger, limits, tokens
from drivers.models import DriverPosting, DriverToken
from retaildelivery.testing.afternoon import MINUTE, NOW

pytestmark = pytest.mark.django_db


def earn(driver, key="block:B1:base", cents=5_400):
    return ledger.post(
        key=key, driver=driver, kind="base", cents=cents, text="3 h", rule="r", subject="block:B1", at=NOW
    )


def test_work_is_paid_once_by_its_key(afternoon):
    assert (earn(afternoon.ada), earn(afternoon.ada, cents=1)) == (True, False)

    assert ledger.balance(afternoon.ada) == 5_400
    assert [line.cents for line in DriverPosting.objects.all()] == [5_400]


def test_one_drivers_account_is_not_anothers(afternoon):
    earn(afternoon.ada)

    assert ledger.balance(afternoon.ben) == 0


def test_a_line_can_be_neither_changed_nor_deleted(afternoon):
    earn(afternoon.ada)

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        DriverPosting.objects.update(cents=0)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        DriverPosting.objects.all().delete()

    assert ledger.balance(afternoon.ada) == 5_400


def test_a_token_is_shown_once_and_kept_as_a_hash(afternoon):
    token, secret = tokens.issue(driver=afternoon.ada, name="Pixel", at=NOW)

    assert secret.startswith("dt_")
    assert (token.prefix, secret in str(DriverToken.objects.values().get())) == (secret[:11], False)
    assert tokens.find(secret, at=NOW).driver == afternoon.ada


@pytest.mark.parametrize("secret", ["", "dt_", "dt_unknown", "sk_live_x", "\x00"])
def test_a_secret_that_is_none_finds_nobody(afternoon, secret):
    tokens.issue(driver=afternoon.ada, name="Pixel", at=NOW)

    assert tokens.find(secret, at=NOW) is None


def test_a_revoked_token_opens_nothing(afternoon):
    token, secret = tokens.issue(driver=afternoon.ada, name="Pixel", at=NOW)

    tokens.revoke(token=token, at=NOW)
    tokens.revoke(token=token, at=NOW + MINUTE)

    token.refresh_from_db()
    assert (tokens.find(secret, at=NOW), token.revoked_at) == (None, NOW)


def test_use_is_noted_now_and_then(afternoon, django_assert_num_queries):
    _token, secret = tokens.issue(driver=afternoon.ada, name="Pixel", at=NOW)
    tokens.find(secret, at=NOW)

    with django_assert_num_queries(1):
        tokens.find(secret, at=NOW + MINUTE)


def test_forgotten_devices_have_a_limit(afternoon):
    for number in range(limits.TOKENS_PER_DRIVER):
        tokens.issue(driver=afternoon.ada, name=str(number), at=NOW)

    with pytest.raises(tokens.TooManyTokens):
        tokens.issue(driver=afternoon.ada, name="one more", at=NOW)

    assert DriverToken.objects.count() == limits.TOKENS_PER_DRIVER
