"""What a driver would like to hear of, and telling them when an offer fits: once per block, never in their quiet
hours. It gives nobody an advantage but not having to look: a draw is not won by being early."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from drivers.models import Driver
from offers import eligibility, limits, locks, telling
from offers.models import MallPreference, Offer, Wish
from retaildelivery.outbox.models import Fact
from stores.models import Mall


@transaction.atomic(durable=True)
def wish(
    *,
    driver_id: int,
    malls: Collection[Mall],
    weekdays: Collection[int],
    starts_from: dt.time,
    starts_until: dt.time,
    least_hourly_cents: int,
    by_email: bool,
    quiet_from: dt.time,
    quiet_until: dt.time,
    at: dt.datetime,
) -> Wish:
    """Set all of it anew; a repeat changes nothing."""
    driver = locks.driver(driver_id)
    made, _new = Wish.objects.update_or_create(
        driver=driver,
        defaults={
            "weekdays": sorted(set(weekdays)),
            "starts_from": starts_from,
            "starts_until": starts_until,
            "least_hourly_cents": least_hourly_cents,
            "by_email": by_email,
            "quiet_from": quiet_from,
            "quiet_until": quiet_until,
            "changed_at": at,
        },
    )
    MallPreference.objects.filter(driver=driver).exclude(mall__in=malls).delete()
    MallPreference.objects.bulk_create(
        [MallPreference(driver=driver, mall=mall) for mall in malls], ignore_conflicts=True
    )
    return made


@transaction.atomic(durable=True)
def stop(*, token: str, at: dt.datetime) -> bool:
    """Tell this driver no more; the wish itself stays. False for a link that is not known."""
    return bool(Wish.objects.filter(token=token).update(by_email=False, changed_at=at))


def is_between(time: dt.time, start: dt.time, end: dt.time) -> bool:
    """Whether a time of day lies in [start, end), which may go over midnight; equal ends are no time at all."""
    return start <= time < end if start <= end else time >= start or time < end


def tell(*, fact: Fact, at: dt.datetime) -> None:
    """Reaction to a block on offer or at a new price: who wished for such a one, and may have it, is told by e-mail
    if it is open to all."""
    offer = (
        Offer.objects.open_at(at)  # type: ignore[attr-defined]
        .filter(code=fact.data["offer"]["code"])
        .exclude(mode=Offer.Mode.RESERVED)
        .select_related("block__mall__market")
        .first()
    )
    if offer is None:
        return
    for each in fitting(offer, at=at):
        if eligibility.why(each.driver, offer, at):
            continue
        telling.write(
            each.driver.user,
            "offer_fits",
            key=f"fits:{offer.block.code}:{each.driver.code}",
            block=offer.block,
            at=at,
            hourly=f"{offer.hourly_cents / 100:.2f}",
            url=f"{settings.BASE_URL}/drive/offers/{offer.code}/",
            stop=f"{settings.BASE_URL}/drive/wishes/{each.token}/stop/",
        )


def fitting(offer: Offer, *, at: dt.datetime) -> list[Wish]:
    """Wishes to be told that this offer fits, outside of their quiet hours, a bounded number of them."""
    block, zone = offer.block, offer.block.mall.zone
    start, now = block.starts_at.astimezone(zone), at.astimezone(zone).time()
    likes = MallPreference.objects.filter(driver=OuterRef("driver"))
    wishes = (
        Wish.objects.filter(
            Q(weekdays=[]) | Q(weekdays__contains=[start.weekday()]),
            Exists(likes.filter(mall=block.mall_id)) | ~Exists(likes),
            by_email=True,
            least_hourly_cents__lte=offer.hourly_cents,
            driver__status=Driver.Status.APPROVED,
            driver__market_code=block.mall.market.code,
        )
        .select_related("driver__user")
        .order_by("pk")[: limits.WISHES_READ]
    )
    return [
        each
        for each in wishes
        if each.starts_from <= start.time().replace(second=0, microsecond=0) <= each.starts_until
        and not is_between(now, each.quiet_from, each.quiet_until)
    ]
