"""What is published of a draw, and whether it fits what was put on record before anybody knew how it would end."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext, gettext_noop

from deliveries.snapshots import moment
from drivers.models import Driver
from offers import drawrules, limits, lottery
from offers.models import Draw, Entry
from retaildelivery.outbox.models import Fact

Json = dict[str, Any]

FORMULA = "key = -ln(u) / weight with u = (2 * HMAC-SHA256(seed, entrant) + 1) / 2^257; the smallest key is asked first"
WEIGHTS = (
    "weight = max(1, floor(base / (1 + recent_wins))); base is 1200 with 10 points or more, 1000 with 0 to 9, "
    "600 below; recent_wins are blocks claimed in the 7 days before the close"
)
# What lottery.faults says, word for word: it knows no languages, since it runs without this system.
FAULTS = (
    gettext_noop("seed: it is not the one whose hash was published before the entries"),
    gettext_noop("entrants: a weight is below 1"),
    gettext_noop("entrants: somebody is on the list twice"),
    gettext_noop("entrants: the list or a weight is not the one that was fixed at the close"),
    gettext_noop("ranking: the ranks do not count from 1 upwards"),
    gettext_noop("ranking: seed and weights give another order"),
    gettext_noop("result: it is not the one that was fixed with the seed"),
)


def find(code: str) -> Draw | None:
    """The newest draw of this offer, or of this block."""
    rows = Draw.objects.select_related("offer__block__mall__market")
    newest = rows.order_by("-pk")
    found: Draw | None = (
        newest.filter(offer__code=code).first() or newest.filter(offer__block__code=code).first()
    )
    return found


def document(draw: Draw) -> Json:
    """All that anybody needs to recompute the draw: no names, no driver's code. Before it is drawn only what was
    promised; who has entered is nobody's business until then."""
    offer = draw.offer
    public: Json = {
        "offer": offer.code,
        "block": offer.block.code,
        "mall": offer.block.mall.code,
        "entries_open_at": moment(offer.opens_at),
        "entries_close_at": moment(offer.closes_at),
        "seed_hash": draw.seed_hash,
        "hold_seconds": int(draw.hold.total_seconds()),
        "formula": FORMULA,
        "weights": WEIGHTS,
        "drawn_at": moment(draw.drawn_at),
    }
    if draw.drawn_at is None:
        return public
    return public | {
        "seed": draw.seed,
        "entries_digest": draw.entries_digest,
        "result_digest": draw.result_digest,
        "entrants": [
            {
                "rank": entry.rank,
                "entrant": entry.entrant,
                "weight": entry.weight,
                "points": entry.points,
                "recent_wins": entry.wins,
                "key": entry.key,
            }
            for entry in draw.entries.filter(rank__isnull=False).order_by("rank")
        ],
    }


def check(draw: Draw, published: Json) -> list[str]:
    """Everything about a drawn draw that does not fit: recomputed from what is published, and compared with the
    facts, which the database lets nobody change. In the reader's language."""
    found = [gettext(fault) for fault in lottery.faults(published)]
    opened = (
        Fact.objects.filter(subjects__contains=[f"block:{draw.offer.block.code}"])
        .filter(data__offer__code=draw.offer.code, data__offer__mode="draw")
        .order_by("pk")
        .first()
    )
    if opened is None or opened.data["offer"]["seed_hash"] != published["seed_hash"]:
        found.append(gettext("seed: another hash is on record from when entries opened"))
    drawn = (
        Fact.objects.filter(name="draw.drawn", subjects__contains=[f"block:{draw.offer.block.code}"])
        .filter(data__offer=draw.offer.code)
        .order_by("pk")
        .first()
    )
    kept = ("seed", "entries_digest", "result_digest")
    if drawn is None or any(drawn.data[name] != published[name] for name in kept):
        found.append(gettext("result: another one is on record from when it was drawn"))
    found += [
        gettext("weights: %(entrant)s has another weight than the published rule gives")
        % {"entrant": row["entrant"]}
        for row in published["entrants"]
        if row["weight"] != drawrules.weight(points=row["points"], wins=row["recent_wins"])
    ][: limits.FAULTS_SHOWN]
    return found


def entrant_of(draw: Draw, driver: Driver | None) -> str:
    """The public name of this driver in this draw, if they are in it."""
    if driver is None:
        return ""
    entry = Entry.objects.filter(draw=draw, driver=driver).first()
    return entry.entrant if entry else ""
