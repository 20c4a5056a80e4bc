"""A driver's app, as far as the simulation uses it: the driver's API with one token."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from retaildelivery.demo.client import Client
from retaildelivery.lib.geo import Point

ACCURACY_M = 12
CHECK_IN_BEFORE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class OfferSeen:
    """An offer in the feed."""

    code: str
    hourly_cents: int
    starts_at: datetime
    eligible: bool


@dataclass(frozen=True, slots=True)
class BlockSeen:
    """A block this driver holds."""

    code: str
    status: str
    starts_at: datetime
    mall: Point

    @property
    def check_in_opens_at(self) -> datetime:
        return self.starts_at - CHECK_IN_BEFORE


class Phone:
    """Every call may raise Refusal or Later (see `client`)."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def now(self) -> datetime:
        return timezone.now()
