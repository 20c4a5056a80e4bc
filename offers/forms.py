"""What operations type on the pages of offers."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class WithdrawForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=200,
        help_text=_("The driver reads it; less than two hours ahead they are paid for it."),
    )


class FreezeForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=200,
        help_text=_("Colleagues read it. Waves and late orders leave the block alone until it is unfrozen."),
    )
