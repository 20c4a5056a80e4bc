"""Blocks of paid work at a mall, how they are offered and at what price, and who has claimed them."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar, Self

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from deliveries.models import Manifest
from drivers.models import Driver, Vehicle
from retaildelivery.lib import codes
from stores.models import Mall, Market


def block_code() -> str:
    return codes.new_code(prefix="B", length=6)


def offer_code() -> str:
    return codes.new_code(prefix="F", length=7)


class OnlyDriver(models.Func):
    """A driver as a range of one, so that an exclusion constraint needs no btree_gist."""

    function = "int8range"
    template = "%(function)s(%(expressions)s, %(expressions)s, '[]')"
    arity = 1


def timed(status: list[str], field: str) -> Q:
    """These states, and only these, have this time."""
    return Q(**{"status__in": status, f"{field}__isnull": False}) | (
        ~Q(status__in=status) & Q(**{f"{field}__isnull": True})
    )


class PayPolicyQuerySet(models.QuerySet["PayPolicy"]):
    def valid_on(self, day: dt.date) -> Self:
        return self.filter(Q(valid_to=None) | Q(valid_to__gt=day), valid_from__lte=day)


class PayPolicy(models.Model):
    """What a market pays, valid from a day. A change is a new row; every line of pay names the row it
    used."""

    code = models.SlugField(max_length=60, unique=True)
    market = models.ForeignKey(Market, on_delete=models.PROTECT, related_name="+")
    weekday_cents = models.PositiveIntegerField(
        default=1800, help_text=_("Per hour, weekday until the evening.")
    )
    evening_cents = models.PositiveIntegerField(default=2000, help_text=_("Per hour, from 17:00 local time."))
    weekend_cents = models.PositiveIntegerField(default=2100, help_text=_("Per hour, Saturday and Sunday."))
    holiday_cents = models.PositiveIntegerField(default=2500, help_text=_("Per hour, on a holiday."))
    short_notice_cents = models.PositiveIntegerField(
        default=2200, help_text=_("Per hour, published less than 2 h ahead.")
    )
    cap_cents = models.PositiveIntegerField(default=2500, help_text=_("Per hour, where the ladder ends."))
    step_cents = models.PositiveIntegerField(default=100, help_text=_("Per hour, each step of the ladder."))
    step_minutes = models.PositiveIntegerField(default=15, help_text=_("Between two steps of the ladder."))
    wait_free_minutes = models.PositiveSmallIntegerField(
        default=10, help_text=_("Per store, before waiting is paid.")
    )
    return_cents = models.PositiveIntegerField(default=500, help_text=_("For each return to a store."))
    floor_hourly_cents = models.PositiveIntegerField(
        default=0, help_text=_("Least per engaged hour; 0 where no law sets one.")
    )
    floor_mile_cents = models.PositiveIntegerField(
        default=0, help_text=_("Added to the floor per mile; 0 where none.")
    )
    max_orders = models.PositiveSmallIntegerField(
        default=12, help_text=_("Orders in one block; a law may set it.")
    )
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True, help_text=_("First day it no longer holds."))

    objects: ClassVar[models.Manager[PayPolicy]] = PayPolicyQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("pay policy")
        verbose_name_plural = _("pay policies")
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gt=F("valid_from")),
                name="a_pay_policy_ends_after_it_begins",
            ),
            models.UniqueConstraint(
                fields=["market", "valid_from"], name="one_pay_policy_per_market_and_day"
            ),
        ]

    def __str__(self) -> str:
        return self.code


class Holiday(models.Model):
    """A day on which a market pays its holiday rate."""

    market = models.ForeignKey(Market, on_delete=models.CASCADE, related_name="+")
    on = models.DateField()
    name = models.CharField(max_length=60)

    class Meta:
        verbose_name = _("holiday")
        verbose_name_plural = _("holidays")
        constraints = [
            models.UniqueConstraint(fields=["market", "on"], name="one_holiday_per_market_and_day")
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.on}"


class BlockQuerySet(models.QuerySet["Block"]):
    def offered(self) -> Self:
        return self.filter(status=Block.Status.OFFERED)

    def live(self) -> Self:
        return self.filter(status__in=Block.LIVE)

    def unclaimed(self) -> Self:
        return self.filter(status__in=[Block.Status.DRAFT, Block.Status.OFFERED])

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
        Status.CHECKED_IN: {Status.WORKING, Status.COMPLETED, Status.ABORTED},
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
    mall = models.ForeignKey(Mall, on_delete=models.PROTECT, related_name="+")
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
    litres = models.PositiveIntegerField(default=0)
    grams = models.PositiveIntegerField(default=0)
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

    def may_move_to(self, status: str) -> bool:
        return status in self.MOVES[self.status]


class OfferQuerySet(models.QuerySet["Offer"]):
    def open_at(self, at: dt.datetime) -> Self:
        return self.filter(status=Offer.Status.OPEN, opens_at__lte=at, closes_at__gt=at)

    def overdue(self, at: dt.datetime) -> Self:
        return self.filter(status=Offer.Status.OPEN, closes_at__lte=at)


class Offer(models.Model):
    """A block as shown to drivers, at a price, until a time. A step of the price is a new offer."""

    class Mode(models.TextChoices):
        FIRST_COME = "first_come", _("first come")

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        AWARDED = "awarded", _("awarded")
        EXPIRED = "expired", _("expired")
        WITHDRAWN = "withdrawn", _("withdrawn")

    MOVES: ClassVar[dict[str, set[str]]] = {
        Status.OPEN: {Status.AWARDED, Status.EXPIRED, Status.WITHDRAWN},
        Status.AWARDED: set(),
        Status.EXPIRED: set(),
        Status.WITHDRAWN: set(),
    }

    code = models.CharField(max_length=12, unique=True, default=offer_code, editable=False)
    block = models.ForeignKey(Block, on_delete=models.PROTECT, related_name="offers")
    mode = models.CharField(max_length=10, choices=Mode, default=Mode.FIRST_COME)
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    step = models.PositiveSmallIntegerField(
        default=0, help_text=_("0 is the base price; each step adds to the hour.")
    )
    hourly_cents = models.PositiveIntegerField()
    pay_cents = models.PositiveIntegerField(help_text=_("For the scheduled window, before tips."))
    ladder = models.JSONField(
        default=list, help_text=_("The steps still to come, [{at, hourly_cents}], the same for all.")
    )
    opens_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[models.Manager[Offer]] = OfferQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("offer")
        verbose_name_plural = _("offers")
        constraints = [
            models.UniqueConstraint(
                fields=["block"], condition=Q(status="open"), name="one_open_offer_per_block"
            ),
            models.CheckConstraint(
                condition=Q(closes_at__gt=F("opens_at")), name="an_offer_closes_after_it_opens"
            ),
            models.CheckConstraint(
                condition=Q(status="open", ended_at__isnull=True)
                | (~Q(status="open") & Q(ended_at__isnull=False)),
                name="an_offer_has_ended_if_and_only_if_there_is_a_time",
            ),
        ]
        indexes = [
            # The sweep of expiry, and the feed.
            models.Index(fields=["closes_at"], condition=Q(status="open"), name="offer_open_closing"),
        ]

    def __str__(self) -> str:
        return f"offer {self.code}"


class ClaimQuerySet(models.QuerySet["Claim"]):
    def live(self) -> Self:
        return self.filter(ended_at=None)


class Claim(models.Model):
    """A driver has a block. One live claim per block; a driver is in one place. Ends as a record with a
    reason."""

    class Ending(models.TextChoices):
        COMPLETED = "completed", _("completed")
        RELEASED = "released", _("released in time")
        FORFEITED = "forfeited", _("released late")
        NO_SHOW = "no_show", _("no-show")
        WITHDRAWN = "withdrawn", _("block withdrawn")
        SUSPENDED = "suspended", _("driver suspended or gone")
        ABORTED = "aborted", _("aborted")

    block = models.ForeignKey(Block, on_delete=models.PROTECT, related_name="claims")
    offer = models.ForeignKey(Offer, on_delete=models.PROTECT, related_name="claims")
    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="+")
    vehicle = models.ForeignKey(Vehicle, on_delete=models.PROTECT, related_name="+")
    window = DateTimeRangeField(help_text=_("The block's window, held for this driver."))
    hourly_cents = models.PositiveIntegerField(help_text=_("Locked."))
    pay_cents = models.PositiveIntegerField(help_text=_("Locked pay of the scheduled window, before tips."))
    claimed_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ending = models.CharField(max_length=10, choices=Ending, blank=True)
    reason = models.CharField(max_length=200, blank=True)

    objects: ClassVar[models.Manager[Claim]] = ClaimQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("claim")
        verbose_name_plural = _("claims")
        constraints = [
            models.UniqueConstraint(
                fields=["block"], condition=Q(ended_at=None), name="one_live_claim_per_block"
            ),
            ExclusionConstraint(
                name="driver_is_in_one_place",
                condition=Q(ended_at=None),
                expressions=[
                    (OnlyDriver("driver"), RangeOperators.OVERLAPS),
                    ("window", RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ending="") | (Q(ended_at__isnull=False) & ~Q(ending="")),
                name="a_claim_ends_with_a_reason",
            ),
        ]
        indexes = [models.Index(fields=["driver", "-claimed_at"], name="claim_of_a_driver")]

    def __str__(self) -> str:
        return f"claim of {self.block_id} by {self.driver_id}"


class Decline(models.Model):
    """A driver said: not for me. Never counts against anybody; the block is hidden from them."""

    class Reason(models.TextChoices):
        PAY = "pay", _("pay")
        TIME = "time", _("time")
        DISTANCE = "distance", _("distance")
        LOAD = "load", _("too much to carry")
        OTHER = "other", _("other")

    block = models.ForeignKey(Block, on_delete=models.PROTECT, related_name="declines")
    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=10, choices=Reason, default=Reason.OTHER)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("decline")
        verbose_name_plural = _("declines")
        constraints = [
            models.UniqueConstraint(fields=["block", "driver"], name="one_decline_per_driver_and_block")
        ]

    def __str__(self) -> str:
        return f"{self.driver_id} declined {self.block_id}"


class MallBlockade(models.Model):
    """A mall does not want this driver, with who said so and why; lifting it ends the record."""

    mall = models.ForeignKey(Mall, on_delete=models.PROTECT, related_name="+")
    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=200)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("mall's refusal of a driver")
        verbose_name_plural = _("malls' refusals of drivers")
        constraints = [
            models.UniqueConstraint(
                fields=["mall", "driver"],
                condition=Q(lifted_at=None),
                name="one_live_refusal_per_mall_and_driver",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mall_id} refuses {self.driver_id}"


class PlanRun(models.Model):
    """One wave of the planner at one mall: what it saw, what it made, what it left and why."""

    mall = models.ForeignKey(Mall, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    orders_seen = models.PositiveIntegerField(default=0)
    blocks_made = models.PositiveIntegerField(default=0)
    orders_planned = models.PositiveIntegerField(default=0)
    cost_cents = models.BigIntegerField(default=0)
    left = models.JSONField(default=list, help_text=_("[{order, reason, text}]"))
    engine = models.CharField(max_length=40, blank=True)
    notes = models.JSONField(default=list)
    failure = models.TextField(blank=True)

    class Meta:
        verbose_name = _("plan run")
        verbose_name_plural = _("plan runs")
        constraints = [
            models.UniqueConstraint(
                fields=["mall"], condition=Q(ended_at=None), name="one_wave_at_a_time_per_mall"
            ),
        ]
        indexes = [models.Index(fields=["mall", "-started_at"], name="plan_run_newest")]

    def __str__(self) -> str:
        return f"wave at {self.mall_id} {self.started_at:%F %T}"
