"""manage.py plan --mall CODE: show what the planner would offer now, or offer it."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from offers.planning import publish, waves
from retaildelivery.lib.money import format_cents
from stores.models import Mall


class Command(BaseCommand):
    help = "Plan the waiting orders of a mall. Without --publish nothing is written."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--mall", required=True, help="Code of the mall.")
        parser.add_argument("--publish", action="store_true", help="Offer the blocks to drivers.")
        parser.add_argument(
            "--everything",
            action="store_true",
            help="Leave no order to wait for company that a block can hold.",
        )

    def handle(self, *args: Any, mall: str, publish: bool, everything: bool, **options: Any) -> None:
        if not Mall.objects.filter(code=mall).exists():
            known = ", ".join(Mall.objects.order_by("code").values_list("code", flat=True))
            raise CommandError(f"There is no mall {mall!r}. Known: {known or 'none'}.")
        if publish:
            self._publish(mall, everything=everything)
        else:
            self._show(mall, everything=everything)

    def _publish(self, mall: str, *, everything: bool) -> None:
        run = waves.run(mall_code=mall, at=timezone.now(), everything=everything)
        if run is None:
            raise CommandError("Another wave is at work at this mall.")
        self.stdout.write(
            f"{run.blocks_made} blocks with {run.orders_planned} of {run.orders_seen} orders offered "
            f"({run.engine or 'nothing to plan'})."
        )
        for left in run.left:
            self.stdout.write(f"  left {left['order']}: {left['text']}")

    def _show(self, mall: str, *, everything: bool) -> None:
        begun = time.monotonic()
        proposals = waves.propose(mall_code=mall, at=timezone.now(), seed=0, everything=everything)
        for proposal in proposals:
            publish.check(proposal)
            for block in proposal.plan.blocks:
                window = publish.window_of(block, proposal.snapshot)
                self.stdout.write(
                    f"{window.start:%H:%M}-{window.end:%H:%M} UTC  {len(block.orders)} orders, "
                    f"{block.parcels} parcels, {len(block.stores)} stores, {block.metres / 1000:.1f} km, "
                    f"{format_cents(block.cost_cents)}: {' '.join(block.orders)}"
                )
            for each in proposal.plan.left:
                self.stdout.write(f"  left {each.order}: {publish.say(each)['text']}")
        seen = sum(len(proposal.snapshot.afternoon.orders) for proposal in proposals)
        self.stdout.write(f"{seen} orders seen in {time.monotonic() - begun:.1f} s; nothing written.")
