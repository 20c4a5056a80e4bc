"""A run: stages of one or several markets, their people in one town, until over or stopped."""

import signal
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import FrameType

import requests
from django.db import close_old_connections
from django.utils import timezone

from deliveries.models import Order
from deliveries.models.order import OrderQuerySet
from retaildelivery.demo import cast, data, shops
from retaildelivery.demo.client import Tally
from retaildelivery.demo.data import Door
from retaildelivery.demo.play import Play
from retaildelivery.demo.stage import Stage
from retaildelivery.demo.town import Dismissed, Life, Town

READY_WITHIN_S = 120.0
ASK_AGAIN_S = 0.5
# An endless run is there to be looked at: the drivers whose logins are printed are left to people, and offers stay
# open long enough to be seen and claimed by hand.
LEFT_TO_PEOPLE_S = 45.0
SAY_EVERY_S = 10.0
LOOK_EVERY_S = 3.0  # whether the orders of the run have ended
OK = 200


class ServerMissing(RuntimeError):
    """No server answers at the address."""


class Stopped(BaseException):
    """Raised by the signal handler, wherever the main thread is; not an error."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be played. `minutes` is simulated time for the `orders` of each market; without a limit one
    afternoon follows the other. `patience` is how long, on the clock, orders are waited for that no driver has."""

    markets: tuple[str, ...]
    base_url: str
    speed: float
    seed: int
    orders: int
    minutes: int
    endless: bool
    doors: tuple[Door, ...] | None = None
    patience: timedelta = timedelta(minutes=7)
    looks_within_s: tuple[float, float] = (2.0, 20.0)


@dataclass(slots=True)
class Simulation:
    """Plays the plan; `say` gets a progress line now and then. Stopped in the middle, it leaves blocks
    as they are, for the next run to take up."""

    plan: Plan
    say: Callable[[str], None]
    tally: Tally = field(default_factory=Tally)
    stages: list[Stage] = field(default_factory=list)
    _run: str = ""
    _begun: datetime = field(default_factory=timezone.now)
    _over: bool = False

    def run(self, town: Town) -> None:
        """Raises ServerMissing when no server answers, Store.DoesNotExist before `seed_demo`."""
        self._begun = timezone.now()
        self._run = f"SIM-{self._begun:%y%m%d%H%M%S}"
        wait_for_server(self.plan.base_url)
        try:
            for market in self.plan.markets:
                self._set_up(market, town)
            town.settle("progress", self._tell)
            if not self.plan.endless:
                town.settle("watch", self._watch)
            town.run(until=lambda: self._over)
        finally:
            for stage in self.stages:
                stage.close()
        self.say(self.progress())

    def _set_up(self, market: str, town: Town) -> None:
        play = Play(
            seed=self.plan.seed,
            speed=self.plan.speed,
            tally=self.tally,
            town=town,
            looks_within_s=self.plan.looks_within_s,
            leaves_s=LEFT_TO_PEOPLE_S if self.plan.endless else 0.0,
            not_played=frozenset(login.email for login in cast.headline())
            if self.plan.endless
            else frozenset(),
        )
        stage = Stage(market, play, self.plan.base_url)
        self.stages.append(stage)
        stage.set_up(at=timezone.now())
        town.settle(f"staff of {market}", lambda: self._staff(stage))
        for rider in stage.riders:
            town.settle(rider.courier.key, rider.life)

    def _staff(self, stage: Stage) -> Life:
        """One afternoon after the other, or only one."""
        try:
            yield from self._afternoons(stage)
        except Dismissed:
            stage.is_posted = True
            raise

    def _afternoons(self, stage: Stage) -> Life:
        # Whoever stumbled begins a new afternoon: numbers of the one before are taken.
        while True:
            stage.afternoons += 1
            script = stage.script(
                day=self._begun.date() + timedelta(days=stage.afternoons - 1),
                orders=self.plan.orders,
                minutes=self.plan.minutes,
                doors=self.plan.doors,
            )
            run = f"{self._run}-{stage.market[:2].upper()}{stage.afternoons}"
            yield from shops.staff(stage.shops, script, run=run, play=stage.play)
            if not self.plan.endless:
                break
            yield stage.play.pace(timedelta(minutes=15))
        stage.is_posted = True

    def _tell(self) -> Life:
        while True:
            yield SAY_EVERY_S
            self.say(self.progress())

    def _watch(self) -> Life:
        """Once everything is posted: until the orders have ended, or nobody has had a block for so long that
        what is left must be waiting for company; then until whoever is at work is done."""
        while not all(stage.is_posted for stage in self.stages):
            yield LOOK_EVERY_S
        busy = time.monotonic()
        while self._are_open() and time.monotonic() - busy < self.plan.patience.total_seconds():
            if any(rider.holds for stage in self.stages for rider in stage.riders):
                busy = time.monotonic()
            yield LOOK_EVERY_S
        for stage in self.stages:
            stage.play.closing = True
        while any(stage.play.score.at_work for stage in self.stages):
            yield LOOK_EVERY_S
        self._over = True

    def _are_open(self) -> bool:
        """Whether any order of this run has not ended."""
        close_old_connections()
        return self._own_orders().exclude(status__in=Order.ENDED).exists()

    def _own_orders(self) -> OrderQuerySet:
        return Order.objects.filter(external_id__startswith=self._run)

    def progress(self) -> str:
        """One line: what the actors did so far, over all markets."""
        scores = [stage.play.score for stage in self.stages]
        at_work = sum(score.at_work for score in scores)
        riders = sum(len(stage.riders) for stage in self.stages)
        refusals = sum(self.tally.refusals.values())
        words = [
            f"{timezone.now() - self._begun}".split(".", maxsplit=1)[0],
            f"posted {sum(score.posted for score in scores)}",
            f"delivered {sum(score.delivered for score in scores)}",
            f"failed {sum(score.failed for score in scores)}",
            f"returned {sum(score.returned for score in scores)}",
            f"blocks claimed {sum(score.claimed for score in scores)}",
            f"done {sum(score.completed for score in scores)}",
            f"drivers {at_work} of {riders} at work",
            f"refusals {refusals}",
        ]
        return " · ".join(words)

    def story(self) -> Sequence[str]:
        """How the run ended: refusals by code, most frequent first."""
        counts = sorted(self.tally.refusals.items(), key=lambda pair: (-pair[1], pair[0]))
        return [f"{self.tally.calls} calls"] + [f"{count} × {code}" for code, count in counts]


def wait_for_server(base_url: str) -> None:
    """until the web server answers that it is ready. Raises ServerMissing after READY_WITHIN_S."""
    ends = time.monotonic() + READY_WITHIN_S
    with requests.Session() as session:
        session.trust_env = False
        while True:
            try:
                if session.get(f"{base_url}/readyz", timeout=5).status_code == OK:
                    return
            except requests.RequestException:
                pass
            if time.monotonic() >= ends:
                raise ServerMissing(f"No server answers at {base_url}; is it running?")
            time.sleep(ASK_AGAIN_S)


@contextmanager
def stop_on_signals() -> Generator[None, None, None]:
    """SIGTERM and SIGINT raise Stopped, once: what is cleaned up afterwards is not interrupted."""

    def stop(number: int, frame: FrameType | None) -> None:
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, signal.SIG_IGN)
        raise Stopped

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def known_markets() -> tuple[str, ...]:
    return tuple(market.code for market in data.markets())
