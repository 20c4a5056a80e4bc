"""What store staff open."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
