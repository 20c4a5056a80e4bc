"""What counts for or against a driver."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from drivers.models.driver import Driver
from retaildelivery.lib import codes


def appeal_code() -> str:
    return codes.new_code(prefix="A", length=7)


class StandingEventQuerySet(models.QuerySet["StandingEvent"]):
    def counting(self, at: dt.datetime) -> Self:
        """Neither decayed, nor in dispute, nor set aside."""
        return self.filter(decays_at__gt=at, disputed_at=None, set_aside_at=None)


class StandingEvent(models.Model):
    """Something that counts for or against a driver, with its cause and who was at fault. Causes of the
    store, the recipient, the weather and the platform are shown and never count."""

    class Kind(models.TextChoices):
        COMPLETED = "completed", _("block completed")
        LATE = "late", _("late check-in")
        FORFEIT = "forfeit", _("released less than 45 minutes before the start")
        NO_SHOW = "no_show", _("no-show")

    class Fault(models.TextChoices):
        DRIVER = "driver", _("driver")
        STORE = "store", _("store")
        RECIPIENT = "recipient", _("recipient")
        WEATHER = "weather", _("weather")
        PLATFORM = "platform", _("platform")
        NONE = "none", _("nobody")

    key = models.CharField(
        max_length=120, unique=True, help_text=_("What it is about, so that it counts once.")
    )
    driver = models.ForeignKey(
        Driver, on_delete=models.PROTECT, related_name="standing_events", db_index=False
    )
    kind = models.CharField(max_length=12, choices=Kind)
    fault = models.CharField(max_length=10, choices=Fault)
    points = models.SmallIntegerField(help_text=_("Zero unless the driver was at fault or did well."))
    subject = models.CharField(max_length=80, help_text=_("Such as block:BX7K2M."))
    at = models.DateTimeField()
    decays_at = models.DateTimeField()
    disputed_at = models.DateTimeField(
        null=True, blank=True, help_text=_("Appealed against: it does not count until that is decided.")
    )
    set_aside_at = models.DateTimeField(
        null=True, blank=True, help_text=_("An appeal was granted: it never counts again.")
    )

    objects: ClassVar[models.Manager[StandingEvent]] = StandingEventQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("standing event")
        verbose_name_plural = _("standing events")
        indexes = [models.Index(fields=["driver", "-at"], name="standing_of_a_driver")]
        constraints = [
            models.CheckConstraint(
                condition=Q(points__gte=0) | Q(fault="driver"),
                name="only_the_drivers_own_fault_counts_against_them",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"

    @property
    def block_code(self) -> str:
        """The block it happened at; "" for what has none."""
        noun, _colon, code = self.subject.partition(":")
        return code if noun == "block" else ""

    @property
    def sentence(self) -> str:
        """What happened and where, in the reader's language."""
        kind = self.get_kind_display()
        if not self.block_code:
            return kind
        return gettext("Block %(code)s: %(what)s") % {"code": self.block_code, "what": kind}

    def counts(self, at: dt.datetime) -> bool:
        """As `counting` has it, for one row that is at hand."""
        return self.decays_at > at and self.disputed_at is None and self.set_aside_at is None


class AppealQuerySet(models.QuerySet["Appeal"]):
    def undecided(self) -> Self:
        return self.filter(decided_at=None)

    def overdue(self, at: dt.datetime) -> Self:
        return self.undecided().filter(answer_by__lte=at, alerted_at=None)


class Appeal(models.Model):
    """A driver says: this should not count against me. A named person answers within 72 hours, and it does not
    count meanwhile. Turned down, it can be appealed once more, and somebody else decides."""

    class Outcome(models.TextChoices):
        GRANTED = "granted", _("granted")
        TURNED_DOWN = "turned_down", _("turned down")

    code = models.CharField(max_length=12, unique=True, default=appeal_code, editable=False)
    event = models.ForeignKey(StandingEvent, on_delete=models.PROTECT, related_name="appeals", db_index=False)
    round = models.PositiveSmallIntegerField(help_text=_("1, or 2 for the second and last."))
    text = models.TextField(help_text=_("What the driver says."))
    filed_at = models.DateTimeField()
    answer_by = models.DateTimeField()
    alerted_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When operations were told that it is overdue.")
    )
    outcome = models.CharField(max_length=12, choices=Outcome, blank=True)
    reason = models.TextField(blank=True, help_text=_("What the person who decided says to the driver."))
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[models.Manager[Appeal]] = AppealQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("appeal")
        verbose_name_plural = _("appeals")
        constraints = [
            models.UniqueConstraint(fields=["event", "round"], name="one_appeal_per_event_and_round"),
            models.CheckConstraint(
                condition=Q(round__in=[1, 2]), name="an_appeal_is_the_first_or_the_second"
            ),
            models.CheckConstraint(
                condition=Q(decided_at__isnull=True, outcome="", decided_by__isnull=True)
                | (Q(decided_at__isnull=False, decided_by__isnull=False) & ~Q(outcome="") & ~Q(reason="")),
                name="an_appeal_is_decided_by_a_person_with_a_reason",
            ),
        ]
        indexes = [
            # Operations' list, and the sweep of what is overdue.
            models.Index(fields=["answer_by"], condition=Q(decided_at=None), name="appeal_undecided"),
        ]

    def __str__(self) -> str:
        return f"appeal {self.code}"
