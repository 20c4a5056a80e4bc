"""Every noun with a status: each status can be reached, and from each there is a way to an end."""

import pytest
from django.apps import apps

MACHINES = {model.__name__: model for model in apps.get_models() if hasattr(model, "MOVES")}


def reachable(moves: dict[str, set[str]], start: str) -> set[str]:
    found, todo = {start}, [start]
    while todo:
        for after in moves[todo.pop()] - found:
            found.add(after)
            todo.append(after)
    return found


def faults(moves: dict[str, set[str]], start: str) -> set[str]:
    """Statuses that nothing leads to, and those from which nothing leads to an end."""
    lost = set(moves) - reachable(moves, start)
    ends = {status for status, after in moves.items() if not after}
    return lost | {status for status in moves if not ends & reachable(moves, status)}


def test_the_nouns_of_the_system_are_found():
    assert {"Order", "Parcel", "Manifest", "Stop", "Block", "Offer", "Driver", "Payout"} <= set(MACHINES)


@pytest.mark.parametrize("name", sorted(MACHINES))
def test_every_status_is_reached_and_leads_to_an_end(name):
    model = MACHINES[name]
    moves = {str(status): {str(each) for each in after} for status, after in model.MOVES.items()}

    assert set(moves) == {value for value, _label in model._meta.get_field("status").choices}
    assert faults(moves, str(model._meta.get_field("status").get_default())) == set()


def test_a_dead_end_and_an_island_are_found():
    """The control: two statuses that lead only to each other, and one that nothing leads to."""
    moves = {
        "new": {"stuck", "done"},
        "stuck": {"again"},
        "again": {"stuck"},
        "done": set(),
        "island": {"done"},
    }

    assert faults(moves, "new") == {"stuck", "again", "island"}
