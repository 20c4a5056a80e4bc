"""What a driver's app calls at a stop: mounted under /api/v1/driver/."""

from django.urls import path

from deliveries.api import driver

urlpatterns = [
    path("stops/<slug:code>", driver.OneStopView.as_view(), name="driver_stop"),
    path("stops/<slug:code>/arrival", driver.ArrivalView.as_view(), name="driver_arrival"),
    path("stops/<slug:code>/scans", driver.ScansView.as_view(), name="driver_scans"),
    path("stops/<slug:code>/proof", driver.ProofView.as_view(), name="driver_proof"),
    path("stops/<slug:code>/counter-proof", driver.CounterProofView.as_view(), name="driver_counter_proof"),
    path("stops/<slug:code>/attempts", driver.AttemptsView.as_view(), name="driver_attempts"),
    path("stops/<slug:code>/incidents", driver.IncidentsView.as_view(), name="driver_incidents"),
    path("positions", driver.PositionsView.as_view(), name="driver_positions"),
]
