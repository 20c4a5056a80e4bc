"""What drivers are told of their blocks reaches their phones."""

import pytest

from drivers.models import Notice
from drivers.tests import phone as phones
from offers import attendance, awarding, expiry, handing_over, withdrawing
from offers.models import Award
from offers.tests import making
from offers.tests.making import AT, HOUR, MINUTE
from retaildelivery.lib import vapid
from retaildelivery.outbox.models import Message
from retaildelivery.outbox.recording import SYSTEM

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _keys(settings, time_machine):
    time_machine.move_to(AT, tick=False)
    settings.VAPID_PRIVATE_KEY = vapid.new_key()
    settings.PUSH_ALLOW_PRIVATE = True


@pytest.fixture
def phone():
    with phones.running() as service:
        yield service.phone()


@pytest.fixture
def ada(phone):
    made = making.driver("Ada")
    phone.of(made)
    return made


def told():
    """Who was told what, opening which page, until when."""
    return [
        (each.driver.user.first_name, each.name, each.path, each.expires_at, each.pushes.count())
        for each in Notice.objects.order_by("pk")
    ]


def test_who_is_drawn_and_the_reserve_who_is_asked_next_hear_of_it_with_the_end_of_the_hold(ada):
    block = making.block([making.order(making.store(making.mall(draws=True)))])
    offer = making.offer_of(block)
    making.entered(offer, ada, making.driver("Ben"))
    close = offer.closes_at
    expiry.sweep(at=close)
    making.relay_all(at=close)
    first = Award.objects.get()
    awarding.sweep(at=first.holds_until)
    making.relay_all(at=first.holds_until)

    page = f"/drive/offers/{offer.code}/"
    holds = {each.driver.user.first_name: each.holds_until for each in Award.objects.all()}
    assert sorted(told()) == [
        ("Ada", "award_made", page, holds["Ada"], 1),
        ("Ben", "award_made", page, holds["Ben"], 0),
    ]
    assert list(Message.objects.values_list("to", flat=True)) == [
        each.driver.user.email for each in Notice.objects.filter(driver__user__name="Ben")
    ]


def test_a_withdrawn_block_says_so_with_what_is_paid_in_the_drivers_language(ada):
    ada.user.locale = "es"
    ada.user.save()
    block = making.claimed(making.block([making.order(making.store(making.mall()))]), ada)

    withdrawing.withdraw(block_code=block.code, reason="", actor=SYSTEM, at=block.starts_at - 30 * MINUTE)
    making.relay_all(at=block.starts_at - 30 * MINUTE)

    [notice] = Notice.objects.filter(name="block_withdrawn")
    assert notice.subject == f"No hace falta que vengas: se retiró el bloque {block.code}"
    assert "$" in notice.brief
    assert notice.pushes.count() == 1


def test_who_did_not_come_reads_what_it_counts_and_how_to_object(ada):
    block = making.claimed(making.block([making.order(making.store(making.mall()))]), ada)
    at = block.starts_at + 20 * MINUTE

    attendance.sweep(at=at)
    making.relay_all(at=at)

    [notice] = Notice.objects.filter(name="block_no_show")
    assert (notice.driver, notice.path) == (ada, "/drive/standing/")
    assert "counts 6 points against your standing" in notice.brief
    assert "Appeal" in notice.text


def test_a_block_that_nobody_held_is_withdrawn_in_silence(ada):
    block = making.block([making.order(making.store(making.mall()))])

    withdrawing.withdraw(block_code=block.code, reason="", actor=SYSTEM, at=AT)
    making.relay_all(at=AT)

    assert told() == []


def test_who_is_asked_to_take_over_hears_of_it_until_it_lapses(ada):
    ben = making.driver("Ben")
    block = making.claimed(making.block([making.order(making.store(making.mall()))]), ben)
    made = handing_over.propose(block_code=block.code, driver_id=ben.pk, receiver_code=ada.code, at=AT)
    making.relay_all(at=AT)

    assert told() == [
        ("Ada", "block_hand_over_proposed", f"/drive/hand-overs/{made.code}/", made.expires_at, 1)
    ]
    assert made.expires_at <= AT + 2 * HOUR
