"""The ordered stops of one block, what is carried on it, and the handovers at the counters."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from deliveries.models.order import Order, timed
from drivers.models import Driver
from retaildelivery.lib import codes
from retaildelivery.lib.geo import Point
from retaildelivery.outbox import worlds
from stores.models import Mall, Store


def manifest_code() -> str:
    return codes.new_code(prefix="M", length=8)


def stop_code() -> str:
    return codes.new_code(prefix="Z", length=8)


class ManifestQuerySet(worlds.WorldQuerySet["Manifest"]):
    def of_driver(self, driver: Driver) -> Self:
        return self.filter(driver=driver)

    def underway(self) -> Self:
        return self.filter(status__in=Manifest.UNDERWAY)


class Manifest(worlds.InAWorld):
    """The stops and orders of one block, trip by trip: pickups at the stores of one mall, then doors; then returns.

    A driver with more than one trip comes back to the mall after the doors of each to load the next.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        ASSIGNED = "assigned", _("assigned")
        LOADING = "loading", _("loading")
        ON_ROUTE = "on_route", _("on route")
        RETURNING = "returning", _("returning")
        COMPLETED = "completed", _("completed")
        ABORTED = "aborted", _("aborted")

    MOVES: ClassVar[dict[str, set[str]]] = {
        Status.DRAFT: {Status.ASSIGNED, Status.ABORTED},
        Status.ASSIGNED: {Status.DRAFT, Status.LOADING, Status.ABORTED},
        Status.LOADING: {
            Status.ASSIGNED,
            Status.DRAFT,
            Status.ON_ROUTE,
            Status.RETURNING,
            Status.COMPLETED,
            Status.ABORTED,
        },
        Status.ON_ROUTE: {Status.LOADING, Status.RETURNING, Status.COMPLETED, Status.ABORTED},
        Status.RETURNING: {Status.COMPLETED, Status.ABORTED},
        Status.COMPLETED: set(),
        Status.ABORTED: set(),
    }
    UNDERWAY: ClassVar[tuple[str, ...]] = ("assigned", "loading", "on_route", "returning")

    code = models.CharField(max_length=12, unique=True, default=manifest_code, editable=False)
    mall = models.ForeignKey(Mall, on_delete=models.PROTECT, related_name="+")
    driver = models.ForeignKey(
        Driver, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    trip = models.PositiveSmallIntegerField(
        default=1, db_default=1, help_text=_("Which trip is loaded or driven now.")
    )
    created_at = models.DateTimeField()
    departed_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When the first trip left the mall.")
    )
    completed_at = models.DateTimeField(null=True, blank=True)
    aborted_at = models.DateTimeField(null=True, blank=True)
    aborted_reason = models.CharField(max_length=200, blank=True)
    stopped_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text=_("Since when its driver cannot go on; aborted once nothing is held."),
    )
    kept_order = models.JSONField(
        null=True,
        blank=True,
        help_text=_(
            "Its driver was shown a better order of stops and kept theirs: {stops, keeps, minutes}, the stops as they "
            "were kept and what the other order would have saved."
        ),
    )

    objects: ClassVar[models.Manager[Manifest]] = ManifestQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("manifest")
        verbose_name_plural = _("manifests")
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["draft", "aborted"]) | Q(driver__isnull=False),
                name="a_manifest_at_work_has_a_driver",
            ),
            models.CheckConstraint(
                condition=timed("completed", "completed_at"), name="a_manifest_is_completed_at_a_time"
            ),
            models.CheckConstraint(
                condition=timed("aborted", "aborted_at"), name="a_manifest_is_aborted_at_a_time"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["on_route", "returning"]) | Q(departed_at__isnull=False),
                name="a_manifest_on_route_has_departed",
            ),
            models.CheckConstraint(
                condition=Q(trip__gte=1), name="the_first_trip_of_a_manifest_is_number_one"
            ),
        ]
        indexes = [models.Index(fields=["driver", "status"], name="manifest_driver_status")]

    def __str__(self) -> str:
        return f"manifest {self.code}"

    def may_move_to(self, status: str) -> bool:
        return status in self.MOVES[self.status]

    @property
    def is_back_to_load(self) -> bool:
        """Whether its driver loads, or comes back to load, for a trip after the first."""
        return self.status == self.Status.LOADING and self.departed_at is not None


class StopQuerySet(worlds.WorldQuerySet["Stop"]):
    def open(self) -> Self:
        return self.filter(status__in=Stop.OPEN)

    def in_order(self) -> Self:
        return self.order_by("position", "id")


class Stop(worlds.InAWorld):
    """One place on a manifest: a pickup at a store, a door, a return to a store, or a meeting at which another
    driver hands over. Orders to the same door share one stop."""

    class Kind(models.TextChoices):
        PICKUP = "pickup", _("pickup")
        DROPOFF = "dropoff", _("drop-off")
        RETURN = "return", _("return")
        MEETING = "meeting", _("meeting with a driver")

    class Status(models.TextChoices):
        PLANNED = "planned", _("planned")
        ARRIVED = "arrived", _("arrived")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        SKIPPED = "skipped", _("skipped")

    MOVES: ClassVar[dict[str, set[str]]] = {
        Status.PLANNED: {Status.ARRIVED, Status.SKIPPED},
        Status.ARRIVED: {Status.PLANNED, Status.DONE, Status.FAILED, Status.SKIPPED},
        Status.DONE: set(),
        Status.FAILED: set(),
        Status.SKIPPED: set(),
    }
    OPEN: ClassVar[tuple[str, ...]] = ("planned", "arrived")

    code = models.CharField(max_length=12, unique=True, default=stop_code, editable=False)
    manifest = models.ForeignKey(Manifest, on_delete=models.PROTECT, related_name="stops", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind)
    position = models.PositiveSmallIntegerField(help_text=_("Order of visit within the manifest."))
    trip = models.PositiveSmallIntegerField(
        default=1,
        db_default=1,
        help_text=_("Which trip of the block it belongs to; a return to the visit at the mall that follows."),
    )
    store = models.ForeignKey(Store, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    latitude = models.DecimalField(max_digits=9, decimal_places=6)
    longitude = models.DecimalField(max_digits=9, decimal_places=6)
    address = models.CharField(max_length=300)
    relieves = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="relieved_by",
        help_text=_("The stop of another driver's manifest whose orders this one is to take over."),
    )
    status = models.CharField(max_length=8, choices=Status, default=Status.PLANNED)
    planned_at = models.DateTimeField(help_text=_("Arrival as planned."))
    eta_at = models.DateTimeField(help_text=_("Arrival as expected now."))
    service = models.DurationField(help_text=_("How long the stop is planned to take."))
    arrived_at = models.DateTimeField(null=True, blank=True)
    arrived_off_by_m = models.PositiveIntegerField(
        null=True, blank=True, help_text=_("How far away the phone was.")
    )
    completed_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[models.Manager[Stop]] = StopQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("stop")
        verbose_name_plural = _("stops")
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["dropoff", "meeting"], store__isnull=True)
                | (~Q(kind__in=["dropoff", "meeting"]) & Q(store__isnull=False)),
                name="pickups_and_returns_are_at_a_store_and_no_other_stop",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["done", "failed", "skipped"], completed_at__isnull=False)
                | Q(status__in=["planned", "arrived"], completed_at__isnull=True),
                name="a_stop_has_ended_if_and_only_if_there_is_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["arrived", "done", "failed"]) | Q(arrived_at__isnull=False),
                name="a_stop_is_arrived_at_before_it_is_done",
            ),
            # Open ones only: a driver who has been back at a store may fail at another door after that.
            models.UniqueConstraint(
                fields=["manifest", "kind", "store"],
                condition=Q(kind__in=["return", "meeting"]) & Q(status__in=["planned", "arrived"]),
                name="one_open_return_per_store_on_a_manifest",
            ),
            models.UniqueConstraint(
                fields=["manifest", "trip", "store"],
                condition=Q(kind="pickup") & Q(status__in=["planned", "arrived"]),
                name="one_open_pickup_per_store_and_trip",
            ),
            models.CheckConstraint(condition=Q(trip__gte=1), name="the_first_trip_of_a_stop_is_number_one"),
        ]
        indexes = [models.Index(fields=["manifest", "position"], name="stop_in_order")]

    def __str__(self) -> str:
        return f"{self.kind} stop {self.code}"

    @property
    def point(self) -> Point:
        return Point(float(self.latitude), float(self.longitude))

    @property
    def place(self) -> str:
        """The address; a meeting on the way has none, and is named in the reader's language."""
        if self.kind == Stop.Kind.MEETING:
            return gettext("Meeting with the other driver")
        return self.address

    def may_move_to(self, status: str) -> bool:
        return status in self.MOVES[self.status]

    def waited(self, at: dt.datetime) -> dt.timedelta:
        """How long the driver has been, or was, at this stop."""
        if self.arrived_at is None:
            return dt.timedelta(0)
        return (self.completed_at or at) - self.arrived_at


class ConsignmentQuerySet(worlds.WorldQuerySet["Consignment"]):
    def live(self) -> Self:
        return self.filter(ended_at=None)


class Consignment(worlds.InAWorld):
    """An order's place on a manifest: which pickup, which door, and (if it comes back) which return. One live
    place per order; ended with a reason, never deleted."""

    class Ending(models.TextChoices):
        DELIVERED = "delivered", _("delivered")
        RETURNED = "returned", _("returned")
        REPLANNED = "replanned", _("taken off to be planned again")
        CANCELLED = "cancelled", _("order cancelled")
        LEFT_BEHIND = "left_behind", _("left behind at the store")
        LOST = "lost", _("lost")
        DISPOSED = "disposed", _("disposed of")
        HANDED_OVER = "handed_over", _("handed over to another driver")

    manifest = models.ForeignKey(Manifest, on_delete=models.PROTECT, related_name="consignments")
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="consignments")
    pickup = models.ForeignKey(Stop, on_delete=models.PROTECT, related_name="pickups")
    dropoff = models.ForeignKey(Stop, on_delete=models.PROTECT, related_name="dropoffs")
    return_stop = models.ForeignKey(
        Stop, on_delete=models.PROTECT, null=True, blank=True, related_name="returns"
    )
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ending = models.CharField(max_length=12, choices=Ending, blank=True)

    objects: ClassVar[models.Manager[Consignment]] = ConsignmentQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("consignment")
        verbose_name_plural = _("consignments")
        constraints = [
            models.UniqueConstraint(
                fields=["order"], condition=Q(ended_at=None), name="an_order_is_on_one_manifest"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ending="") | (Q(ended_at__isnull=False) & ~Q(ending="")),
                name="a_consignment_ends_with_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} on {self.manifest_id}"


class Handover(worlds.InAWorld):
    """Staff have read the driver's code at their counter: their half of passing custody, in either direction.
    The driver's half is the scan of each parcel."""

    stop = models.OneToOneField(Stop, on_delete=models.PROTECT, related_name="handover")
    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="+")
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    confirmed_by_key = models.CharField(
        max_length=20, blank=True, help_text=_("Prefix of the API key that confirmed.")
    )
    at = models.DateTimeField()

    objects: ClassVar[models.Manager[Handover]] = worlds.OfThisWorld()

    class Meta:
        verbose_name = _("handover")
        verbose_name_plural = _("handovers")

    def __str__(self) -> str:
        return f"handover at {self.stop_id}"
