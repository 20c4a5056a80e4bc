"""I cannot go on: a block ends in the middle, its driver is paid for the time so far, and what they hold is taken
over by another."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from deliveries import stopping
from offers import facts, freshness, holding, locks, moves, relieving
from offers.models import Block, Claim, ReliefRequest
from retaildelivery.lib.geo import Point
from retaildelivery.lib.refusals import Refused
from retaildelivery.outbox import recording
from retaildelivery.outbox.recording import Actor

AT_WORK = (Block.Status.CHECKED_IN, Block.Status.WORKING)


class NotAtWork(Refused):
    code = "not_at_work"
    sentence = _("Block %(code)s is %(status)s: only a block at work is broken off. Before it, release it.")


@transaction.atomic(durable=True)
def abort(
    *, block_code: str, driver_id: int, reason: str, note: str, point: Point | None, at: dt.datetime
) -> Block:
    """The driver cannot go on: breakdown, crash, illness, danger. One tap; a repeat changes nothing.

    Without a position they are met where they were last seen. Raises ClaimNotYours, NotAtWork.
    """
    claim = holding.held(block_code=block_code, driver_id=driver_id)
    actor = facts.by_driver(claim.driver)
    return _abort(claim, reason=reason, note=note, point=point, actor=actor, at=at)


@transaction.atomic(durable=True)
def abort_by_operations(*, block_code: str, reason: str, note: str, actor: Actor, at: dt.datetime) -> Block:
    """Operations break a block off for a driver who cannot. Raises Block.DoesNotExist, NotAtWork."""
    block = locks.block(block_code)
    claim = Claim.objects.live().filter(block=block).select_related("driver", "offer").first()  # type: ignore[attr-defined]
    if claim is None:
        raise NotAtWork(reason=block.status, code=block.code, status=block.get_status_display())
    claim.block = block
    return _abort(claim, reason=reason, note=note, point=None, actor=actor, at=at)


def _abort(
    claim: Claim, *, reason: str, note: str, point: Point | None, actor: Actor, at: dt.datetime
) -> Block:
    block = claim.block
    if block.status == Block.Status.ABORTED:
        return block
    if block.status not in AT_WORK:
        raise NotAtWork(reason=block.status, code=block.code, status=block.get_status_display())
    moves.move_block(block, Block.Status.ABORTED, at=at, ended_reason=reason)
    holds = block.manifest is not None and stopping.stop(
        manifest=block.manifest, reason=reason, note=note, actor=actor, at=at
    )
    recording.record(
        facts.block_aborted(block, at=at, actor=actor, driver=claim.driver, reason=reason, holds=holds)
    )
    for asked in ReliefRequest.objects.filter(claim=claim, ended_at=None):
        asked.claim = claim
        relieving.end_request(asked, ReliefRequest.Ending.OVERTAKEN, actor=actor, at=at)
    if holds:
        relieving.open_relief(
            block=block,
            stops=relieving.stops_left(block),
            point=relieving.place_of(block, claim, point),
            at=at,
        )
    freshness.touch_driver(claim.driver_id)
    return block
