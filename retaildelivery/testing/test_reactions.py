"""The table of what follows from what: sorted, complete, and with keys that are never renamed."""

import inspect

from retaildelivery.reactions import REACTIONS
from stores.webhooks.events import EVENTS


def test_facts_and_keys_are_in_their_order():
    assert list(REACTIONS) == sorted(REACTIONS)
    assert [list(after) for after in REACTIONS.values()] == [sorted(after) for after in REACTIONS.values()]


def test_every_event_that_sellers_are_promised_is_fanned_out_and_no_other():
    fanned = {name for name, after in REACTIONS.items() if "stores.webhook" in after}

    assert fanned == set(EVENTS)


def test_every_effect_takes_a_fact_and_a_time_by_name():
    effects = {effect for after in REACTIONS.values() for effect in after.values()}

    wrong = [
        effect
        for effect in effects
        if [p.name for p in inspect.signature(effect).parameters.values() if p.kind is p.KEYWORD_ONLY]
        != ["fact", "at"]
    ]
    assert wrong == []
