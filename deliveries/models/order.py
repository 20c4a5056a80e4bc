"""The order, and the parcels it consists of."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField
from django.contrib.postgres.fields.ranges import RangeEndsWith
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q, Value
from django.utils.translation import gettext_lazy as _

from deliveries import limits
from drivers.models import Driver
from retaildelivery.lib import codes
from retaildelivery.lib.geo import Point
from retaildelivery.outbox import worlds
from stores.models import LATITUDE, LONGITUDE, Store

if TYPE_CHECKING:
    from retaildelivery.accounts.models import User


def order_code() -> str:
    return codes.new_code(length=8)


def parcel_code() -> str:
    return codes.new_code(prefix="P", length=9)


def tracking_token() -> str:
    return codes.new_token()


def timed(status: str, field: str) -> Q:
    """A status holds if and only if its time is set."""
    return Q(**{"status": status, f"{field}__isnull": False}) | (
        ~Q(status=status) & Q(**{f"{field}__isnull": True})
    )


class OrderQuerySet(worlds.WorldQuerySet["Order"]):
    def visible_to(self, user: User) -> Self:
        """Orders of the stores where this person works."""
        return self.filter(store__in=Store.objects.visible_to(user))

    def waiting(self) -> Self:
        """Posted, locatable, with every parcel in good order at the store, and on no manifest yet."""
        missing = Parcel.objects.filter(
            order=models.OuterRef("pk"), status__in=[Parcel.Status.SHORT, Parcel.Status.DAMAGED]
        )
        return self.filter(~models.Exists(missing), status=Order.Status.PLACED, latitude__isnull=False)

    def needing_location(self) -> Self:
        return self.filter(status=Order.Status.PLACED, latitude__isnull=True)

    def open(self) -> Self:
        return self.exclude(status__in=Order.ENDED)

    def at_mall(self, mall_id: int) -> Self:
        return self.filter(store__mall_id=mall_id)

    def called(self, text: str) -> Self:
        """What somebody means by a word they type: how its code begins, its number, or part of the recipient's name or
        first line."""
        return self.filter(
            models.Q(code__startswith=text.upper())
            | models.Q(external_id=text)
            | models.Q(recipient_name__icontains=text)
            | models.Q(address_line1__icontains=text)
        )


class Order(worlds.InAWorld):
    """What a customer bought and a store hands over: to one door, in one promise window, as one or several
    parcels. A return is a leg of the same order."""

    class Status(models.TextChoices):
        PLACED = "placed", _("placed")
        PLANNED = "planned", _("planned")
        ASSIGNED = "assigned", _("assigned")
        AT_PICKUP = "at_pickup", _("driver at the store")
        PICKED_UP = "picked_up", _("picked up")
        EN_ROUTE = "en_route", _("on its way")
        AT_DROPOFF = "at_dropoff", _("driver at the door")
        DELIVERED = "delivered", _("delivered")
        CANCELLED = "cancelled", _("cancelled")
        RETURNING = "returning", _("coming back")
        RETURNED = "returned", _("returned")
        LOST = "lost", _("lost")
        DISPOSED = "disposed", _("disposed of")

    # Who may follow whom. Nothing but `move` (in deliveries/moves.py) assigns the status.
    MOVES: ClassVar[dict[str, set[str]]] = {
        Status.PLACED: {Status.PLANNED, Status.CANCELLED},
        Status.PLANNED: {Status.PLACED, Status.ASSIGNED, Status.CANCELLED},
        Status.ASSIGNED: {
            Status.PLACED,
            Status.PLANNED,
            Status.AT_PICKUP,
            Status.PICKED_UP,
            Status.CANCELLED,
        },
        Status.AT_PICKUP: {Status.PLACED, Status.PLANNED, Status.PICKED_UP, Status.CANCELLED},
        Status.PICKED_UP: {Status.EN_ROUTE, Status.RETURNING, Status.LOST},
        Status.EN_ROUTE: {
            Status.AT_DROPOFF,
            Status.DELIVERED,
            Status.RETURNING,
            Status.LOST,
            Status.DISPOSED,
        },
        Status.AT_DROPOFF: {
            Status.EN_ROUTE,
            Status.DELIVERED,
            Status.RETURNING,
            Status.LOST,
            Status.DISPOSED,
        },
        Status.RETURNING: {Status.RETURNED, Status.LOST, Status.DISPOSED},
        Status.DELIVERED: set(),
        Status.CANCELLED: set(),
        Status.RETURNED: set(),
        Status.LOST: {Status.RETURNED},
        Status.DISPOSED: set(),
    }
    ENDED: ClassVar[tuple[str, ...]] = ("delivered", "cancelled", "returned", "lost", "disposed")
    BEFORE_CUSTODY: ClassVar[tuple[str, ...]] = ("placed", "planned", "assigned", "at_pickup")

    class Undeliverable(models.TextChoices):
        RETURN = "return", _("bring it back to the store")
        LEAVE = "leave", _("leave it at the door")
        DISPOSE = "dispose", _("dispose of it")

    class PinKind(models.TextChoices):
        RANDOM = "random", _("made up by us")
        PHONE = "phone", _("the last four digits of the recipient's phone")
        OWN = "own", _("the seller's own")

    class CancelReason(models.TextChoices):
        CUSTOMER_CHANGED_MIND = "customer_changed_mind", _("the customer changed their mind")
        OUT_OF_STOCK = "out_of_stock", _("out of stock")
        WRONG_ADDRESS = "wrong_address", _("wrong address")
        DUPLICATE = "duplicate", _("posted twice")
        TOO_LATE = "too_late", _("too late for the customer")
        OTHER = "other", _("other")

    code = models.CharField(max_length=12, unique=True, default=order_code, editable=False)
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="+", db_index=False)
    external_id = models.CharField(
        max_length=80, blank=True, help_text=_("The seller's own number; unique per seller.")
    )
    external_scope = models.PositiveBigIntegerField(
        editable=False, help_text=_("The seller, for uniqueness.")
    )
    request_digest = models.CharField(max_length=64, blank=True, editable=False)
    status = models.CharField(max_length=12, choices=Status, default=Status.PLACED)
    sequence = models.PositiveIntegerField(default=0, help_text=_("Number of its last fact."))

    placed_at = models.DateTimeField()
    placed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    ready_at = models.DateTimeField(help_text=_("When the parcels are packed."))
    window = DateTimeRangeField(help_text=_("The promise to the recipient, [start, end)."))

    recipient_name = models.CharField(max_length=120)
    recipient_phone = models.CharField(max_length=20)
    recipient_email = models.EmailField(blank=True)
    recipient_locale = models.CharField(max_length=8, default="en")
    address_line1 = models.CharField(max_length=120)
    address_line2 = models.CharField(max_length=80, blank=True)
    city = models.CharField(max_length=80)
    region = models.CharField(max_length=40)
    postal_code = models.CharField(max_length=12)
    country = models.CharField(max_length=2, default="US")
    latitude = models.DecimalField(max_digits=9, decimal_places=6, null=True, blank=True, validators=LATITUDE)
    longitude = models.DecimalField(
        max_digits=9, decimal_places=6, null=True, blank=True, validators=LONGITUDE
    )
    located_by = models.CharField(
        max_length=10,
        blank=True,
        choices=[("given", _("given")), ("geocoder", _("geocoder")), ("pin", _("pin on the map"))],
    )
    instructions = models.CharField(max_length=limits.INSTRUCTIONS_LENGTH, blank=True)
    recipient_note = models.CharField(
        max_length=limits.INSTRUCTIONS_LENGTH,
        blank=True,
        help_text=_("Said by the recipient on the tracking page."),
    )

    requires_photo = models.BooleanField(default=True)
    requires_signature = models.BooleanField(default=False)
    requires_pin = models.BooleanField(default=False)
    minimum_age = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(18), MaxValueValidator(21)]
    )
    pin_kind = models.CharField(
        max_length=8, choices=PinKind, default=PinKind.RANDOM, db_default=PinKind.RANDOM
    )
    pin = models.CharField(
        max_length=4, blank=True, editable=False, help_text=_("For the recipient's eyes only.")
    )
    pin_failures = models.PositiveSmallIntegerField(default=0)
    requires_barcodes = models.BooleanField(
        default=False, db_default=False, help_text=_("Each label is read at the door first.")
    )
    # At the stores' counters labels are always read and the driver always shows a code; these come on top.
    pickup_photo = models.BooleanField(default=False, db_default=False)
    pickup_signature = models.BooleanField(default=False, db_default=False)
    return_photo = models.BooleanField(default=False, db_default=False)
    return_signature = models.BooleanField(default=False, db_default=False)
    undeliverable = models.CharField(max_length=8, choices=Undeliverable, default=Undeliverable.RETURN)
    declared_value_cents = models.PositiveIntegerField(default=0)
    tip_cents = models.PositiveIntegerField(default=0)

    tipped_after_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When the tip was changed after the delivery, which is once.")
    )
    items = models.JSONField(
        default=list,
        db_default=Value([], models.JSONField()),
        blank=True,
        help_text=_("What is in the parcels."),
    )
    aside = models.JSONField(
        null=True,
        blank=True,
        editable=False,
        help_text=_("What another service's client said of it that has no place of its own here."),
    )
    redelivery_of = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("The order that came back and is tried again."),
    )

    distance_m = models.PositiveIntegerField(
        null=True, help_text=_("Road distance from the mall, as estimated when posted.")
    )
    fee_cents = models.PositiveIntegerField(
        null=True, help_text=_("What the seller pays, as told when posted.")
    )
    fee_policy = models.ForeignKey(
        "deliveries.FeePolicy", on_delete=models.PROTECT, null=True, related_name="+"
    )
    quote = models.OneToOneField(
        "deliveries.Quote",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="order",
        help_text=_("Whose price was held for it. A quote is used once."),
    )
    slot_cents = models.PositiveIntegerField(
        default=0, db_default=0, help_text=_("Part of the fee that is for the delivery slot.")
    )

    picked_up_at = models.DateTimeField(null=True, blank=True)
    near_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When the recipient was told the driver is near.")
    )
    delivered_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancelled_by = models.CharField(max_length=12, blank=True, help_text=_("Kind of actor."))
    cancel_reason = models.CharField(max_length=24, choices=CancelReason, blank=True)
    cancel_note = models.CharField(max_length=200, blank=True)
    failed_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When the last attempt at the door failed.")
    )
    returned_at = models.DateTimeField(null=True, blank=True)
    lost_at = models.DateTimeField(null=True, blank=True)
    disposed_at = models.DateTimeField(null=True, blank=True)

    tracking_token = models.CharField(max_length=64, unique=True, default=tracking_token, editable=False)

    objects: ClassVar[models.Manager[Order]] = OrderQuerySet.as_manager()  # type: ignore[assignment]
    everywhere: ClassVar[models.Manager[Order]] = models.Manager()

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        constraints = [
            models.UniqueConstraint(
                fields=["external_scope", "external_id", "world"],
                condition=~Q(external_id=""),
                name="one_order_per_seller_and_external_id",
            ),
            models.CheckConstraint(
                condition=timed("delivered", "delivered_at"), name="delivered_if_and_only_if_there_is_a_time"
            ),
            models.CheckConstraint(
                condition=timed("cancelled", "cancelled_at"), name="cancelled_if_and_only_if_there_is_a_time"
            ),
            models.CheckConstraint(
                condition=timed("returned", "returned_at"), name="returned_if_and_only_if_there_is_a_time"
            ),
            models.CheckConstraint(
                condition=timed("disposed", "disposed_at"), name="disposed_if_and_only_if_there_is_a_time"
            ),
            models.CheckConstraint(
                condition=~Q(status="lost") | Q(lost_at__isnull=False), name="a_lost_order_was_lost_at_a_time"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["picked_up", "en_route", "at_dropoff", "delivered", "returning"])
                | Q(picked_up_at__isnull=False),
                name="what_is_on_its_way_was_picked_up",
            ),
            models.CheckConstraint(
                condition=Q(latitude__isnull=True, longitude__isnull=True)
                | Q(latitude__isnull=False, longitude__isnull=False),
                name="an_order_has_both_coordinates_or_none",
            ),
            models.CheckConstraint(
                condition=~Q(requires_pin=True) | ~Q(pin=""), name="an_order_that_requires_a_pin_has_one"
            ),
            models.UniqueConstraint(
                fields=["redelivery_of"],
                condition=~Q(status="cancelled"),
                name="one_redelivery_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(tip_cents__lte=limits.TIP_CENTS), name="a_tip_is_not_a_slip_of_the_finger"
            ),
        ]
        indexes = [
            # Lists, newest first and page by page: of a seller, of one state; of a store, of one state. The last is
            # also what the planner and the board ask.
            models.Index(fields=["external_scope", "-placed_at", "-id"], name="order_seller_newest"),
            models.Index(fields=["external_scope", "status", "-placed_at", "-id"], name="order_seller_state"),
            models.Index(fields=["store", "-placed_at", "-id"], name="order_store_newest"),
            models.Index(fields=["status", "store", "-placed_at", "-id"], name="order_status_store"),
            # What is promised for a day.
            models.Index("external_scope", RangeEndsWith("window"), name="order_seller_window"),
            GinIndex(
                SearchVector("code", "external_id", "recipient_name", "address_line1", config="simple"),
                name="order_search",
            ),
        ]

    def __str__(self) -> str:
        return f"order {self.code}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self._state.adding:
            self.external_scope = self.store.seller_id
        super().save(*args, **kwargs)

    @property
    def point(self) -> Point | None:
        if self.latitude is None or self.longitude is None:
            return None
        return Point(float(self.latitude), float(self.longitude))

    @property
    def pickup_note(self) -> str:
        """Said to the driver at the counter, of this order alone: another reference, and a note."""
        aside = self.aside or {}
        return ", ".join(text for text in (aside.get("reference"), aside.get("pickup_notes")) if text)

    @property
    def needs_location(self) -> bool:
        return self.latitude is None and self.status == self.Status.PLACED

    @property
    def has_ended(self) -> bool:
        return self.status in self.ENDED

    @property
    def address(self) -> str:
        lines = [self.address_line1, self.address_line2, self.city, f"{self.region} {self.postal_code}"]
        return ", ".join(line for line in lines if line.strip())

    def may_move_to(self, status: str) -> bool:
        return status in self.MOVES[self.status]

    def is_late(self, at: dt.datetime) -> bool:
        return not self.has_ended and at >= self.window.upper


class Parcel(worlds.InAWorld):
    """One labelled physical piece. Always in exactly one state of custody, held by exactly one party."""

    class Status(models.TextChoices):
        EXPECTED = "expected", _("expected")
        READY = "ready", _("ready")
        LOADED = "loaded", _("with the driver")
        DELIVERED = "delivered", _("delivered")
        SHORT = "short", _("missing at pickup")
        DAMAGED = "damaged", _("damaged")
        RETURN_DUE = "return_due", _("to be returned")
        RETURNED = "returned", _("returned")
        LOST = "lost", _("lost")
        DISPOSED = "disposed", _("disposed of")

    class Custodian(models.TextChoices):
        STORE = "store", _("store")
        DRIVER = "driver", _("driver")
        RECIPIENT = "recipient", _("recipient")
        NOBODY = "nobody", _("nobody")

    class Size(models.TextChoices):
        SMALL = "small", _("small (shoe box)")
        MEDIUM = "medium", _("medium (carry-on)")
        LARGE = "large", _("large (suitcase)")
        EXTRA_LARGE = "extra_large", _("extra large (TV box)")

    # What a class takes up in a car, in litres.
    LITRES: ClassVar[dict[str, int]] = {
        Size.SMALL: 12,
        Size.MEDIUM: 40,
        Size.LARGE: 90,
        Size.EXTRA_LARGE: 220,
    }

    MOVES: ClassVar[dict[str, set[str]]] = {
        Status.EXPECTED: {Status.READY, Status.LOADED, Status.SHORT, Status.DAMAGED},
        Status.READY: {Status.EXPECTED, Status.LOADED, Status.SHORT, Status.DAMAGED},
        Status.SHORT: {Status.EXPECTED, Status.READY, Status.LOADED},
        Status.DAMAGED: {Status.RETURN_DUE, Status.RETURNED, Status.READY, Status.DISPOSED},
        Status.LOADED: {Status.DELIVERED, Status.RETURN_DUE, Status.DAMAGED, Status.LOST},
        Status.RETURN_DUE: {Status.RETURNED, Status.DELIVERED, Status.LOST, Status.DISPOSED},
        Status.DELIVERED: set(),
        Status.RETURNED: set(),
        Status.LOST: {Status.RETURNED},
        Status.DISPOSED: set(),
    }

    code = models.CharField(max_length=16, unique=True, default=parcel_code, editable=False)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="parcels", db_index=False)
    number = models.PositiveSmallIntegerField(help_text=_("1 of the order's parcels, 2 of …"))
    description = models.CharField(max_length=80, blank=True)
    barcodes = ArrayField(
        models.CharField(max_length=limits.BARCODE_LENGTH),
        default=list,
        blank=True,
        size=limits.BARCODES_PER_PARCEL,
        help_text=_("The seller's own; any may be read in place of our label."),
    )
    size = models.CharField(max_length=12, choices=Size)
    litres = models.PositiveIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(limits.PARCEL_LITRES)]
    )
    grams = models.PositiveIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(limits.PARCEL_GRAMS)]
    )
    status = models.CharField(max_length=12, choices=Status, default=Status.EXPECTED)
    custodian = models.CharField(max_length=10, choices=Custodian, default=Custodian.STORE)
    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    objects: ClassVar[models.Manager[Parcel]] = worlds.OfThisWorld()

    class Meta:
        verbose_name = _("parcel")
        verbose_name_plural = _("parcels")
        constraints = [
            models.UniqueConstraint(fields=["order", "number"], name="parcels_of_an_order_are_numbered_once"),
            models.CheckConstraint(
                condition=Q(custodian="driver", driver__isnull=False)
                | (~Q(custodian="driver") & Q(driver__isnull=True)),
                name="a_parcel_with_a_driver_names_the_driver",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["loaded", "return_due"]) | Q(custodian="driver"),
                name="a_loaded_parcel_is_with_a_driver",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["expected", "ready", "short", "returned"]) | Q(custodian="store"),
                name="a_parcel_not_loaded_is_with_the_store",
            ),
            models.CheckConstraint(
                condition=~Q(status="delivered") | Q(custodian="recipient"),
                name="a_delivered_parcel_is_with_the_recipient",
            ),
            models.CheckConstraint(
                condition=Q(
                    grams__gte=1,
                    grams__lte=limits.PARCEL_GRAMS,
                    litres__gte=1,
                    litres__lte=limits.PARCEL_LITRES,
                ),
                name="a_parcel_can_be_lifted_and_fits_a_car",
            ),
        ]

    def __str__(self) -> str:
        return f"parcel {self.code}"

    def may_move_to(self, status: str) -> bool:
        return status in self.MOVES[self.status]
