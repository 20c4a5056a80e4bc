"""What was scanned, tried and proved, by whom, when and where; with device time and server time."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.core.validators import FileExtensionValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from deliveries.models.manifest import Manifest, Stop
from deliveries.models.order import Order, Parcel
from drivers.models import Driver
from retaildelivery.outbox import worlds

IMAGES = [FileExtensionValidator(["jpg", "jpeg", "png", "webp"])]


class Evidence(worlds.InAWorld):
    """When and where something was done: by the phone's clock and by ours."""

    client_event_id = models.CharField(
        max_length=64, help_text=_("Given by the device, so that a repeat is harmless.")
    )
    device_at = models.DateTimeField()
    at = models.DateTimeField()
    latitude = models.DecimalField(max_digits=9, decimal_places=6, null=True, blank=True)
    longitude = models.DecimalField(max_digits=9, decimal_places=6, null=True, blank=True)
    accuracy_m = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        abstract = True


class Scan(Evidence):
    """A label read at a stop, good or refused. Failed scans are facts too."""

    class Outcome(models.TextChoices):
        ACCEPTED = "accepted", _("accepted")
        WRONG_STOP = "wrong_stop", _("not for this stop")
        UNKNOWN = "unknown", _("unknown code")
        ALREADY = "already", _("scanned before")
        DAMAGED = "damaged", _("damaged, stays here")
        AMBIGUOUS = "ambiguous", _("on several parcels")

    class Method(models.TextChoices):
        CAMERA = "camera", _("camera")
        WEDGE = "wedge", _("hand scanner")
        TYPED = "typed", _("typed")

    stop = models.ForeignKey(Stop, on_delete=models.PROTECT, related_name="scans", db_index=False)
    parcel = models.ForeignKey(Parcel, on_delete=models.PROTECT, null=True, blank=True, related_name="scans")
    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, null=True, related_name="+")
    scanned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text=_("Staff, at a return."),
    )
    entered = models.CharField(max_length=120, help_text=_("What was read or typed."))
    method = models.CharField(max_length=8, choices=Method, default=Method.TYPED)
    outcome = models.CharField(max_length=12, choices=Outcome)

    objects: ClassVar[models.Manager[Scan]] = worlds.OfThisWorld()

    class Meta:
        verbose_name = _("scan")
        verbose_name_plural = _("scans")
        constraints = [
            models.UniqueConstraint(fields=["stop", "client_event_id"], name="one_scan_per_client_event"),
            models.CheckConstraint(
                condition=~Q(outcome="accepted") | Q(parcel__isnull=False),
                name="an_accepted_scan_names_a_parcel",
            ),
        ]

    def __str__(self) -> str:
        return f"scan {self.entered} {self.outcome}"


class ProofOfDelivery(Evidence):
    """Why we say an order was delivered: photo, signature, PIN, age check, and where it was left."""

    class LeftAt(models.TextChoices):
        IN_HAND = "in_hand", _("handed over in person")
        FRONT_DOOR = "front_door", _("at the front door")
        RECEPTION = "reception", _("with reception")
        NEIGHBOUR = "neighbour", _("with a neighbour")
        MAILROOM = "mailroom", _("in the mailroom")

    class Relationship(models.TextChoices):
        RECIPIENT = "recipient", _("the recipient")
        HOUSEHOLD = "household", _("somebody of the household")
        NEIGHBOUR = "neighbour", _("a neighbour")
        FRONT_DESK = "front_desk", _("front desk or reception")
        OTHER = "other", _("somebody else")

    order = models.OneToOneField(Order, on_delete=models.PROTECT, related_name="proof")
    stop = models.ForeignKey(Stop, on_delete=models.PROTECT, related_name="proofs")
    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="+")
    left_at = models.CharField(max_length=12, choices=LeftAt)
    photo = models.FileField(upload_to="proofs/%Y/%m/%d/", validators=IMAGES, blank=True)
    photo_sha256 = models.CharField(max_length=64, blank=True)
    signature = models.FileField(upload_to="proofs/%Y/%m/%d/", validators=IMAGES, blank=True)
    signed_by = models.CharField(max_length=120, blank=True)
    signer_relationship = models.CharField(
        max_length=12,
        choices=Relationship,
        blank=True,
        db_default="",
        help_text=_("Who that is to the recipient."),
    )
    pin_matched = models.BooleanField(default=False)
    age_checked = models.BooleanField(default=False)
    note = models.CharField(max_length=300, blank=True)

    objects: ClassVar[models.Manager[ProofOfDelivery]] = worlds.OfThisWorld()

    class Meta:
        verbose_name = _("proof of delivery")
        verbose_name_plural = _("proofs of delivery")
        constraints = [
            models.CheckConstraint(
                condition=Q(signer_relationship="") | ~Q(signed_by=""),
                name="who_is_somebody_to_the_recipient_is_named",
            ),
        ]

    def __str__(self) -> str:
        return f"proof of {self.order_id}"


class CounterProof(Evidence):
    """What a driver kept at a store's counter besides the scans: a photo of what was handed over, and a signature of
    the staff. It is about every order that passes over the counter at that stop."""

    stop = models.ForeignKey(Stop, on_delete=models.PROTECT, related_name="counter_proofs", db_index=False)
    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="+")
    photo = models.FileField(upload_to="proofs/%Y/%m/%d/", validators=IMAGES, blank=True)
    photo_sha256 = models.CharField(max_length=64, blank=True)
    signature = models.FileField(upload_to="proofs/%Y/%m/%d/", validators=IMAGES, blank=True)
    signature_sha256 = models.CharField(max_length=64, blank=True)
    signed_by = models.CharField(max_length=120, blank=True)

    objects: ClassVar[models.Manager[CounterProof]] = worlds.OfThisWorld()

    class Meta:
        verbose_name = _("proof of a handover")
        verbose_name_plural = _("proofs of handovers")
        constraints = [
            models.UniqueConstraint(
                fields=["stop", "client_event_id"], name="one_counter_proof_per_client_event"
            ),
            models.CheckConstraint(
                condition=~Q(photo="") | ~Q(signature=""), name="a_counter_proof_shows_something"
            ),
            models.CheckConstraint(
                condition=Q(signature="") | ~Q(signed_by=""), name="who_signed_at_a_counter_is_named"
            ),
        ]

    def __str__(self) -> str:
        return f"counter proof at {self.stop_id}"


class Attempt(Evidence):
    """One try at a drop-off that failed, and why."""

    class Reason(models.TextChoices):
        NOBODY_HOME = "nobody_home", _("nobody home")
        REFUSED = "refused", _("refused")
        WRONG_ADDRESS = "wrong_address", _("address is wrong")
        NO_ACCESS = "no_access", _("no way in")
        UNSAFE = "unsafe", _("not safe")
        PIN_FAILED = "pin_failed", _("PIN was wrong or missing")
        AGE_FAILED = "age_failed", _("no ID or too young")
        DAMAGED = "damaged", _("damaged")
        OTHER = "other", _("other")

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="attempts", db_index=False)
    stop = models.ForeignKey(Stop, on_delete=models.PROTECT, related_name="attempts")
    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=14, choices=Reason)
    note = models.CharField(max_length=300, blank=True)
    photo = models.FileField(upload_to="proofs/%Y/%m/%d/", validators=IMAGES, blank=True)

    objects: ClassVar[models.Manager[Attempt]] = worlds.OfThisWorld()

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        constraints = [
            models.UniqueConstraint(fields=["order", "client_event_id"], name="one_attempt_per_client_event"),
        ]

    def __str__(self) -> str:
        return f"attempt at {self.order_id}: {self.reason}"


class Incident(Evidence):
    """Something that went wrong with a parcel, a stop or a block, and who was at fault."""

    class Kind(models.TextChoices):
        SHORT = "short", _("parcel missing at pickup")
        DAMAGED = "damaged", _("damaged")
        LOST = "lost", _("lost or stolen")
        STORE_NOT_READY = "store_not_ready", _("store not ready")
        STORE_CLOSED = "store_closed", _("store closed")
        TOO_MUCH = "too_much", _("does not fit in the car")
        BREAKDOWN = "breakdown", _("breakdown, crash or illness")
        OTHER = "other", _("other")

    class Fault(models.TextChoices):
        STORE = "store", _("store")
        DRIVER = "driver", _("driver")
        RECIPIENT = "recipient", _("recipient")
        PLATFORM = "platform", _("platform")
        NONE = "none", _("nobody")

    manifest = models.ForeignKey(
        Manifest, on_delete=models.PROTECT, null=True, blank=True, related_name="incidents", db_index=False
    )
    stop = models.ForeignKey(Stop, on_delete=models.PROTECT, null=True, blank=True, related_name="incidents")
    order = models.ForeignKey(
        Order, on_delete=models.PROTECT, null=True, blank=True, related_name="incidents"
    )
    parcel = models.ForeignKey(
        Parcel, on_delete=models.PROTECT, null=True, blank=True, related_name="incidents"
    )
    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    reported_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    kind = models.CharField(max_length=16, choices=Kind)
    fault = models.CharField(max_length=10, choices=Fault, default=Fault.NONE)
    note = models.CharField(max_length=500, blank=True)
    photo = models.FileField(upload_to="proofs/%Y/%m/%d/", validators=IMAGES, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolution = models.CharField(max_length=300, blank=True)

    objects: ClassVar[models.Manager[Incident]] = worlds.OfThisWorld()

    class Meta:
        verbose_name = _("incident")
        verbose_name_plural = _("incidents")
        constraints = [
            models.UniqueConstraint(
                fields=["manifest", "client_event_id"], name="one_incident_per_client_event"
            ),
        ]

    def __str__(self) -> str:
        return f"incident {self.kind} {self.pk}"
