"""A file of credits as the National Automated Clearing House Association lays it out: records of 94 characters, blocks
of ten. Pure: dataclasses in, text out."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

RECORD, BLOCK = 94, 10
CREDITS_ONLY = 220
CODES = {"checking": "22", "savings": "32"}
CENTS_MOST = 10**10 - 1
# Weights of the American Bankers Association's check digit.
WEIGHTS = (3, 7, 1, 3, 7, 1, 3, 7, 1)


@dataclass(frozen=True, slots=True)
class Originator:
    """Who pays, and through which bank (the ODFI)."""

    bank_routing: str
    bank_name: str
    company_name: str
    company_id: str


@dataclass(frozen=True, slots=True)
class Credit:
    """One payment. `reference` is what the receiver's bank sends back with a return."""

    routing: str
    account: str
    kind: str
    cents: int
    name: str
    reference: str


def routing_is_valid(routing: str) -> bool:
    """Nine digits of which the last checks the others."""
    digits = routing.isascii() and routing.isdigit() and len(routing) == len(WEIGHTS)
    return (
        digits
        and routing != "0" * 9
        and sum(w * int(d) for w, d in zip(WEIGHTS, routing, strict=True)) % 10 == 0
    )


def plain(text: str, width: int) -> str:
    """Letters the banks take: without accents, upper case, cut and padded to the field."""
    bare = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().upper()
    return "".join(c for c in bare if c.isalnum() or c in " .-/&'")[:width].ljust(width)


def trace(bank_routing: str, number: int) -> str:
    """The bank's first eight digits and the number within the file."""
    return f"{bank_routing[:8]}{number:07d}"


def file_of(
    originator: Originator,
    credits_: Sequence[Credit],
    *,
    created_at: dt.datetime,
    effective_on: dt.date,
    modifier: str = "A",
    description: str = "PAY",
) -> str:
    """The whole file. Raises ValueError for no payment, a routing number that fails its check, and amounts out of
    bounds: such a file would come back whole."""
    if not credits_:
        raise ValueError("a file pays somebody")
    for routing in (originator.bank_routing, *(credit.routing for credit in credits_)):
        if not routing_is_valid(routing):
            raise ValueError(f"{routing} is no routing number")
    if any(not 0 < credit.cents <= CENTS_MOST or not 0 < len(credit.account) <= 17 for credit in credits_):
        raise ValueError("an amount or an account number does not fit its field")
    entries = [_entry(originator, credit, number) for number, credit in enumerate(credits_, 1)]
    total = sum(credit.cents for credit in credits_)
    hashed = sum(int(credit.routing[:8]) for credit in credits_) % 10**10
    company, odfi = plain(originator.company_id, 10), originator.bank_routing[:8]
    header = (
        f"101 {originator.bank_routing}{company}{created_at:%y%m%d%H%M}{modifier}094101"
        f"{plain(originator.bank_name, 23)}{plain(originator.company_name, 23)}{'':8}"
    )
    batch = (
        f"5{CREDITS_ONLY}{plain(originator.company_name, 16)}{'':20}{company}PPD{plain(description, 10)}"
        f"{effective_on:%y%m%d}{effective_on:%y%m%d}   1{odfi}{1:07d}"
    )
    control = (
        f"8{CREDITS_ONLY}{len(entries):06d}{hashed:010d}{0:012d}{total:012d}{company}{'':25}{odfi}{1:07d}"
    )
    lines = [header, batch, *entries, control]
    blocks = -(-(len(lines) + 1) // BLOCK)
    lines.append(f"9{1:06d}{blocks:06d}{len(entries):08d}{hashed:010d}{0:012d}{total:012d}{'':39}")
    lines += ["9" * RECORD] * (blocks * BLOCK - len(lines))
    assert {len(line) for line in lines} == {RECORD}, "A record has 94 characters."
    return "\n".join(_ascii(lines)) + "\n"


def _entry(originator: Originator, credit: Credit, number: int) -> str:
    return (
        f"6{CODES[credit.kind]}{credit.routing}{plain(credit.account, 17)}{credit.cents:010d}"
        f"{plain(credit.reference, 15)}{plain(credit.name, 22)}  0{trace(originator.bank_routing, number)}"
    )


def _ascii(lines: Iterable[str]) -> list[str]:
    found = list(lines)
    if not all(line.isascii() for line in found):
        raise ValueError("banks read ASCII only")
    return found
