from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from retaildelivery.demo import ahead, cast, data, driven, history, past, seeding

WORDS = {
    "operations": "operations (board and admin)",
    "office": "a seller's office (all its stores)",
    "manager": "store manager",
    "staff": "store counter",
    "driver": "driver",
}


class Command(BaseCommand):
    help = "Put the four demo malls, their shops, staff and drivers into the database, and print the logins."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-orders", action="store_true", help="People and places only.")

        parser.add_argument("--first-come", action="store_true", help="Draw no offers, so that nobody waits.")

    def handle(self, *args: Any, no_orders: bool = False, first_come: bool = False, **options: Any) -> None:
        at = timezone.now()
        seeding.seed(at=at)
        if not first_come:
            seeding.draw_soon()
        if not no_orders:
            past.remember(at=at)
            driven.remember(at=at)
            history.post_some(at=at)
            ahead.prepare(at=at)
        for line in headline():
            self.stdout.write(line)


def headline() -> list[str]:
    """What a newcomer needs to sign in, as lines of text."""
    lines = [f"Password of everyone in the demo: {cast.PASSWORD}"]
    for login in cast.headline():
        place = f", {data.market(login.market).name}" if login.market else ""
        lines.append(f"  {login.email:<34} {WORDS[login.role]}{place} at {login.path}")
    lines.append("  More: each store's counter, as loomstead@las-vegas.example.com, and all drivers.")
    lines.append(f"API key of Loomstead: {seeding.API_KEY}")
    return lines
