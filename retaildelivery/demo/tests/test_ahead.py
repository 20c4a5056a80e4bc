"""The demo has something ahead: what a newcomer sees on the pages of stand-bys, hand-overs and blocks of tomorrow."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from offers.models import Block, HandOver, StandBy, Wish
from retaildelivery.accounts.models import User
from retaildelivery.demo import ahead, cast, seeding

AT = datetime(2026, 11, 23, 18, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("draws", [True, False])
def test_every_market_has_blocks_of_tomorrow_a_stand_by_a_hand_over_and_a_wish(draws):
    seeding.seed(at=AT)
    if draws:
        seeding.draw_soon()

    assert ahead.prepare(at=AT) == 24
    assert ahead.prepare(at=AT + timedelta(minutes=5)) == 0

    assert Block.objects.filter(origin="scheduled", status="offered").count() == 20
    assert Block.objects.filter(origin="scheduled", status="claimed").count() == 4
    assert HandOver.objects.open_at(AT + timedelta(hours=1)).count() == 4
    assert StandBy.objects.live().count() == 4
    assert Wish.objects.filter(by_email=True).count() == 4


def test_operations_see_them_on_their_page(client, time_machine):
    time_machine.move_to(AT, tick=False)
    seeding.seed(at=AT)
    ahead.prepare(at=AT)
    client.force_login(
        User.objects.get(email=cast.OPERATIONS.email),
        backend="allauth.account.auth_backends.AuthenticationBackend",
    )

    page = client.get(reverse("offers:ops_stand_bys"), {"market": "las-vegas"}).content.decode()

    assert page.count("/end/") == 2
