"""manage.py price CASE.json: what work pays under terms and laws that a file describes. Reads no database."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from offers.pricing.case import price_case, read_case
from offers.pricing.reading import CaseError, read_json
from offers.pricing.told import as_json, as_table


class Command(BaseCommand):
    help = (
        "Print the itemised pay of a case: terms, floors and work in one JSON file (docs/pay.md, section "
        "“Try any rule”). Needs no server. Exit code 0 when it was priced, 1 when a field of the case is wrong, "
        "2 when it cannot be read."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("case", metavar="CASE.json", help="The file; - reads standard input.")
        parser.add_argument("--json", action="store_true", help="Print JSON instead of a table.")

    def handle(self, *args: Any, case: str, **options: Any) -> None:
        try:
            text = sys.stdin.read() if case == "-" else Path(case).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            self.stderr.write(f"{case} cannot be read: {error}")
            sys.exit(2)
        try:
            priced = price_case(read_case(read_json(text.removeprefix("\ufeff"))))
        except CaseError as error:
            if options["json"]:
                wrong = {"code": "case_refused", "field": error.where, "detail": str(error)}
                self.stdout.write(json.dumps(wrong))
            self.stderr.write(str(error))
            sys.exit(1)
        answer = json.dumps(as_json(priced), indent=2, ensure_ascii=False)
        self.stdout.write(answer if options["json"] else as_table(priced))
