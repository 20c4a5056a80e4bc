"""Anybody who was given a proof can see whether it is ours and unchanged."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from deliveries import limits, signing
from retaildelivery.web import errors

KINDS = ["text/html", "application/json"]


class DocumentForm(forms.Form):
    document = forms.FileField(
        label=_("The PDF"), widget=forms.ClearableFileInput(attrs={"accept": "application/pdf"})
    )

    def clean_document(self) -> bytes:
        given = self.cleaned_data["document"]
        if given.size > limits.PROOF_PDF_BYTES:
            raise forms.ValidationError(_("This file is too large to be one of ours."))
        return bytes(given.read())


# Nothing changes by asking, so whoever has the file may ask with whatever they have: a page elsewhere, curl, a program.
@csrf_exempt
@require_http_methods(["GET", "POST"])
def verify(request: HttpRequest) -> HttpResponse:
    """The form and its answer; `{"ours": true}` for who accepts JSON rather than a page."""
    form = DocumentForm(request.POST, request.FILES) if request.method == "POST" else DocumentForm()
    ours = None
    if form.is_valid():
        ours = signing.is_ours(form.cleaned_data["document"])
    if request.method == "POST" and request.get_preferred_type(KINDS) == "application/json":
        return told(request, form, ours)
    context = {"form": form, "ours": ours, "key": signing.public_key()}
    return render(request, "deliveries/verify.html", context, status=422 if form.errors else 200)


def told(request: HttpRequest, form: DocumentForm, ours: bool | None) -> JsonResponse:
    """The answer for a program."""
    if ours is not None:
        return JsonResponse({"ours": ours, "public_key": signing.public_key()})
    faults = [
        {"field": name, "code": fault.code or "invalid", "message": " ".join(fault.messages)}
        for name, found in form.errors.as_data().items()
        for fault in found
    ]
    wrong = errors.problem(
        request,
        code="validation_error",
        message=errors.summary(faults),
        status=422,
        field_errors=faults,
    )
    return JsonResponse(wrong, status=422, content_type=errors.MEDIA_TYPE)
