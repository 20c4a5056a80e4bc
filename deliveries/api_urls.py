"""What deliveries adds under /api/v1/."""

from django.urls import URLPattern, URLResolver, include, path

from deliveries.api import driver_urls

app_name = "deliveries_api"
seller_urls: list[URLPattern] = []
urlpatterns: list[URLPattern | URLResolver] = [*seller_urls, path("driver/", include(driver_urls))]
