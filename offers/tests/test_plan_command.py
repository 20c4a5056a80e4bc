"""manage.py plan: now, at a moment of the past, and the same orders under other terms."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from deliveries import facts
from deliveries.models import Consignment, Order, Parcel
from offers import limits
from offers.models import Block, Claim, Freeze, PlanRun
from offers.planning import inputs, past, waves, whatif
from offers.planning.whatif import Change
from offers.tests import afternoons, making
from offers.tests.making import AT, HOUR, MINUTE
from retaildelivery.lib.geo import Point
from retaildelivery.outbox.models import Fact
from retaildelivery.outbox.recording import SYSTEM

pytestmark = pytest.mark.django_db
NEAR = [Point(36.150 + n / 400, -115.200 - n / 500) for n in range(12)]


@pytest.fixture(autouse=True)
def _now(time_machine, monkeypatch):
    monkeypatch.setattr(limits, "PLAN_SECONDS", 0.1)
    time_machine.move_to(AT + 4 * HOUR, tick=False)


@pytest.fixture
def mall():
    return making.mall()


@pytest.fixture
def store(mall):
    return making.store(mall)


def posted(store, count=4, *, at=AT, **options):
    """Orders with the fact that they were posted."""
    made = [making.order(store, at=at, point=NEAR[n], **options) for n in range(count)]
    with transaction.atomic():
        facts.tell_all("order.placed", made, at=at, actor=SYSTEM)
    return made


def told(order, name, *, at, **changes):
    """The order changed at a moment, and the fact of it."""
    for field, value in changes.items():
        setattr(order, field, value)
    order.save(update_fields=list(changes))
    with transaction.atomic():
        facts.tell(name, order, at=at, actor=SYSTEM)


def planned(**options):
    out = StringIO()
    call_command("plan", mall="fashion-show", stdout=out, **options)
    return out.getvalue()


def as_json(**options):
    return json.loads(planned(json=True, **options))


def counts():
    return (
        PlanRun.objects.count(),
        Block.objects.count(),
        Fact.objects.count(),
        Order.objects.waiting().count(),
    )


def test_the_plan_of_now_is_shown_stop_by_stop_in_the_malls_time_and_nothing_is_written(store):
    orders = posted(store, at=AT + 4 * HOUR)
    before = counts()

    text = planned(everything=True)

    assert "Monday 2026-11-23 14:00 (America/Los_Angeles)" in text
    assert "14:10-16:10  new, sedan: 4 orders, 4 parcels, 1 stores" in text
    assert all(order.code in text for order in orders)
    assert "4 orders seen" in text
    assert "nothing written." in text
    assert counts() == before


def test_a_moment_of_the_past_is_planned_with_what_waited_then(store, mall):
    kept, gone, later, moved = posted(store, 4)
    told(gone, "order.cancelled", at=AT + 5 * MINUTE, status="cancelled", cancelled_at=AT + 5 * MINUTE)
    told(later, "order.planned", at=AT + 30 * MINUTE, status="planned")
    told(moved, "order.updated", at=AT + 20 * MINUTE, latitude="36.300000", longitude="-115.200000")
    posted(store, 2, at=AT + HOUR)

    then = past.waited(mall, at=AT + 10 * MINUTE)

    assert [each.code for each in then] == sorted(each.code for each in (kept, later, moved))
    assert {each.code: each.point.lat for each in then}[moved.code] == float(NEAR[3].lat)
    assert {each.code for each in past.waited(mall, at=AT + 40 * MINUTE)} == {kept.code, moved.code}
    assert past.waited(mall, at=AT - MINUTE) == []
    [scene] = as_json(at="2026-11-23T10:10", everything=True)["scenarios"]
    assert (scene["orders"], scene["planned"], scene["blocks"]) == (3, 3, 1)
    assert scene["blocks_planned"][0]["start"] == "2026-11-23T10:20:00-08:00"


def test_the_past_is_what_a_wave_would_have_seen_then(store, mall):
    posted(store, 5)

    then = past.waited(mall, at=AT + MINUTE)

    now = waves.inputs.waiting(mall, at=AT + MINUTE)
    assert then == sorted(now, key=lambda each: (each.due_at, each.code))


def test_a_past_plan_fills_the_blocks_that_had_room_then(store, mall):
    block = making.block(posted(store, 2))
    [late] = posted(store, 1, at=AT + 5 * MINUTE)
    assert past.open_blocks(mall, at=AT + 10 * MINUTE) == inputs.open_blocks(mall, at=AT + 10 * MINUTE)
    making.claimed(block, making.driver("Ada"), at=AT + 20 * MINUTE)
    Block.objects.filter(pk=block.pk).update(status="withdrawn", ended_at=AT + 30 * MINUTE)
    Consignment.objects.update(ended_at=AT + 30 * MINUTE, ending="replanned")

    [then] = past.open_blocks(mall, at=AT + 10 * MINUTE)
    [claimed] = past.open_blocks(mall, at=AT + 25 * MINUTE)
    text = planned(at="2026-11-23T10:10", everything=True)

    assert (then.room.code, len(then.on_it), then.claim_id) == (block.code, 2, None)
    assert claimed.claim_id == Claim.objects.get().pk
    assert f"fills {block.code} with 1" in text
    assert late.code in text
    assert past.open_blocks(mall, at=AT - MINUTE) == []
    assert past.open_blocks(mall, at=AT + 31 * MINUTE) == []


def test_a_block_that_was_frozen_then_takes_nothing_in_a_past_plan(store, mall):
    block = making.block(posted(store, 2))
    Freeze.objects.create(
        block=block, reason="keep", frozen_by=None, frozen_at=AT + 10 * MINUTE, lifted_at=AT + 20 * MINUTE
    )

    found = [len(past.open_blocks(mall, at=AT + n * MINUTE)) for n in (5, 10, 19, 20)]

    assert found == [1, 0, 0, 1]


def test_an_order_with_a_missing_parcel_or_without_a_place_did_not_wait(store, mall):
    short, lost = posted(store, 1)[0], making.order(store, point=None)
    Parcel.objects.filter(order=short).update(status="short")
    told(short, "parcel.short", at=AT + MINUTE)
    told(lost, "order.placed", at=AT + MINUTE)

    assert past.waited(mall, at=AT + 2 * MINUTE) == []


def test_other_lengths_pay_and_promises_stand_side_by_side_on_the_same_orders(store):
    posted(store, 6)

    options = {"lengths": ["3"], "hourly": ["30"], "promise": ["240"]}
    found = as_json(at="2026-11-23T10:10", everything=True, iterations=50, **parsed(options))["scenarios"]

    assert [each["name"] for each in found] == ["as it is", "3 h", "30.00/h", "240 min"]
    now, three, dear, slow = found
    assert (now["paid_s"], three["paid_s"]) == (7200, 10_800)
    assert three["pay_cents"] * 2 == now["pay_cents"] * 3
    assert dear["pay_cents"] == 6_000
    assert {each["orders"] for each in found} == {6}
    assert now["saved_cents"] == now["alone_cents"] - now["cost_cents"] > 0
    assert slow["promise_minutes"] == 240
    assert Block.objects.count() == 0


def test_one_trip_and_two_stand_side_by_side(store):
    # Two that no car holds at once: the largest has four cubic metres.
    posted(store, 2, parcels=12, litres=210)

    found = as_json(at="2026-11-23T10:10", everything=True, iterations=50, trips=[1, 2])["scenarios"]

    assert [each["name"] for each in found] == ["as it is", "1 trip", "2 trips"]
    _now, once, twice = found
    assert [each["blocks"] for each in (once, twice)] == [2, 1]
    assert twice["pay_cents"] < once["pay_cents"]
    [block] = twice["blocks_planned"]
    assert [len(trip["orders"]) for trip in block["trips"]] == [1, 1]
    assert block["trips"][1]["load"] > block["trips"][0]["depart"]


def parsed(options):
    """What argparse makes of the words; call_command hands options of `append` on as they are."""
    from offers.management.commands import plan  # noqa: PLC0415 -- only the test of words needs it

    ways = {"lengths": plan._lengths, "hourly": plan._hourly, "promise": plan._promise}
    return {name: [ways[name](each) for each in given] for name, given in options.items()}


def test_all_changes_together_are_one_column(store):
    posted(store, 3)

    text = planned(
        at="2026-11-23T10:10",
        everything=True,
        together=True,
        **parsed({"lengths": ["2,4"], "hourly": ["20"]}),
    )

    assert "2/4 h, 20.00/h" in text
    assert "each order alone" in text


def test_the_same_rounds_and_seed_give_the_same_plan(store):
    posted(store, 8)

    first, second = (as_json(at="2026-11-23T10:10", iterations=60, seed=7)["scenarios"][0] for _ in "ab")

    del first["took_s"], second["took_s"]
    assert first == second


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"at": "yesterday"}, "is not a time such as"),
        ({"at": "2026-11-23T23:00"}, "in the future"),
        ({"publish": True, "at": "2026-11-23T10:10"}, "Only the plan of now"),
        ({"publish": True, "hourly": [2200]}, "Only the plan of now"),
        ({"together": True, "hourly": [2200, 2300]}, "takes each of"),
    ],
)
def test_what_makes_no_sense_is_refused_and_writes_nothing(mall, options, said):
    with pytest.raises(CommandError, match=said):
        planned(**options)

    assert PlanRun.objects.count() == 0


@pytest.mark.parametrize("words", [["--lengths", "0"], ["--hourly", "free"], ["--promise", "5"]])
def test_a_length_a_pay_or_a_promise_that_cannot_be_is_named(mall, words):
    with pytest.raises(CommandError, match=words[0]):
        call_command("plan", "--mall", "fashion-show", *words)


def test_an_empty_afternoon_is_said_to_be_empty(mall):
    text = planned(hourly=[2200])
    assert text.splitlines()[-1] == "  no order waits"
    assert "0.00" not in text
    assert planned(publish=True) == "No order waits; nothing was offered.\n"
    assert as_json()["scenarios"][0]["blocks_planned"] == []


def test_the_command_publishes_when_told_to(store):
    making.order(store, at=AT + 4 * HOUR)

    text = planned(everything=True, publish=True)

    assert text.startswith("1 new blocks offered, 0 filled, with 1 of 1 orders")
    assert Block.objects.get().status == "offered"


def test_the_command_names_the_malls_it_knows(mall):
    with pytest.raises(CommandError, match="Known: fashion-show"):
        call_command("plan", mall="nowhere")


def test_no_change_is_the_same_afternoon_and_a_new_length_is_paid_at_the_same_rate():
    afternoon = afternoons.drawn(5, 1)

    assert whatif.changed(afternoon, Change()) == afternoon
    [length] = whatif.changed(afternoon, Change(lengths_s=(9_000,))).lengths
    assert (length.length_s, length.pay_cents) == (9_000, 5_000)
