"""One shop of a seller in one mall, when it is open, and who works there."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, ClassVar, Self

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from retaildelivery.lib import codes
from stores import limits

if TYPE_CHECKING:
    from retaildelivery.accounts.models import User
from stores.models.market import Mall
from stores.models.seller import Seller


def store_code() -> str:
    return codes.new_code(prefix="T", length=6)


def membership_code() -> str:
    return codes.new_code(prefix="W", length=7)


class StoreQuerySet(models.QuerySet["Store"]):
    def visible_to(self, user: User) -> Self:
        """Stores where this person works: those named in a membership, or all of the seller's."""
        live = StaffMembership.objects.live().filter(user=user)
        return self.filter(
            Q(pk__in=live.exclude(store=None).values("store"))
            | Q(seller__in=live.filter(store=None).values("seller"))
        )

    def active(self) -> Self:
        return self.filter(active=True, seller__active=True, mall__active=True)


class Store(models.Model):
    """One shop of a seller in one mall. It posts orders and hands parcels over."""

    class Goods(models.TextChoices):
        FOOD = "food", _("food")
        MEDICINES = "medicines", _("medicines")
        CHEMICALS = "chemicals", _("paint, cleaners and other chemicals")

    code = models.CharField(max_length=12, unique=True, default=store_code, editable=False)
    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="stores", db_index=False)
    mall = models.ForeignKey(Mall, on_delete=models.PROTECT, related_name="stores")
    name = models.CharField(max_length=120)
    unit = models.CharField(max_length=60, blank=True, help_text=_("Level and unit, as on the mall's map."))
    phone = models.CharField(max_length=20, blank=True)
    pickup_note = models.CharField(
        max_length=200, blank=True, help_text=_("Read by drivers: which counter, which door.")
    )
    prep_minutes = models.PositiveSmallIntegerField(
        default=20,
        validators=[MaxValueValidator(limits.PREP_MINUTES)],
        help_text=_("From posting to ready, unless said."),
    )
    goods = models.CharField(
        max_length=10,
        choices=Goods,
        blank=True,
        default="",
        db_default="",
        help_text=_("What it sells, where that matters to what may share a car with it."),
    )
    paused_until = models.DateTimeField(
        null=True, blank=True, help_text=_("No orders are accepted until then.")
    )
    active = models.BooleanField(default=True)

    objects: ClassVar[models.Manager[Store]] = StoreQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("store")
        verbose_name_plural = _("stores")
        constraints = [
            models.UniqueConstraint(
                fields=["seller", "mall", "name"], name="one_store_of_a_name_per_seller_and_mall"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.code}"

    def is_paused(self, at: dt.datetime) -> bool:
        return self.paused_until is not None and at < self.paused_until


class StoreHours(models.Model):
    """One opening of a store on a weekday, in the mall's local time. A day without a row is closed; a store
    without any rows keeps the mall's hours."""

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="hours", db_index=False)
    weekday = models.PositiveSmallIntegerField(validators=[MaxValueValidator(6)], help_text=_("0 is Monday."))
    opens = models.TimeField()
    closes = models.TimeField()

    class Meta:
        verbose_name = _("opening hours")
        verbose_name_plural = _("opening hours")
        constraints = [
            models.UniqueConstraint(fields=["store", "weekday"], name="one_opening_per_store_and_weekday"),
            models.CheckConstraint(condition=Q(closes__gt=F("opens")), name="a_store_closes_after_it_opens"),
        ]

    def __str__(self) -> str:
        return f"{self.store_id} {self.weekday} {self.opens}-{self.closes}"


class MembershipQuerySet(models.QuerySet["StaffMembership"]):
    def live(self) -> Self:
        return self.filter(ended_at=None)


class StaffMembership(models.Model):
    """A person works for a seller: in one store, or (store empty) in all of them."""

    class Role(models.TextChoices):
        MANAGER = "manager", _("manager")
        STAFF = "staff", _("staff")

    code = models.CharField(max_length=12, unique=True, default=membership_code, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="memberships")
    store = models.ForeignKey(
        Store, on_delete=models.PROTECT, null=True, blank=True, related_name="memberships"
    )
    role = models.CharField(max_length=10, choices=Role, default=Role.STAFF)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[models.Manager[StaffMembership]] = MembershipQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("staff membership")
        verbose_name_plural = _("staff memberships")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "seller", "store"],
                condition=Q(ended_at=None),
                nulls_distinct=False,
                name="one_live_membership_per_person_and_store",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.role} {self.seller_id}"
