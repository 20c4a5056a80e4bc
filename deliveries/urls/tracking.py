"""What the recipient opens."""

from django.urls import path

from deliveries.views import tracking, verifying

urlpatterns = [
    path("proof/verify/", verifying.verify, name="verify_proof"),
    path("t/<str:token>/", tracking.page, name="tracking"),
    path("t/<str:token>/note/", tracking.instruct, name="tracking_note"),
    path("t/<str:token>/photo", tracking.photo, name="tracking_photo"),
]
