"""Every page of offers, by the door it is behind."""

from django.urls import URLPattern, URLResolver

app_name = "offers"
urlpatterns: list[URLPattern | URLResolver] = []
