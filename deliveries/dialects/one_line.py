"""An address that came as one line of text, in its parts. Pure."""

from __future__ import annotations

import re

from deliveries.drafts import REGIONS, AddressDraft
from deliveries.geocoding import SPELLINGS

_TAIL = re.compile(
    r"^(?P<head>.+?)[\s,]+(?P<region>[A-Za-z]{2})[\s,]+(?P<postal_code>\d{5}(?:-\d{4})?)"
    r"(?:[\s,]+(?:us|usa|united states(?: of america)?)\.?)?$",
    re.ASCII | re.IGNORECASE,
)
# Where a street ends when no comma says so: its kind, then what tells the unit.
_KINDS = "|".join(sorted({*SPELLINGS, *SPELLINGS.values(), "way", "square", "sq"} - {"n", "s", "e", "w"}))
_STREET = re.compile(
    rf"^(?P<line1>\d\S*\s.*?\b(?:{_KINDS})\b\.?(?:\s+(?:north|south|east|west|[nsew])\b\.?)?)"
    r"(?:\s+(?P<line2>(?:apt|apartment|suite|ste|unit|floor|fl|room|rm)\.?\s*\S+|#\s*\S+|\d+(?:st|nd|rd|th)\s+floor))?"
    r"\s+(?P<city>[^\d,]+)$",
    re.ASCII | re.IGNORECASE,
)


def read(text: str) -> AddressDraft | None:
    """`2212 Alta Drive, Apt 4, Las Vegas, NV 89107`, also without commas; None for what cannot be told apart."""
    found = _TAIL.match(" ".join(text.split()))
    if found is None or found["region"].upper() not in REGIONS:
        return None
    parts = [part.strip() for part in found["head"].split(",") if part.strip()]
    if len(parts) == 1:
        street = _STREET.match(parts[0])
        if street is None:
            return None
        parts = [street["line1"], street["line2"] or "", street["city"]]
    return AddressDraft(
        line1=parts[0],
        line2=", ".join(part for part in parts[1:-1] if part),
        city=parts[-1],
        region=found["region"].upper(),
        postal_code=found["postal_code"],
    )


def write(line1: str, line2: str, city: str, region: str, postal_code: str) -> str:
    return ", ".join(part for part in (line1, line2, city, f"{region} {postal_code}") if part.strip())
