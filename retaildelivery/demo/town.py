"""Many lives on one thread: each actor is a generator that says for how many seconds it has nothing to do."""

import heapq
import itertools
import time
from collections.abc import Callable, Generator, Iterator
from typing import TypeVar

import structlog

log = structlog.get_logger(__name__)

T = TypeVar("T")
Life = Generator[float, None, None]

PATIENCE = 8  # tries of one call before an actor turns to something else
BACK_OFF = 5.0  # seconds before an actor that stumbled goes on; doubled each time
LONGEST_BACK_OFF = 60.0


class Later(Exception):
    """Nothing is wrong, but not now: ask again after `seconds`."""

    def __init__(self, seconds: float, why: str) -> None:
        super().__init__(why)
        self.seconds = seconds


class Dismissed(Exception):
    """An actor's part is played by somebody else now: it goes home for good."""


def patiently(call: Callable[[], T], *, tries: int = PATIENCE) -> Generator[float, None, T]:
    """The answer of `call`, asked again whenever it says Later; raises the last Later after so many tries."""
    for left in reversed(range(tries)):
        try:
            return call()
        except Later as later:
            if not left:
                raise
            yield later.seconds
    raise AssertionError("patience is at least one try")


class Town:
    """Lets actors act when their time comes. `now` and `sleep` are a clock in seconds and its waiting."""

    def __init__(
        self, *, now: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.now = now
        self.sleep = sleep
        self.stumbles = 0
        self._order = itertools.count()
        # (when, tie-breaker, name, how to begin again, the life, stumbles in a row)
        self._due: list[tuple[float, int, str, Callable[[], Life], Iterator[float], int]] = []

    def settle(self, name: str, begin: Callable[[], Life], *, after: float = 0.0) -> None:
        """A new actor, whose life `begin()` starts `after` seconds from now."""
        self._push(self.now() + after, name, begin, begin(), 0)

    def run(self, *, until: Callable[[], bool]) -> None:
        """Let everybody live until `until()`, looked at each second at least, or until nobody is left."""
        while self._due and not until():
            wait = self._due[0][0] - self.now()
            if wait > 0:
                self.sleep(min(wait, 1.0))
                continue
            _, _, name, begin, life, stumbles = heapq.heappop(self._due)
            self._live(name, begin, life, stumbles)

    def _live(self, name: str, begin: Callable[[], Life], life: Iterator[float], stumbles: int) -> None:
        try:
            pause = next(life)
        except StopIteration:
            return
        except Dismissed as reason:
            log.warning("demo_actor_dismissed", actor=name, reason=str(reason))
            return
        # One actor who trips over an answer nobody thought of must not stop the whole town: it is logged, and
        # the actor starts over by looking at what the server says its state is.
        except Exception as error:  # noqa: BLE001
            self.stumbles += 1
            wait = min(BACK_OFF * 2**stumbles, LONGEST_BACK_OFF)
            log.warning("demo_actor_stumbled", actor=name, error=repr(error), again_in_s=wait)
            self._push(self.now() + wait, name, begin, begin(), stumbles + 1)
        else:
            self._push(self.now() + max(0.0, pause), name, begin, life, 0)

    def _push(
        self, at: float, name: str, begin: Callable[[], Life], life: Iterator[float], stumbles: int
    ) -> None:
        heapq.heappush(self._due, (at, next(self._order), name, begin, life, stumbles))
