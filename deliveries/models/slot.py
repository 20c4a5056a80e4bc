"""Delivery slots that customers book: what recurs, one day's slot, and a place in it."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar, Self

from django.contrib.postgres.fields import ArrayField, DateTimeRangeField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from deliveries import limits
from retaildelivery.lib import codes
from retaildelivery.outbox import worlds
from stores.models import Mall, Store


def rule_code() -> str:
    return codes.new_code(prefix="V", length=8)


def hold_code() -> str:
    return codes.new_code(prefix="H", length=9)


class SlotRuleQuerySet(models.QuerySet["SlotRule"]):
    def valid_between(self, first: dt.date, last: dt.date) -> Self:
        """Valid on some of these days; see `holds_on` for each."""
        return self.filter(Q(valid_to=None) | Q(valid_to__gt=first), valid_from__lte=last)

    def offered_by(self, store: Store) -> Self:
        """The slots of this store alone, and those of its mall for everybody."""
        return self.filter(Q(store=store) | Q(store=None), mall=store.mall_id)


class SlotRule(models.Model):
    """A window of delivery that recurs on weekdays, by the mall's clock. Bookings already made keep the terms they
    were made at."""

    code = models.CharField(max_length=12, unique=True, default=rule_code, editable=False)
    mall = models.ForeignKey(Mall, on_delete=models.PROTECT, related_name="+")
    store = models.ForeignKey(
        Store,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Only for this store; empty: for every store of the mall."),
    )
    weekdays = ArrayField(
        models.PositiveSmallIntegerField(validators=[MaxValueValidator(6)]), help_text=_("0 is Monday.")
    )
    starts = models.TimeField()
    ends = models.TimeField()
    cutoff_minutes = models.PositiveIntegerField(
        default=60, help_text=_("Booked until so many minutes before it starts.")
    )
    lead_days = models.PositiveSmallIntegerField(
        default=3,
        validators=[MaxValueValidator(limits.PROMISE_AHEAD.days - 1)],
        help_text=_("How many days ahead it can be booked; 0: on the day only."),
    )
    capacity = models.PositiveIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(limits.SLOT_CAPACITY)],
        help_text=_("Orders in one slot."),
    )
    price_cents = models.PositiveIntegerField(default=0, help_text=_("Added to the fee of the delivery."))
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True, help_text=_("First day it no longer holds."))

    objects: ClassVar[models.Manager[SlotRule]] = SlotRuleQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("slot rule")
        verbose_name_plural = _("slot rules")
        constraints = [
            models.CheckConstraint(condition=Q(ends__gt=F("starts")), name="a_slot_ends_after_it_starts"),
            models.CheckConstraint(condition=Q(capacity__gte=1), name="a_slot_has_room_for_one"),
        ]

    def __str__(self) -> str:
        return f"slots {self.code}"

    def holds_on(self, day: dt.date) -> bool:
        ends = self.valid_to
        return self.valid_from <= day and (ends is None or day < ends) and day.weekday() in self.weekdays


class Slot(worlds.InAWorld):
    """One day's slot, from its first booking on. `taken` counts the places that are held or confirmed."""

    rule = models.ForeignKey(SlotRule, on_delete=models.PROTECT, related_name="slots", db_index=False)
    day = models.DateField()
    window = DateTimeRangeField()
    capacity = models.PositiveIntegerField()
    taken = models.PositiveIntegerField(default=0)

    objects: ClassVar[models.Manager[Slot]] = worlds.OfThisWorld()

    class Meta:
        verbose_name = _("slot")
        verbose_name_plural = _("slots")
        constraints = [
            models.UniqueConstraint(fields=["rule", "day", "world"], name="one_slot_per_rule_and_day"),
            models.CheckConstraint(condition=Q(taken__lte=F("capacity")), name="a_slot_is_never_oversold"),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def code(self) -> str:
        return f"{self.rule.code}.{self.day:%Y-%m-%d}"

    @property
    def left(self) -> int:
        """Places that nobody has."""
        return max(0, self.capacity - self.taken)


class HoldQuerySet(worlds.WorldQuerySet["SlotHold"]):
    def overdue(self, at: dt.datetime) -> Self:
        return self.filter(confirmed_at=None, released_at=None, expires_at__lte=at)


class SlotHold(worlds.InAWorld):
    """A place in a slot: held for a checkout until it expires, then confirmed by an order or given back."""

    code = models.CharField(max_length=12, unique=True, default=hold_code, editable=False)
    slot = models.ForeignKey(Slot, on_delete=models.PROTECT, related_name="holds")
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="+")
    price_cents = models.PositiveIntegerField()
    held_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)
    order = models.OneToOneField(
        "deliveries.Order", on_delete=models.PROTECT, null=True, blank=True, related_name="slot_hold"
    )

    objects: ClassVar[models.Manager[SlotHold]] = HoldQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("place in a slot")
        verbose_name_plural = _("places in slots")
        constraints = [
            models.CheckConstraint(
                condition=Q(confirmed_at=None, order=None)
                | Q(confirmed_at__isnull=False, order__isnull=False),
                name="a_confirmed_place_is_of_an_order",
            ),
        ]
        indexes = [
            # The sweep of holds that ran out.
            models.Index(
                fields=["expires_at"],
                condition=Q(confirmed_at=None, released_at=None),
                name="slot_hold_expiry",
            ),
        ]

    def __str__(self) -> str:
        return f"place {self.code}"
