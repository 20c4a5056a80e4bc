"""manage.py plan --mall CODE: show what the planner would offer, now or at a moment of the past, also under other
terms; or offer it."""

from __future__ import annotations

import datetime as dt
import json
from argparse import ArgumentParser, ArgumentTypeError, RawDescriptionHelpFormatter
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from offers import limits
from offers.planning import scenarios, waves
from offers.planning.scenarios import Scenario
from offers.planning.whatif import Change
from retaildelivery.lib.money import format_cents
from retaildelivery.lib.refusals import Refused
from stores.models import Mall

HELP = """Plan the waiting orders of a mall. Without --publish nothing is written.

  manage.py plan --mall fashion-show
      what a wave would offer now, stop by stop, and why orders stay behind
  manage.py plan --mall fashion-show --at 2026-11-24T14:30
      the same for the orders that waited then and the blocks that had room (in the mall's time, unless it has
      an offset)
  manage.py plan --mall fashion-show --lengths 2,3,4 --lengths 3 --hourly 22 --promise 120
      the same orders under other terms, side by side: each option is one column beside "as it is"
  manage.py plan --mall fashion-show --trips 1 --trips 2
      with and without drivers who come back to load again
  manage.py plan --mall fashion-show --lengths 3 --hourly 22 --together
      all that is given in one column
"""


class _Formatter(RawDescriptionHelpFormatter):
    """Keeps the examples as they are written."""


class Command(BaseCommand):
    help = HELP

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.formatter_class = _Formatter
        return parser

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--mall", required=True, help="Code of the mall.")
        parser.add_argument(
            "--at",
            metavar="TIME",
            help="Moment to plan for, now or past: 2026-11-24T14:30, in the mall's time.",
        )
        parser.add_argument("--publish", action="store_true", help="Offer the blocks to drivers.")
        parser.add_argument(
            "--everything",
            action="store_true",
            help="Leave no order to wait for company that a block can hold.",
        )
        parser.add_argument(
            "--lengths", type=_lengths, action="append", default=[], metavar="HOURS",
            help="Sell blocks in these lengths instead, such as 2,3,4 or 2.5. May be repeated.",
        )  # fmt: skip
        parser.add_argument(
            "--hourly", type=_hourly, action="append", default=[], metavar="AMOUNT",
            help="Pay this for an hour instead, such as 22 or 21.50. May be repeated.",
        )  # fmt: skip
        parser.add_argument(
            "--promise", type=_promise, action="append", default=[], metavar="MINUTES",
            help="Promise every order within so many minutes of being ready. May be repeated.",
        )  # fmt: skip
        parser.add_argument(
            "--trips", type=int, action="append", default=[], metavar="N", choices=range(1, limits.PLAN_MOST_TRIPS + 1),
            help="Let the driver of a new block load so often. May be repeated.",
        )  # fmt: skip
        parser.add_argument(
            "--together", action="store_true", help="One column with all changes, instead of one for each."
        )
        parser.add_argument(
            "--seconds", type=_positive, metavar="S", help="Seconds to think per column (default: as a wave)."
        )
        parser.add_argument(
            "--iterations", type=int, metavar="N", help="Think for so many rounds: the same plan each time."
        )
        parser.add_argument("--seed", type=int, default=0, help="Seed of the search (default 0).")
        parser.add_argument("--json", action="store_true", help="One JSON object instead of text.")

    def handle(self, *args: Any, mall: str, **options: Any) -> None:
        found = Mall.objects.select_related("market").filter(code=mall).first()
        if found is None:
            known = ", ".join(Mall.objects.order_by("code").values_list("code", flat=True))
            raise CommandError(f"There is no mall {mall!r}. Known: {known or 'none'}.")
        now = timezone.now()
        at = now if options["at"] is None else _moment(options["at"], found)
        if at > now:
            raise CommandError("--at is in the future: nobody knows yet which orders will wait.")
        changes = _changes(options)
        if options["publish"]:
            if options["at"] is not None or changes:
                raise CommandError("Only the plan of now, under the terms that hold, can be published.")
            self._publish(mall, at=now, everything=options["everything"])
            return
        try:
            scenes = scenarios.compare(
                mall=found,
                at=at,
                earlier=options["at"] is not None,
                changes=[Change(), *changes],
                everything=options["everything"],
                seed=options["seed"],
                seconds=options["seconds"],
                iterations=options["iterations"],
            )
        except Refused as refusal:
            raise CommandError(refusal.message) from refusal
        if options["json"]:
            self.stdout.write(json.dumps(scenarios.as_json(scenes, mall=found, at=at), indent=2))
        else:
            self._show(scenes, found, at)

    def _publish(self, mall: str, *, at: dt.datetime, everything: bool) -> None:
        run = waves.run(mall_code=mall, at=at, everything=everything)
        if run is None:
            raise CommandError("Another wave is at work at this mall.")
        if not run.orders_seen:
            self.stdout.write("No order waits; nothing was offered.")
            return
        self.stdout.write(
            f"{run.blocks_made} new blocks offered, {run.blocks_filled} filled, with {run.orders_planned} of "
            f"{run.orders_seen} orders ({run.engine or 'nothing to plan'})."
        )
        for left in run.left:
            self.stdout.write(f"  left {left['order']}: {left['text']}")

    def _show(self, scenes: list[Scenario], mall: Mall, at: dt.datetime) -> None:
        moment = at.astimezone(mall.zone)
        self.stdout.write(f"{mall.name}, {moment:%A %Y-%m-%d %H:%M} ({mall.market.time_zone})")
        for line in scenarios.as_text(scenes[0], mall=mall):
            self.stdout.write(line)
        if not scenes[0].sum.orders:
            # Every column of the table would be zeros, whatever the terms.
            return
        self.stdout.write("")
        for line in scenarios.as_table(scenes, currency=mall.market.currency):
            self.stdout.write(line)
        now = scenes[0].sum
        self.stdout.write("")
        self.stdout.write(
            f"{now.orders} orders seen in {scenes[0].took_s:.1f} s; each alone would cost "
            f"{format_cents(now.alone_cents, mall.market.currency)}; nothing written."
        )


def _changes(options: dict[str, Any]) -> list[Change]:
    lengths, hourly, promises = options["lengths"], options["hourly"], options["promise"]
    trips = options["trips"]
    if not options["together"]:
        return [
            *(Change(lengths_s=each) for each in lengths),
            *(Change(hourly_cents=each) for each in hourly),
            *(Change(promise_s=each) for each in promises),
            *(Change(trips=each) for each in trips),
        ]
    given = (lengths, hourly, promises, trips)
    if max(map(len, given)) > 1:
        raise CommandError("--together takes each of --lengths, --hourly, --promise and --trips once.")
    return [Change(*(next(iter(each), None) for each in given))] if any(given) else []


def _moment(text: str, mall: Mall) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as wrong:
        raise CommandError(f"--at {text!r} is not a time such as 2026-11-24T14:30.") from wrong
    return moment.replace(tzinfo=mall.zone) if moment.tzinfo is None else moment


def _lengths(text: str) -> tuple[int, ...]:
    return tuple(round(_number(each, least="0.5", most="12") * 3600) for each in text.split(","))


def _hourly(text: str) -> int:
    return round(_number(text, least="1", most="1000") * 100)


def _promise(text: str) -> int:
    return round(_number(text, least="15", most="1440") * 60)


def _positive(text: str) -> float:
    return float(_number(text, least="0.05", most="600"))


def _number(text: str, *, least: str, most: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation as wrong:
        raise ArgumentTypeError(f"{text!r} is not a number") from wrong
    if not Decimal(least) <= number <= Decimal(most):
        raise ArgumentTypeError(f"{text} is not between {least} and {most}")
    return number
