"""Addresses as other services have them; each answers 404 unless its door is open."""

from django.urls import path

from deliveries.dialects import base_api, drive_api

app_name = "dialects"
drive = "drive/v2/"
urlpatterns = [
    path("pictures/<str:token>", base_api.picture, name="picture"),
    path(f"{drive}quotes", drive_api.QuotesView.as_view(), name="drive_quotes"),
    path(f"{drive}quotes/<str:external_id>/accept", drive_api.AcceptView.as_view(), name="drive_accept"),
    path(f"{drive}deliveries", drive_api.DeliveriesView.as_view(), name="drive_deliveries"),
    path(f"{drive}deliveries/<str:external_id>", drive_api.DeliveryView.as_view(), name="drive_delivery"),
    path(f"{drive}deliveries/<str:external_id>/cancel", drive_api.CancelView.as_view(), name="drive_cancel"),
]
