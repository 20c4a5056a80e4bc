"""Malls and the shops in them, who works there, and the keys and endpoints of a seller's systems."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, ClassVar, Self
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from retaildelivery.lib import codes
from retaildelivery.lib.geo import Point
from stores import limits

if TYPE_CHECKING:
    from retaildelivery.accounts.models import User

LATITUDE = [MinValueValidator(-90), MaxValueValidator(90)]
LONGITUDE = [MinValueValidator(-180), MaxValueValidator(180)]


def seller_code() -> str:
    return codes.new_code(prefix="S", length=6)


def store_code() -> str:
    return codes.new_code(prefix="T", length=6)


def desk_code() -> str:
    return codes.new_code(length=6)


def membership_code() -> str:
    return codes.new_code(prefix="W", length=7)


def endpoint_code() -> str:
    return "we_" + codes.new_code(length=12).lower()


class Market(models.Model):
    """A city with its own prices, law and time. Markets never share a transaction."""

    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    time_zone = models.CharField(max_length=60, help_text=_("IANA name, such as America/Phoenix."))
    currency = models.CharField(max_length=3, default="USD")

    class Meta:
        verbose_name = _("market")
        verbose_name_plural = _("markets")

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class Mall(models.Model):
    """A shopping mall: where blocks begin and most returns end."""

    code = models.SlugField(max_length=40, unique=True)
    market = models.ForeignKey(Market, on_delete=models.PROTECT, related_name="malls")
    name = models.CharField(max_length=120)
    address = models.CharField(max_length=200)
    latitude = models.DecimalField(max_digits=9, decimal_places=6, validators=LATITUDE)
    longitude = models.DecimalField(max_digits=9, decimal_places=6, validators=LONGITUDE)
    geofence_m = models.PositiveIntegerField(
        default=400, help_text=_("Radius in metres of the check-in circle.")
    )
    desk_code = models.CharField(
        max_length=12,
        default=desk_code,
        help_text=_("Said by the mall desk to a driver whose phone finds no position."),
    )
    desk_note = models.CharField(max_length=200, blank=True, help_text=_("Where drivers come in and park."))
    delivery_radius_m = models.PositiveIntegerField(
        default=40_000, help_text=_("How far, as the crow flies, orders may go.")
    )
    active = models.BooleanField(default=True)

    class Meta:
        verbose_name = _("mall")
        verbose_name_plural = _("malls")

    def __str__(self) -> str:
        return self.name

    @property
    def point(self) -> Point:
        return Point(float(self.latitude), float(self.longitude))

    @property
    def zone(self) -> ZoneInfo:
        return self.market.zone


class Seller(models.Model):
    """A retailer: owns stores in one or several malls, and pays for deliveries."""

    code = models.CharField(max_length=12, unique=True, default=seller_code, editable=False)
    name = models.CharField(max_length=120)
    email = models.EmailField(help_text=_("Where invoices and notices about keys and endpoints go."))
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("seller")
        verbose_name_plural = _("sellers")

    def __str__(self) -> str:
        return self.name


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

    code = models.CharField(max_length=12, unique=True, default=store_code, editable=False)
    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="stores")
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

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="hours")
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


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def live(self, at: dt.datetime) -> Self:
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=at), revoked_at=None, seller__active=True)


class ApiKey(models.Model):
    """A secret of a seller's system, shown once and kept only as a hash."""

    class Scope(models.TextChoices):
        ORDERS_READ = "orders:read", _("read orders")
        ORDERS_WRITE = "orders:write", _("post and change orders")
        WEBHOOKS = "webhooks", _("webhook endpoints")
        HANDOVER = "handover", _("hand parcels over at the counter")

    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="api_keys")
    store = models.ForeignKey(Store, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    name = models.CharField(max_length=80, help_text=_("What uses it."))
    prefix = models.CharField(
        max_length=20, unique=True, help_text=_("First characters of the key, to tell it by.")
    )
    digest = models.CharField(max_length=64, unique=True, help_text=_("SHA-256 of the whole key."))
    scopes = ArrayField(models.CharField(max_length=20, choices=Scope))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[models.Manager[ApiKey]] = ApiKeyQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")

    def __str__(self) -> str:
        return f"{self.name} {self.prefix}…"


class WebhookEndpointQuerySet(models.QuerySet["WebhookEndpoint"]):
    def live(self) -> Self:
        return self.filter(deleted_at=None)

    def listening(self) -> Self:
        """Neither removed nor switched off."""
        return self.filter(deleted_at=None, disabled_at=None)

    def hearing(self, event_type: str) -> Self:
        return self.filter(Q(event_types=[]) | Q(event_types__contains=[event_type]))


class WebhookEndpoint(models.Model):
    """A seller's URL that wants to hear of facts. Messages to it are signed with its secret."""

    code = models.CharField(max_length=24, unique=True, default=endpoint_code, editable=False)
    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="webhook_endpoints")
    url = models.URLField(max_length=500)
    description = models.CharField(max_length=120, blank=True)
    event_types = ArrayField(
        models.CharField(max_length=60), default=list, blank=True, help_text=_("Empty means every event.")
    )
    secret = models.CharField(max_length=80, help_text=_("whsec_…; used to sign, so kept readable."))
    previous_secret = models.CharField(max_length=80, blank=True)
    previous_secret_until = models.DateTimeField(
        null=True, blank=True, help_text=_("Messages carry a second signature until then.")
    )
    created_at = models.DateTimeField()
    failing_since = models.DateTimeField(null=True, blank=True)
    probing_until = models.DateTimeField(
        null=True, blank=True, help_text=_("While it fails, nothing else is tried before then.")
    )
    disabled_at = models.DateTimeField(null=True, blank=True)
    disabled_reason = models.CharField(max_length=120, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[models.Manager[WebhookEndpoint]] = WebhookEndpointQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("webhook endpoint")
        verbose_name_plural = _("webhook endpoints")
        constraints = [
            models.UniqueConstraint(
                fields=["seller", "url"],
                condition=Q(deleted_at=None),
                name="one_live_endpoint_per_seller_and_url",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.url}"


class WebhookMessageQuerySet(models.QuerySet["WebhookMessage"]):
    def due(self, at: dt.datetime) -> Self:
        """To be sent now; of an endpoint that fails nothing is, while one message tries it."""
        return self.filter(
            Q(endpoint__probing_until=None) | Q(endpoint__probing_until__lte=at),
            delivered_at=None,
            given_up_at=None,
            next_attempt_at__lte=at,
            endpoint__disabled_at=None,
            endpoint__deleted_at=None,
        )


class WebhookMessage(models.Model):
    """One event for one endpoint: exactly what is sent, and when it is next tried."""

    code = models.CharField(
        max_length=40, help_text=_("webhook-id: the code of the fact, the same to each endpoint.")
    )
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.PROTECT, related_name="messages")
    event_type = models.CharField(max_length=60)
    body = models.TextField(help_text=_("The bytes that are signed and sent."))
    created_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    delivered_at = models.DateTimeField(null=True)
    given_up_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager[WebhookMessage]] = WebhookMessageQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("webhook message")
        verbose_name_plural = _("webhook messages")
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "code"], name="one_message_per_endpoint_and_event"),
        ]
        indexes = [
            # The log of an endpoint, newest first, and the sweep of what is older than it is kept.
            models.Index(fields=["endpoint", "-id"], name="webhook_message_log"),
            models.Index(fields=["created_at"], name="webhook_message_age"),
            # The sender's sweep.
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(delivered_at=None, given_up_at=None),
                name="webhook_message_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.code}"


class WebhookAttempt(models.Model):
    """One try to deliver one message: what came back, or why nothing did."""

    message = models.ForeignKey(WebhookMessage, on_delete=models.CASCADE, related_name="tries")
    at = models.DateTimeField()
    duration = models.DurationField()
    status = models.PositiveSmallIntegerField(
        null=True, help_text=_("HTTP status, when there was an answer.")
    )
    failure = models.CharField(
        max_length=40, blank=True, help_text=_("connection_timeout, private_address, …")
    )
    response = models.TextField(blank=True, help_text=_("The first bytes of the answer."))

    class Meta:
        verbose_name = _("webhook attempt")
        verbose_name_plural = _("webhook attempts")

    def __str__(self) -> str:
        return f"{self.message_id} {self.at:%F %T} {self.status or self.failure}"


class SellerPosting(models.Model):
    """One line of a seller's account: what is owed (positive) or given back (negative). Append-only; the key
    says what it is for, so a second posting of the same thing is refused by the database."""

    key = models.CharField(max_length=120, unique=True, help_text=_("Such as order:K7QX4M2P:base."))
    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, related_name="postings")
    store = models.ForeignKey(Store, on_delete=models.PROTECT, null=True, related_name="postings")
    kind = models.CharField(max_length=30)
    cents = models.IntegerField()
    text = models.CharField(max_length=200)
    rule = models.CharField(max_length=60, blank=True, help_text=_("The policy row it was computed from."))
    subject = models.CharField(max_length=80, help_text=_("Such as order:K7QX4M2P."))
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("seller's posting")
        verbose_name_plural = _("seller's postings")
        indexes = [
            # A seller's statement, newest first; a store's column of it.
            models.Index(fields=["seller", "-at"], name="seller_posting_newest"),
            models.Index(fields=["subject"], name="seller_posting_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.cents}"
