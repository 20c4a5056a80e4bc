from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from retaildelivery.demo import data, simulation
from retaildelivery.demo.simulation import Plan, Simulation
from retaildelivery.demo.town import Town
from retaildelivery.lib.geo import within
from stores.models import Mall, Store

SPEED = 20.0
ORDERS = 40
MINUTES = 480  # an afternoon and an evening
SPEED_LIMIT = 1_000.0
ORDERS_LIMIT = 2_000
NOT_SEEDED = "The demo market is missing: run `manage.py seed_demo` first."


class Command(BaseCommand):
    help = "Play a city: staff post orders, drivers claim, collect, deliver and bring back, through the API."

    def add_arguments(self, parser: CommandParser) -> None:
        known = simulation.known_markets()
        parser.add_argument(
            "--market",
            action="append",
            choices=known,
            metavar="CODE",
            help=f"{', '.join(known)}; all unless said",
        )
        parser.add_argument(
            "--speed", type=float, default=SPEED, help="simulated seconds in one on the clock"
        )
        parser.add_argument("--seed", type=int, default=1, help="the same seed decides the same")
        parser.add_argument("--doors", type=Path, help="CSV: address1, city, state, zip, lat, lng")
        parser.add_argument(
            "--minutes", type=int, help=f"simulated time in which orders are posted ({MINUTES}), then stop"
        )
        parser.add_argument(
            "--orders", type=int, help=f"orders of one afternoon of a market ({ORDERS}), then stop"
        )
        parser.add_argument(
            "--base-url", default=f"http://127.0.0.1:{settings.PORT}", help="the running server"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        plan = self._plan(options)
        run = Simulation(plan, say=self._say)
        try:
            with simulation.stop_on_signals():
                run.run(Town())
        except simulation.Stopped:
            self._say("Stopped; what is under way is taken up by the next run.")
        except simulation.ServerMissing as error:
            raise CommandError(str(error)) from error
        except Store.DoesNotExist as error:
            raise CommandError(NOT_SEEDED) from error
        for line in run.story():
            self._say(line)

    def _plan(self, options: dict[str, Any]) -> Plan:
        """Raises CommandError naming the option that makes no sense."""
        markets = tuple(dict.fromkeys(options["market"] or simulation.known_markets()))
        if not 0 < options["speed"] <= SPEED_LIMIT:
            raise CommandError(f"--speed is above 0 and at most {SPEED_LIMIT:g}.")
        orders = ORDERS if options["orders"] is None else options["orders"]
        if not 0 < orders <= ORDERS_LIMIT:
            raise CommandError(f"--orders is from 1 to {ORDERS_LIMIT}.")
        minutes = MINUTES if options["minutes"] is None else options["minutes"]
        if minutes < 1:
            raise CommandError("--minutes is at least 1.")
        return Plan(
            markets=markets,
            base_url=options["base_url"].rstrip("/"),
            speed=options["speed"],
            seed=options["seed"],
            orders=orders,
            minutes=minutes,
            endless=options["minutes"] is None and options["orders"] is None,
            doors=self._doors(options["doors"], markets),
        )

    def _doors(self, path: Path | None, markets: tuple[str, ...]) -> tuple[data.Door, ...] | None:
        """Doors from the file that all shops of the market may deliver to."""
        if path is None:
            return None
        if len(markets) != 1:
            raise CommandError("--doors are the doors of one market: say which with --market.")
        try:
            doors = data.read_doors(path)
        except data.DoorsUnreadable as error:
            raise CommandError(f"--doors: {error}") from error
        try:
            mall = Mall.objects.get(code=data.mall_of(markets[0]).code)
        except Mall.DoesNotExist as error:
            raise CommandError(NOT_SEEDED) from error
        near = tuple(door for door in doors if within(mall.point, mall.delivery_radius_m, door.point))
        if not near:
            raise CommandError(f"--doors: none of {len(doors)} doors is within reach of {markets[0]}.")
        self._say(f"{len(near)} of {len(doors)} doors are within reach.")
        return near

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        # Somebody is watching, perhaps through a pipe.
        self.stdout.flush()
