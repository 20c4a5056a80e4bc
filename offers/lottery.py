"""A draw, as anybody can recompute it: plain Python, nothing but the standard library, no rows and no clock.

    python offers/lottery.py draw.json        (the export of /draws/CODE/result.json; exit 0 when all of it fits)

1. Before the first entry ``seed_hash = sha256(seed)`` is published; the seed is 64 hexadecimal digits, hashed as
   the text it is: ``printf %s SEED | sha256sum``.
2. At the close the list of entrants with their weights is fixed by ``entries_digest``: the SHA-256 of the offer's
   code, the seed's hash, and one line ``entrant weight`` for each entrant, sorted by entrant.
3. Each entrant draws ``u = (2 h + 1) / 2^257`` where ``h`` is HMAC-SHA256(seed, entrant) read as a number, so
   that u lies between 0 and 1, and gets the key ``-ln(u) / weight``. The smallest key wins; the others are
   reserves in the order of their keys. With keys drawn so (exponential races), the chance to come first is
   exactly one's weight over the sum of all weights, and so for each later place among those who are left.
4. ``result_digest`` chains it: the SHA-256 of the entries' digest, the seed, and the entrants in their order.

An entrant is a code made from the offer's and the driver's: the same for whoever knows both, and another one in
every draw, so that nobody can be followed from draw to draw. When entries were made is no part of anything.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from pathlib import Path
from typing import Any

# Decimal's ln is rounded correctly, so that keys are the same digits on every machine.
_PRECISE = Context(prec=24)
_HALF_STEP = Decimal(2) ** -257
# A float's key is wrong by less than 6e-14 (1e-16 of u near 1, and 3e-16 of a logarithm of at most 178), divided by the
# weight. What is farther apart than this it puts in the right order on any machine.
_TELLS_APART = 1e-12
_ALPHABET = "23456789BCDFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, slots=True)
class Entrant:
    """Who takes part, by a public code, and how many shares of the chance they have."""

    code: str
    weight: int


@dataclass(frozen=True, slots=True)
class Place:
    """A place of the result: 1 has won, the others are reserves. The key is right to twelve places; who is nearer to
    another than that was put in order by more."""

    rank: int
    entrant: Entrant
    key: float


def entrant_code(*, offer: str, driver: str) -> str:
    """The driver's public name in this draw."""
    number = int.from_bytes(hashlib.sha256(f"{offer}:{driver}".encode()).digest()[:10], "big")
    digits = []
    for _place in range(12):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(digits)


def commitment(seed: str) -> str:
    """What is published of the seed before the first entry."""
    return hashlib.sha256(seed.encode()).hexdigest()


def chance(seed: str, entrant: str) -> Decimal:
    """The entrant's own number between 0 and 1, equally likely everywhere."""
    return _PRECISE.multiply(Decimal(2 * _hashed(seed, entrant) + 1), _HALF_STEP)


def _hashed(seed: str, entrant: str) -> int:
    return int.from_bytes(hmac.digest(seed.encode(), entrant.encode(), "sha256"), "big")


def key(seed: str, entrant: Entrant) -> Decimal:
    """What the entrants are ranked by, smallest first."""
    return _PRECISE.divide(-_PRECISE.ln(chance(seed, entrant.code)), Decimal(entrant.weight))


def rank(seed: str, entrants: Iterable[Entrant]) -> list[Place]:
    """The result of the draw; in which order the entrants are given does not matter. Floats do nearly all of it, in a
    tenth of the time; keys that they cannot tell apart are computed precisely."""
    rough = sorted((_rough_key(seed, entrant), entrant.code, entrant) for entrant in entrants)
    ordered: list[tuple[float, str, Entrant]] = []
    near: list[tuple[float, str, Entrant]] = []
    for each in rough:
        if near and each[0] - near[-1][0] > _TELLS_APART * (1 + each[0]):
            ordered += _told_apart(seed, near)
            near = []
        near.append(each)
    ordered += _told_apart(seed, near)
    return [Place(number, entrant, drawn) for number, (drawn, _code, entrant) in enumerate(ordered, 1)]


def _rough_key(seed: str, entrant: Entrant) -> float:
    return -math.log(math.ldexp(2 * _hashed(seed, entrant.code) + 1, -257)) / entrant.weight


def _told_apart(seed: str, near: list[tuple[float, str, Entrant]]) -> list[tuple[float, str, Entrant]]:
    return near if len(near) < 2 else sorted(near, key=lambda each: (key(seed, each[2]), each[1]))


def entries_digest(*, offer: str, seed_hash: str, entrants: Iterable[Entrant]) -> str:
    """What binds the list of entrants and their weights, and under which seed they are drawn."""
    lines = sorted(f"{entrant.code} {entrant.weight}" for entrant in entrants)
    return hashlib.sha256("\n".join([offer, seed_hash, *lines]).encode()).hexdigest()


def result_digest(*, entries: str, seed: str, ranked: Sequence[str]) -> str:
    """What binds the result to the entries and the seed it came from."""
    return hashlib.sha256("\n".join([entries, seed, *ranked]).encode()).hexdigest()


def faults(document: Mapping[str, Any]) -> list[str]:
    """Everything in a published draw that does not fit; an empty list means that it was drawn as promised."""
    seed, seed_hash = str(document["seed"]), str(document["seed_hash"])
    rows = list(document["entrants"])
    entrants = [Entrant(str(row["entrant"]), int(row["weight"])) for row in rows]
    found = []
    if commitment(seed) != seed_hash:
        found.append("seed: it is not the one whose hash was published before the entries")
    if any(entrant.weight < 1 for entrant in entrants):
        return [*found, "entrants: a weight is below 1"]
    if len({entrant.code for entrant in entrants}) != len(entrants):
        found.append("entrants: somebody is on the list twice")
    digest = entries_digest(offer=str(document["offer"]), seed_hash=seed_hash, entrants=entrants)
    if digest != document["entries_digest"]:
        found.append("entrants: the list or a weight is not the one that was fixed at the close")
    drawn = [place.entrant.code for place in rank(seed, entrants)]
    published = [str(row["entrant"]) for row in sorted(rows, key=lambda row: int(row["rank"]))]
    if [row["rank"] for row in sorted(rows, key=lambda row: int(row["rank"]))] != [*range(1, len(rows) + 1)]:
        found.append("ranking: the ranks do not count from 1 upwards")
    if drawn != published:
        found.append("ranking: seed and weights give another order")
    chained = result_digest(entries=str(document["entries_digest"]), seed=seed, ranked=published)
    if chained != document["result_digest"]:
        found.append("result: it is not the one that was fixed with the seed")
    return found


def main(arguments: Sequence[str]) -> int:
    """Check one export; says what does not fit."""
    text = Path(arguments[0]).read_text(encoding="utf-8") if arguments else sys.stdin.read()
    document = json.loads(text)
    found = faults(document)
    for fault in found:
        sys.stdout.write(f"{fault}\n")
    verdict = "NOT as promised" if found else "as promised"
    sys.stdout.write(f"{document['offer']}: {len(document['entrants'])} entrants, {verdict}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
