"""What moves, who holds it, and the proof."""

from deliveries.models.fees import FeePolicy
from deliveries.models.manifest import Consignment, Handover, Manifest, Stop
from deliveries.models.order import Order, Parcel
from deliveries.models.place import KnownAddress
from deliveries.models.proof import Attempt, CounterProof, Incident, ProofOfDelivery, Scan
from deliveries.models.quote import Quote
from deliveries.models.rehearsal import RobotStep
from deliveries.models.roads import RoadFit
from deliveries.models.slot import Slot, SlotHold, SlotRule

__all__ = [
    "Attempt",
    "Consignment",
    "CounterProof",
    "FeePolicy",
    "Handover",
    "Incident",
    "KnownAddress",
    "Manifest",
    "Order",
    "Parcel",
    "ProofOfDelivery",
    "Quote",
    "RoadFit",
    "RobotStep",
    "Scan",
    "Slot",
    "SlotHold",
    "SlotRule",
    "Stop",
]
