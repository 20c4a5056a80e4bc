"""The code at the counter: changes every minute, holds a minute longer, tells nothing of the secret."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from drivers import badge

NOW = dt.datetime(2026, 11, 24, 18, 0, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)
SECRET = "a secret of the phone"


def test_a_code_holds_for_its_minute_and_the_next():
    code = badge.code(SECRET, NOW)

    assert badge.code(SECRET, NOW + 59 * SECOND) == code
    assert badge.matches(SECRET, code, NOW + 119 * SECOND)
    assert not badge.matches(SECRET, code, NOW + 120 * SECOND)
    assert not badge.matches(SECRET, code, NOW - SECOND)


def test_a_code_is_read_with_spaces_and_dashes():
    code = badge.code(SECRET, NOW)

    assert badge.matches(SECRET, f" {code[:3]}-{code[3:]} ", NOW)


@given(st.text(max_size=12))
def test_whatever_is_typed_is_judged(entered):
    assert badge.matches(SECRET, entered, NOW) in {True, False}


def test_digits_of_another_script_are_not_a_code():
    code = badge.code(SECRET, NOW)
    arabic = "".join(chr(0x660 + int(digit)) for digit in code)

    assert not badge.matches(SECRET, arabic, NOW)


@given(
    st.datetimes(
        min_value=dt.datetime(2026, 1, 1), max_value=dt.datetime(2040, 1, 1), timezones=st.just(dt.UTC)
    )
)
def test_a_code_is_always_six_digits(at):
    code = badge.code(SECRET, at)

    assert len(code) == 6
    assert code.isdecimal()
