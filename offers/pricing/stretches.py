"""Stretches of time, half-open, and what is left of them: fast also where somebody wrote down thousands."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from datetime import datetime

Stretch = tuple[datetime, datetime]


def merged(stretches: Iterable[Stretch]) -> list[Stretch]:
    """The same time in order, stretches that touch or overlap as one, empty ones left out."""
    found: list[Stretch] = []
    for begin, end in sorted(each for each in stretches if each[0] < each[1]):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found


def without(stretches: Iterable[Stretch], cuts: Iterable[Stretch]) -> list[Stretch]:
    """The stretches, in order, less the time of the cuts."""
    left: list[Stretch] = []
    away = merged(cuts)
    first = 0
    for begin, end in merged(stretches):
        while first < len(away) and away[first][1] <= begin:
            first += 1
        at = begin
        for cut in away[first:]:
            if cut[0] >= end:
                break
            if at < cut[0]:
                left.append((at, cut[0]))
            at = max(at, cut[1])
        if at < end:
            left.append((at, end))
    return left


class Busy:
    """Time that is taken; each moment counts for whoever takes it first."""

    def __init__(self) -> None:
        self._begins: list[datetime] = []
        self._ends: list[datetime] = []

    def take(self, stretches: Iterable[Stretch]) -> list[Stretch]:
        """What of these stretches was still free. It is taken now."""
        free: list[Stretch] = []
        for begin, end in merged(stretches):
            low, high = bisect_right(self._ends, begin), bisect_left(self._begins, end)
            free += without([(begin, end)], zip(self._begins[low:high], self._ends[low:high], strict=True))
            # Those that only touch are joined too, so that the lists stay short.
            low, high = bisect_left(self._ends, begin), bisect_right(self._begins, end)
            whole = [begin, end, *self._begins[low:high], *self._ends[low:high]]
            self._begins[low:high], self._ends[low:high] = [min(whole)], [max(whole)]
        return free
