"""Blocks of paid work at a mall, how they are offered and at what price, and who has claimed them."""

from offers.models.audience import Audience
from offers.models.block import Block, Freeze
from offers.models.blockade import MallBlockade, StoreBlockade
from offers.models.claim import Claim, OnlyDriver
from offers.models.draw import Award, Draw, DrawRules, Entry
from offers.models.extra import Extra, Mission
from offers.models.handover import HandOver
from offers.models.law import FloorFinding, Jurisdiction, PayFloor, Wage
from offers.models.mileage import Mileage
from offers.models.offer import Decline, Offer
from offers.models.plan import Apart, Cutoff, PlanCar, PlanRules, PlanRun
from offers.models.policy import Holiday, PayPolicy
from offers.models.preference import Fit, MallPreference, Wish
from offers.models.relief import ReliefRequest
from offers.models.schedule import AutoSchedule, Publication, ScheduledDay
from offers.models.standby import CalendarFeed, StandBy
from offers.models.travel import TravelPair

__all__ = [
    "Apart",
    "Audience",
    "AutoSchedule",
    "Award",
    "Block",
    "CalendarFeed",
    "Claim",
    "Cutoff",
    "Decline",
    "Draw",
    "DrawRules",
    "Entry",
    "Extra",
    "Fit",
    "FloorFinding",
    "Freeze",
    "HandOver",
    "Holiday",
    "Jurisdiction",
    "MallBlockade",
    "MallPreference",
    "Mileage",
    "Mission",
    "Offer",
    "OnlyDriver",
    "PayFloor",
    "PayPolicy",
    "PlanCar",
    "PlanRules",
    "PlanRun",
    "Publication",
    "ReliefRequest",
    "ScheduledDay",
    "StandBy",
    "StoreBlockade",
    "TravelPair",
    "Wage",
    "Wish",
]
