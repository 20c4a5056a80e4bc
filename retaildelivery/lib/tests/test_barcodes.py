from __future__ import annotations

import pytest

from retaildelivery.lib import barcodes


@pytest.mark.parametrize(
    ("printed", "read"),
    [
        ("NW-000123", "nw-000123"),
        ("(00) 3 4012345 123456789 5", "]C100340123451234567895"),
        ("003401234512345678 95", "00340123451234567895\x1d"),
        ("036000291452", "0036000291452"),
        ("  BOX 7 ", "box7"),
    ],
)
def test_the_same_code_is_known_however_it_is_read(printed: str, read: str) -> None:
    assert barcodes.spelled(printed) == barcodes.spelled(read)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("NW-000123", "NW-000124"),
        ("036000291452", "136000291452"),
        ("12345678901", "012345678901"),
        ("NW-1", "NW1"),
    ],
)
def test_other_codes_are_other_codes(one: str, other: str) -> None:
    assert barcodes.spelled(one) != barcodes.spelled(other)
