"""What the recipient opens."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
