"""Where doors are."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from stores.models import LATITUDE, LONGITUDE


class KnownAddress(models.Model):
    """An address whose place is known: given with the demo, told by a geocoder, or pinned by a person. Asked
    before any geocoder, so that a door is pinned once."""

    key = models.CharField(max_length=200, unique=True, help_text=_("Normalised first line and postal code."))
    latitude = models.DecimalField(max_digits=9, decimal_places=6, validators=LATITUDE)
    longitude = models.DecimalField(max_digits=9, decimal_places=6, validators=LONGITUDE)
    source = models.CharField(max_length=20)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("known address")
        verbose_name_plural = _("known addresses")

    def __str__(self) -> str:
        return self.key
