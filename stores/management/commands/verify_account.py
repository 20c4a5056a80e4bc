"""manage.py verify_account SELLER: recompute a seller's account, its chain and invoices, and say where they differ."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from retaildelivery.lib import codes
from stores import billing, checking
from stores.models import Invoice, Market, Seller, SellerPosting


class Command(BaseCommand):
    help = "Recompute a seller's account and invoices. Exit code 1 for a difference."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("seller", nargs="?", help="Code of the seller.")
        parser.add_argument(
            "--all", dest="everybody", action="store_true", help="Every seller, and every market's numbers."
        )

    def handle(self, *args: Any, seller: str | None, everybody: bool, **options: Any) -> None:
        if everybody == (seller is not None):
            raise CommandError("Name one seller by code, or say --all.")
        rows = Seller.objects.order_by("pk")
        if seller is not None:
            rows = rows.filter(code=codes.normalise(seller))
            if not rows:
                raise CommandError(f"There is no seller {seller!r}.")
        wrong = sum(self._differs(row) for row in rows)
        for market in Market.objects.order_by("pk"):
            for said in checking.numbers_differ(market):
                self.stdout.write(said)
                wrong += 1
        if wrong:
            raise CommandError(f"{wrong} accounts or markets differ.")

    def _differs(self, seller: Seller) -> bool:
        found = checking.differences(seller)
        lines = SellerPosting.objects.filter(seller=seller).count()
        invoices = Invoice.objects.filter(seller=seller).count()
        balance = f"{billing.balance(seller) / 100:.2f}"
        self.stdout.write(f"{seller.code}: {lines} lines, {invoices} invoices, {balance} in all")
        for said in found or ["Nothing differs."]:
            self.stdout.write(f"  {said}")
        return bool(found)
