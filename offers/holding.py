"""A driver's own block, locked, with the claim by which they hold it."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from drivers.models import Driver
from offers import locks
from offers.models import Block, Claim
from retaildelivery.lib.refusals import Refused


class ClaimNotYours(Refused):
    code = "claim_not_yours"
    sentence = _("This block is not yours, or no longer.")


def held(*, block_code: str, driver_id: int) -> Claim:
    """The live claim of this driver on this block, with both rows locked (driver first).

    Raises ClaimNotYours, also for a block that does not exist.
    """
    driver = locks.driver(driver_id)
    try:
        block = locks.block(block_code)
    except Block.DoesNotExist:
        raise ClaimNotYours from None
    return claim_of(block, driver)


def claim_of(block: Block, driver: Driver) -> Claim:
    """The live claim on a locked block. Raises ClaimNotYours."""
    claim = Claim.objects.live().filter(block=block, driver=driver).select_related("offer").first()
    if claim is None:
        raise ClaimNotYours
    claim.block, claim.driver = block, driver
    return claim
