"""Many messages on their way at once from one worker, each endpoint in a lane of its own.

A worker has few processes, and a receiver that hangs would hold one for the length of a time-out. Threads wait for
the network instead, and of them no endpoint may hold more than a few: so one that is dead delays no other. What is
in a lane is only a memory of rows: when the process dies, the sweep finds them.
"""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from stores import limits


class Lanes:
    """Runs `send` for messages in threads, at most LANE_WIDTH at once for one endpoint."""

    def __init__(self, send: Callable[[int], None]) -> None:
        self._send = send
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._running: defaultdict[int, int] = defaultdict(int)
        self._waiting: defaultdict[int, deque[int]] = defaultdict(deque)

    def submit(self, *, endpoint_id: int, message_id: int) -> bool:
        """False when the lane is full: the message is left to the sweep."""
        with self._lock:
            if self._running[endpoint_id] < limits.LANE_WIDTH:
                self._running[endpoint_id] += 1
                self._start(endpoint_id, message_id)
                return True
            lane = self._waiting[endpoint_id]
            if len(lane) >= limits.LANE_LENGTH:
                return False
            lane.append(message_id)
            return True

    def _start(self, endpoint_id: int, message_id: int) -> None:
        # Made at the first use, in the process that uses it: threads do not survive a fork.
        if self._pool is None:
            self._pool = ThreadPoolExecutor(limits.SENDING_THREADS, thread_name_prefix="webhooks")
        self._pool.submit(self._run, endpoint_id, message_id)

    def _run(self, endpoint_id: int, message_id: int) -> None:
        try:
            self._send(message_id)
        finally:
            self._next(endpoint_id)

    def _next(self, endpoint_id: int) -> None:
        """Behind whatever else waits for a thread, so that a long lane does not keep one to itself."""
        with self._lock:
            lane = self._waiting[endpoint_id]
            if lane:
                self._start(endpoint_id, lane.popleft())
                return
            self._running[endpoint_id] -= 1
            if not self._running[endpoint_id]:
                del self._running[endpoint_id], self._waiting[endpoint_id]


# Of this process, where it is a worker: a message whose row it has just written need not go through the broker.
HERE: Lanes | None = None


def open_here(send: Callable[[int], None]) -> Lanes:
    """The lanes of this process, opened if they are not."""
    global HERE  # noqa: PLW0603 -- one set of threads per process is the point
    if HERE is None:
        HERE = Lanes(send)
    return HERE
