"""What a key signs with, where the caller signs for itself."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from stores.models.key import ApiKey


class SigningSecret(models.Model):
    """The secret of a key whose caller signs its own tokens. We check the signature with it, so a hash is not
    enough: it is kept sealed (see stores/sealing.py), and shown once."""

    key = models.OneToOneField(ApiKey, on_delete=models.PROTECT, related_name="signing")
    sealed = models.TextField(help_text=_("Encrypted; see stores/sealing.py."))

    class Meta:
        verbose_name = _("signing secret")
        verbose_name_plural = _("signing secrets")

    def __str__(self) -> str:
        return f"signing secret of {self.key_id}"
