import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from offers import lottery, verification


class Command(BaseCommand):
    help = (
        "Recompute a draw from what is published of it: CODE of its offer or block, or --file with the export of "
        "/draws/CODE/result.json. Fails when anything does not fit."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("code", nargs="?", default="", help="The code of the offer, or of its block.")
        parser.add_argument("--file", default="", help="An export instead: nothing is read but this file.")

    def handle(self, *args: Any, code: str = "", file: str = "", **options: Any) -> None:
        if bool(code) == bool(file):
            raise CommandError("Give either the code of an offer or block, or --file.")
        published, found = _from_file(file) if file else _from_record(code.upper())
        entrants = published["entrants"]
        self.stdout.write(
            f"Offer {published['offer']}, drawn {published['drawn_at']}, {len(entrants)} entrants"
        )
        self.stdout.write(f"seed hash {published['seed_hash']}\nseed      {published['seed']}")
        for row in entrants[:10]:
            self.stdout.write(
                f"{row['rank']:>4}  {row['entrant']}  weight {row['weight']:>4}  key {row['key']}"
            )
        if len(entrants) > 10:
            self.stdout.write(f"      and {len(entrants) - 10} more")
        if found:
            raise CommandError("NOT as promised:\n  " + "\n  ".join(found))
        self.stdout.write(self.style.SUCCESS("As promised: seed, entries, weights and ranking fit."))


def _from_file(file: str) -> tuple[dict[str, Any], list[str]]:
    published = json.loads(Path(file).read_text(encoding="utf-8"))
    if "seed" not in published:
        raise CommandError("This draw was not drawn yet when the file was made.")
    return published, lottery.faults(published)


def _from_record(code: str) -> tuple[dict[str, Any], list[str]]:
    draw = verification.find(code)
    if draw is None:
        raise CommandError(f"No offer or block {code} was drawn here.")
    if draw.drawn_at is None:
        raise CommandError(
            f"{code} is not drawn yet; its entries close at {draw.offer.closes_at.isoformat()}."
        )
    published = verification.document(draw)
    return published, verification.check(draw, published)
