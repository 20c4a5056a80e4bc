"""A code that was drawn twice is drawn anew, by whoever waits for an answer."""

import itertools
from typing import Any

import pytest

from deliveries.models import Order
from drivers import applying
from drivers.models import Driver
from offers.tests import making
from retaildelivery.accounts.models import User
from retaildelivery.lib import codes
from retaildelivery.testing.sellers import SellerClient, Trade, order_body

pytestmark = pytest.mark.django_db


@pytest.fixture
def clashing(monkeypatch: pytest.MonkeyPatch) -> Any:
    """From here on the first codes drawn of a length are the same ones again."""

    def begin(taken: str, times: int) -> None:
        real, turns = codes._drawn, itertools.count()  # noqa: SLF001

        def drawn(signs: str, length: int) -> str:
            again = signs == codes.ALPHABET and length == len(taken) and next(turns) < times
            return taken if again else real(signs, length)

        monkeypatch.setattr(codes, "_drawn", drawn)

    return begin


def test_an_order_whose_code_is_taken_gets_another(
    northwind: SellerClient, trade: Trade, clashing: Any
) -> None:
    first = northwind.post("orders", order_body(trade.store, external_id="N-1")).json()["code"]
    clashing(first, 2)

    answer = northwind.post("orders", order_body(trade.store, external_id="N-2"))

    assert (answer.status_code, answer.json()["code"] != first) == (201, True)
    assert Order.objects.count() == 2


def test_a_thousand_orders_of_which_one_draws_a_taken_code_are_all_posted(
    northwind: SellerClient, trade: Trade, clashing: Any
) -> None:
    first = northwind.post("orders", order_body(trade.store, external_id="N-1")).json()["code"]
    clashing(first, 1)
    bodies = [order_body(trade.store, external_id=f"M-{n}") for n in range(3)]

    answer = northwind.post("orders/bulk", {"orders": bodies})

    assert (answer.status_code, answer.json()["created"]) == (200, 3)
    assert Order.objects.count() == 4


def test_a_driver_whose_code_is_taken_gets_another(clashing: Any) -> None:
    making.mall()
    ada = making.driver("Ada")
    user = User.objects.create_user("ben@example.com")
    clashing(ada.code[1:], 1)

    car = {"kind": "sedan", "make": "Toyota", "model": "Prius", "year": 2022, "colour": "blue", "plate": "B1"}
    ben = applying.apply(user=user, name="Ben", phone="+17025550148", market="las-vegas", at=making.AT, **car)

    assert ben.code != ada.code
    assert Driver.objects.count() == 2
