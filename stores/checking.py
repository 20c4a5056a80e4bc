"""Recompute a seller's account and invoices from their rows, and say where they differ. What the database made (the
chain) and what a sweep wrote (the totals) is computed here a second time, in Python."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from retaildelivery.lib.money import round_cents
from stores import billing, invoicing
from stores.invoice_files import stamp
from stores.models import Invoice, Market, Seller, SellerPosting

OF_A_DELIVERY = {"base", "distance", "size", "slot"}


def digest(line: SellerPosting) -> str:
    """The hash of a line: SHA-256 over the JSON array of its fields, params sorted by name, store or market last."""
    where = line.store.code if line.store else line.market.code if line.market else ""
    params = [[name, str(value)] for name, value in sorted(line.params.items())]
    fields = [
        line.previous, line.sequence, line.key, line.kind, line.cents, line.text, line.rule, line.subject,
        stamp(line.at), params, where,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(fields, ensure_ascii=False).encode()).hexdigest()


def first_link(seller: Seller) -> str:
    """What the first line hangs on."""
    return hashlib.sha256(f"seller:{seller.code}".encode()).hexdigest()


def expected(line: SellerPosting, before: Sequence[SellerPosting]) -> int | None:
    """The cents that follow from the line's params and the lines of its order before it; None when they are given."""
    said = line.params
    if line.kind == "distance" and {"miles", "rate"} <= said.keys():
        return int(said["miles"]) * int(said["rate"])
    if line.kind == "size" and {"parcels", "rate"} <= said.keys():
        return int(said["parcels"]) * int(said["rate"])
    if line.kind == "wait" and {"minutes", "rate"} <= said.keys():
        return round_cents(Decimal(said["rate"]) * Decimal(said["minutes"]) / 60)
    if line.kind == "tax" and "percent" in said:
        # On what was charged since the tax before it: the delivery, then the way back.
        base = 0
        for other in reversed(before):
            if other.kind == "tax":
                break
            base += other.cents if other.kind != billing.TIP else 0
        return round_cents(Decimal(said["percent"]) * base / 100)
    if line.kind == "return" and "percent" in said:
        delivery = sum(other.cents for other in before if other.kind in OF_A_DELIVERY)
        return round_cents(Decimal(said["percent"]) * delivery / 100)
    return None


def lines_differ(seller: Seller) -> Iterator[str]:
    """The chain, and each amount against its own terms."""
    before, earlier = first_link(seller), {}  # type: str, dict[str, list[SellerPosting]]
    rows = SellerPosting.objects.filter(seller=seller).select_related("store", "market").order_by("sequence")
    for place, line in enumerate(rows.iterator(chunk_size=2_000), 1):
        if line.sequence != place:
            yield f"line {line.sequence} stands where {place} is due: a line is missing or moved"
        if line.previous != before:
            yield f"line {line.sequence} does not hang on the line before it"
        if line.digest != digest(line):
            yield f"line {line.sequence} was changed: its hash does not follow from its fields"
        same = earlier.setdefault(line.subject, [])
        due = expected(line, same)
        if due is not None and due != line.cents:
            yield f"line {line.sequence} charges {line.cents} cents where its own terms give {due}"
        same.append(line)
        before = line.digest


def invoices_differ(seller: Seller) -> Iterator[str]:
    """Totals against the lines, and each line against the month and market it is invoiced in."""
    rows = Invoice.objects.filter(seller=seller).select_related("market")
    for invoice in rows.order_by("market", "serial"):
        lines = list(
            SellerPosting.objects.filter(invoice_line__invoice=invoice).select_related("store__mall")
        )
        net, tax = invoicing.amounts(lines)
        for name, says, due in (
            ("net", invoice.net_cents, net),
            ("tax", invoice.tax_cents, tax),
            ("total", invoice.total_cents, net + tax),
        ):
            if says != due:
                yield f"invoice {invoice.number}: {name} is {says} cents, its lines come to {due}"
        yield from (f"invoice {invoice.number}: {each}" for each in _misplaced(invoice, lines))


def _misplaced(invoice: Invoice, lines: Iterable[SellerPosting]) -> Iterator[str]:
    for line in lines:
        market = line.store.mall.market_id if line.store else line.market_id
        if line.seller_id != invoice.seller_id:
            yield f"line {line.key} is another seller's"
        if market != invoice.market_id:
            yield f"line {line.key} is of another market"
        if line.at >= invoice.ends_at:
            yield f"line {line.key} is of a later month"


def numbers_differ(market: Market) -> Iterator[str]:
    """Whether the market's invoices are counted from one without a gap."""
    serials = Invoice.objects.filter(market=market).order_by("serial").values_list("serial", flat=True)
    for place, serial in enumerate(serials, 1):
        if serial != place:
            yield f"market {market.code}: invoice number {serial} stands where {place} is due"
            return


def differences(seller: Seller) -> list[str]:
    """Every difference of one seller, in sentences."""
    return [*lines_differ(seller), *invoices_differ(seller)]
