"""Every page of deliveries, by the door it is behind."""

from deliveries.urls import drive, ops, store, tracking

app_name = "deliveries"
urlpatterns = [*store.urlpatterns, *drive.urlpatterns, *ops.urlpatterns, *tracking.urlpatterns]
