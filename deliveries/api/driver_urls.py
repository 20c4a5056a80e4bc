"""What a driver's app calls at a stop: mounted under /api/v1/driver/."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
