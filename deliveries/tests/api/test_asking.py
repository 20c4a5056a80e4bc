"""Lists with filters, CSV, addresses, and what only the API adds to the verbs."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from deliveries import geocoding, limits
from deliveries.models import KnownAddress, Order
from retaildelivery.testing.sellers import SellerClient, Trade, order_body

pytestmark = pytest.mark.django_db


@pytest.fixture
def codes(northwind: SellerClient, trade: Trade) -> list[str]:
    bodies = [order_body(trade.store, external_id=f"N-{n}") for n in range(3)]
    bodies[2]["store"] = trade.second_store.code
    return [northwind.post("orders", body).json()["code"] for body in bodies]


def listed(client: SellerClient, query: str) -> list[str]:
    answer = client.get(f"orders?{query}")
    assert answer.status_code == 200, answer.content
    return [order["external_id"] for order in answer.json()["results"]]


def test_the_list_is_narrowed_by_states_codes_numbers_store_window_and_text(
    northwind: SellerClient, trade: Trade, codes: list[str]
) -> None:
    northwind.put(f"orders/{codes[0]}/cancellation", {"reason": "other"})
    later = (dt.datetime.now(dt.UTC) + dt.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")

    assert listed(northwind, "status=placed") == ["N-2", "N-1"]
    assert listed(northwind, "status=placed,cancelled") == ["N-2", "N-1", "N-0"]
    assert listed(northwind, f"codes={codes[0].lower()},{codes[2]}") == ["N-2", "N-0"]
    assert listed(northwind, "external_ids=N-1,N-2,N-9") == ["N-2", "N-1"]
    assert listed(northwind, f"store={trade.second_store.code}") == ["N-2"]
    assert listed(northwind, f"window_from={later}") == []
    assert listed(northwind, f"window_before={later}&text=Alta") == ["N-2", "N-1", "N-0"]


def test_pages_follow_the_time_of_posting_even_where_orders_have_the_same(
    northwind: SellerClient, codes: list[str]
) -> None:
    first = Order.objects.get(code=codes[0])
    Order.objects.filter(code=codes[1]).update(placed_at=first.placed_at)
    Order.objects.filter(code=codes[2]).update(placed_at=first.placed_at - dt.timedelta(days=1))

    seen, query = [], "limit=1"
    while query:
        page = northwind.get(f"orders?{query}").json()
        seen += [order["external_id"] for order in page["results"]]
        query = f"limit=1&cursor={page['next']}" if page["next"] else ""

    assert seen == ["N-1", "N-0", "N-2"]


def test_words_are_found_whether_they_are_rare_or_frequent(
    northwind: SellerClient, codes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for frequent in (limits.WORDS_FREQUENT, 0):
        monkeypatch.setattr(limits, "WORDS_FREQUENT", frequent)
        assert listed(northwind, "text=alta") == ["N-2", "N-1", "N-0"]
        assert listed(northwind, f"text={codes[1]}%20alta") == ["N-1"]
        assert listed(northwind, "text=zzyzx") == []

        page = northwind.get("orders?text=alta&limit=2").json()
        assert [order["external_id"] for order in page["results"]] == ["N-2", "N-1"]
        assert listed(northwind, f"text=alta&limit=2&cursor={page['next']}") == ["N-0"]
        exported = b"".join(northwind.get("orders.csv?text=alta").streaming_content).decode()
        assert [exported.index(number) for number in ("N-2", "N-1", "N-0")] == sorted(
            exported.index(number) for number in ("N-0", "N-1", "N-2")
        )


def test_a_page_takes_as_many_statements_however_many_orders_are_on_it(
    northwind: SellerClient, codes: list[str]
) -> None:
    counted = []
    for limit in (1, 3):
        with CaptureQueriesContext(connection) as captured:
            northwind.get(f"orders?limit={limit}")
        counted.append(len(captured))

    assert counted[0] == counted[1] <= 6


@pytest.mark.parametrize("query", ["status=nowhere", "codes=" + "A," * 101, "colour=red"])
def test_a_filter_that_is_none_is_refused(northwind: SellerClient, query: str) -> None:
    assert northwind.get(f"orders?{query}").status_code == 400


def test_orders_are_exported_as_csv_and_no_cell_is_a_formula(
    northwind: SellerClient, southgate: SellerClient, trade: Trade, codes: list[str]
) -> None:
    Order.objects.filter(code=codes[0]).update(recipient_name="=cmd()")

    answer = northwind.get("orders.csv?external_ids=N-0,N-1")

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert [row["code"] for row in rows] == [codes[1], codes[0]]
    assert (rows[1]["recipient_name"], rows[1]["fee_cents"]) == ("'=cmd()", "1099")
    nothing = b"".join(southgate.get("orders.csv").streaming_content).decode()
    assert nothing.count("\n") == 1


def test_items_and_kinds_of_pin_are_said_and_shown_but_never_the_pin(
    northwind: SellerClient, trade: Trade
) -> None:
    items = [{"name": "Lamp", "quantity": 2, "grams": 900, "price_cents": 4_500, "barcode": "4006381333931"}]
    requirements = {"pin": True, "pin_kind": "own", "own_pin": "4711"}

    answer = northwind.post("orders", order_body(trade.store, items=items, requirements=requirements))

    assert answer.status_code == 201, answer.content
    [item] = answer.json()["items"]
    assert (item["name"], item["quantity"], item["price"]) == ("Lamp", 2, {"cents": 4_500, "currency": "USD"})
    assert answer.json()["requirements"]["pin_kind"] == "own"
    assert Order.objects.get().pin == "4711"
    assert "own_pin" not in answer.content.decode()


def address(**changes: Any) -> dict[str, Any]:
    return {"line1": "2212 Alta Drive", "city": "Las Vegas", "region": "nv", "postal_code": "89107"} | changes


def judged(client: SellerClient, given: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = client.post("addresses/validate", {"address": given, **more})
    assert answer.status_code == 200, answer.content
    return answer.json()


@pytest.fixture
def known() -> None:
    KnownAddress.objects.create(
        key="2212 alta dr|89107", latitude="36.167300", longitude="-115.178700", source="pin"
    )


@pytest.mark.usefixtures("known")
def test_an_address_that_we_know_is_valid_and_placed(northwind: SellerClient, trade: Trade) -> None:
    told = judged(northwind, address(line1=" 2212  Alta Dr "), store=trade.store.code)

    assert (told["valid"], told["located_by"], told["problems"]) == (True, "known", [])
    assert (told["address"]["line1"], told["address"]["region"]) == ("2212 Alta Dr", "NV")
    assert (told["address"]["latitude"], told["address"]["longitude"]) == (36.1673, -115.1787)


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"latitude": 36.2, "longitude": -115.1787}, "address", "too_far_from_pin"),
        ({"line1": "1 Nowhere"}, "address", "location_unknown"),
        ({"region": "XX"}, "address.region", "invalid"),
        ({"latitude": 40.0, "longitude": -115.0, "line1": "1 Nowhere"}, "address", "not_serviceable"),
    ],
)
def test_what_is_wrong_with_an_address_has_a_code(
    northwind: SellerClient, trade: Trade, changes: dict[str, Any], field: str, code: str
) -> None:
    told = judged(northwind, address(**changes), store=trade.store.code)

    assert (told["valid"], told["problems"][0]["field"], told["problems"][0]["code"]) == (False, field, code)


def test_the_beginning_of_an_address_is_completed_from_own_orders_only(
    northwind: SellerClient, southgate: SellerClient, codes: list[str]
) -> None:
    [found] = northwind.get("addresses/complete?text=2212%20al").json()["results"]

    assert (found["line1"], found["postal_code"], found["latitude"]) == ("2212 Alta Drive", "89107", 36.1673)
    assert found["line2"] == ""
    assert southgate.get("addresses/complete?text=2212%20al").json()["results"] == []


def test_what_is_written_as_an_address_comes_apart() -> None:
    assert geocoding._parts("2212 Alta Drive, Las Vegas, NV 89107, USA") == {
        "line1": "2212 Alta Drive",
        "city": "Las Vegas",
        "region": "NV",
        "postal_code": "89107",
    }
    assert geocoding._parts("Las Vegas") is None


def test_action_quotes_are_asked_over_the_api(
    northwind: SellerClient, southgate: SellerClient, codes: list[str]
) -> None:
    answer = northwind.get(f"orders/{codes[0]}/action-quotes?latitude=36.24&longitude=-115.1723")

    told = {each["action"]: each for each in answer.json()["results"]}
    assert told["cancel"]["fee"] == {"cents": 0, "currency": "USD"}
    assert told["change_address"]["fee"]["cents"] == 720
    assert told["redeliver"] | {"lines": []} == {
        "action": "redeliver",
        "allowed": False,
        "reason": "placed",
        "fee": None,
        "lines": [],
        "until": None,
        "fee_in_five_minutes": None,
    }
    assert southgate.get(f"orders/{codes[0]}/action-quotes").status_code == 404
    assert northwind.get(f"orders/{codes[0]}/action-quotes?latitude=1").status_code == 400


def test_redelivery_over_the_api_says_why_not(
    northwind: SellerClient, southgate: SellerClient, trade: Trade, codes: list[str]
) -> None:
    body = {"window": order_body(trade.store)["window"]}

    answer = northwind.post(f"orders/{codes[0]}/redelivery", body)

    assert (answer.status_code, answer.json()["code"], answer.json()["reason"]) == (
        409, "redelivery_not_allowed", "placed",
    )  # fmt: skip
    assert southgate.post(f"orders/{codes[0]}/redelivery", body).status_code == 404
