"""Every page of stores, by the door it is behind."""

from django.urls import URLPattern, URLResolver

app_name = "stores"
urlpatterns: list[URLPattern | URLResolver] = []
