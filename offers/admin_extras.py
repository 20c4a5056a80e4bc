"""What drivers ask for beside the plan, answered by operations."""

from __future__ import annotations

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from offers import extras
from offers.models import Extra
from retaildelivery.web.admin_deciding import DecidingAdmin


@admin.register(Extra)
class ExtraAdmin(DecidingAdmin):
    list_display = (
        "code",
        "block",
        "driver",
        "kind",
        "what",
        "cents",
        "minutes",
        "miles",
        "photo",
        "asked_at",
        "granted_at",
        "declined_at",
        "decided_by",
    )
    list_filter = (
        "kind",
        ("granted_at", admin.EmptyFieldListFilter),
        ("declined_at", admin.EmptyFieldListFilter),
    )
    list_select_related = ("block", "driver__user", "decided_by")
    search_fields = ("code", "block__code", "driver__code")
    exclude = ("receipt", "receipt_sha256")
    readonly_fields = ("photo",)
    ordering = ("-id",)
    actions = ("grant", "decline")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.receipt)
        return [path("<int:pk>/receipt/", view, name="offers_extra_receipt"), *super().get_urls()]

    def receipt(self, request: HttpRequest, pk: int) -> FileResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        extra = get_object_or_404(Extra.objects.exclude(receipt=""), pk=pk)
        answer = FileResponse(extra.receipt.open("rb"))
        answer["X-Content-Type-Options"] = "nosniff"
        answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
        return answer

    @admin.display(description=_("Receipt"))
    def photo(self, extra: Extra) -> SafeString | str:
        if not extra.receipt:
            return "–"
        url = reverse("admin:offers_extra_receipt", args=[extra.pk])
        return format_html('<a href="{}">{}</a>', url, _("Photo"))

    @admin.action(description=_("Grant: it becomes a line of the block"), permissions=["decide"])
    def grant(self, request: HttpRequest, queryset: QuerySet[Extra]) -> None:
        at = timezone.now()
        self.each(request, queryset, lambda row: extras.grant(code=row.code, by=request.user, at=at))  # type: ignore[arg-type]

    @admin.action(description=_("Decline (with a reason)"), permissions=["decide"])
    def decline(self, request: HttpRequest, queryset: QuerySet[Extra]) -> HttpResponse | None:
        return self.with_reason(
            request,
            queryset,
            action="decline",
            title=_("Decline"),
            verb=lambda row, reason: extras.decline(
                code=row.code,
                reason=reason,
                by=request.user,  # type: ignore[arg-type]
                at=timezone.now(),
            ),
        )
