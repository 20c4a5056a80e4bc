"""A driver's account held against what is on record beside it: the facts of settlement, which nobody can change, the
work as stops and handovers have it, and the rows of pay that were agreed. What the chain by itself cannot know (lines
taken off its end, or another history rewritten as a whole) shows here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from deliveries.models import Stop
from drivers.models import Driver, DriverPosting
from offers import limits, pricing, settlement, terms, worked
from offers.models import Block, Claim
from retaildelivery.lib.money import format_cents
from retaildelivery.outbox.models import Fact

OF_WORK = frozenset(
    {
        pricing.LineKind.BASE,
        pricing.LineKind.STEP,
        pricing.LineKind.OVERTIME,
        pricing.LineKind.WAIT,
        pricing.LineKind.RETURN,
        pricing.LineKind.STOOD_DOWN,
        pricing.LineKind.WITHDRAWN,
    }
)
PAID = (Claim.Ending.COMPLETED, Claim.Ending.ABORTED, Claim.Ending.STOOD_DOWN, Claim.Ending.WITHDRAWN)
Lines = Mapping[str, DriverPosting]


def differences(driver: Driver) -> list[str]:
    """Every difference, in sentences."""
    rows = DriverPosting.objects.filter(driver=driver).order_by("sequence")
    lines = {line.key: line for line in rows.iterator(chunk_size=2_000)}
    return [*_with_facts(driver, lines), *_with_record(driver, lines)]


def _with_facts(driver: Driver, lines: Lines) -> Iterator[str]:
    """What was settled, as the facts tell it, is on the account to the cent."""
    settled = Fact.objects.filter(name="pay.settled", subjects__contains=[f"driver:{driver.code}"])
    for data in settled.order_by("pk").values_list("data", flat=True).iterator(chunk_size=2_000):
        for told in data["lines"]:
            line = lines.get(told["key"])
            if line is None:
                yield f"{told['key']}: {_money(told['cents'])} were settled and are not on the account"
            elif line.cents != told["cents"]:
                yield f"{_named(line)} where {_money(told['cents'])} were settled"


def _with_record(driver: Driver, lines: Lines) -> Iterator[str]:
    """Each block's work, priced again from the record, comes to the lines it was paid."""
    paid: dict[str, list[DriverPosting]] = {}
    for line in lines.values():
        if line.kind in OF_WORK:
            paid.setdefault(line.subject, []).append(line)
    rows = Claim.objects.filter(driver=driver, ending__in=PAID).order_by("pk")
    keys = list(rows.values_list("pk", flat=True))
    for first in range(0, len(keys), limits.SWEEP_BATCH):
        chosen = rows.filter(pk__in=keys[first : first + limits.SWEEP_BATCH])
        claims = list(chosen.select_related("block__mall__market", "block__policy", "block__manifest"))
        for claim, due in zip(claims, priced_again(claims), strict=True):
            yield from _of_rates(claim)
            yield from _of_block(due, paid.get(f"block:{claim.block.code}", []))


def priced_again(claims: Sequence[Claim]) -> list[dict[str, pricing.PayLine]]:
    """The lines of work of each claim, by their keys, from what is on record now."""
    stops = worked.stops_of(claim.block for claim in claims)
    found = []
    for claim in claims:
        agreed = terms.of_block(claim.block, hourly_cents=claim.hourly_cents)
        work = _work(claim, stops.get(claim.block.manifest_id or 0, []))
        earned = pricing.earned(agreed, work)
        found.append({settlement.key_of(claim.block, line): line for line in earned if line.kind in OF_WORK})
    return found


def _work(claim: Claim, stops: Sequence[Stop]) -> pricing.Work:
    block = claim.block
    assert claim.ended_at is not None, "Only claims that have ended are paid."
    if claim.ending == Claim.Ending.COMPLETED:
        return worked.completed(block, stops, at=claim.ended_at)
    if claim.ending == Claim.Ending.ABORTED:
        over_at = block.manifest.aborted_at if block.manifest else None
        return worked.aborted(block, stops, over_at=over_at)
    if claim.ending == Claim.Ending.STOOD_DOWN:
        return pricing.Work(block.length, outcome=pricing.Outcome.STOOD_DOWN)
    notice = block.starts_at - claim.ended_at
    return pricing.Work(scheduled=block.length, outcome=pricing.Outcome.WITHDRAWN, notice=notice)


def _of_rates(claim: Claim) -> Iterator[str]:
    """The base a block was published with is that of its row of pay and kind of shift."""
    block: Block = claim.block
    base = terms.base_cents(block.policy, pricing.ShiftKind(block.shift_kind))
    if base != block.base_hourly_cents:
        yield (
            f"block {block.code}: its rule {block.policy.code} gives {_money(base)} an hour, it was published "
            f"at {_money(block.base_hourly_cents)}"
        )


def _of_block(due: Mapping[str, pricing.PayLine], paid: Sequence[DriverPosting]) -> Iterator[str]:
    posted = {line.key: line for line in paid}
    for key, line in due.items():
        if key not in posted:
            yield f"{key}: the record gives {_money(line.cents)}, nothing was paid"
        elif posted[key].cents != line.cents:
            yield f"{_named(posted[key])} where the record gives {_money(line.cents)}"
        elif posted[key].rule != line.rule:
            yield f"{_named(posted[key])} by rule {posted[key].rule} where the block has {line.rule}"
    for key, extra in posted.items():
        if key not in due:
            yield f"{_named(extra)} where the record gives nothing"


def _named(line: DriverPosting) -> str:
    return f"line {line.sequence} ({line.key}) pays {_money(line.cents)}"


def _money(cents: int) -> str:
    return format_cents(cents)
