"""Issue, rotate and revoke the keys of a seller's systems. A key is shown once; only its hash is kept."""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from retaildelivery.lib import codes
from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox import recording, worlds
from retaildelivery.prepared import Given, Prepared
from stores import facts, limits, locks, sandboxes, sealing
from stores.models import ApiKey, Seller, SigningSecret, Store

if TYPE_CHECKING:
    from retaildelivery.accounts.models import User

LIVE, TEST = "sk_live_", "sk_test_"
SIGNING, TEST_SIGNING = "drive_", "drive_test_"
MAPPED_BITS = 96  # of an IPv6 address before the IPv4 address that it maps
PREFIX_LENGTH = len(LIVE) + 8


class KeyRefused(Refused):
    code = "key_refused"
    sentence = _("This key cannot be issued.")


class TooManyKeys(KeyRefused):
    code = "too_many_keys"
    sentence = _("There are %(most)d keys already. Revoke those that nothing uses.")


class ScopesMissing(KeyRefused):
    code = "scopes_missing"
    sentence = _("Choose at least one thing that the key may do.")


class ScopeUnknown(KeyRefused):
    code = "scope_unknown"
    sentence = _("There is no scope %(scope)s.")


class StoreOfAnotherSeller(KeyRefused):
    code = "store_of_another_seller"
    sentence = _("This store belongs to another seller.")


class NetworkUnknown(KeyRefused):
    code = "network_unknown"
    sentence = _("%(network)s is neither an address nor a network. Write 203.0.113.7 or 203.0.113.0/24.")


class TooManyNetworks(KeyRefused):
    code = "too_many_networks"
    sentence = _("A key takes at most %(most)d addresses and networks.")


class LiveKeysOnly(KeyRefused):
    code = "live_keys_only"
    sentence = _("Test keys are made with a live key.")


class KeyRevoked(KeyRefused):
    code = "key_revoked"
    sentence = _("This key was revoked.")


@dataclass(frozen=True, slots=True)
class Issued:
    """A new key and its secret, which nobody can read again."""

    key: ApiKey
    secret: str
    signing: bool = False


def digest(secret: str) -> str:
    """SHA-256, hex. A key is 32 random bytes, so nothing slower is needed against guessing."""
    return hashlib.sha256(secret.encode()).hexdigest()


_LIVE = Prepared(
    lambda: ApiKey.objects.live(Given("at")).filter(digest=Given("digest")).select_related("seller")
)


def find(secret: str, *, at: dt.datetime) -> ApiKey | None:
    """The live key with this secret, with its seller; None when there is none."""
    return _LIVE.one(digest=digest(secret), at=at)


def tidy_networks(said: Sequence[str]) -> list[str]:
    """Each as a network in its usual form, once. Raises NetworkUnknown, TooManyNetworks."""
    found: dict[str, None] = {}
    for each in said:
        try:
            found[str(_unmapped(ipaddress.ip_network(each.strip(), strict=False)))] = None
        except ValueError as error:
            raise NetworkUnknown(field="networks", network=each.strip()[:50]) from error
    if len(found) > limits.NETWORKS_PER_KEY:
        raise TooManyNetworks(field="networks", most=limits.NETWORKS_PER_KEY)
    return list(found)


def _unmapped(
    network: ipaddress.IPv4Network | ipaddress.IPv6Network,
) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """::ffff:203.0.113.0/120 as the 203.0.113.0/24 that it is: callers are compared that way too."""
    first = network.network_address
    mapped = first.ipv4_mapped if isinstance(first, ipaddress.IPv6Address) else None
    if mapped is None or network.prefixlen < MAPPED_BITS:
        return network
    return ipaddress.IPv4Network((mapped, network.prefixlen - MAPPED_BITS))


def admits(key: ApiKey, address: str) -> bool:
    """Whether the key may be used from this address."""
    if not key.networks:
        return True
    try:
        here = ipaddress.ip_address(address)
    except ValueError:
        return False
    # A dual-stack server sees an IPv4 caller as ::ffff:203.0.113.7.
    mapped = here.ipv4_mapped if isinstance(here, ipaddress.IPv6Address) else None
    return any((mapped or here) in ipaddress.ip_network(network) for network in key.networks)


@transaction.atomic(durable=True)
def restrict(
    *,
    prefix: str,
    scope: QuerySet[ApiKey],
    networks: Sequence[str],
    actor: recording.Actor,
    at: dt.datetime,
) -> ApiKey:
    """From where the key may be used from now on; no networks means from anywhere.

    Raises ApiKey.DoesNotExist, NetworkUnknown, TooManyNetworks.
    """
    tidy = tidy_networks(networks)
    key = locks.api_key(scope, prefix)
    if key.networks != tidy:
        key.networks = tidy
        key.save(update_fields=["networks"])
        recording.record(facts.key_restricted(key, actor=actor, at=at))
    return key


@transaction.atomic(durable=True)
def issue(
    *,
    seller: Seller,
    name: str,
    scopes: Sequence[str],
    actor: recording.Actor,
    at: dt.datetime,
    store: Store | None = None,
    by: User | None = None,
    expires_at: dt.datetime | None = None,
    networks: Sequence[str] = (),
    signing: bool = False,
    test: bool = False,
) -> Issued:
    """Make a key for a seller's system, for one store or (store empty) for all of the seller's. With `signing` its
    secret is not sent but signs the caller's tokens, as Drive-shaped clients do. A `test` key works
    in the seller's sandbox only.

    It may be used from `networks` only, or from anywhere when there are none. Raises ScopesMissing, ScopeUnknown,
    StoreOfAnotherSeller, NetworkUnknown, TooManyNetworks, TooManyKeys.
    """
    if not scopes:
        raise ScopesMissing(field="scopes")
    for scope in scopes:
        if scope not in ApiKey.Scope.values:
            raise ScopeUnknown(field="scopes", scope=scope)
    if store is not None and store.seller_id != seller.pk:
        raise StoreOfAnotherSeller(field="store")
    networks = tidy_networks(networks)
    seller = locks.seller(seller.pk)
    if ApiKey.objects.live(at).filter(seller=seller).count() >= limits.API_KEYS_PER_SELLER:
        raise TooManyKeys(most=limits.API_KEYS_PER_SELLER)
    return _new(
        ApiKey(
            seller=seller,
            store=store,
            name=name.strip()[:80],
            scopes=sorted(set(scopes)),
            networks=networks,
            created_by=by,
            created_at=at,
            expires_at=expires_at,
            world=sandboxes.of(seller, at=at).pk if test else worlds.LIVE,
        ),
        signing=signing,
        actor=actor,
        at=at,
    )


def _new(key: ApiKey, *, signing: bool, actor: recording.Actor, at: dt.datetime) -> Issued:
    secret = codes.new_token()
    if signing:
        key.prefix = (SIGNING if key.live_mode else TEST_SIGNING) + codes.new_code(length=9).lower()
    else:
        secret = (LIVE if key.live_mode else TEST) + secret
        key.prefix = secret[:PREFIX_LENGTH]
    key.digest = digest(secret)
    key.save(force_insert=True)
    if signing:
        SigningSecret.objects.create(key=key, sealed=sealing.seal(secret))
    recording.record(facts.key_issued(key, actor=actor, at=at))
    return Issued(key, secret, signing)


@transaction.atomic(durable=True)
def revoke(*, prefix: str, scope: QuerySet[ApiKey], actor: recording.Actor, at: dt.datetime) -> ApiKey:
    """End a key now; once more changes nothing. `scope` holds the keys that the caller may touch.

    Raises ApiKey.DoesNotExist.
    """
    key = locks.api_key(scope, prefix)
    if key.revoked_at is None:
        key.revoked_at = at
        key.save(update_fields=["revoked_at"])
        recording.record(facts.key_revoked(key, actor=actor, at=at))
    return key


@transaction.atomic(durable=True)
def rotate(
    *,
    prefix: str,
    scope: QuerySet[ApiKey],
    actor: recording.Actor,
    at: dt.datetime,
    by: User | None = None,
    overlap: dt.timedelta = limits.KEY_OVERLAP,
) -> Issued:
    """A new key that may do the same; the old one works for `overlap` longer, so that nothing is cut off
    while its place in a configuration is changed.

    Raises ApiKey.DoesNotExist, KeyRevoked.
    """
    old = locks.api_key(scope, prefix)
    if old.revoked_at is not None or (old.expires_at is not None and old.expires_at <= at):
        raise KeyRevoked
    ends_at = at + overlap
    if old.expires_at is None or old.expires_at > ends_at:
        old.expires_at = ends_at
        old.save(update_fields=["expires_at"])
    return _new(
        ApiKey(
            seller=old.seller,
            store=old.store,
            name=old.name,
            scopes=old.scopes,
            networks=old.networks,
            created_by=by,
            created_at=at,
            world=old.world,
        ),
        signing=SigningSecret.objects.filter(key=old).exists(),
        actor=actor,
        at=at,
    )


def is_use_to_be_noted(key: ApiKey, *, at: dt.datetime) -> bool:
    """Whether its use now is to be noted: at most once a minute, so that a busy key costs no writes."""
    return key.last_used_at is None or key.last_used_at < at - limits.KEY_USE_NOTED


def touch(key: ApiKey, *, at: dt.datetime) -> None:
    """Note that the key was used, when that is due."""
    if is_use_to_be_noted(key, at=at):
        ApiKey.objects.filter(
            Q(last_used_at=None) | Q(last_used_at__lt=at - limits.KEY_USE_NOTED), pk=key.pk
        ).update(last_used_at=at)
