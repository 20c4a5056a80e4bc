"""Addresses as other services have them; each answers 404 unless its door is open."""

from django.urls import path

from deliveries.dialects import base_api, direct_api, drive_api, shopify_api

app_name = "dialects"
drive = "drive/v2/"
customer = "v1/customers/<str:customer_id>/"
one = f"{customer}deliveries/<str:delivery_id>"
urlpatterns = [
    path("shopify/<str:code>/rates", shopify_api.RatesView.as_view(), name="shopify_rates"),
    path("oauth/v2/token", direct_api.token, name="direct_token"),
    path(f"{customer}delivery_quotes", direct_api.QuotesView.as_view(), name="direct_quotes"),
    path(f"{customer}deliveries", direct_api.DeliveriesView.as_view(), name="direct_deliveries"),
    path(one, direct_api.DeliveryView.as_view(), name="direct_delivery"),
    path(f"{one}/cancel", direct_api.CancelView.as_view(), name="direct_cancel"),
    path(f"{one}/proof-of-delivery", direct_api.ProofView.as_view(), name="direct_proof"),
    path("pictures/<str:token>", base_api.picture, name="picture"),
    path(f"{drive}quotes", drive_api.QuotesView.as_view(), name="drive_quotes"),
    path(f"{drive}quotes/<str:external_id>/accept", drive_api.AcceptView.as_view(), name="drive_accept"),
    path(f"{drive}deliveries", drive_api.DeliveriesView.as_view(), name="drive_deliveries"),
    path(f"{drive}deliveries/<str:external_id>", drive_api.DeliveryView.as_view(), name="drive_delivery"),
    path(f"{drive}deliveries/<str:external_id>/cancel", drive_api.CancelView.as_view(), name="drive_cancel"),
]
