"""Drivers: people with cars and papers, where they are, how they stand, and what they are owed."""

from drivers.models.document import Document
from drivers.models.driver import Driver, DriverToken
from drivers.models.likeness import Likeness
from drivers.models.position import Position
from drivers.models.posting import DriverAccount, DriverPosting
from drivers.models.standing import Appeal, StandingEvent
from drivers.models.vehicle import Vehicle

__all__ = [
    "Appeal",
    "Document",
    "Driver",
    "DriverAccount",
    "DriverPosting",
    "DriverToken",
    "Likeness",
    "Position",
    "StandingEvent",
    "Vehicle",
]
