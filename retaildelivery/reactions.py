"""What follows from what: the whole system on one page.

Left: the name of a fact. Right: what follows, each under a key that is stored with the fact, so that renaming
a function cannot replay history. Every function takes ``(*, fact, at)`` and runs in one transaction with the
note that it is done.
"""

from __future__ import annotations

from collections.abc import Mapping

from deliveries import charging, notices
from offers import (
    alerts,
    claiming,
    closing,
    missions,
    pay_notices,
    relieving,
    settlement,
    telling,
    wishing,
    withdrawing,
)
from offers import notices as block_notices
from offers.planning import waves
from retaildelivery.outbox.recording import Effect
from stores.webhooks import fanning

REACTIONS: Mapping[str, Mapping[str, Effect]] = {
    "award.made": {"offers.tell": telling.tell_drawn},
    "block.aborted": {"offers.settle": settlement.settle_aborted},
    "block.checked_in": {"offers.tell_giver": block_notices.tell_giver},
    "block.expired": {"offers.relieve": relieving.again},
    "block.extended": {"offers.tell": block_notices.tell_driver},
    "block.hand_over_proposed": {"offers.tell_receiver": telling.tell_receiver},
    "block.hand_over_taken_back": {"offers.tell_drivers": alerts.tell_hand_over_ended},
    "block.handed_over": {"offers.tell_giver": telling.tell_giver},
    "block.no_show": {"offers.relieve": relieving.again, "offers.tell_driver": telling.tell_no_show},
    "block.published": {"offers.tell_wishes": wishing.match},
    "block.rearranged": {"offers.tell": block_notices.tell_driver},
    "block.relief_declined": {"offers.tell": block_notices.tell_driver},
    "block.relief_found": {"offers.tell_giver": block_notices.tell_giver},
    "block.relief_granted": {"offers.tell": block_notices.tell_driver},
    "block.repriced": {
        "offers.tell_operations": alerts.tell_at_cap,
        "offers.tell_wishes": wishing.match,
    },
    "block.running_late": {"offers.warn_stores": telling.warn_stores},
    "block.split": {"offers.tell": block_notices.tell_driver},
    "block.stand_by_asked": {"offers.tell_stand_by": telling.tell_stand_by},
    "block.stood_down": {"offers.tell_driver": telling.tell_ended},
    "block.withdrawn": {"offers.tell_driver": telling.tell_ended},
    "driver.left": {"offers.release": claiming.release_all},
    "driver.suspended": {"offers.release": claiming.release_all},
    "manifest.aborted": {"offers.settle": settlement.settle_aborted},
    "manifest.completed": {"offers.settle": settlement.settle},
    "order.assigned": {
        "deliveries.tell": notices.tell_recipient,
        "stores.webhook": fanning.fan_out,
    },
    "order.at_dropoff": {"stores.webhook": fanning.fan_out},
    "order.at_pickup": {"stores.webhook": fanning.fan_out},
    "order.attempt_failed": {
        "deliveries.tell": notices.tell_recipient,
        "stores.webhook": fanning.fan_out,
    },
    "order.cancelled": {
        "deliveries.charge": charging.charge,
        "deliveries.tell": notices.tell_recipient,
        "offers.shrink": withdrawing.follow_cancellation,
        "stores.webhook": fanning.fan_out,
    },
    "order.delivered": {
        "deliveries.charge": charging.charge,
        "deliveries.tell": notices.tell_recipient,
        "offers.end_relief": withdrawing.follow_delivery,
        "stores.webhook": fanning.fan_out,
    },
    "order.disposed": {
        "offers.end_relief": withdrawing.follow_delivery,
        "stores.webhook": fanning.fan_out,
    },
    "order.en_route": {"stores.webhook": fanning.fan_out},
    "order.instructed": {"stores.webhook": fanning.fan_out},
    "order.located": {
        "offers.plan": waves.consider,
        "stores.webhook": fanning.fan_out,
    },
    "order.lost": {
        "offers.end_relief": withdrawing.follow_delivery,
        "stores.webhook": fanning.fan_out,
    },
    "order.near": {
        "deliveries.tell": notices.tell_recipient,
        "stores.webhook": fanning.fan_out,
    },
    "order.picked_up": {
        "deliveries.tell": notices.tell_recipient,
        "stores.webhook": fanning.fan_out,
    },
    "order.placed": {
        "offers.plan": waves.consider,
        "stores.webhook": fanning.fan_out,
    },
    "order.planned": {"stores.webhook": fanning.fan_out},
    "order.ready": {
        "offers.plan": waves.consider,
        "stores.webhook": fanning.fan_out,
    },
    "order.reassigned": {"stores.webhook": fanning.fan_out},
    "order.replanned": {
        "offers.plan": waves.consider,
        "stores.webhook": fanning.fan_out,
    },
    "order.returned": {
        "deliveries.charge": charging.charge,
        "offers.end_relief": withdrawing.follow_delivery,
        "stores.webhook": fanning.fan_out,
    },
    "order.returning": {"stores.webhook": fanning.fan_out},
    "order.tipped": {
        "deliveries.charge": charging.charge_tip,
        "offers.tip": settlement.follow_tip,
        "stores.webhook": fanning.fan_out,
    },
    "order.updated": {"stores.webhook": fanning.fan_out},
    "parcel.damaged": {"stores.webhook": fanning.fan_out},
    "parcel.scan_refused": {"stores.webhook": fanning.fan_out},
    "parcel.short": {"stores.webhook": fanning.fan_out},
    "pay.settled": {
        "offers.close_shift": closing.follow_pay,
        "offers.missions": missions.follow_pay,
    },
    "pay_policy.announced": {"offers.tell_drivers": pay_notices.tell},
    "proof.refused": {"stores.webhook": fanning.fan_out},
    "stand_by.left": {"offers.tell_driver": alerts.tell_stand_by_ended},
}

# What follows in a sandbox as well. Whatever is not named here does not: no block, no pay, no invoice, no message sent.
REHEARSED: Mapping[str, Effect] = {
    "deliveries.tell": notices.list_for_recipient,
    "stores.webhook": fanning.fan_out,
}
SANDBOX_REACTIONS: Mapping[str, Mapping[str, Effect]] = {
    name: {key: REHEARSED[key] for key in effects if key in REHEARSED} for name, effects in REACTIONS.items()
}
