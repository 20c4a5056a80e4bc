"""What drivers adds under /api/v1/."""

from django.urls import URLPattern, URLResolver

app_name = "drivers_api"
urlpatterns: list[URLPattern | URLResolver] = []
