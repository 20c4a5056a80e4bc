"""Every page of stores, by the door it is behind."""

from django.urls import path

from stores import views

app_name = "stores"
urlpatterns = [
    path("store/settings/", views.settings, name="settings"),
    path("store/settings/<str:code>/", views.store, name="store"),
    path("store/settings/<str:code>/hours/", views.store_hours, name="store_hours"),
    path("store/settings/<str:code>/pause/", views.store_pause, name="store_pause"),
    path("store/sellers/<str:seller_code>/staff/", views.staff, name="staff"),
    path("store/sellers/<str:seller_code>/staff/<str:membership>/end/", views.staff_end, name="staff_end"),
    path("store/sellers/<str:seller_code>/keys/", views.api_keys, name="api_keys"),
    path("store/sellers/<str:seller_code>/keys/<str:prefix>/", views.api_key_change, name="api_key_change"),
]
