"""How a driver's app says who it is: a bearer token of a device, or the browser's session."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from drivers import access, tokens
from drivers.models import Driver, DriverToken

PREFIX = "dt_"


def bearer(request: Any) -> str:
    """The driver's token in the Authorization header, or nothing for another kind of key."""
    words = get_authorization_header(request).split()
    if len(words) != 2 or words[0].lower() != b"bearer":
        return ""
    token = words[1].decode("latin-1")
    return token if token.startswith(PREFIX) else ""


class DriverTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer dt_…`."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        secret = bearer(request)
        if not secret:
            return None
        token = tokens.find(secret, at=timezone.now())
        if token is None or not token.driver.user.is_active:
            raise AuthenticationFailed(_("This token is unknown or was revoked."), code="invalid_token")
        return token.driver.user, token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class IsDriver(BasePermission):
    """Only for drivers; notes who it is as ``request.driver``."""

    message = _("Only a driver may do this.")

    def has_permission(self, request: Request, view: Any) -> bool:
        if not request.user or not request.user.is_authenticated:
            return False
        if isinstance(request.auth, DriverToken):
            # It came with its driver.
            driver = None if request.auth.driver.status == Driver.Status.LEFT else request.auth.driver
        else:
            driver = access.driver_of(request.user)
        request.driver = driver  # type: ignore[attr-defined]
        return driver is not None
