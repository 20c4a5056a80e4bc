"""Missions: so many blocks of a week at one mall, and there is a bonus with the block that fulfils it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db.models import Count
from django.utils import translation

from drivers import ledger
from drivers.models import Driver
from offers import paywords, pricing
from offers.closing import week_in
from offers.models import Block, Claim, Mission
from retaildelivery.lib.windows import Window
from retaildelivery.outbox.models import Fact


@dataclass(frozen=True, slots=True)
class Progress:
    """A mission of this week, and how far a driver is."""

    mission: Mission
    done: int

    @property
    def left(self) -> int:
        return max(0, self.mission.blocks - self.done)


def follow_pay(*, fact: Fact, at: dt.datetime) -> None:
    """Reaction to a settled block: each mission that it fulfils is paid, once a week, as a line of this block, so that
    it counts where bonuses count."""
    codes = [each.removeprefix("block:") for each in fact.subjects if each.startswith("block:")]
    block = Block.objects.select_related("mall__market").filter(code__in=codes).first()
    if block is None:
        return
    market = block.mall.market
    week = week_in(market.zone, block.starts_at)
    monday = market.day(week.start)
    found = list(Mission.objects.in_week(monday).filter(mall=block.mall_id).order_by("pk"))  # type: ignore[attr-defined]
    claim = (
        Claim.objects.filter(block=block, ending=Claim.Ending.COMPLETED)
        .select_related("driver__user")
        .first()
    )
    if not found or claim is None:
        return
    done = _done(claim.driver, week).get(block.mall_id, 0)
    for mission in found:
        if done >= mission.blocks:
            _pay(mission, claim.driver, block, monday=monday, at=at)


def _pay(mission: Mission, driver: Driver, block: Block, *, monday: dt.date, at: dt.datetime) -> None:
    bonus = pricing.Bonus(mission.name, mission.cents, mission.code)
    (line,) = pricing.earned(pricing.Terms(rule=mission.code), pricing.Work(bonuses=(bonus,)))
    with translation.override(driver.user.locale):
        text = paywords.sentence(line, block.mall.market.currency)
    ledger.post(
        key=f"mission:{mission.code}:{monday}:{driver.code}",
        driver=driver,
        kind=str(line.kind),
        cents=line.cents,
        text=text,
        rule=line.rule,
        subject=f"block:{block.code}",
        at=at,
        params={**dict(line.params), "mission": mission.code, "blocks": str(mission.blocks)},
    )


def _done(driver: Driver, week: Window) -> dict[int, int]:
    """Blocks completed of those that began in the week, by mall."""
    rows = Claim.objects.filter(
        driver=driver,
        ending=Claim.Ending.COMPLETED,
        block__window__startswith__gte=week.start,
        block__window__startswith__lt=week.end,
    )
    return dict(rows.values_list("block__mall").annotate(blocks=Count("pk")))


def progress(driver: Driver, *, zone: ZoneInfo, at: dt.datetime) -> Sequence[Progress]:
    """This week's missions in the driver's market, whose zone it is, and how far they are. Two queries at most."""
    week = week_in(zone, at)
    monday = week.start.astimezone(zone).date()
    in_week = Mission.objects.in_week(monday)  # type: ignore[attr-defined]
    found = in_week.filter(mall__market__code=driver.market_code).select_related("mall")
    rows = list(found.order_by("mall__name", "blocks"))
    done = _done(driver, week) if rows else {}
    return [Progress(mission, done.get(mission.mall_id, 0)) for mission in rows]
