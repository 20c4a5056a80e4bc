"""A draw: who entered, what each was weighted by, how it came out, and whom it asked."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from drivers.models import Driver
from offers.models.offer import Offer
from stores.models import Market


class DrawRulesQuerySet(models.QuerySet["DrawRules"]):
    def valid_on(self, day: dt.date) -> Self:
        return self.filter(valid_from__lte=day)


class DrawRules(models.Model):
    """How a market hands its offers out, from a day on; a market without a row goes by the limits."""

    market = models.ForeignKey(Market, on_delete=models.PROTECT, related_name="+", db_index=False)
    valid_from = models.DateField(help_text=_("In the market's own time zone."))
    first_come_within = models.DurationField(
        help_text=_("With less than this to the start an offer is first come; more is drawn.")
    )
    entries = models.DurationField(help_text=_("How long entries are open; 60 seconds at least."))
    hold = models.DurationField(help_text=_("How long who is asked may take to confirm."))

    objects: ClassVar[models.Manager[DrawRules]] = DrawRulesQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("rules of draws")
        verbose_name_plural = _("rules of draws")
        constraints = [
            models.UniqueConstraint(fields=["market", "valid_from"], name="one_row_of_draw_rules_per_day"),
            models.CheckConstraint(
                condition=Q(entries__gte=dt.timedelta(seconds=60)), name="entries_are_open_a_minute_at_least"
            ),
            models.CheckConstraint(
                condition=Q(hold__gte=dt.timedelta(minutes=1)), name="a_hold_lasts_a_minute_at_least"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.market_id} from {self.valid_from}"


class DrawQuerySet(models.QuerySet["Draw"]):
    def drawn(self) -> Self:
        return self.filter(drawn_at__isnull=False)


class Draw(models.Model):
    """How an offer is given to one of those who enter. The hash of the seed is published when entries open, the
    seed and the result when it is drawn; the offer's `closes_at` is the end of the entries."""

    offer = models.OneToOneField(Offer, on_delete=models.PROTECT, related_name="draw")
    seed = models.CharField(max_length=64, editable=False, help_text=_("Secret until it is drawn."))
    seed_hash = models.CharField(max_length=64, help_text=_("SHA-256 of the seed."))
    hold = models.DurationField(help_text=_("How long who is asked may take to confirm."))
    drawn_at = models.DateTimeField(null=True, blank=True)
    entries_digest = models.CharField(max_length=64, blank=True)
    result_digest = models.CharField(max_length=64, blank=True)

    objects: ClassVar[models.Manager[Draw]] = DrawQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("draw")
        verbose_name_plural = _("draws")
        constraints = [
            models.CheckConstraint(
                condition=Q(drawn_at__isnull=True, entries_digest="", result_digest="")
                | (Q(drawn_at__isnull=False) & ~Q(entries_digest="") & ~Q(result_digest="")),
                name="a_draw_is_drawn_if_and_only_if_it_has_a_result",
            ),
        ]

    def __str__(self) -> str:
        return f"draw of {self.offer_id}"


class EntryQuerySet(models.QuerySet["Entry"]):
    def standing(self) -> Self:
        """Entries that were not taken back."""
        return self.filter(withdrawn_at=None)

    def reserves(self) -> Self:
        """Those who were drawn and have not been asked yet, the next one first."""
        return self.standing().filter(rank__isnull=False, award=None).order_by("rank")


class Entry(models.Model):
    """A driver takes part in a draw. Weight, rank and key are set once, when it is drawn."""

    draw = models.ForeignKey(Draw, on_delete=models.PROTECT, related_name="entries", db_index=False)
    # Asked for with the draw only, and every entry would pay for an index of its own.
    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="+", db_index=False)
    entrant = models.CharField(max_length=12, help_text=_("The driver's public name in this draw."))
    entered_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    points = models.SmallIntegerField(null=True, blank=True, help_text=_("Standing at the close."))
    wins = models.PositiveSmallIntegerField(null=True, blank=True, help_text=_("Recent wins at the close."))
    weight = models.PositiveIntegerField(null=True, blank=True, help_text=_("Shares of the chance."))
    rank = models.PositiveIntegerField(null=True, blank=True, help_text=_("1 won; the others are reserves."))
    key = models.CharField(max_length=40, blank=True, help_text=_("What it was ranked by, smallest first."))

    objects: ClassVar[models.Manager[Entry]] = EntryQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("entry")
        verbose_name_plural = _("entries")
        constraints = [
            models.UniqueConstraint(fields=["draw", "driver"], name="one_entry_per_driver_and_draw"),
            models.UniqueConstraint(
                fields=["draw", "rank"],
                condition=Q(rank__isnull=False),
                name="one_entry_per_rank_of_a_draw",
            ),
            models.CheckConstraint(
                condition=Q(rank__isnull=True, weight__isnull=True, key="")
                | (Q(rank__isnull=False, weight__gte=1) & ~Q(key="")),
                name="a_ranked_entry_has_its_weight_and_key",
            ),
        ]

    def __str__(self) -> str:
        return f"entry {self.entrant}"


class AwardQuerySet(models.QuerySet["Award"]):
    def live(self) -> Self:
        return self.filter(ended_at=None)

    def lapsed(self, at: dt.datetime) -> Self:
        return self.live().filter(holds_until__lte=at)

    def holding(self, at: dt.datetime) -> Self:
        return self.live().filter(holds_until__gt=at)


class Award(models.Model):
    """A drawn driver is asked: the block is held for them until a time. Each entry is asked once. The winner
    confirms on the draw's own offer; a reserve who moves up later is asked by an offer reserved for them."""

    class Ending(models.TextChoices):
        CONFIRMED = "confirmed", _("confirmed")
        DECLINED = "declined", _("declined")
        LAPSED = "lapsed", _("not confirmed in time")
        INELIGIBLE = "ineligible", _("not eligible when asked")
        OFFER_ENDED = "offer_ended", _("the offer ended")

    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, related_name="award")
    offer = models.ForeignKey(Offer, on_delete=models.PROTECT, related_name="awards")
    driver = models.ForeignKey(Driver, on_delete=models.PROTECT, related_name="+", db_index=False)
    asked_at = models.DateTimeField()
    holds_until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ending = models.CharField(max_length=12, choices=Ending, blank=True)
    reason = models.CharField(
        max_length=60, blank=True, help_text=_("Code of the refusal, when not eligible.")
    )

    objects: ClassVar[models.Manager[Award]] = AwardQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("award")
        verbose_name_plural = _("awards")
        constraints = [
            models.UniqueConstraint(
                fields=["offer"], condition=Q(ended_at=None), name="one_live_award_per_offer"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ending="") | (Q(ended_at__isnull=False) & ~Q(ending="")),
                name="an_award_ends_with_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(holds_until__gte=F("asked_at")), name="an_award_is_held_after_it_was_asked"
            ),
        ]
        indexes = [
            # The sweep of lapsed holds.
            models.Index(fields=["holds_until"], condition=Q(ended_at=None), name="award_live_until"),
            # Who has won lately, and what a driver is asked for now.
            models.Index(fields=["driver", "ended_at"], name="award_of_a_driver"),
        ]

    def __str__(self) -> str:
        return f"award of {self.offer_id} to {self.driver_id}"
