"""What the driver opens about themselves."""

from django.urls import path

from drivers import views

app_name = "drivers"
urlpatterns = [
    path("drive/", views.home, name="home"),
    path("drive/status/", views.status, name="status"),
    path("drive/me/", views.profile, name="profile"),
    path("drive/me/car/", views.vehicle, name="vehicle"),
    path("drive/me/papers/<slug:kind>/", views.document, name="document"),
    path("drive/me/papers/<slug:kind>/file/", views.document_file, name="document_file"),
    path("drive/me/devices/", views.devices, name="devices"),
    path("drive/me/devices/<slug:prefix>/revocation/", views.revoke, name="revoke"),
    path("drive/me/phones/<slug:code>/removal/", views.remove_phone, name="remove_phone"),
    path("drive/standing/", views.standing, name="standing"),
    path("drive/standing/<str:key>/appeal/", views.appeal, name="appeal"),
    path("drive/badge/", views.show_badge, name="badge"),
]
