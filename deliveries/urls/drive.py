"""What the driver opens at a stop."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
