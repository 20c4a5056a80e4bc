"""An afternoon is played through the API of a real server: nothing is left over and everybody is paid."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from deliveries.models import Consignment, Order, Parcel, Stop
from drivers.models import DriverPosting, DriverToken
from offers import aborting, limits
from offers.models import Block, Claim
from offers.planning import waves
from retaildelivery.demo import city, couriers, orders, seeding
from retaildelivery.demo.simulation import Plan, Simulation
from retaildelivery.demo.town import Life, Town
from retaildelivery.outbox import relaying
from retaildelivery.outbox.models import Reaction
from retaildelivery.outbox.recording import SYSTEM
from stores.models import ApiKey

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def plan(live_server, monkeypatch):
    monkeypatch.setattr(limits, "PLAN_SECONDS", 0.2)
    # Whoever is late, picky, stays away or promises this evening is so by the real clock.
    punctual = {
        name: replace(temper, takes=1.0, least_hourly_cents=0, late=0.0, no_show=0.0, releases=0.0)
        for name, temper in city.TEMPERS.items()
    }
    monkeypatch.setattr(city, "TEMPERS", punctual)
    monkeypatch.setattr(orders, "EVENING_NEAR", timedelta(0))
    seeding.seed(at=timezone.now())
    return Plan(
        markets=("las-vegas",),
        base_url=live_server.url,
        speed=2_000.0,
        seed=3,
        orders=8,
        minutes=60,
        endless=False,
        looks_within_s=(0.5, 1.0),
    )


@pytest.fixture(autouse=True)
def _every_parcel_is_found(monkeypatch):
    """Which parcels a shop cannot find follows from their codes, which are new in each run."""
    monkeypatch.setattr(couriers, "SHORT_OF_A_PARCEL", 0.0)


def worker() -> Life:
    """What the worker does in the background, done between the actors' turns."""
    while True:
        for _ in Order.objects.waiting()[:1]:
            waves.run(mall_code="fashion-show", at=timezone.now(), everything=True)
        for pk in Reaction.objects.filter(done_at=None).order_by("pk").values_list("pk", flat=True):
            relaying.relay(reaction_id=pk, at=timezone.now())
        yield 0.2


def test_an_afternoon_is_played_to_its_end_and_everybody_is_paid(plan):
    said = []
    town = Town()
    town.settle("worker", worker)
    run = Simulation(plan, say=said.append)

    run.run(town)

    ended = set(Order.objects.values_list("status", flat=True))
    assert Order.objects.count() == 8
    assert ended <= {"delivered", "returned", "disposed"}
    assert Order.objects.filter(status="delivered").count() >= 5
    assert Parcel.objects.filter(custodian="driver").count() == 0
    assert town.stumbles == 0
    assert set(run.tally.refusals) <= {"block_taken", "offer_closed", "window_overlaps"}
    worked = Block.objects.filter(status="settled")
    assert worked.count() == Claim.objects.filter(ending="completed").count() > 0
    for block in worked:
        assert DriverPosting.objects.filter(subject=f"block:{block.code}", kind="base").count() == 1
    assert ApiKey.objects.live(timezone.now()).filter(name__startswith="simulation").count() == 0
    assert DriverToken.objects.filter(revoked_at=None).count() == 0
    assert "posted 8" in said[-1]


def breakdown() -> Life:
    """Operations break off the first block on its way to its first door, so that another driver has to meet its own."""
    while True:
        at_doors = Stop.objects.filter(kind="dropoff", status__in=["arrived", "done", "failed"])
        on_the_way = Consignment.objects.filter(
            ended_at=None, order__parcels__status="loaded", manifest__status="on_route"
        ).exclude(manifest__in=at_doors.values("manifest"))
        going = Block.objects.filter(status="working", manifest__in=on_the_way.values("manifest")).first()
        if going is not None:
            aborting.abort_by_operations(
                block_code=going.code, reason="breakdown", note="", actor=SYSTEM, at=timezone.now()
            )
            return
        yield 0.05


def test_a_driver_who_breaks_down_is_met_by_another_who_finishes_the_round(plan, monkeypatch):
    monkeypatch.setattr(limits, "LEAD_SHORT", timedelta(0))
    town = Town()
    town.settle("worker", worker)
    town.settle("operations", breakdown)
    run = Simulation(replace(plan, orders=3), say=lambda _: None)

    run.run(town)

    taken = Consignment.objects.filter(ending="handed_over")
    assert taken.exists()
    assert set(Order.objects.values_list("status", flat=True)) <= {"delivered", "returned", "disposed"}
    assert Parcel.objects.filter(custodian="driver").count() == 0
    assert Stop.objects.get(kind="meeting").status == "done"
    assert Claim.objects.filter(ended_at=None).count() == 0
    assert town.stumbles == 0


def test_what_nobody_takes_comes_back_to_its_shop(plan, monkeypatch):
    refused = city.DoorOutcome("", "refused", timedelta(minutes=1))
    monkeypatch.setattr(city, "at_the_door", lambda **_: refused)
    town = Town()
    town.settle("worker", worker)
    run = Simulation(replace(plan, orders=3), say=lambda _: None)

    run.run(town)

    assert set(Order.objects.values_list("status", flat=True)) == {"returned"}
    assert set(Parcel.objects.values_list("status", "custodian")) == {("returned", "store")}
    assert sum(stage.play.score.returned for stage in run.stages) == 3
    assert town.stumbles == 0
