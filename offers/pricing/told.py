"""A priced case in words: as a table for people and as JSON for programs."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from offers.pricing.case import Priced
from offers.pricing.floors import Due
from offers.pricing.lines import PayLine, round_half_up
from offers.pricing.rates import METRES
from retaildelivery.lib import money

MONEY_PARAMS = frozenset({"rate", "floor", "credited", "pool", "pool_credited"})


def amount(cents: int) -> str:
    """Cents as a decimal text, "25.94"."""
    return f"{Decimal(cents) / 100:.2f}"


def as_json(priced: Priced) -> dict[str, Any]:
    """The answer to a case."""
    lines = priced.lines
    totals = dict.fromkeys((block.driver for block in priced.case.blocks), 0)
    for each in lines:
        totals[each.driver] += each.line.cents
    return {
        "title": priced.case.title,
        "currency": priced.case.currency,
        "total": amount(priced.total_cents),
        "total_cents": priced.total_cents,
        "drivers": [_total("driver", driver, cents) for driver, cents in totals.items()],
        "lines": [
            {
                "driver": each.driver,
                "block": each.block,
                "kind": str(each.line.kind),
                "amount": amount(each.line.cents),
                "cents": each.line.cents,
                "rule": each.line.rule,
                "text": sentence(each.line, priced.case.currency),
                "params": dict(each.line.params),
                "charged_to": each.line.charged_to,
            }
            for each in lines
        ],
        "floors": [_due(due) for due in priced.dues],
    }


def _total(name: str, value: str, cents: int) -> dict[str, Any]:
    return {name: value, "total": amount(cents), "total_cents": cents}


def _due(due: Due) -> dict[str, Any]:
    unit = due.floor.distance_unit
    hours = Fraction(due.time // timedelta(microseconds=1), 3_600_000_000)
    return {
        "rule": due.floor.rule,
        "scope": str(due.floor.scope),
        "driver": due.driver,
        "blocks": list(due.offers),
        "hours": _four(hours),
        "distance": _four(due.metres / Fraction(METRES[unit])),
        "unit": unit,
        "floor": amount(round_half_up(due.least)),
        "credited": amount(round_half_up(due.credited)),
        "top_up": amount(due.top_up_cents),
        "top_up_cents": due.top_up_cents,
        "mileage": amount(due.mileage_cents),
        "mileage_cents": due.mileage_cents,
    }


def _four(number: Fraction) -> str:
    text = f"{Decimal(number.numerator) / Decimal(number.denominator):.4f}"
    return text.rstrip("0").rstrip(".")


def sentence(line: PayLine, currency: str) -> str:
    """The line in English, amounts as money."""
    params = dict(line.params)
    for name in MONEY_PARAMS & params.keys():
        params[name] = money_text(params[name], currency)
    return line.template % params


def money_text(cents: str, currency: str) -> str:
    """Cents as money. Rates may have parts of a cent, and there may be several of them."""
    told = []
    for each in cents.split("/"):
        exact = Decimal(each)
        whole = exact == exact.to_integral_value()
        told.append(
            money.format_cents(int(exact), currency) if whole else f"{(exact / 100).normalize():f} {currency}"
        )
    return "/".join(told)


def as_table(priced: Priced) -> str:
    """Lines, total and floors for a terminal."""
    currency = priced.case.currency
    several = len({block.driver for block in priced.case.blocks}) > 1
    rows = [
        (
            f"{each.driver} {each.block}" if several else each.block,
            str(each.line.kind),
            money.format_cents(each.line.cents, currency),
            f"{sentence(each.line, currency)} [{each.line.rule}]",
        )
        for each in priced.lines
    ]
    answer = as_json(priced)
    if several:
        rows += [
            (row["driver"], "total", money.format_cents(row["total_cents"], currency), "")
            for row in answer["drivers"]
        ]
    rows.append(("", "total", money.format_cents(priced.total_cents, currency), ""))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    told = [priced.case.title] if priced.case.title else []
    told += [
        f"{where:<{widths[0]}}  {kind:<{widths[1]}}  {cents:>{widths[2]}}  {text}".rstrip()
        for where, kind, cents, text in rows
    ]
    told += [
        f"floor {row['rule']} ({row['scope']}, {row['driver']}: {', '.join(row['blocks'])}): "
        f"{row['hours']} h, {row['distance']} {row['unit']}; floor {row['floor']}, credited {row['credited']}, "
        f"top-up {row['top_up']}, mileage beside it {row['mileage']}"
        for row in answer["floors"]
    ]
    return "\n".join(told)
