"""Anybody who was given a proof can see whether it is ours and unchanged."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from deliveries import limits, signing


class DocumentForm(forms.Form):
    document = forms.FileField(
        label=_("The PDF"), widget=forms.ClearableFileInput(attrs={"accept": "application/pdf"})
    )

    def clean_document(self) -> bytes:
        given = self.cleaned_data["document"]
        if given.size > limits.PROOF_PDF_BYTES:
            raise forms.ValidationError(_("This file is too large to be one of ours."))
        return bytes(given.read())


@require_http_methods(["GET", "POST"])
def verify(request: HttpRequest) -> HttpResponse:
    form = DocumentForm(request.POST, request.FILES) if request.method == "POST" else DocumentForm()
    ours = None
    if form.is_valid():
        ours = signing.is_ours(form.cleaned_data["document"])
    context = {"form": form, "ours": ours, "key": signing.public_key()}
    return render(request, "deliveries/verify.html", context, status=422 if form.errors else 200)
