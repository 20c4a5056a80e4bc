"""The pages of the house itself: the front door, the page without signal, and the two files of the app."""

from __future__ import annotations

import hashlib
import json

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

_SHELL = (
    "css/tokens.css",
    "css/base.css",
    "css/components.css",
    "css/forms.css",
    "css/doors.css",
    "js/theme.js",
    "js/app.js",
    "js/offline.js",
    "js/scanner.js",
    "js/photo.js",
    "js/signature.js",
    "js/position.js",
    "vendor/htmx/htmx.min.js",
    "icons.svg",
)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What this is, and the four doors."""
    return render(request, "home.html")


@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """What the service worker shows when there is neither signal nor a kept copy."""
    return render(request, "offline.html")


@require_safe
@cache_control(no_cache=True)
def service_worker(request: HttpRequest) -> HttpResponse:
    """`/sw.js`: at the root, since a worker rules only over what lies below its own address.

    Its version is made of the names of the files it keeps, which carry a hash of what is in them.
    """
    shell = [static(name) for name in _SHELL]
    version = hashlib.sha256("\n".join(shell).encode()).hexdigest()[:12]
    given = json.dumps(
        {
            "version": version,
            "shell": shell,
            "statics": settings.STATIC_URL,
            "offline": reverse("offline"),
            "icon": static("img/app-192.png"),
            # Without hashes in their names (development) kept files could be old ones.
            "hashed": not shell[0].endswith(_SHELL[0]),
        }
    )
    body = render_to_string("sw.js", {"settings": given})
    return HttpResponse(body, content_type="text/javascript; charset=utf-8")


@require_safe
@cache_control(max_age=86_400)
def favicon(request: HttpRequest) -> HttpResponse:
    """The icon of the tab where a page names none: the admin, files of JSON and PDF."""
    return redirect(static("img/app-192.png"))


@require_safe
@cache_control(max_age=3600)
def manifest(request: HttpRequest) -> HttpResponse:
    """What a phone needs to install the driver's portal on its home screen."""
    sizes = (("img/app-192.png", "192x192"), ("img/app-512.png", "512x512"))
    body = {
        "id": "/drive/",
        "name": _("Retail Delivery for drivers"),
        "short_name": _("Retail Delivery"),
        "start_url": "/drive/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#10211f",
        "theme_color": "#10211f",
        "icons": [
            {"src": static(path), "sizes": size, "type": "image/png", "purpose": "any maskable"}
            for path, size in sizes
        ],
    }
    return JsonResponse(body, content_type="application/manifest+json")
