"""One worker, many receivers: one that hangs takes no more than its lane."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from stores import limits
from stores.webhooks import fanning, lanes
from stores.webhooks.lanes import Lanes


class Sends:
    """Notes what was sent; messages from 1000 on hang until `release`."""

    def __init__(self) -> None:
        self.sent: list[int] = []
        self.hanging = 0
        self.most_hanging = 0
        self.release = threading.Event()
        self.lock = threading.Lock()

    def __call__(self, message_id: int) -> None:
        if message_id >= 1000:
            with self.lock:
                self.hanging += 1
                self.most_hanging = max(self.most_hanging, self.hanging)
            self.release.wait(10)
            with self.lock:
                self.hanging -= 1
        with self.lock:
            self.sent.append(message_id)

    def wait_for(self, count: int) -> None:
        end = time.monotonic() + 5
        while len(self.sent) < count and time.monotonic() < end:
            time.sleep(0.005)


def test_hanging_receivers_leave_room_for_the_others() -> None:
    sends = Sends()
    lanes = Lanes(sends)
    for dead in (1, 2, 3):
        for number in range(20):
            assert lanes.submit(endpoint_id=dead, message_id=1000 * dead + number)
    for number in range(50):
        assert lanes.submit(endpoint_id=9, message_id=number)

    sends.wait_for(50)
    well = sorted(sends.sent)
    sends.release.set()
    sends.wait_for(110)

    assert well == list(range(50))
    assert sends.most_hanging == 3 * limits.LANE_WIDTH
    assert len(sends.sent) == len(set(sends.sent)) == 110


def test_a_lane_remembers_only_so_many_and_empties_in_order(monkeypatch: Any) -> None:
    monkeypatch.setattr(limits, "LANE_WIDTH", 1)
    monkeypatch.setattr(limits, "LANE_LENGTH", 3)
    sends = Sends()
    lanes = Lanes(sends)

    taken = [lanes.submit(endpoint_id=1, message_id=1000 + number) for number in range(6)]
    sends.release.set()
    sends.wait_for(4)

    assert taken == [True, True, True, True, False, False]
    assert sends.sent == [1000, 1001, 1002, 1003]


def test_a_send_that_breaks_does_not_block_its_lane() -> None:
    sent = []

    def breaking(message_id: int) -> None:
        sent.append(message_id)
        raise RuntimeError

    lanes = Lanes(breaking)
    for number in range(10):
        lanes.submit(endpoint_id=1, message_id=number)
    end = time.monotonic() + 5
    while len(sent) < 10 and time.monotonic() < end:
        time.sleep(0.005)

    assert sorted(sent) == list(range(10))


def test_a_worker_sends_what_it_has_just_written_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    sent, asked = threading.Event(), []
    monkeypatch.setattr(lanes, "HERE", Lanes(lambda _message: sent.set()))
    monkeypatch.setattr(fanning.dispatch, "send", lambda *args, **_named: asked.append(args))

    fanning.hand_over(7, 1)

    assert sent.wait(5)
    assert asked == []


def test_any_other_process_asks_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(lanes, "HERE", None)
    monkeypatch.setattr(fanning.dispatch, "send", lambda task, **named: asked.append((task, named)))

    fanning.hand_over(7, 1)

    assert asked == [(fanning.TASK, {"queue": "webhooks", "message_id": 7, "endpoint_id": 1})]
