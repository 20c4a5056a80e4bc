"""Who works for a seller, and in which of its stores."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from retaildelivery.accounts.models import User
from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox import recording
from retaildelivery.outbox.recording import Actor
from stores import facts, locks
from stores.models import Seller, StaffMembership, Store


class UnknownPerson(Refused):
    code: ClassVar[str] = "unknown_person"
    sentence: ClassVar[object] = _(
        "Nobody has signed up with %(email)s. Ask them to sign up first, then add them."
    )


class AlreadyMember(Refused):
    code: ClassVar[str] = "already_member"
    sentence: ClassVar[object] = _("%(email)s already works here.")


class LastManager(Refused):
    code: ClassVar[str] = "last_manager"
    sentence: ClassVar[object] = _(
        "Somebody must be able to manage the team: make another person a manager first."
    )


def manages(user: User, seller: Seller) -> bool:
    """True when this person may change the seller's team, hours, keys and endpoints."""
    return (
        StaffMembership.objects.live()
        .filter(user=user, seller=seller, role=StaffMembership.Role.MANAGER)
        .exists()
    )


@transaction.atomic(durable=True)
def add(
    *, seller: Seller, email: str, role: str, store: Store | None, actor: Actor, at: dt.datetime
) -> StaffMembership:
    """Let a person work for the seller, in one store or in all of them.

    Raises UnknownPerson when nobody has signed up with that address, AlreadyMember when they are in already.
    """
    user = User.objects.filter(email__iexact=email.strip(), is_active=True).first()
    if user is None:
        raise UnknownPerson(field="email", email=email)
    locks.seller(seller.pk)
    if StaffMembership.objects.live().filter(user=user, seller=seller, store=store).exists():
        raise AlreadyMember(field="email", email=email)
    membership = StaffMembership.objects.create(user=user, seller=seller, store=store, role=role)
    recording.record(facts.staff_joined(membership, at=at, actor=actor))
    return membership


@transaction.atomic(durable=True)
def end(*, seller: Seller, membership_code: str, actor: Actor, at: dt.datetime) -> StaffMembership:
    """End a membership. Raises LastManager when nobody could manage the team afterwards."""
    locks.seller(seller.pk)
    live = StaffMembership.objects.live().filter(seller=seller)
    membership = live.select_related("user", "store", "seller").filter(code=membership_code).first()
    if membership is None:
        raise StaffMembership.DoesNotExist
    managers = live.filter(role=StaffMembership.Role.MANAGER).exclude(pk=membership.pk)
    if membership.role == StaffMembership.Role.MANAGER and not managers.exists():
        raise LastManager
    membership.ended_at = at
    membership.save(update_fields=["ended_at"])
    recording.record(facts.staff_left(membership, at=at, actor=actor))
    return membership
