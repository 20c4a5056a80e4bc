"""Whatever drivers, sweeps and operations do in whatever order: a block has one holder, a driver is in one place, an
offer always has a next step, and no hour that was worked or is owed is lost. Random histories on the real database."""

import contextlib
import datetime as dt
import random

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deliveries import loading
from deliveries.models import Parcel, Stop
from drivers import appealing, applying
from drivers.models import Driver, DriverPosting, StandingEvent
from offers import (
    aborting,
    asking_relief,
    attendance,
    claiming,
    declining,
    drawing,
    expiry,
    handing_over,
    lateness,
    pricing,
    relieving,
    standby,
    standing_down,
    withdrawing,
)
from offers.models import Award, Block, Claim, Draw, Entry, HandOver, Offer, StandBy
from offers.planning import waves
from offers.tests import making
from offers.tests.making import AT, HOUR, MINUTE, START
from retaildelivery.accounts.models import User
from retaildelivery.lib.geo import Point
from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox.recording import SYSTEM

ACTS = [
    *["fill"] * 5, *["work"] * 4, "post", "suspend",
    *["enter"] * 6, *["wait"] * 6, *["sweep"] * 5, *["confirm"] * 5, *["claim"] * 3, *["leave"] * 2,
    *["decline"] * 2, *["release"] * 3, *["stand_by"] * 2, "stand_down", *["propose"] * 2, *["answer"] * 3,
    "tell_late", "appeal", "withdraw", "sleep", *["break_off"] * 3, *["ask_relief"] * 3, *["meet"] * 6,
]  # fmt: skip


ROADSIDE = Point(36.16, -115.21)


class Market:
    """Three blocks, two of which overlap, and one that was published ahead of its orders, four drivers, and a clock."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.at = AT
        self.mall = making.mall(draws=True)
        store = making.store(self.mall)
        starts = [START, START + HOUR, START + 4 * HOUR]
        self.blocks = [
            making.block([making.order(store) for _ in range(orders)], start=start)
            for orders, start in zip((2, 1, 1), starts, strict=True)
        ]
        self.blocks.append(making.empty_block(self.mall, start=START + 2 * HOUR))
        self.store = store
        self.drivers = [making.driver(name) for name in ("Ada", "Ben", "Chidi", "Dee")]
        self.desk = User.objects.create(email="desk@example.com", is_staff=True)

    def driver(self):
        return self.chance.choice(self.drivers)

    def offer(self):
        offers = Offer.objects.select_related("draw", "block__mall__market", "block__policy").order_by("-pk")
        return self.chance.choice(list(offers[:5]))

    def do(self, act: str) -> None:
        getattr(self, act)()

    def enter(self) -> None:
        drawing.enter(offer=self.offer(), driver=self.driver(), at=self.at)

    def fill(self) -> None:
        """All enter a draw, it closes, and who is asked says yes."""
        open_now = Offer.objects.filter(status="open", mode="draw", draw__drawn_at=None).order_by("pk")
        if open_now:
            self.fill_of(self.chance.choice(list(open_now)))

    def fill_of(self, offer: Offer) -> None:
        fresh = Offer.objects.select_related("draw", "block__mall__market", "block__policy").get(pk=offer.pk)
        for driver in self.drivers:
            with contextlib.suppress(Refused):
                drawing.enter(offer=fresh, driver=driver, at=self.at)
        self.at = max(self.at, offer.closes_at)
        expiry.sweep(at=self.at)
        self.confirm()

    def post(self) -> None:
        """An order comes late, and a wave puts it on a block that waits, or on one of its own."""
        making.order(self.store, at=self.at, window=(self.at, self.at + 8 * HOUR))
        waves.run(mall_code=self.mall.code, at=self.at, everything=True)
        self.blocks = list(Block.objects.order_by("pk"))

    def work(self) -> None:
        """Whoever holds the block that starts first comes to the mall and works it to its end, or finds nothing to
        collect and waits."""
        mine = self.on_the_road()
        if mine is not None:
            self.bring(mine.block, mine.driver)

    def on_the_road(self) -> Claim | None:
        """Who is on the way, if anybody is, else whoever comes to the mall first and leaves it loaded."""
        claims = (
            Claim.objects.live().select_related("block__mall", "block__manifest", "driver").order_by("window")
        )
        under_way = claims.filter(block__status="working").first()
        if under_way is not None:
            return under_way
        mine = next(
            (each for each in claims.filter(block__status="claimed") if not relieving.meeting_of(each.block)),
            None,
        )
        if mine is None:
            return None
        block, driver = mine.block, mine.driver
        self.at = max(self.at, block.starts_at - 15 * MINUTE)
        making.check_in(block, driver, at=self.at)
        if not block.orders_count:
            return None
        self.at += 20 * MINUTE
        making.collect(block, driver, arrive=self.at, handover=self.at)
        making.depart(block, driver, at=self.at)
        return claims.get(pk=mine.pk)

    def bring(self, block: Block, driver: Driver) -> None:
        self.at = max(self.at, block.ends_at)
        for stop in making.doors_of(block):
            if stop.status == "planned":
                making.deliver(stop, driver, at=self.at)
        making.relay_all(at=self.at)

    def break_off(self) -> None:
        """A driver on the way cannot go on, and another is looked for at once."""
        mine = self.on_the_road()
        if mine is not None:
            self.at += 10 * MINUTE
            aborting.abort(
                block_code=mine.block.code,
                driver_id=mine.driver_id,
                reason="breakdown",
                note="",
                point=ROADSIDE,
                at=self.at,
            )
            making.relay_all(at=self.at)

    def ask_relief(self) -> None:
        """A driver on the way asks that another takes the last stop over, and operations agree."""
        mine = self.on_the_road()
        if mine is not None:
            self.at += 10 * MINUTE
            last = relieving.stops_left(mine.block)[-1:]
            asked = asking_relief.ask(
                block_code=mine.block.code,
                driver_id=mine.driver_id,
                stop_codes=[stop.code for stop in last],
                note="",
                at=self.at,
            )
            asking_relief.grant(code=asked.code, actor=SYSTEM, at=self.at)
            making.relay_all(at=self.at)

    def meet(self) -> None:
        """Somebody claims a relief, comes to the roadside, takes over what is in the other car, and brings it."""
        relief = next(
            (each for each in Block.objects.live().order_by("pk") if relieving.meeting_of(each)), None
        )
        if relief is None:
            return
        if relief.status == "offered":
            offer = making.offer_of(relief)
            claiming.claim(offer_code=offer.code, driver_id=self.driver().pk, at=self.at)
        claim = Claim.objects.live().select_related("driver", "block").get(block=relief)
        self.at = max(self.at, relief.starts_at)
        giving, meeting = relieving.first_of(relief), relieving.meeting_of(relief)
        attendance.check_in(
            block_code=relief.code,
            driver_id=claim.driver_id,
            point=meeting.point,
            accuracy_m=5,
            desk_code="",
            at=self.at,
        )
        relieved = Stop.objects.filter(
            pk__in=Stop.objects.filter(manifest=relief.manifest_id).values("relieves")
        )
        orders = [
            drop.order_id for stop in relieved.prefetch_related("dropoffs") for drop in stop.dropoffs.all()
        ]
        for parcel in Parcel.objects.filter(status="loaded", order__in=orders).order_by("pk"):
            loading.scan(
                driver=claim.driver,
                stop_code=meeting.code,
                entered=parcel.code,
                method="typed",
                evidence=making.evidence(self.at),
                at=self.at,
            )
        relieving.confirm_by_operations(block_code=giving.code, user=self.desk, actor=SYSTEM, at=self.at)
        making.depart(relief, claim.driver, at=self.at)
        self.bring(relief, claim.driver)

    def suspend(self) -> None:
        """And what they hold goes on; later they may drive again."""
        driver = self.driver()
        if driver.status == "approved":
            applying.suspend(driver_code=driver.code, reason="papers", by=self.desk, at=self.at)
        else:
            applying.reinstate(driver_code=driver.code, reason="seen", by=self.desk, at=self.at)
        making.relay_all(at=self.at)
        self.drivers = list(Driver.objects.select_related("user").order_by("pk"))

    def leave(self) -> None:
        drawing.leave(offer=self.offer(), driver=self.driver(), at=self.at)

    def claim(self) -> None:
        claiming.claim(offer_code=self.offer().code, driver_id=self.driver().pk, at=self.at)

    def confirm(self) -> None:
        award = self.chance.choice([*Award.objects.live().select_related("offer").order_by("pk")] or [None])
        if award is not None:
            claiming.claim(offer_code=award.offer.code, driver_id=award.driver_id, at=self.at)

    def decline(self) -> None:
        declining.decline(offer_code=self.offer().code, driver_id=self.driver().pk, reason="time", at=self.at)

    def release(self) -> None:
        claim = Claim.objects.live().select_related("block").first()
        if claim is not None:
            claiming.release(block_code=claim.block.code, driver_id=claim.driver_id, at=self.at)

    def stand_by(self) -> None:
        """Join, or leave again."""
        driver = self.driver()
        row = StandBy.objects.live().filter(driver=driver).first()
        if row is not None:
            standby.leave(code=row.code, driver_id=driver.pk, at=self.at)
            return
        standby.join(
            mall=self.mall, driver_id=driver.pk, start=START - HOUR, end=START + 7 * HOUR, at=self.at
        )

    def stand_down(self) -> None:
        standing_down.sweep(at=self.at)

    def propose(self) -> None:
        claim = Claim.objects.live().select_related("block").order_by("-pk").first()
        if claim is not None:
            handing_over.propose(
                block_code=claim.block.code,
                driver_id=claim.driver_id,
                receiver_code=self.driver().code,
                at=self.at,
            )

    def answer(self) -> None:
        asked = HandOver.objects.order_by("-pk").first()
        if asked is not None:
            verb = self.chance.choice([handing_over.accept, handing_over.accept, handing_over.decline])
            verb(code=asked.code, driver_id=asked.receiver_id, at=self.at)

    def tell_late(self) -> None:
        claim = Claim.objects.live().select_related("block").first()
        if claim is not None:
            eta = claim.block.starts_at + 12 * MINUTE
            lateness.tell(block_code=claim.block.code, driver_id=claim.driver_id, eta_at=eta, at=self.at)

    def appeal(self) -> None:
        event = StandingEvent.objects.filter(points__lt=0).select_related("driver").order_by("pk").last()
        if event is not None:
            appealing.appeal(driver=event.driver, event_key=event.key, text="The road was shut.", at=self.at)

    def withdraw(self) -> None:
        block = self.chance.choice(self.blocks)
        withdrawing.withdraw(block_code=block.code, reason="storm", actor=SYSTEM, at=self.at)

    def sweep(self) -> None:
        expiry.sweep(at=self.at)
        attendance.sweep(at=self.at)

    def wait(self) -> None:
        self.at += self.chance.choice([MINUTE, 5 * MINUTE, 15 * MINUTE])

    def sleep(self) -> None:
        """The worker is down for a while."""
        self.at += self.chance.choice([HOUR, 2 * HOUR])


def check_everything(market: Market) -> None:
    claims = list(Claim.objects.select_related("block"))
    live = [claim for claim in claims if claim.ended_at is None]
    assert len({claim.block_id for claim in live}) == len(live)
    for one in live:
        for other in live:
            apart = one.pk == other.pk or one.driver_id != other.driver_id
            assert apart or one.window.upper <= other.window.lower or other.window.upper <= one.window.lower
    held = {claim.block_id for claim in live}
    offers = list(Offer.objects.filter(status="open").select_related("draw"))
    open_on = {offer.block_id: offer for offer in offers}
    asked = {award.offer_id: award for award in Award.objects.live()}
    for block in Block.objects.all():
        # Who broke off and still has parcels in the car stays answerable for them.
        assert (block.status in {*Block.HELD, "aborted"}) == (block.pk in held)
        # An offer without a next step is a block that nobody can ever have again.
        assert (block.status == "offered") == (block.pk in open_on)
    for offer in offers:
        drawn = offer.mode == "draw" and offer.draw.drawn_at is not None
        assert not drawn or offer.pk in asked, "a drawn offer waits for whom it asked"
        assert drawn or offer.closes_at > offer.opens_at
    assert set(asked) <= {offer.pk for offer in offers}
    for draw in Draw.objects.drawn():
        ranks = Entry.objects.filter(draw=draw, rank__isnull=False).values_list("rank", flat=True)
        assert sorted(ranks) == list(range(1, len(ranks) + 1))
    check_parcels(live)
    check_owed(claims)


def check_parcels(live: list[Claim]) -> None:
    """What is in a car is in that of somebody who answers for it, and nothing is in two."""
    at_work = {
        claim.driver_id for claim in live if claim.block.status in {"checked_in", "working", "aborted"}
    }
    assert set(Parcel.objects.filter(status="loaded").values_list("driver", flat=True)) <= at_work
    assert not Parcel.objects.exclude(status="loaded").filter(driver__isnull=False).exists()


def paid_for(claim: Claim) -> int:
    lines = DriverPosting.objects.filter(driver=claim.driver_id, subject=f"block:{claim.block.code}")
    return sum(lines.values_list("cents", flat=True))


def check_owed(claims: list[Claim]) -> None:
    """A price never falls, and who loses a block to operations at short notice, or for want of orders, is paid for it;
    nobody else is paid for a block they did not work."""
    for claim in claims:
        assert claim.hourly_cents >= claim.block.base_hourly_cents
        if claim.ending == "stood_down":
            assert paid_for(claim) == claim.pay_cents
        if claim.ending == "completed":
            assert paid_for(claim) >= claim.pay_cents
            assert claim.block.status == "settled"
        if claim.ending == "aborted":
            assert paid_for(claim) > 0
        if claim.ending == "withdrawn":
            percent = pricing.notice_percent(claim.block.starts_at - claim.ended_at)
            assert paid_for(claim) == (claim.pay_cents * percent + 50) // 100
        if claim.ending in {"released", "forfeited", "no_show", "handed_over"}:
            others = [
                each
                for each in claims
                if (each.block_id, each.driver_id) == (claim.block_id, claim.driver_id)
            ]
            assert len(others) > 1 or paid_for(claim) == 0
    for block in Block.objects.prefetch_related("offers"):
        prices = [offer.hourly_cents for offer in sorted(block.offers.all(), key=lambda each: each.pk)]
        assert prices == sorted(prices)


@pytest.mark.django_db
@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(acts=st.lists(st.sampled_from(ACTS), min_size=12, max_size=24), seed=st.integers(0, 10_000))
def test_whatever_happens_in_whatever_order_the_market_keeps_its_promises(acts, seed):
    with transaction.atomic():
        transaction.get_connection().atomic_blocks[-1]._from_testcase = True
        market = Market(seed)
        # Somebody has two of the blocks: most that can go wrong goes wrong after that.
        for act in ["fill", "fill", *acts]:
            with contextlib.suppress(Refused):
                market.do(act)
            check_everything(market)
        # In the end every block is somebody's or given up: nothing hangs.
        for hours in (6, 12, 24, 36):
            market.at = START + hours * HOUR
            for sweep in (standing_down.sweep, expiry.sweep, attendance.sweep, expiry.sweep):
                sweep(at=market.at)
            making.relay_all(at=market.at)
        assert Offer.objects.filter(status="open").count() == 0
        check_everything(market)
        transaction.set_rollback(True)


def test_the_check_finds_an_offer_without_a_next_step(db):
    """The control: a drawn offer whom nobody is asked for is what the histories would have found."""
    market = Market(1)
    making.entered(making.offer_of(market.blocks[0]), market.drivers[0])
    expiry.sweep(at=AT + 5 * MINUTE)
    check_everything(market)
    Award.objects.update(ended_at=AT + dt.timedelta(minutes=6), ending="lapsed")

    with pytest.raises(AssertionError, match="waits for whom it asked"):
        check_everything(market)


def test_the_check_finds_a_parcel_in_the_car_of_somebody_who_answers_for_none(db):
    """The control: a driver breaks off with parcels in the car, and one turns up with a driver who has no block."""
    market = Market(1)
    market.fill_of(making.offer_of(market.blocks[0]))
    market.break_off()
    check_everything(market)
    [broken] = Claim.objects.live().filter(block__status="aborted")
    idle = next(driver for driver in market.drivers if driver.pk != broken.driver_id)
    Parcel.objects.filter(status="loaded").update(driver=idle)

    with pytest.raises(AssertionError):
        check_parcels(list(Claim.objects.live().select_related("block")))
