"""Actors take turns by time, and one that stumbles neither stops the others nor is lost."""

from collections.abc import Callable

import pytest

from retaildelivery.demo.town import Dismissed, Later, Town, patiently


class Clock:
    """A clock that only moves when somebody sleeps."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def town(clock):
    return Town(now=clock.now, sleep=clock.sleep)


def until(clock: Clock, end: float) -> Callable[[], bool]:
    return lambda: clock.time >= end


def test_actors_act_in_the_order_of_their_times(town, clock):
    seen = []

    def walker(name, step):
        while True:
            seen.append((clock.time, name))
            yield step

    town.settle("slow", lambda: walker("slow", 3.0))
    town.settle("quick", lambda: walker("quick", 2.0), after=0.5)
    town.run(until=until(clock, 5))

    assert seen == [(0.0, "slow"), (0.5, "quick"), (2.5, "quick"), (3.0, "slow"), (4.5, "quick")]


def test_a_town_where_everybody_went_home_is_done(town, clock):
    town.settle("short", lambda: iter([1.0, 2.0]))

    town.run(until=lambda: False)

    assert clock.time == 3.0


def test_one_who_stumbles_starts_over_later_and_the_others_go_on(town, clock):
    begun, steps = [], []

    def clumsy():
        begun.append(clock.time)
        yield 1.0
        raise KeyError("code")

    def steady():
        while True:
            steps.append(clock.time)
            yield 10.0

    town.settle("clumsy", clumsy)
    town.settle("steady", steady)
    town.run(until=until(clock, 30))

    assert begun == [0.0, 6.0, 12.0, 18.0, 24.0, 30.0][: len(begun)]
    assert len(begun) >= 5
    assert steps == [0.0, 10.0, 20.0]
    assert town.stumbles >= 4


def test_one_who_stumbles_at_every_first_step_waits_longer_each_time(town, clock):
    begun = []

    def hopeless():
        begun.append(clock.time)
        raise KeyError("code")
        yield

    town.settle("hopeless", hopeless)
    town.run(until=until(clock, 100))

    assert begun == [0.0, 5.0, 15.0, 35.0, 75.0]


def test_one_who_is_dismissed_does_not_come_back(town, clock):
    begun = []

    def replaced():
        begun.append(clock.time)
        yield 1.0
        raise Dismissed("another run")

    town.settle("replaced", replaced)
    town.run(until=lambda: False)

    assert begun == [0.0]
    assert town.stumbles == 0


def test_a_call_that_says_later_is_made_again_after_so_long():
    answers = iter([Later(2.0, "busy"), Later(3.0, "busy"), "done"])

    def call():
        answer = next(answers)
        if isinstance(answer, Later):
            raise answer
        return answer

    waiting = patiently(call)

    assert [next(waiting), next(waiting)] == [2.0, 3.0]
    with pytest.raises(StopIteration) as end:
        next(waiting)
    assert end.value.value == "done"


def test_patience_ends():
    def call():
        raise Later(1.0, "busy")

    waiting = patiently(call, tries=2)

    assert next(waiting) == 1.0
    with pytest.raises(Later, match="busy"):
        next(waiting)
