"""What a driver would like to hear of, and telling them when an offer fits: everybody, once per block, and after
their quiet hours if it is then still open. It gives nobody an advantage but not having to look: a draw is not won by
being early."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from itertools import islice

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from drivers.models import Driver, PushSubscription
from offers import eligibility, limits, locks, telling
from offers.models import Claim, Decline, Fit, MallPreference, Offer, Wish
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
    by_push: bool = True,
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
            "by_push": by_push,
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


def quiet_ends_at(wish: Wish, now: dt.datetime) -> dt.datetime | None:
    """When the driver may be told, if it is quiet at this local time; None when it is not."""
    if not is_between(now.time(), wish.quiet_from, wish.quiet_until):
        return None
    day = now.date() + dt.timedelta(days=wish.quiet_until <= now.time())
    # On a night when the clocks change the time may come twice, or never: the later reading is quiet to its end.
    ends = [dt.datetime.combine(day, wish.quiet_until.replace(fold=n), tzinfo=now.tzinfo) for n in (0, 1)]
    return max(end.astimezone(dt.UTC) for end in ends)


def match(*, fact: Fact, at: dt.datetime) -> None:
    """Reaction to a block on offer or at a new price: everybody whose wish it answers is to be told (`tell_due`),
    also who could not have it when they were asked about last."""
    offer = _open_to_all(at).filter(code=fact.data["offer"]["code"]).first()
    if offer is None:
        return
    Fit.objects.filter(block=offer.block_id, dropped_at__isnull=False).update(dropped_at=None, due_at=at)
    wishes = answered_by(offer).values_list("pk", flat=True)
    fits = (Fit(wish_id=pk, block_id=offer.block_id, due_at=at) for pk in wishes.iterator())
    while batch := list(islice(fits, limits.FITS_WRITTEN)):
        Fit.objects.bulk_create(batch, ignore_conflicts=True)


def _open_to_all(at: dt.datetime) -> QuerySet[Offer]:
    offers: QuerySet[Offer] = Offer.objects.open_at(at)  # type: ignore[attr-defined]
    return offers.exclude(mode=Offer.Mode.RESERVED).select_related("block__mall__market")


def answered_by(offer: Offer) -> QuerySet[Wish]:
    """Wishes that this offer answers, of drivers who have neither said no to its block nor had it before."""
    block = offer.block
    start = block.starts_at.astimezone(block.mall.zone)
    minute = start.time().replace(second=0, microsecond=0)
    likes = MallPreference.objects.filter(driver=OuterRef("driver"))
    known = (rows.filter(driver=OuterRef("driver"), block=block) for rows in (Decline.objects, Claim.objects))
    return Wish.objects.filter(
        Q(weekdays=[]) | Q(weekdays__contains=[start.weekday()]),
        Exists(likes.filter(mall=block.mall_id)) | ~Exists(likes),
        *(~Exists(rows) for rows in known),
        Q(by_email=True) | Q(by_push=True, driver__in=PushSubscription.objects.values("driver")),
        starts_from__lte=minute,
        starts_until__gte=minute,
        least_hourly_cents__lte=offer.hourly_cents,
        driver__status=Driver.Status.APPROVED,
        driver__market_code=block.mall.market.code,
    )


@transaction.atomic(durable=True)
def tell_due(*, at: dt.datetime) -> int:
    """Tell a batch of drivers of blocks that fit and are still open to all; how many were looked at.

    In a driver's quiet hours it waits until they end.
    """
    fits = locks.fits_due(at)
    blocks = {fit.block_id for fit in fits}
    offers = {offer.block_id: offer for offer in _open_to_all(at).filter(block__in=blocks)}
    for block_id in blocks:
        offer = offers.get(block_id)
        mine = [fit for fit in fits if fit.block_id == block_id]
        wished = set()
        if offer is not None:
            still = answered_by(offer).filter(pk__in=[fit.wish_id for fit in mine])
            wished = set(still.values_list("pk", flat=True))
        for fit in mine:
            _tell(fit, offer if fit.wish_id in wished else None, at=at)
    return len(fits)


def _tell(fit: Fit, offer: Offer | None, *, at: dt.datetime) -> None:
    driver = fit.wish.driver
    quiet_until = quiet_ends_at(fit.wish, at.astimezone(offer.block.mall.zone)) if offer else None
    if quiet_until is not None:
        fit.due_at = quiet_until
    elif offer is None or eligibility.why(driver, offer, at):
        fit.dropped_at = at
    else:
        fit.told_at = at
        telling.tell(
            driver,
            "offer_fits",
            key=f"fits:{offer.block.code}:{driver.code}",
            block=offer.block,
            at=at,
            hourly=f"{offer.hourly_cents / 100:.2f}",
            path=f"/drive/offers/{offer.code}/",
            until=offer.block.starts_at,
            by_push=fit.wish.by_push,
            by_email=fit.wish.by_email,
            stop=f"{settings.BASE_URL}/drive/wishes/{fit.wish.token}/stop/",
        )
    fit.save(update_fields=["due_at", "dropped_at", "told_at"])


def forget(*, at: dt.datetime) -> int:
    """Delete what is kept of blocks that have started; how many rows, a batch at most."""
    old = Fit.objects.filter(block__window__startswith__lt=at).values("pk")[: limits.FITS_FORGOTTEN]
    deleted, _each = Fit.objects.filter(pk__in=old).delete()
    return deleted
