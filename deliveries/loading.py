"""The counter: the driver scans each parcel, staff read the driver's code, and with both custody passes."""

from __future__ import annotations

import datetime as dt

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from deliveries import (
    arriving,
    completion,
    counters,
    custody,
    facts,
    incidents,
    limits,
    locks,
    moves,
    reading,
    relief,
    trips,
)
from deliveries.custody import StopRefused
from deliveries.evidence import Evidence, refuse_if_stale
from deliveries.models import Handover, Manifest, Order, Parcel, Scan, Stop
from deliveries.snapshots import parcels_of
from drivers import badge
from drivers.models import Driver
from retaildelivery.accounts.models import User
from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox import recording
from retaildelivery.outbox.models import Fact
from retaildelivery.outbox.recording import Actor
from stores.models import Store

__all__ = ["Evidence", "arrive_at_store", "confirm_handover", "depart", "report", "scan", "take_scan"]

arrive_at_store = arriving.arrive
report = incidents.report

BADGE_WINDOW = dt.timedelta(minutes=10)


class UnknownLabel(StopRefused):
    code = "unknown_label"
    sentence = _("This is not one of our parcels.")


class WrongStop(StopRefused):
    code = "wrong_stop"
    sentence = _("This parcel is not for this stop.")


class SeveralParcels(StopRefused):
    code = "several_parcels"
    sentence = _("Several parcels here have this barcode. Read our label, or type its code.")


class ParcelDamaged(StopRefused):
    code = "parcel_damaged"
    sentence = _("This parcel was reported damaged; it stays here.")


class WrongDriverCode(StopRefused):
    code = "wrong_driver_code"
    sentence = _("No driver expected here has this code now. Ask for the code on the phone.")


class TooManyTries(StopRefused):
    code = "too_many_tries"
    sentence = _("Too many wrong codes. Wait ten minutes, or call operations.")
    retryable = True


class SeveralStops(StopRefused):
    code = "several_stops"
    sentence = _("This driver has several stops at your counters. Choose one.")


class NotLoaded(StopRefused):
    code = "not_loaded"
    sentence = _("Not everything is collected yet: %(stores)s.")


class NotProved(StopRefused):
    code = "counter_proof_missing"
    sentence = _("A photo or a signature is still missing from: %(stores)s.")


REFUSALS: dict[str, type[StopRefused]] = {
    Scan.Outcome.UNKNOWN: UnknownLabel,
    Scan.Outcome.WRONG_STOP: WrongStop,
    Scan.Outcome.DAMAGED: ParcelDamaged,
    Scan.Outcome.AMBIGUOUS: SeveralParcels,
}


# -- The driver's half ---------------------------------------------------------------------------------------


def scan(
    *, driver: Driver, stop_code: str, entered: str, method: str, evidence: Evidence, at: dt.datetime
) -> Scan:
    """The driver reads a label at a counter, on the way out or back, or at the door, where it only shows that it is
    the right parcel. A repeat of the same event changes nothing; a
    second scan of the same parcel is kept with outcome ``already``.

    Raises StopNotYours, WrongMoment, StopClosed, OtherTrip, EventTooOld; UnknownLabel, WrongStop, ParcelDamaged,
    SeveralParcels, each of which is kept as a scan and a fact.
    """
    made = _scan(driver=driver, stop_code=stop_code, entered=entered, method=method, evidence=evidence, at=at)
    if made.outcome in REFUSALS:
        raise REFUSALS[made.outcome](field="code")
    return made


@transaction.atomic(durable=True)
def _scan(
    *, driver: Driver, stop_code: str, entered: str, method: str, evidence: Evidence, at: dt.datetime
) -> Scan:
    refuse_if_stale(evidence, at=at)
    stop = custody.stop_of(driver, stop_code)
    return take_scan(
        stop, entered=entered, method=method, evidence=evidence, actor=facts.of_driver(driver), at=at
    )


def take_scan(
    stop: Stop,
    *,
    entered: str,
    method: str,
    evidence: Evidence,
    actor: Actor,
    at: dt.datetime,
    by_staff: bool = False,
    user: User | None = None,
) -> Scan:
    """Keep a scan at a counter's stop (its manifest locked), by the driver or (at a return) by staff; pass custody
    when staff have confirmed the driver."""
    assert connection.in_atomic_block, "An inner verb."
    before = stop.scans.filter(client_event_id=evidence.client_event_id[:64]).order_by("pk").first()
    if before is not None:
        return before
    custody.refuse_unless_open(stop)
    driver = stop.manifest.driver
    assert driver is not None
    orders = custody.orders_at(stop)
    entered = "".join(sign for sign in entered if sign.isprintable())[:120]
    parcel, outcome = _judge(stop, orders, entered)
    made = Scan.objects.create(
        stop=stop,
        parcel=parcel,
        driver=None if by_staff else driver,
        scanned_by=user,
        entered=entered,
        method=method if method in Scan.Method.values else Scan.Method.TYPED,
        outcome=outcome,
        **evidence.row(at),
    )
    if outcome != Scan.Outcome.ACCEPTED:
        if outcome in REFUSALS:
            recording.record_all(
                facts.parcel_scan_refused(
                    stop, orders, at=at, actor=actor, driver=driver, entered=entered, outcome=outcome
                )
            )
        return made
    assert parcel is not None
    arriving.note(stop, orders, driver=driver, evidence=evidence, at=at)
    recording.record(
        facts.parcel_scanned(parcel, stop, at=at, actor=actor, driver=driver, method=made.method)
    )
    if custody.is_handed_over(stop):
        custody.pass_on(stop, orders, [parcel.pk], actor=actor, at=at)
        counters.close(stop, at=at)
    return made


def _judge(stop: Stop, orders: list[Order], entered: str) -> tuple[Parcel | None, str]:
    """The parcel that was read, if it is one of ours, and what to say to it."""
    meant = reading.meant([parcel for order in orders for parcel in parcels_of(order)], entered)
    if not meant:
        return _judge_stranger(stop, entered)
    if len(meant) > 1:
        return None, Scan.Outcome.AMBIGUOUS
    parcel = meant[0]
    if parcel.pk in custody.scanned(stop):
        return parcel, Scan.Outcome.ALREADY
    if stop.kind == Stop.Kind.PICKUP:
        damaged = parcel.status == Parcel.Status.DAMAGED
        return parcel, Scan.Outcome.DAMAGED if damaged else Scan.Outcome.ACCEPTED
    with_driver = parcel.custodian == Parcel.Custodian.DRIVER
    if stop.kind == Stop.Kind.MEETING:
        with_driver = with_driver and parcel.driver_id != stop.manifest.driver_id
    return parcel, Scan.Outcome.ACCEPTED if with_driver else Scan.Outcome.WRONG_STOP


def _judge_stranger(stop: Stop, entered: str) -> tuple[Parcel | None, str]:
    """What is not due at this stop, or not any more."""
    other = reading.elsewhere(stop, entered)
    if other is None:
        return None, Scan.Outcome.UNKNOWN
    passed = stop.scans.filter(parcel=other, outcome=Scan.Outcome.ACCEPTED).exists()
    return other, Scan.Outcome.ALREADY if passed else Scan.Outcome.WRONG_STOP


# -- The staff's half ----------------------------------------------------------------------------------------


def confirm_handover(
    *,
    stop_code: str | None,
    stores: QuerySet[Store],
    driver_code: str,
    user: User | None,
    key_prefix: str,
    at: dt.datetime,
) -> Handover:
    """Staff (or the store's own system) have read the driver's code: their half, for a pickup or a return.

    Without `stop_code` the code itself tells which driver, and so which stop. A repeat changes nothing.
    Raises StopNotYours, WrongMoment, StopClosed, OtherTrip, SeveralStops; WrongDriverCode, which is kept as a fact, and
    TooManyTries after several of those.
    """
    actor = (
        Actor(kind=Fact.Actor.STAFF, name=user.name or user.email)
        if user
        else Actor(kind=Fact.Actor.SELLER, name=key_prefix)
    )
    outcome = _confirm(
        stop_code=stop_code,
        stores=stores,
        driver_code=driver_code,
        user=user,
        key_prefix=key_prefix,
        actor=actor,
        at=at,
    )
    if isinstance(outcome, Refused):
        raise outcome
    return outcome


@transaction.atomic(durable=True)
def _confirm(
    *,
    stop_code: str | None,
    stores: QuerySet[Store],
    driver_code: str,
    user: User | None,
    key_prefix: str,
    actor: Actor,
    at: dt.datetime,
) -> Handover | Refused:
    expected = _expected(stores, stop_code)
    _refuse_after_many(expected if stop_code else [], actor, at=at)
    right = [stop for stop in expected if _is_badge_of(stop, driver_code, at)]
    if not right:
        stop = expected[0] if stop_code else None
        store = stop.store if stop else None
        recording.record(facts.handover_refused(store, stop, at=at, actor=actor))
        return WrongDriverCode(field="driver_code")
    if len(right) > 1:
        right = [stop for stop in right if stop.status == Stop.Status.ARRIVED]
    if len(right) != 1:
        raise SeveralStops(field="stop")
    stop = locks.stop(right[0].code) or right[0]
    driver = stop.manifest.driver
    if driver is None or driver.pk != right[0].manifest.driver_id:
        raise custody.StopNotYours
    before = Handover.objects.filter(stop=stop, driver=driver).order_by("pk").first()
    if before is not None:
        return before
    custody.refuse_unless_open(stop)
    orders = custody.orders_at(stop)
    handover = Handover.objects.create(
        stop=stop, driver=driver, confirmed_by=user, confirmed_by_key=key_prefix[:20], at=at
    )
    arriving.note(stop, orders, driver=driver, evidence=None, at=at)
    recording.record(facts.handover_confirmed(stop, at=at, actor=actor, driver=driver))
    custody.pass_on(stop, orders, custody.scanned(stop), actor=actor, at=at)
    counters.close(stop, at=at)
    return handover


def _expected(stores: QuerySet[Store], stop_code: str | None) -> list[Stop]:
    """The stop named, or all at these counters at which something can be handed over now."""
    stops = Stop.objects.filter(store__in=stores).select_related(
        "manifest__driver", "store__seller", "store__mall"
    )
    if stop_code:
        named = list(stops.filter(code=stop_code).exclude(kind=Stop.Kind.DROPOFF))
        if not named:
            raise custody.StopNotYours
        return named
    underway = [Manifest.Status.ON_ROUTE, Manifest.Status.RETURNING]
    return list(
        stops.filter(
            Q(kind=Stop.Kind.PICKUP, manifest__status=Manifest.Status.LOADING, trip=F("manifest__trip"))
            | Q(kind=Stop.Kind.RETURN, manifest__status__in=underway)
            | Q(
                kind=Stop.Kind.RETURN,
                manifest__status=Manifest.Status.LOADING,
                manifest__departed_at__isnull=False,
            ),
            status__in=Stop.OPEN,
        ).order_by("pk")
    )


def _is_badge_of(stop: Stop, entered: str, at: dt.datetime) -> bool:
    driver = stop.manifest.driver
    return driver is not None and badge.matches(driver.badge_secret, entered, at)


def _refuse_after_many(stops: list[Stop], actor: Actor, *, at: dt.datetime) -> None:
    """Six digits are not to be guessed: neither by one person nor at one stop."""
    lately = Fact.objects.filter(name="handover.refused", at__gt=at - BADGE_WINDOW)
    mine = lately.filter(actor_kind=actor.kind, actor=actor.name[:120])
    here = [lately.about(f"stop:{stop.code}") for stop in stops]  # type: ignore[attr-defined]
    if any(tries.count() >= limits.BADGE_TRIES for tries in (mine, *here)):
        raise TooManyTries


# -- Departure -----------------------------------------------------------------------------------------------


def depart(*, manifest: Manifest, at: dt.datetime) -> Manifest:
    """The driver leaves the mall with what was collected for the present trip. With nothing on board the next trip is
    loaded, or the manifest is completed.

    An inner verb of the apps above. Raises NotLoaded while a store has still to hand over for this trip, NotProved
    while a photo or signature that an order asks for at its counter is missing, IllegalMove.
    """
    assert connection.in_atomic_block, "An inner verb."
    manifest = locks.manifest(manifest.pk)
    driver = manifest.driver
    relief.close_what_is_over(manifest, at=at)
    waiting = list(
        manifest.stops.filter(
            kind__in=[Stop.Kind.PICKUP, Stop.Kind.MEETING], trip__lte=manifest.trip, status__in=Stop.OPEN
        )
        .select_related("store")
        .order_by("position", "id")
    )
    if waiting:
        names = ", ".join(stop.store.name if stop.store else str(_("the other driver")) for stop in waiting)
        raise NotLoaded(reason="pickups_open", stores=names)
    unproved = counters.unproved(manifest)
    if unproved:
        raise NotProved(
            reason="counter_proof", stores=", ".join(stop.store.name for stop in unproved if stop.store)
        )
    live = manifest.consignments.filter(ended_at=None)
    if not live.filter(pickup__trip=manifest.trip).exists():
        completion.settle(manifest, at=at)
        return manifest
    assert driver is not None
    actor = facts.of_driver(driver)
    if manifest.is_back_to_load:
        trips.put_off_returns(manifest, at=at)
    moves.move_manifest(manifest, Manifest.Status.ON_ROUTE, at)
    recording.record(
        facts.manifest_changed(
            "manifest.departed", manifest, at=at, actor=actor, driver=driver, trip=manifest.trip
        )
    )
    completion.retime(manifest, at=at)
    # What another driver handed over on the road is on its way already.
    collected = live.filter(order__status=Order.Status.PICKED_UP)
    orders = locks.orders(collected.values_list("order_id", flat=True))
    moves.move_orders(orders, Order.Status.EN_ROUTE)
    facts.tell_all("order.en_route", orders, at=at, actor=actor, driver=driver)
    return manifest
