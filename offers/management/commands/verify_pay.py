"""manage.py verify_pay DRIVER: recompute an account line by line, and its chain, hold it against the facts and the work
that the database knows beside it, and say where it differs."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from drivers import verify_pay
from drivers.models import Driver
from offers import rechecking, terms
from retaildelivery.lib import codes


class Command(BaseCommand):
    help = (
        "Recompute a driver's account: every line from its terms, the chain, and each block's pay from the work on "
        "record and the facts of its settlement. Exit code 1 for a difference."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("driver", nargs="?", help="Code of the driver.")
        parser.add_argument("--all", dest="everybody", action="store_true", help="Every driver's account.")
        parser.add_argument(
            "--export", metavar="FILE", help="Write what the driver can download to this file."
        )

    def handle(
        self, *args: Any, driver: str | None, everybody: bool, export: str | None, **options: Any
    ) -> None:
        if everybody == (driver is not None):
            raise CommandError("Name one driver by code, or say --all.")
        rows = Driver.objects.order_by("pk")
        if driver is not None:
            rows = rows.filter(code=codes.normalise(driver))
            if not rows:
                raise CommandError(f"There is no driver {driver!r}.")
        wrong = sum(self._differs(row, export) for row in rows.iterator())
        if wrong:
            raise CommandError(f"{wrong} of the accounts differ.")

    def _differs(self, driver: Driver, export: str | None) -> bool:
        account = terms.account_of(driver, at=timezone.now())
        if export:
            Path(export).write_text(json.dumps(account, ensure_ascii=False, indent=1))
        found = verify_pay.differences(account)
        found += [(None, said) for said in rechecking.differences(driver)]
        self.stdout.write(verify_pay.report(account, found))
        return bool(found)
