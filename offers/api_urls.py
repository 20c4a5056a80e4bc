"""What offers adds under /api/v1/."""

from django.urls import URLPattern, URLResolver

app_name = "offers_api"
urlpatterns: list[URLPattern | URLResolver] = []
