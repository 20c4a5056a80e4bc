"""Drivers: people with cars and papers, where they are, how they stand, and what they are owed."""

from drivers.models.cost import CostProfile, MileageRate
from drivers.models.dispute import Adjustment, Dispute
from drivers.models.document import Document
from drivers.models.driver import Driver, DriverToken
from drivers.models.likeness import Likeness
from drivers.models.notice import Notice, Push, PushSubscription
from drivers.models.payout import Payout, PayoutAccount, PayoutBatch, Statement
from drivers.models.position import Position
from drivers.models.posting import DriverAccount, DriverPosting
from drivers.models.standing import Appeal, StandingEvent
from drivers.models.vehicle import Vehicle
from drivers.models.w9 import W9

__all__ = [
    "W9",
    "Adjustment",
    "Appeal",
    "CostProfile",
    "Dispute",
    "Document",
    "Driver",
    "DriverAccount",
    "DriverPosting",
    "DriverToken",
    "Likeness",
    "MileageRate",
    "Notice",
    "Payout",
    "PayoutAccount",
    "PayoutBatch",
    "Position",
    "Push",
    "PushSubscription",
    "StandingEvent",
    "Statement",
    "Vehicle",
]
