from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliveries import fees
from deliveries.fees import FeeKind, FeeTerms, Stage
from retaildelivery.lib import money

PAGE = Path(__file__).resolve().parents[2] / "docs" / "pay.md"
TERMS = FeeTerms(
    "T1",
    base_cents=975,
    base_m=8047,
    mile_cents=75,
    size_cents=(("small", 0), ("medium", 0), ("large", 250), ("extra_large", 600)),
    return_share=Decimal("0.60"),
    cancellation_shares=(
        (Stage.PLACED, Decimal(0)),
        (Stage.PLANNED, Decimal(0)),
        (Stage.ASSIGNED, Decimal("0.30")),
        (Stage.AT_PICKUP, Decimal("0.60")),
    ),
)


def rows() -> list[list[str]]:
    lines = PAGE.read_text().splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("| Metres")) + 2
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[first:]]


def cents(text: str) -> int:
    return money.cents(Decimal(text.removeprefix("$")))


@pytest.mark.parametrize("row", rows(), ids=lambda row: " ".join(row[:2]))
def test_the_worked_fees_of_the_page_come_out(row):
    metres, sizes, *expected = row
    delivery = fees.fee(TERMS, distance_m=int(metres), size_classes=sizes.split(", "))
    stages = [Stage.PLANNED, Stage.ASSIGNED, Stage.AT_PICKUP]

    by_kind = [
        sum(line.cents for line in delivery if line.kind is kind)
        for kind in (FeeKind.BASE, FeeKind.DISTANCE, FeeKind.SIZE)
    ]
    others = [delivery, fees.return_fee(TERMS, delivery)]
    others += [fees.cancellation_fee(TERMS, delivery, stage=stage) for stage in stages]
    assert by_kind + [fees.total_cents(lines) for lines in others] == [cents(each) for each in expected]


def test_a_free_cancellation_has_no_line():
    delivery = fees.fee(TERMS, distance_m=100, size_classes=["small"])

    assert fees.cancellation_fee(TERMS, delivery, stage=Stage.PLACED) == ()


def test_every_line_names_its_rule_and_its_sentence_can_be_said():
    delivery = fees.fee(TERMS, distance_m=20_000, size_classes=["large", "small", "extra_large", "large"])
    lines = [
        *delivery,
        *fees.return_fee(TERMS, delivery),
        *fees.cancellation_fee(TERMS, delivery, stage=Stage.AT_PICKUP),
    ]

    assert {line.rule for line in lines} == {"T1"}
    assert [fees.FEE_SENTENCES[line.kind] % dict(line.params) for line in lines] == [
        "Delivery up to 5 miles",
        "8 mi more at 75 each",
        "Parcels of size extra_large: 1 at 600 each",
        "Parcels of size large: 2 at 250 each",
        "Way back to the store: 60 % of the delivery",
        "Cancelled when at_pickup: 60 % of the delivery",
    ]


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: fees.fee(TERMS, distance_m=-1, size_classes=[]), "not negative"),
        (lambda: fees.fee(TERMS, distance_m=1, size_classes=["piano"]), "piano"),
        (lambda: replace(TERMS, base_cents=-1), "negative"),
        (lambda: replace(TERMS, return_share=Decimal("-0.1")), "negative"),
        (
            lambda: fees.cancellation_fee(replace(TERMS, cancellation_shares=()), (), stage=Stage.PLACED),
            "no price",
        ),
    ],
)
def test_nonsense_is_refused(ask, message):
    with pytest.raises(ValueError, match=message):
        ask()


sizes = st.lists(st.sampled_from(["small", "medium", "large", "extra_large"]), max_size=8)


@given(st.integers(0, 200_000), st.integers(0, 50_000), sizes)
def test_a_longer_way_never_costs_less_and_a_return_less_than_the_delivery(distance_m, more_m, size_classes):
    near = fees.fee(TERMS, distance_m=distance_m, size_classes=size_classes)
    far = fees.fee(TERMS, distance_m=distance_m + more_m, size_classes=size_classes)

    assert fees.total_cents(near) <= fees.total_cents(far)
    assert 0 < fees.total_cents(fees.return_fee(TERMS, near)) < fees.total_cents(near)
    assert all(line.cents >= 0 for line in far)
