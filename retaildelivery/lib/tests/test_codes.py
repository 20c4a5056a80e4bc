import pytest
from hypothesis import given
from hypothesis import strategies as st

from retaildelivery.lib import codes


def test_a_code_has_its_prefix_and_length_and_only_clear_characters():
    code = codes.new_code("B", 10)

    assert code[0] == "B"
    assert len(code) == 11
    assert set(code) <= set(codes.ALPHABET)
    assert not set("0O1ILU") & set(codes.ALPHABET)


def test_a_thousand_codes_differ():
    assert len({codes.new_code() for _ in range(1000)}) == 1000


@given(st.text(alphabet=codes.ALPHABET, min_size=1, max_size=12))
def test_a_printed_code_survives_being_typed_in_lower_case_with_gaps(code):
    assert codes.normalise(" " + "- ".join(code.lower()) + "\n") == code


@given(st.text(max_size=40))
def test_normalising_twice_changes_nothing_more(text):
    once = codes.normalise(text)

    assert codes.normalise(once) == once


def test_look_alikes_are_read_as_the_character_that_can_be_printed():
    assert codes.normalise("k0o-1il u") == "KQQJJJV"


@pytest.mark.parametrize("prefix", ["O", "b", "A-", " B"])
def test_a_prefix_that_could_not_be_typed_back_is_refused(prefix):
    with pytest.raises(ValueError, match="prefix"):
        codes.new_code(prefix)


def test_tokens_are_long_and_url_safe():
    token = codes.new_token()

    assert len(token) == 43
    assert token.replace("-", "").replace("_", "").isalnum()


def test_a_pin_has_its_digits():
    pin = codes.new_digits(6)

    assert len(pin) == 6
    assert pin.isdecimal()


@pytest.mark.parametrize("make", [codes.new_digits, lambda length: codes.new_code("", length)])
def test_nothing_of_no_length_is_made(make):
    with pytest.raises(ValueError, match="at least one"):
        make(0)
