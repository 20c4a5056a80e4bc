"""Mounted at the root."""

from django.urls import path

from retaildelivery.web import pages

urlpatterns = [
    path("", pages.home, name="home"),
    path("offline/", pages.offline, name="offline"),
    path("sw.js", pages.service_worker, name="service_worker"),
    path("favicon.ico", pages.favicon, name="favicon"),
    path("manifest.webmanifest", pages.manifest, name="manifest"),
]
