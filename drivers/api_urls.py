"""What drivers adds under /api/v1/."""

from django.urls import URLPattern, URLResolver, path

from drivers import api, push_api

app_name = "drivers_api"
urlpatterns: list[URLPattern | URLResolver] = [
    path("driver/badge", api.BadgeView.as_view(), name="badge"),
    path("driver/standing", api.StandingView.as_view(), name="standing"),
    path("driver/appeals", api.AppealsView.as_view(), name="appeals"),
    path("driver/push-subscriptions", push_api.PushSubscriptionsView.as_view(), name="push_subscriptions"),
]
