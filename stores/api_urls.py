"""What stores adds under /api/v1/."""

from django.urls import URLPattern, URLResolver

app_name = "stores_api"
urlpatterns: list[URLPattern | URLResolver] = []
