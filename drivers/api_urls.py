"""What drivers adds under /api/v1/."""

from django.urls import URLPattern, URLResolver, include, path

from drivers import api, push_api

app_name = "drivers_api"
driver_urls: list[URLPattern] = [
    path("badge", api.BadgeView.as_view(), name="badge"),
    path("standing", api.StandingView.as_view(), name="standing"),
    path("appeals", api.AppealsView.as_view(), name="appeals"),
    path("push-subscriptions", push_api.PushSubscriptionsView.as_view(), name="push_subscriptions"),
]
urlpatterns: list[URLPattern | URLResolver] = [path("driver/", include(driver_urls))]
