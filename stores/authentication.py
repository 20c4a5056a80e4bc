"""How a seller's system says who it is: `Authorization: Bearer sk_live_…`."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox.models import Fact
from retaildelivery.outbox.recording import Actor
from retaildelivery.web import throttling
from stores import keys, oauth
from stores.models import ApiKey, Sandbox, Seller, Store


class ScopeMissing(Refused):
    code = "scope_missing"
    sentence = _("This key lacks the scope %(scope)s.")


class WholeSellerOnly(Refused):
    code = "key_of_one_store"
    sentence = _("This key is for one store; this needs a key for all of the seller's.")


class AddressNotAllowed(Refused):
    code = "address_not_allowed"
    sentence = _("This key may not be used from %(address)s.")


class TestKeysOnly(Refused):
    code = "test_keys_only"
    sentence = _("This is of the sandbox: use a test key.")


@dataclass(frozen=True, slots=True)
class SellerSystem:
    """A seller's system that showed a key, or a token of one: what stands on ``request.auth`` and ``request.user``.

    `narrowed` are the scopes of the token; None stands for all that the key has.
    `sandbox` is where a test key works; a live key has none.
    """

    key: ApiKey
    address: str
    narrowed: frozenset[str] | None = None
    sandbox: Sandbox | None = None

    is_authenticated: ClassVar[bool] = True
    is_anonymous: ClassVar[bool] = False
    is_active: ClassVar[bool] = True
    is_staff: ClassVar[bool] = False
    requests_per_minute: ClassVar[int | None] = None

    @property
    def caller(self) -> str:
        """Keys of a seller share idempotency keys and budget, so that a rotated key can finish a retry."""
        live = f"seller:{self.seller.code}:{self.key.store_id or ''}"
        return live if self.sandbox is None else f"{live}:test:{self.sandbox.resets}"

    @property
    def scopes(self) -> frozenset[str]:
        """What it may do now: of a token, never more than its key still may."""
        own = frozenset(self.key.scopes)
        return own if self.narrowed is None else own & self.narrowed

    @property
    def seller(self) -> Seller:
        return self.key.seller

    @property
    def store(self) -> Store | None:
        """The one store of the key, or None when it is for all of the seller's."""
        return self.key.store

    @property
    def stores(self) -> QuerySet[Store]:
        """The stores that this key reaches."""
        own = Store.objects.filter(seller=self.seller)
        return own if self.key.store_id is None else own.filter(pk=self.key.store_id)

    @property
    def now(self) -> dt.datetime:
        """The time by the clock of the key's world: a sandbox has its own."""
        at = timezone.now()
        return at if self.sandbox is None else self.sandbox.clock(at)

    @property
    def actor(self) -> Actor:
        return Actor(kind=Fact.Actor.SELLER, name=self.key.name, source=f"{self.key.prefix}… {self.address}")


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer sk_live_…` or `sk_test_…`, or `oat_…` from /oauth/token. All else is an unknown key."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        words = get_authorization_header(request).split()
        if not words:
            return None
        at = timezone.now()
        key, narrowed = None, None
        if len(words) == 2 and words[0].lower() == b"bearer":
            key, narrowed = self.shown(words[1].decode("latin-1"), at=at)
        if key is None:
            raise AuthenticationFailed(_("This key is unknown, expired or revoked."), code="invalid_key")
        address = throttling.address_of(request)
        if not keys.admits(key, address):
            raise AddressNotAllowed(address=address)
        keys.touch(key, at=at)
        sandbox = None if key.live_mode else Sandbox.objects.get(pk=key.world)
        system = SellerSystem(key, address, narrowed, sandbox)
        return system, system

    def shown(self, secret: str, *, at: dt.datetime) -> tuple[ApiKey | None, frozenset[str] | None]:
        """The live key that this secret shows, if it does, and the scopes of a token."""
        if secret.startswith((keys.LIVE, keys.TEST)):
            return keys.find(secret, at=at), None
        return self._by_token(secret, at=at) if secret.startswith(oauth.PREFIX) else (None, None)

    def _by_token(self, secret: str, *, at: dt.datetime) -> tuple[ApiKey | None, frozenset[str] | None]:
        """The key behind a token, as long as it lives itself, and the token's scopes."""
        read = oauth.read(secret)
        if read is None:
            return None, None
        prefix, scopes = read
        return ApiKey.objects.live(at).filter(prefix=prefix).select_related("seller").first(), scopes

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class HasScope(BasePermission):
    """The key carries the scope that the view names for the method: ``scopes = {"GET": "orders:read"}``."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not isinstance(request.auth, SellerSystem):
            return False
        scope = view.scopes.get("GET" if request.method == "HEAD" else request.method)
        # A method without a scope is one that the view does not have: that is for the view to say.
        if scope is not None and scope not in request.auth.scopes:
            raise ScopeMissing(scope=scope, reason=str(scope))
        return True
