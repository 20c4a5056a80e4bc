"""What lies ahead in each market, so that the pages of stand-bys, hand-overs, blocks ahead and wishes are not empty:
made by the verbs that people use."""

from datetime import datetime, time, timedelta

from drivers.models import Driver
from offers import claiming, drawing, expiry, handing_over, scheduling, standby, wishing
from offers.models import Block, Offer, Publication, StandBy, Wish
from retaildelivery.accounts.models import User
from retaildelivery.demo import cast, data
from retaildelivery.lib.refusals import Refused
from retaildelivery.lib.windows import Window
from stores.models import Mall

STARTS = (time(10), time(14), time(17))
LENGTH = timedelta(hours=3)
BLOCKS = 2
STANDS_BY = timedelta(hours=4)
# Entries of its draw are over by now, whether the demo draws soon or as usual.
DRAWN_BEFORE = timedelta(minutes=6)


def prepare(*, at: datetime) -> int:
    """Blocks of tomorrow, one of them claimed and offered to a colleague, somebody who stands by, and a wish; once a
    day however often. How many blocks were published."""
    by = User.objects.get(email=cast.OPERATIONS.email)
    return sum(_market(market.code, by=by, at=at) for market in data.markets())


def _market(code: str, *, by: User, at: datetime) -> int:
    mall = Mall.objects.select_related("market").get(code=data.mall_of(code).code)
    emails = [courier.email for courier in data.couriers_in(code)]
    drivers = {
        driver.user.email: driver
        for driver in Driver.objects.filter(user__email__in=emails).select_related("user")
    }
    first, giver, receiver, waits = (drivers[emails[number]] for number in (0, -1, -2, -3))
    _wish(first, mall, at=at)
    if not StandBy.objects.live().filter(mall=mall, window__endswith__gt=at).exists():  # type: ignore[attr-defined]
        standby.join(mall=mall, driver_id=waits.pk, start=at, end=at + STANDS_BY, at=at)
    published = _publish(mall, by=by, at=at - DRAWN_BEFORE)
    if published:
        _hand_over(published[0], giver, receiver, at=at)
    return len(published)


def _wish(driver: Driver, mall: Mall, *, at: datetime) -> None:
    if not Wish.objects.filter(driver=driver).exists():
        wishing.wish(
            driver_id=driver.pk,
            malls=[mall],
            weekdays=[],
            starts_from=time(9),
            starts_until=time(20),
            least_hourly_cents=1_800,
            by_email=True,
            quiet_from=time(22),
            quiet_until=time(7),
            at=at,
        )  # fmt: skip


def _publish(mall: Mall, *, by: User, at: datetime) -> list[Block]:
    """Blocks of tomorrow, if the demo has published none of that day."""
    day = at.astimezone(mall.zone).date() + timedelta(days=1)
    made: list[Block] = []
    for start in STARTS:
        key = f"demo:{mall.code}:{day}:{start:%H%M}"
        if Publication.objects.filter(key=key).exists():
            continue
        moment = datetime.combine(day, start, tzinfo=mall.zone)
        publication = scheduling.publish(
            mall=mall, window=Window(moment, moment + LENGTH), count=BLOCKS, key=key, by=by,
            recommendation=None, at=at,
        )  # fmt: skip
        made += Block.objects.filter(publication=publication).order_by("pk")
    return made


def _hand_over(block: Block, giver: Driver, receiver: Driver, *, at: datetime) -> None:
    """The giver has drawn the block a moment ago and asks a colleague to take it over."""
    offer = Offer.objects.select_related("block__mall__market", "block__policy", "draw").get(block=block)
    try:
        if offer.mode == Offer.Mode.DRAW:
            drawing.enter(offer=offer, driver=giver, at=offer.opens_at)
            expiry.end(offer_id=offer.pk, at=offer.closes_at)
        drawn_at = offer.closes_at if offer.mode == Offer.Mode.DRAW else at
        claiming.claim(offer_code=offer.code, driver_id=giver.pk, at=drawn_at)
        handing_over.propose(block_code=block.code, driver_id=giver.pk, receiver_code=receiver.code, at=at)
    except Refused:
        # In a demo that was used, the giver may be busy tomorrow, or their papers were taken away.
        return
