from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retaildelivery.lib import money


@pytest.mark.parametrize(
    ("amount", "cents"),
    [("0.004", 0), ("0.005", 1), ("12.345", 1235), ("-0.005", -1), ("-12.344", -1234), ("18", 1800)],
)
def test_a_half_cent_goes_up(amount, cents):
    assert money.cents(Decimal(amount)) == cents


@pytest.mark.parametrize("convert", [money.cents, money.round_cents])
def test_floats_are_refused(convert):
    with pytest.raises(TypeError, match="Decimal"):
        convert(12.34)


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (123456, "USD", "$1,234.56"),
        (5, "USD", "$0.05"),
        (-5, "USD", "-$0.05"),
        (2500, "EUR", "€25.00"),
        (-2500, "MXN", "-25.00 MXN"),
    ],
)
def test_cents_are_written_as_people_write_them(amount, currency, text):
    assert money.format_cents(amount, currency) == text


def test_twenty_minutes_at_an_hourly_rate_keep_their_thirds():
    assert money.round_cents(money.for_time(2000, timedelta(minutes=20))) == 667
    assert money.for_time(1830, timedelta(seconds=30)) == Decimal("15.25")


@given(st.integers(0, 10**7), st.integers(0, 10**6))
def test_time_is_worth_the_same_as_computed_in_whole_numbers(hourly_cents, seconds):
    exact = money.for_time(hourly_cents, timedelta(seconds=seconds))

    assert money.round_cents(exact) == (2 * hourly_cents * seconds + 3600) // 7200


def test_a_total_over_time_is_a_rate():
    assert money.per_hour(7000, timedelta(hours=3, minutes=30)) == 2000
    assert money.per_hour(7000, timedelta(0)) == 0
