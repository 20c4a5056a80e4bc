"""A block kept as it is: operations decide that neither waves nor late orders change it, and take that back."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from offers import facts, freshness, locks
from offers.models import Block, Freeze
from retaildelivery.accounts.models import User
from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox import recording
from retaildelivery.outbox.models import Fact
from retaildelivery.outbox.recording import Actor

# Once the driver has checked in nothing is planned into a block anyhow.
FREEZABLE = (Block.Status.DRAFT, Block.Status.OFFERED, Block.Status.CLAIMED)


class FreezeRefused(Refused):
    """Base of what can be said against freezing a block."""

    code = "freeze_refused"


class BlockUnderway(FreezeRefused):
    code = "block_underway"
    sentence = _("Block %(block)s is %(status)s: no plan changes it any more, so there is nothing to freeze.")


class BlockFrozen(FreezeRefused):
    code = "block_frozen"
    sentence = _("Block %(block)s is frozen (%(reason)s). Unfreeze it first.")


@transaction.atomic(durable=True)
def freeze(*, block_code: str, reason: str, by: User, at: dt.datetime) -> Freeze:
    """Keep the block as it is. A repeat returns the freeze there is.

    Raises Block.DoesNotExist, BlockUnderway.
    """
    block = locks.block(block_code)
    kept = live(block)
    if kept is not None:
        return kept
    if block.status not in FREEZABLE:
        raise BlockUnderway(reason=block.status, block=block.code, status=block.get_status_display())
    made = Freeze.objects.create(block=block, reason=reason[:200], frozen_by=by, frozen_at=at)
    recording.record(facts.block_frozen(block, at=at, actor=_operations(by), reason=made.reason))
    freshness.touch(block.mall.market.code)
    return made


@transaction.atomic(durable=True)
def unfreeze(*, block_code: str, by: User, at: dt.datetime) -> Block:
    """Let plans change the block again. A repeat changes nothing. Raises Block.DoesNotExist."""
    block = locks.block(block_code)
    kept = live(block)
    if kept is not None:
        kept.lifted_at, kept.lifted_by = at, by
        kept.save(update_fields=["lifted_at", "lifted_by"])
        recording.record(facts.block_unfrozen(block, at=at, actor=_operations(by)))
        freshness.touch(block.mall.market.code)
    return block


def live(block: Block) -> Freeze | None:
    """The freeze in force, with who did it; None when there is none."""
    return Freeze.objects.live().filter(block=block).select_related("frozen_by").first()  # type: ignore[attr-defined,no-any-return]


def refuse_if_frozen(block: Block) -> None:
    """For whoever is about to change a locked block. Raises BlockFrozen."""
    kept = live(block)
    if kept is not None:
        raise BlockFrozen(block=block.code, reason=kept.reason)


def _operations(user: User) -> Actor:
    return Actor(kind=Fact.Actor.OPERATIONS, name=str(user), source="ops page")
