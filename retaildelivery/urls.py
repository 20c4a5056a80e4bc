"""Every door of the system, and the app behind it."""

from django.contrib import admin
from django.urls import include, path

from retaildelivery.web import documents, health, served

handler400 = "retaildelivery.web.errors.bad_request"
handler403 = "retaildelivery.web.errors.forbidden"
handler404 = "retaildelivery.web.errors.not_found"
handler500 = "retaildelivery.web.errors.server_error"

urlpatterns = [
    # First, and what is polled first among them: patterns are tried in their order.
    path("api/v1/", include("offers.api_urls")),
    path("api/v1/", include("deliveries.api_urls")),
    path("api/v1/", include("stores.api_urls")),
    path("api/v1/", include("drivers.api_urls")),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("api/docs/", documents.docs, name="api_docs"),
    path("api/errors/", documents.codes, name="api_errors"),
    path("api/schema/", served.DocumentView.as_view(), name="api_schema"),
    path("", include("deliveries.dialects.urls")),
    path("", include("retaildelivery.web.page_urls")),
    path("", include("stores.urls")),
    path("", include("drivers.urls")),
    path("", include("deliveries.urls")),
    path("", include("offers.urls")),
]
