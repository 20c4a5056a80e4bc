"""What the driver opens at a stop."""

from django.urls import path, re_path

from deliveries.views import doors

urlpatterns = [
    path("drive/stops/<slug:code>/", doors.stop, name="driver_stop"),
    path("drive/stops/<slug:code>/arrival/", doors.arrival, name="driver_arrival"),
    path("drive/stops/<slug:code>/scans/", doors.scan, name="driver_scan"),
    path("drive/stops/<slug:code>/reports/", doors.report, name="driver_report"),
    path("drive/stops/<slug:code>/proof/", doors.proof, name="driver_proof"),
    path("drive/stops/<slug:code>/counter-proof/", doors.counter_proof, name="driver_counter_proof"),
    path("drive/stops/<slug:code>/attempts/", doors.attempt, name="driver_attempt"),
    re_path(
        r"^drive/stops/(?P<code>\w+)/orders/(?P<order>\w+)/(?P<what>photo|signature)/$",
        doors.photo,
        name="driver_photo",
    ),
    path("drive/positions/", doors.position, name="driver_positions"),
]
