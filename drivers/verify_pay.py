#!/usr/bin/env python3
"""Check a Retail Delivery pay account on your own computer. Needs Python 3.9 and nothing else.

    python3 verify_pay.py account.json

The file is "Download my account" on the page Pay. Three things are checked and every difference is named:

1. The chain: each line's hash is computed again from the line and the hash before it. A line that was changed,
   removed, put in or moved breaks it. Keep an old download: with `--since old.json` the account must still
   begin with exactly those lines.
2. The amounts: each line is computed again from what it says it was computed from; a floor from the row of law that
   the file holds, the time and distance of its block, and the lines it credits.
3. The sum: the lines come to the balance.

Exit code 0 when nothing differs, 1 when something does, 2 when the file cannot be read.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import Any

FORM = "retail-delivery account 1"
HASHED = ("previous", "sequence", "key", "kind", "cents", "text", "rule", "subject", "at", "params")
NOT_TOWARDS_A_FLOOR = {"tip", "toll", "mileage"}
HALF = Decimal("0.5")
METRES_A_MILE = Fraction("1609.344")
WHOLE = 100  # percent


def digest(line: dict[str, Any]) -> str:
    """The hash of a line: SHA-256 over the JSON array of its fields, params sorted by name."""
    fields = [line[name] for name in HASHED[:-1]]
    fields.append([[name, str(value)] for name, value in sorted(line["params"].items())])
    return hashlib.sha256(json.dumps(fields, ensure_ascii=False).encode()).hexdigest()


def first_link(driver: str) -> str:
    """What the first line of a driver hangs on."""
    return hashlib.sha256(("driver:" + driver).encode()).hexdigest()


def rounded(exact: Decimal) -> int:
    """Whole cents, a half away from zero."""
    return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def expected(line: dict[str, Any]) -> tuple[int, int] | None:  # noqa: PLR0911 -- a row for each kind
    """The least and the most cents that follow from the line's params, or None for an amount that is given (a
    tip, a bonus, a toll, a payout) and not computed."""
    params = {name: Decimal(value) for name, value in line["params"].items() if is_number(value)}
    kind = line["kind"]
    if kind in {"base", "step"} and "seconds" in params:
        return exactly(rounded(params["rate"] * params["seconds"] / 3600))
    if kind in {"base", "step"} and {"hours", "rate"} <= params.keys():
        # Hours are written with two decimals: the true time lies within half a hundredth of them.
        return about(params["hours"], params["rate"], Decimal("0.005"))
    if kind in {"overtime", "wait"} and {"minutes", "rate"} <= params.keys():
        return exactly(rounded(params["rate"] * params["minutes"] / 60))
    if kind == "return" and {"trips", "rate"} <= params.keys():
        return exactly(rounded(params["trips"] * params["rate"]))
    if kind == "mileage" and {"distance", "rate"} <= params.keys():
        return about(params["distance"], params["rate"], Decimal("0.005"))
    if kind == "floor" and {"floor", "credited"} <= params.keys():
        return exactly(rounded(params["floor"] - params["credited"]))
    if kind in {"withdrawn", "stood_down"} and {"percent", "pay"} <= params.keys():
        if params["percent"] < WHOLE and {"seconds", "hourly"} <= params.keys():
            # Of the exact quote: half of a rounded sum would be rounded twice.
            return exactly(rounded(params["hourly"] * params["seconds"] * params["percent"] / 3600 / WHOLE))
        return exactly(rounded(params["pay"] * params["percent"] / 100))
    return None


def exactly(cents: int) -> tuple[int, int]:
    return cents, cents


def about(amount: Decimal, rate: Decimal, margin: Decimal) -> tuple[int, int]:
    return rounded((amount - margin) * rate - HALF), rounded((amount + margin) * rate + HALF)


def is_number(value: object) -> bool:
    try:
        return Decimal(str(value)).is_finite()
    except InvalidOperation:
        return False


def floor_differs(line: dict[str, Any], rules: dict[str, Any]) -> str | None:
    """A floor follows from its row of law: the hourly amount times the engaged time, and the amount a mile times the
    distance."""
    params = line["params"]
    if line["kind"] != "floor" or not (
        is_number(params.get("seconds", "")) and is_number(params.get("metres", ""))
    ):
        return None
    rule = rules.get(line["rule"])
    if rule is None:
        return f"names the rule {line['rule']!r}, which the file does not hold"
    time = Fraction(rule["floor_hourly_cents"]) * Fraction(params["seconds"]) / 3600
    least = time + Fraction(rule["floor_mile_cents"]) * Fraction(params["metres"]) / METRES_A_MILE
    # Half up, exactly.
    due = (2 * least + 1) // 2
    if Decimal(params["floor"]) != due:
        return f"says that the floor is {params['floor']} cents where its law gives {due}"
    return None


def credited_differs(line: dict[str, Any], lines: list[dict[str, Any]]) -> str | None:
    """A floor credits the work lines of its block, all of them: those before it, tips and tolls left out. One that
    names what it is `of` (a shift, a week, or kinds of its own) credits no more than those lines."""
    if line["kind"] != "floor" or not is_number(line["params"].get("credited", "")):
        return None
    counted = {line["subject"], *line["params"].get("of", "").split()}
    earlier = [
        other["cents"]
        for other in lines
        if other["subject"] in counted
        and other["sequence"] < line["sequence"]
        and other["kind"] not in NOT_TOWARDS_A_FLOOR
    ]
    due = sum(earlier)
    credited = Decimal(line["params"]["credited"])
    if credited != due and (credited > due or "of" not in line["params"]):
        return f"credits {line['params']['credited']} cents, the lines before it come to {due}"
    return None


def line_differences(line: dict[str, Any], place: int, before: str, account: dict[str, Any]) -> list[str]:
    """What is wrong with one line: in the chain, in its amount, in what a floor credits and guarantees."""
    said = []
    if line["sequence"] != place:
        said.append(f"is number {line['sequence']} where {place} is due: a line is missing or moved")
    if line["previous"] != before:
        said.append("does not hang on the line before it")
    if line["digest"] != digest(line):
        said.append("was changed: its hash does not follow from its fields")
    due = expected(line)
    if due is not None and not due[0] <= line["cents"] <= due[1]:
        said.append(f"pays {line['cents']} cents where its own terms give {due[0]}")
    floor = (credited_differs(line, account["lines"]), floor_differs(line, account.get("rules", {})))
    return said + [wrong for wrong in floor if wrong]


def differences(account: dict[str, Any]) -> list[tuple[int | None, str]]:
    """Every difference, as (number of the line or None, sentence)."""
    found: list[tuple[int | None, str]] = []
    if account.get("form") != FORM:
        found.append((None, f"the form is {account.get('form')!r}, this script reads {FORM!r}"))
    lines = account["lines"]
    before = first_link(account["driver"])
    for place, line in enumerate(lines, 1):
        found += [(line["sequence"], said) for said in line_differences(line, place, before, account)]
        before = line["digest"]
    keys = [line["key"] for line in lines]
    if len(set(keys)) < len(keys):
        found += [(None, f"{key} is posted twice") for key in sorted(set(keys)) if keys.count(key) > 1]
    total = sum(line["cents"] for line in lines)
    if total != account["balance_cents"]:
        found.append((None, f"the lines come to {total} cents, the balance says {account['balance_cents']}"))
    return found


def since(account: dict[str, Any], old: dict[str, Any]) -> list[tuple[int | None, str]]:
    """Whether the account still begins with the lines of an older download."""
    kept = [line["digest"] for line in old["lines"]]
    now = [line["digest"] for line in account["lines"]][: len(kept)]
    if old["driver"] == account["driver"] and kept == now:
        return []
    return [(None, "the account no longer begins with the lines of the older download")]


def report(account: dict[str, Any], found: list[tuple[int | None, str]]) -> str:
    """What a person reads."""
    lines = account["lines"]
    computed = sum(expected(line) is not None for line in lines)
    balance = f"{account['balance_cents'] / 100:.2f}"
    said = [f"{account['driver']}: {len(lines)} lines, {computed} computed again, balance {balance}"]
    for number, sentence in found:
        said.append((f"line {number} {sentence}") if number is not None else sentence)
    said.append(f"{len(found)} differences" if found else "Nothing differs.")
    return "\n".join(said)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file")
    parser.add_argument("--since", metavar="OLD", help="an older download, which must still be the beginning")
    given = parser.parse_args(arguments)
    try:
        account = json.loads(Path(given.file).read_text(encoding="utf-8"))
        found = differences(account)
        if given.since:
            found += since(account, json.loads(Path(given.since).read_text(encoding="utf-8")))
        sys.stdout.write(report(account, found) + "\n")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        sys.stderr.write(f"This is no account that can be read: {type(error).__name__} {error}\n")
        return 2
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
