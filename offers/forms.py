"""What operations type on the pages of offers."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from drivers.forms import capitalised
from stores.models import Contest


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


class ContestForm(forms.Form):
    """A store objects to a charge for waiting."""

    reason = forms.ChoiceField(
        label=_("Why is it wrong?"),
        choices=capitalised([each for each in Contest.Reason.choices if each[0] != Contest.Reason.REVIEW]),
    )
    text = forms.CharField(
        label=_("What happened"), max_length=1000, widget=forms.Textarea(attrs={"rows": 4})
    )


class FaultForm(forms.Form):
    """Operations say whose fault a wait was."""

    fault = forms.ChoiceField(
        label=_("Who was at fault?"), choices=capitalised(Contest.Fault.choices), widget=forms.RadioSelect
    )
    reasons = forms.CharField(
        label=_("Reasons; the store reads them"), max_length=1000, widget=forms.Textarea(attrs={"rows": 4})
    )
