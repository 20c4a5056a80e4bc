"""What operations see, by role, and what a withdrawal from the page does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from deliveries.models import Order, Stop
from offers import aborting, attendance, lateness
from offers.tests import making
from offers.tests.making import HOUR, MINUTE, START
from retaildelivery.accounts.models import User
from retaildelivery.outbox import messages
from retaildelivery.testing.afternoon import NOW, Afternoon, stops_of
from stores.models import Mall

pytestmark = pytest.mark.django_db
PATHS = ["offers:board", "offers:ops_blocks", "deliveries:ops_orders", "deliveries:ops_messages"]


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.mark.parametrize("name", PATHS)
def test_operations_open_every_page_within_the_budget(
    afternoon: Afternoon, name: str, django_assert_max_num_queries: Any
) -> None:
    orders = [afternoon.place() for _number in range(4)]
    afternoon.on_route(*orders[:2])
    olive = signed_in(afternoon.olive)

    with django_assert_max_num_queries(16):
        answer = olive.get(reverse(name))

    assert answer.status_code == 200


@pytest.mark.parametrize("name", PATHS)
def test_staff_and_drivers_may_not_open_operations(afternoon: Afternoon, name: str) -> None:
    assert signed_in(afternoon.sam).get(reverse(name)).status_code == 403
    assert signed_in(afternoon.ada.user).get(reverse(name)).status_code == 403


@pytest.mark.parametrize("name", PATHS)
def test_who_is_signed_out_is_sent_to_sign_in(db: None, name: str) -> None:
    answer = Client().get(reverse(name))

    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_login"))


def test_an_order_is_shown_whole_but_never_its_pin(afternoon: Afternoon) -> None:
    order = afternoon.place(requires_pin=True)
    Order.objects.filter(pk=order.pk).update(pin="8351")

    page = signed_in(afternoon.olive).get(reverse("deliveries:ops_order", args=[order.code])).content.decode()

    assert "<b>Posted</b>" in page
    assert "8351" not in page


def test_orders_are_found_by_what_they_need(afternoon: Afternoon) -> None:
    lost, failed = afternoon.place(point=None), afternoon.place()
    manifest = afternoon.on_route(failed)
    afternoon.fail(stops_of(manifest, Stop.Kind.DROPOFF)[0])
    olive = signed_in(afternoon.olive)

    places = olive.get(reverse("deliveries:ops_orders"), {"need": "location"}).content.decode()
    doors = olive.get(reverse("deliveries:ops_orders"), {"need": "failed"}).content.decode()

    assert lost.code[:4] in places
    assert failed.code[:4] not in places
    assert failed.code[:4] in doors


def test_a_message_is_read_but_a_reset_link_only_where_mail_is_stored(
    afternoon: Afternoon, settings: Any
) -> None:
    message = messages.write(
        key="account:1", name="password_reset", to="sam@nova.example", subject="Reset", text="https://x/reset/abc",
        kind="account", at=NOW,
    )  # fmt: skip
    assert message is not None
    olive = signed_in(afternoon.olive)
    url = reverse("deliveries:ops_message", args=[message.code])

    settings.EMAIL_BACKEND = "retaildelivery.outbox.mail.StoredBackend"
    stored = olive.get(url).content.decode()
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    sent = olive.get(url).content.decode()

    assert "/reset/abc" in stored
    assert "/reset/abc" not in sent


def test_the_board_that_did_not_change_costs_no_bytes(afternoon: Afternoon) -> None:
    olive = signed_in(afternoon.olive)
    first = olive.get(reverse("offers:board"), headers={"hx-request": "true"})

    second = olive.get(
        reverse("offers:board"), headers={"hx-request": "true", "if-none-match": first["ETag"]}
    )

    assert first.status_code == 200
    assert second.status_code == 304
    assert second.content == b""


def test_a_block_is_shown_with_its_window_its_pay_and_a_way_to_take_it_back(afternoon: Afternoon) -> None:
    store = making.store(making.mall("reno-galleria", market="reno"))
    block = making.block([making.order(store)])
    path = reverse("offers:ops_block", args=[block.code])

    page = signed_in(afternoon.olive).get(path).content.decode()

    assert f'<h1 class="code">{block.code}</h1>' in page
    assert "Mon, Nov 23, 1:00 PM" in page
    assert f'action="{reverse("offers:ops_withdraw", args=[block.code])}"' in page


def test_plan_now_hands_a_wave_to_a_worker(afternoon: Afternoon, monkeypatch: Any) -> None:
    afternoon.place()
    asked: list[tuple[str, str]] = []
    monkeypatch.setattr(
        "offers.planning.waves.dispatch.send",
        lambda task, *, queue, mall_code: asked.append((task, mall_code)) or True,
    )

    answer = signed_in(afternoon.olive).post(reverse("offers:ops_plan_now"), {"mall": "fashion-show"})
    stranger = signed_in(afternoon.sam).post(reverse("offers:ops_plan_now"), {"mall": "fashion-show"})

    assert answer.status_code == 302
    assert stranger.status_code == 403
    assert asked == [("offers.tasks.plan_now", "fashion-show")]


def test_who_signs_in_is_sent_to_their_own_door(afternoon: Afternoon) -> None:
    nobody = User.objects.create_user(email="new@example.com", password="x")
    doors = {
        afternoon.olive: reverse("offers:board"),
        afternoon.sam: reverse("deliveries:store_home"),
        afternoon.ada.user: reverse("drivers:home"),
        nobody: reverse("home"),
    }

    sent = {user: signed_in(user).get(reverse("offers:landing"))["Location"] for user in doors}

    assert sent == doors


def broken_off(driver: Any, at: Any) -> None:
    store = making.store(Mall.objects.first() or making.mall(), f"Store {at:%d %H}")
    block = making.claimed(making.block([making.order(store, at=at)], start=at + HOUR, at=at), driver, at=at)
    making.check_in(block, driver, at=at + HOUR)
    aborting.abort(block_code=block.code, driver_id=driver.pk, reason="breakdown", note="", point=None, at=at)
    making.relay_all(at=at)


def test_operations_see_who_breaks_off_more_than_twice_in_ninety_days() -> None:
    olga = signed_in(User.objects.create(email="olga@example.com", name="Olga", is_staff=True))
    ada, ben = making.driver("Ada"), making.driver("Ben")
    days = [making.AT + timedelta(days=day) for day in (0, 30, 60)]
    for at in days:
        broken_off(ada, at)
    for at in days[:2]:
        broken_off(ben, at + 5 * HOUR)

    with time_machine.travel(days[-1] + 2 * HOUR, tick=False):
        page = olga.get(reverse("offers:board")).content.decode()
    with time_machine.travel(days[-1] + timedelta(days=31), tick=False):
        later = olga.get(reverse("offers:board")).content.decode()

    assert "Ada broke off 3 blocks in 90 days" in page
    assert "Ben broke off" not in page
    assert "Ada broke off" not in later


def test_operations_see_who_runs_late_until_when_and_that_the_one_who_lost_it_declined_nothing(
    db: None, client: Client
) -> None:
    ops = User.objects.create(email="ops@example.com", name="Ops", is_staff=True, is_superuser=True)
    ada = making.driver("Ada")
    block = making.claimed(making.block([making.order(making.store(making.mall()))]), ada)
    client.force_login(ops)

    def board(at: Any) -> str:
        with time_machine.travel(at, tick=False):
            return client.get("/ops/?market=las-vegas").content.decode()

    lateness.tell(block_code=block.code, driver_id=ada.pk, eta_at=START + 12 * MINUTE, at=START - 10 * MINUTE)
    told, late = board(START - 9 * MINUTE), board(START + 6 * MINUTE)
    attendance.sweep(at=START + 20 * MINUTE)
    lost = board(START + 20 * MINUTE)
    with time_machine.travel(START + 20 * MINUTE, tick=False):
        page = client.get(reverse("offers:ops_block", args=[block.code])).content.decode()

    assert "running late, says 1:12 PM" in told
    assert "not checked in" not in told
    assert "not checked in; goes to somebody else at 1:20 PM" in late
    assert "Offers unclaimed" in lost
    assert "declined" not in lost
    assert "<dd>the driver did not come</dd>" in page
