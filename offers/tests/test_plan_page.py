"""The plan of a mall as operations see it, and what they do from it."""

import json
import re

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import translation

from deliveries.models import Consignment
from offers import plans
from offers.models import Freeze, PlanRun
from offers.planning import waves
from offers.tests import making
from offers.tests.making import AT, HOUR, MINUTE
from retaildelivery.accounts.models import User
from retaildelivery.lib.geo import Point

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(AT, tick=False):
        yield


def signed_in(user):
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.fixture
def olga():
    return User.objects.create(email="olga@example.com", name="Olga", is_staff=True)


@pytest.fixture
def ops(olga):
    return signed_in(olga)


@pytest.fixture
def mall():
    return making.mall()


@pytest.fixture
def store(mall):
    return making.store(mall)


@pytest.fixture
def planned(mall, store):
    """Four orders planned by a wave, one that waits because it is too big for any car."""
    for number in range(4):
        making.order(store, point=Point(36.15 + number / 100, -115.2))
    making.order(store, litres=390, parcels=13)
    return waves.run(mall_code=mall.code, at=AT, everything=True)


def page_of(mall):
    return reverse("offers:ops_plan", args=[mall.code])


def test_the_page_stays_within_its_budget_however_many_blocks(
    ops, mall, store, django_assert_max_num_queries
):
    ada = making.driver("Ada")
    for number in range(6):
        block = making.block([making.order(store), making.order(store)], start=AT + (2 + number) * HOUR)
        if number % 4 == 0:
            making.claimed(block, ada)
    ops.get(page_of(mall))

    with django_assert_max_num_queries(12):
        answer = ops.get(page_of(mall))

    assert answer.status_code == 200


def test_it_says_what_the_plan_costs_against_each_order_alone_and_what_was_left(ops, mall, planned):
    page = ops.get(page_of(mall)).content.decode()

    run = PlanRun.objects.get()
    assert run.alone_cents > run.cost_cents > 0
    saved = (run.alone_cents - run.cost_cents) / 100
    assert f"saves ${saved:,.2f}" in page
    assert "It takes 5070 litres; the largest car there is holds 4000." in page
    assert "no plan before it" in page


def test_the_reasons_are_told_in_spanish(ops, mall, planned):
    with translation.override("es"):
        said = plans.left_of(PlanRun.objects.get(), plans.waiting_at(mall), mall)

    assert [why for _order, why in said] != [left["text"] for left in PlanRun.objects.get().left]
    assert "5070" in said[0][1]


def test_a_plan_is_compared_by_the_order_with_the_last_one_that_made_blocks(ops, mall):
    def ran(minutes, **more):
        at = AT + minutes * MINUTE
        return PlanRun.objects.create(mall=mall, started_at=at, ended_at=at, **more)

    before = ran(0, orders_seen=10, orders_planned=10, blocks_made=2, cost_cents=10_000, alone_cents=40_000)
    ran(1)
    now = ran(2, orders_seen=4, orders_planned=4, blocks_made=1, cost_cents=5_000, alone_cents=16_000)

    found = plans.compared(plans.runs_of(mall))

    assert (found.run, found.before) == (now, before)
    assert (found.per_order_cents, found.change_cents) == (1250, 250)
    assert (found.saved_cents, found.saved_percent) == (11_000, 69)
    assert "+$2.50 against the plan before" in ops.get(page_of(mall)).content.decode()


def test_a_wave_remembers_which_blocks_it_made(mall, planned):
    laid = plans.of_mall(mall, None, at=AT)

    assert {each.block.plan_run_id for each in laid} == {planned.pk}


def test_a_block_shows_its_slack_and_its_late_doors(mall, store):
    late = making.order(store, window=(AT + HOUR, AT + 3 * HOUR + 20 * MINUTE))
    block = making.block([late])

    (laid,) = plans.of_mall(mall, None, at=AT)

    assert laid.letter == "A"
    assert laid.doors[0].slack == -10 * MINUTE
    assert laid.late_doors == 1
    assert laid.doors[0].late_by == 10 * MINUTE
    assert block.starts_at < laid.back_at < block.ends_at
    assert laid.slack == block.ends_at - laid.back_at
    assert laid.pay_cents == 3600


def test_the_map_carries_each_block_and_what_may_be_dragged(ops, mall, store):
    free, kept = making.block([making.order(store)]), making.block([making.order(store)])
    Freeze.objects.create(block=kept, reason="x", frozen_at=AT)

    page = ops.get(page_of(mall)).content.decode()
    drawn = json.loads(re.search(r'id="plan-map-data"[^>]*>(.*?)</script>', page).group(1))

    doors = {mark["block"]: mark for mark in drawn["markers"] if mark.get("block")}
    assert doors.keys() == {free.code, kept.code}
    assert "move" in doors[free.code]
    assert "move" not in doors[kept.code]
    assert drawn["blocks"] == [free.code]


def test_a_block_is_frozen_with_a_reason_and_unfrozen(ops, mall, store, olga):
    block = making.block([making.order(store)])

    bare = ops.post(reverse("offers:ops_freeze", args=[block.code]), {"reason": ""})
    done = ops.post(reverse("offers:ops_freeze", args=[block.code]), {"reason": "the driver knows the tower"})
    page = ops.get(page_of(mall)).content.decode()
    ops.post(reverse("offers:ops_unfreeze", args=[block.code]))

    assert bare.status_code == 422
    assert "Write why the block is frozen." in bare.content.decode()
    assert done["Location"] == f"{page_of(mall)}#block-{block.code}"
    assert "the driver knows the tower" in page
    kept = Freeze.objects.get()
    assert (kept.frozen_by, kept.lifted_by) == (olga, olga)


def test_an_order_is_moved_by_two_forms_without_a_script(ops, mall, store):
    astray = making.order(store, point=Point(36.205, -115.17))
    source = making.block([making.order(store, point=Point(36.05, -115.17)), astray])
    target = making.block([making.order(store, point=Point(36.20, -115.17))])
    moves = reverse("offers:ops_plan_move", args=[mall.code, astray.code])

    choose = ops.get(moves).content.decode()
    seen = ops.get(moves, {"to": target.code}).content.decode()
    token = re.search(r'name="seen" value="(\w+)"', seen).group(1)
    done = ops.post(moves, {"to": target.code, "seen": token})

    assert f'name="to" value="{target.code}" required' in choose
    assert "the judge allows it" in seen
    assert done["Location"] == f"{page_of(mall)}#block-{target.code}"
    assert Consignment.objects.live().get(order=astray).manifest_id == target.manifest_id
    again = ops.post(moves, {"to": source.code, "seen": token})
    assert again.status_code == 409
    assert 'data-code="plan_moved_on"' in again.content.decode()


def test_the_price_of_a_move_is_shown_within_the_budget(ops, mall, store, django_assert_max_num_queries):
    orders = [making.order(store) for _number in range(6)]
    for pair in (orders[:2], orders[2:4], orders[4:]):
        target = making.block(pair)
    moves = reverse("offers:ops_plan_move", args=[mall.code, orders[0].code])

    with django_assert_max_num_queries(12):
        answer = ops.get(moves, {"to": target.code})

    assert answer.status_code == 200


def asked_for(ops, mall, monkeypatch):
    """Where the page goes after "Plan again", a worker having been asked."""
    monkeypatch.setattr(waves, "send_now", lambda code: True)
    return ops.post(reverse("offers:ops_plan_again", args=[mall.code]))["Location"]


def polled(ops, path, etag=""):
    return ops.get(path, headers={"HX-Request": "true", "If-None-Match": etag})


def test_planning_again_asks_a_worker_and_without_one_says_so(ops, mall, monkeypatch):
    asked = []
    monkeypatch.setattr(waves, "send_now", lambda code: asked.append(code) or False)

    answer = ops.post(reverse("offers:ops_plan_again", args=[mall.code]))

    assert asked == [mall.code]
    assert answer["Location"] == page_of(mall)
    assert "No worker can be reached" in ops.get(page_of(mall)).content.decode()


def test_the_page_waits_for_the_plan_and_shows_it_with_what_has_changed(
    ops, mall, store, planned, monkeypatch
):
    with time_machine.travel(AT + 10 * MINUTE, tick=False):
        path = asked_for(ops, mall, monkeypatch)
        page = ops.get(path).content.decode()
        assert "Being planned" in page
        assert "hx-get" in page
        first = polled(ops, path)
        same = polled(ops, path, first["ETag"])
        assert (first.status_code, same.status_code, same.content) == (200, 304, b"")
        assert "<html" not in first.content.decode()
        for number in range(2):
            making.order(store, at=AT + 9 * MINUTE, point=Point(36.15 + number / 100, -115.25))

        waves.run(mall_code=mall.code, at=AT + 10 * MINUTE, everything=True)

        done = polled(ops, path, first["ETag"]).content.decode()
        assert "hx-get" not in done
        assert "Being planned" not in done
        assert "in blocks now" in done
        assert "against the plan before" in done
        # Whoever has no script sees the same by asking for the page again.
        assert "in blocks now" in ops.get(path).content.decode()


def test_a_wave_at_work_is_the_one_that_is_waited_for(ops, mall, store, monkeypatch):
    making.order(store)
    at_work = waves.begin(mall_code=mall.code, at=AT - MINUTE)

    path = asked_for(ops, mall, monkeypatch)

    assert "Being planned" in ops.get(path).content.decode()
    waves.fail(run_id=at_work.pk, failure="boom", at=AT)
    assert "The plan failed" in ops.get(path).content.decode()


def test_what_no_worker_takes_up_is_not_waited_for_for_ever(ops, mall, monkeypatch):
    path = asked_for(ops, mall, monkeypatch)

    with time_machine.travel(AT + 5 * MINUTE, tick=False):
        page = ops.get(path).content.decode()

    assert "No plan has come of it" in page
    assert "hx-get" not in page
    assert ops.get(f"{page_of(mall)}?asked=yesterday").status_code == 200


def test_without_blocks_or_malls_the_pages_say_so(ops):
    assert "No mall yet" in ops.get(reverse("offers:ops_plans")).content.decode()

    mall = making.mall()

    assert ops.get(reverse("offers:ops_plans"))["Location"] == page_of(mall)
    assert "No live blocks" in ops.get(page_of(mall)).content.decode()


def test_only_operations_may_look_freeze_or_move(mall, store):
    block = making.block([making.order(store)])
    stranger = signed_in(making.driver("Ada").user)
    paths = [
        page_of(mall),
        reverse("offers:ops_plans"),
        reverse("offers:ops_plan_move", args=[mall.code, "X"]),
    ]

    assert [stranger.get(path).status_code for path in paths] == [403, 403, 403]
    assert stranger.post(reverse("offers:ops_freeze", args=[block.code]), {"reason": "x"}).status_code == 403
    assert stranger.post(paths[2]).status_code == 403
    assert Client().get(paths[0]).status_code == 302
    assert Freeze.objects.count() == 0


def test_what_is_not_there_is_not_found(ops, mall, store):
    elsewhere = making.order(making.store(making.mall("chandler", market="phoenix"), "Other Shop"))
    moves = [reverse("offers:ops_plan_move", args=[mall.code, code]) for code in ("NOPE", elsewhere.code)]

    assert ops.get(reverse("offers:ops_plan", args=["nowhere"])).status_code == 404
    assert [ops.get(path).status_code for path in moves] == [404, 404]
    assert ops.post(reverse("offers:ops_freeze", args=["BNOPE1"]), {"reason": "x"}).status_code == 404


def test_the_page_says_how_far_travel_times_are_to_be_trusted(ops, mall):
    PlanRun.objects.create(
        mall=mall, started_at=AT, ended_at=AT, notes=["travel_server_down", "a_note_of_a_newer_version"]
    )

    page = ops.get(page_of(mall)).content.decode()

    assert "The road server could not be reached." in page
    assert "a_note_of_a_newer_version" in page


def test_a_block_that_closed_since_the_page_was_drawn_is_named(ops, mall, store, olga):
    order = making.order(store)
    making.block([order, making.order(store)])
    closed = making.block([making.order(store)])
    Freeze.objects.create(block=closed, reason="x", frozen_at=AT)
    moves = reverse("offers:ops_plan_move", args=[mall.code, order.code])

    answer = ops.get(moves, {"to": closed.code})

    assert answer.status_code == 200
    assert f"Block {closed.code} takes no orders" in answer.content.decode()


def test_a_plan_that_costs_something_never_saves_all(mall):
    def saved(cost_cents):
        run = PlanRun(mall=mall, cost_cents=cost_cents, alone_cents=100_000, orders_seen=1)
        return plans.Compared(run, None).saved_percent

    assert [saved(cents) for cents in (0, 1, 499, 1_400, 100_000)] == [100, 99, 99, 99, 0]


def test_a_block_published_ahead_says_its_day_and_that_a_wave_fills_it(ops, mall):
    making.empty_block(mall, start=AT + 26 * HOUR)

    page = ops.get(page_of(mall)).content.decode()

    assert "Published ahead, without orders yet" in page
    assert "Tue, Nov 24, 12:00–2:00 PM" in page
    assert "0 doors" not in page
