"""A window of work at one mall, with pay."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar, Self

from django.conf import settings
from django.contrib.postgres.fields import DateTimeRangeField
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from deliveries.models import Manifest
from drivers.models import Vehicle
from offers.models.plan import PlanRun
from offers.models.policy import PayPolicy
from offers.models.schedule import Publication
from retaildelivery.lib import codes
from stores.models import Mall


def block_code() -> str:
    return codes.new_code(prefix="B", length=8)


def timed(status: list[str], field: str) -> Q:
    """These states, and only these, have this time."""
    return Q(**{"status__in": status, f"{field}__isnull": False}) | (
        ~Q(status__in=status) & Q(**{f"{field}__isnull": True})
    )


class BlockQuerySet(models.QuerySet["Block"]):
    def offered(self) -> Self:
        return self.filter(status=Block.Status.OFFERED)

    def live(self) -> Self:
        return self.filter(status__in=Block.LIVE)

    def unclaimed(self) -> Self:
        return self.filter(status__in=[Block.Status.DRAFT, Block.Status.OFFERED])

    def frozen(self) -> Self:
        return self.filter(Exists(Freeze.objects.live().filter(block=OuterRef("pk"))))

    def unfrozen(self) -> Self:
        """Blocks that waves may add to or draw up anew."""
        return self.filter(~Exists(Freeze.objects.live().filter(block=OuterRef("pk"))))

    def starting_before(self, at: dt.datetime) -> Self:
        return self.filter(window__startswith__lte=at)


class Block(models.Model):
    """A window of work at one mall, with pay. Its terms are locked at the claim: they may rise, never
    fall."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        OFFERED = "offered", _("offered")
        CLAIMED = "claimed", _("claimed")
        CHECKED_IN = "checked_in", _("checked in")
        WORKING = "working", _("working")
        COMPLETED = "completed", _("completed")
        SETTLED = "settled", _("settled")
        EXPIRED = "expired", _("expired")
        WITHDRAWN = "withdrawn", _("withdrawn")
        NO_SHOW = "no_show", _("no-show")
        ABORTED = "aborted", _("aborted")

    class Origin(models.TextChoices):
        PLANNED = "planned", _("planned from orders on hand")
        SCHEDULED = "scheduled", _("published ahead")
        MANUAL = "manual", _("made by operations")

    class ShiftKind(models.TextChoices):
        WEEKDAY_DAY = "weekday_day", _("weekday")
        EVENING = "evening", _("evening")
        WEEKEND = "weekend", _("weekend")
        HOLIDAY = "holiday", _("holiday")
        SHORT_NOTICE = "short_notice", _("short notice")

    MOVES: ClassVar[dict[str, set[str]]] = {
        Status.DRAFT: {Status.OFFERED, Status.WITHDRAWN},
        Status.OFFERED: {Status.CLAIMED, Status.EXPIRED, Status.WITHDRAWN},
        Status.CLAIMED: {Status.OFFERED, Status.CHECKED_IN, Status.NO_SHOW, Status.WITHDRAWN, Status.EXPIRED},
        Status.CHECKED_IN: {Status.WORKING, Status.COMPLETED, Status.ABORTED, Status.WITHDRAWN},
        Status.WORKING: {Status.COMPLETED, Status.ABORTED},
        Status.COMPLETED: {Status.SETTLED},
        Status.ABORTED: {Status.SETTLED},
        Status.SETTLED: set(),
        Status.EXPIRED: set(),
        Status.WITHDRAWN: set(),
        Status.NO_SHOW: set(),
    }
    LIVE: ClassVar[tuple[str, ...]] = ("offered", "claimed", "checked_in", "working")
    HELD: ClassVar[tuple[str, ...]] = ("claimed", "checked_in", "working")

    code = models.CharField(max_length=12, unique=True, default=block_code, editable=False)
    mall = models.ForeignKey(Mall, on_delete=models.PROTECT, related_name="+", db_index=False)
    plan_run = models.ForeignKey(
        PlanRun,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("The wave that made it."),
    )
    publication = models.ForeignKey(
        Publication,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="blocks",
        help_text=_("By what it was published ahead of its orders."),
    )
    manifest = models.OneToOneField(
        Manifest, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    origin = models.CharField(max_length=10, choices=Origin, default=Origin.PLANNED)
    shift_kind = models.CharField(max_length=12, choices=ShiftKind)
    window = DateTimeRangeField(help_text=_("Scheduled work, [start, end)."))
    vehicle_kind = models.CharField(
        max_length=10,
        choices=Vehicle.Kind,
        default=Vehicle.Kind.SEDAN,
        help_text=_("The least car it fits in."),
    )
    trips = models.PositiveSmallIntegerField(
        default=1, db_default=1, help_text=_("How often its driver loads at the mall.")
    )
    litres = models.PositiveIntegerField(default=0, help_text=_("Of the trip that takes the most."))
    grams = models.PositiveIntegerField(default=0, help_text=_("Of the trip that takes the most."))
    orders_count = models.PositiveSmallIntegerField(default=0)
    parcels_count = models.PositiveSmallIntegerField(default=0)
    doors_count = models.PositiveSmallIntegerField(default=0)
    stores_count = models.PositiveSmallIntegerField(default=0)
    distance_m = models.PositiveIntegerField(
        default=0, help_text=_("Planned road distance, back to the mall.")
    )
    policy = models.ForeignKey(PayPolicy, on_delete=models.PROTECT, related_name="+")
    base_hourly_cents = models.PositiveIntegerField(help_text=_("Before any step."))
    hourly_cents = models.PositiveIntegerField(help_text=_("Now offered, or locked at the claim."))
    published_at = models.DateTimeField(null=True, blank=True)
    checked_in_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When it expired, was withdrawn, aborted or a no-show.")
    )
    ended_reason = models.CharField(max_length=200, blank=True)

    objects: ClassVar[models.Manager[Block]] = BlockQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("block")
        verbose_name_plural = _("blocks")
        constraints = [
            models.CheckConstraint(condition=Q(window__isempty=False), name="a_block_has_a_length"),
            models.CheckConstraint(
                condition=Q(status="draft") | Q(status="withdrawn") | Q(published_at__isnull=False),
                name="an_offered_block_was_published",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["checked_in", "working", "completed"])
                | Q(checked_in_at__isnull=False),
                name="a_block_at_work_was_checked_in",
            ),
            models.CheckConstraint(
                condition=~Q(status="completed") | Q(completed_at__isnull=False),
                name="a_completed_block_has_its_time",
            ),
            models.CheckConstraint(
                condition=timed(["settled"], "settled_at"), name="settled_if_and_only_if_there_is_a_time"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["expired", "withdrawn", "no_show", "aborted"])
                | Q(ended_at__isnull=False),
                name="a_block_that_ended_early_has_its_time",
            ),
        ]
        indexes = [
            # Empty blocks whose last call comes.
            models.Index(
                fields=["status"],
                condition=Q(status__in=["offered", "claimed", "checked_in"], orders_count=0),
                name="block_still_empty",
            ),
            # The board and the sweeps: live blocks of a mall by start.
            models.Index(fields=["mall", "status"], name="block_mall_status"),
            models.Index(fields=["status"], name="block_status"),
        ]

    def __str__(self) -> str:
        return f"block {self.code}"

    @property
    def starts_at(self) -> dt.datetime:
        start: dt.datetime = self.window.lower
        return start

    @property
    def ends_at(self) -> dt.datetime:
        end: dt.datetime = self.window.upper
        return end

    @property
    def length(self) -> dt.timedelta:
        return self.ends_at - self.starts_at

    @property
    def is_relief(self) -> bool:
        """Its parcels come from another driver on the way, and from no store."""
        return self.orders_count > 0 and self.stores_count == 0

    def may_move_to(self, status: str) -> bool:
        return status in self.MOVES[self.status]


class FreezeQuerySet(models.QuerySet["Freeze"]):
    def live(self) -> Self:
        return self.filter(lifted_at=None)


class Freeze(models.Model):
    """Operations keep a block as it is: no wave, late order or map edit changes it. Lifting it ends the
    record."""

    block = models.ForeignKey(Block, on_delete=models.PROTECT, related_name="freezes")
    reason = models.CharField(max_length=200)
    frozen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    frozen_at = models.DateTimeField()
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    lifted_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[models.Manager[Freeze]] = FreezeQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("freeze")
        verbose_name_plural = _("freezes")
        constraints = [
            models.UniqueConstraint(
                fields=["block"], condition=Q(lifted_at=None), name="one_live_freeze_per_block"
            ),
        ]

    def __str__(self) -> str:
        return f"freeze of {self.block_id}"
