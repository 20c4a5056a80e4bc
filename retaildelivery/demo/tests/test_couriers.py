"""What a courier of the demo does where two drivers meet."""

from types import SimpleNamespace

import pytest

from retaildelivery.demo import data
from retaildelivery.demo.couriers import Rider

BLOCK = SimpleNamespace(code="BX7QX4M2A")
MANIFEST = {"stops": [{"orders": [{"code": "FIRST", "open": True}, {"code": "SECOND", "open": False}]}]}


class Phone:
    def __init__(self, code):
        self.code = code
        self.handed_over = []

    def badge(self):
        return self.code

    def hand_over(self, block, *, driver_code):
        self.handed_over.append((block, driver_code))


def hand_on(rider):
    """Whether somebody was met, after all waiting."""

    def wait_for_it():
        found.append((yield from rider._hand_on(BLOCK, MANIFEST)))

    found = []
    list(wait_for_it())
    return found[0]


@pytest.fixture
def badges():
    """What drivers at a meeting show, by the order."""
    return {}


@pytest.fixture
def rider(badges):
    def make(phone):
        return Rider(data.couriers()[0], phone=phone, home=None, play=SimpleNamespace(badges=badges))

    return make


def test_who_shows_their_code_for_what_one_holds_is_handed_it_once(rider, badges):
    phone, other = Phone("111111"), Phone("222222")
    badges.update(FIRST=other.badge, SECOND=other.badge)
    giver = rider(phone)

    assert hand_on(giver)
    assert phone.handed_over == [(BLOCK.code, "222222")]
    assert list(badges) == ["SECOND"], "what one does not hold is somebody else's to hand over"
    assert not hand_on(giver)


def test_a_driver_does_not_hand_over_to_themselves_by_a_code_they_showed_before(rider, badges):
    phone = Phone("111111")
    badges.update(FIRST=phone.badge)

    assert not hand_on(rider(phone))
    assert phone.handed_over == []
