"""What the driver's API of offers reads and writes. Money in cents with a currency, distances in metres."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from rest_framework import serializers

from deliveries.api.driver_serializers import check_both
from deliveries.snapshots import moment
from drivers import costing
from drivers.models import DriverPosting, Vehicle
from offers import feed, hours, limits, places, reckoning
from offers.estimate_serializers import (
    NO_WAY_YET,
    ActualOut,
    EstimateOut,
    ExpectedOut,
    actual_json,
    amount,
    estimate_json,
    expected_json,
    minutes,
)
from offers.models import Block, Claim, Decline, Draw, HandOver, Offer
from retaildelivery.lib.refusals import Refused
from retaildelivery.web import fields
from retaildelivery.web.fields import Choice, Input, Moment, Money, Number, Output, Text, WholeNumber
from stores.models import Mall

Json = dict[str, Any]


# -- Read --------------------------------------------------------------------------------------------------


class ClaimIn(Input):
    """Nothing: the offer is named by the URL."""


class DeclineIn(Input):
    reason = Choice(choices=Decline.Reason.choices, required=False, default=Decline.Reason.OTHER)


class CheckInIn(Input):
    """A position, or the code of the mall's desk."""

    conditions = fields.BOTH_COORDINATES

    latitude = Number(required=False, allow_null=True, min_value=-90, max_value=90)
    longitude = Number(required=False, allow_null=True, min_value=-180, max_value=180)
    accuracy_m = Number(required=False, allow_null=True, min_value=0, max_value=1_000_000)
    desk_code = Text(max_length=20, required=False, allow_blank=True, default="")
    client_event_id = Text(max_length=64, required=False, allow_blank=True, default="")

    def validate(self, attrs: Json) -> Json:
        return check_both(attrs)


class DepartureIn(Input):
    trip = WholeNumber(
        required=False,
        allow_null=True,
        default=None,
        min_value=1,
        max_value=100,
        help_text="Which trip of the block leaves; without it, the one that is loaded now. Send it, so that a repeat "
        "of an earlier departure is known as one.",
    )
    client_event_id = Text(max_length=64, required=False, allow_blank=True, default="")


# -- Written -----------------------------------------------------------------------------------------------


class WindowOut(Output):
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()


class MallOut(Output):
    code = serializers.CharField()
    name = serializers.CharField()
    address = serializers.CharField()
    desk_note = serializers.CharField(allow_blank=True)
    latitude = serializers.FloatField()
    longitude = serializers.FloatField()
    geofence_m = serializers.IntegerField(help_text="Radius of the check-in circle.")
    time_zone = serializers.CharField()


class LoadOut(Output):
    orders = serializers.IntegerField()
    parcels = serializers.IntegerField()
    stores = serializers.IntegerField()
    doors = serializers.IntegerField()
    trips = serializers.IntegerField(help_text="How often you load at the mall.")
    litres = serializers.IntegerField(help_text="In the car at once: of the trip that takes the most.")
    grams = serializers.IntegerField(help_text="In the car at once.")
    vehicle_kind = serializers.ChoiceField(
        choices=Vehicle.Kind.choices, help_text="The least car it fits in."
    )
    is_relief = serializers.BooleanField(help_text="You start where another driver stands, not at the mall.")


class StepOut(Output):
    at = serializers.DateTimeField()
    hourly = Money()


class RefusalOut(Output):
    code = serializers.CharField()
    message = serializers.CharField()
    reason = serializers.CharField(allow_blank=True)


class LeftOut(Output):
    day_minutes = serializers.IntegerField(help_text="Of the ten hours of that day.")
    week_minutes = serializers.IntegerField(help_text="Of the forty hours of that week.")


class DayOut(Output):
    on = serializers.DateField()
    used_minutes = serializers.IntegerField()
    free_minutes = serializers.IntegerField(help_text="The week's limit is heeded too.")


class WeekOut(Output):
    monday = serializers.DateField()
    used_minutes = serializers.IntegerField()
    left_minutes = serializers.IntegerField()
    limit_minutes = serializers.IntegerField()
    days = DayOut(many=True)


class HoursOut(Output):
    time_zone = serializers.CharField(help_text="Days and weeks are those of your market.")
    weeks = WeekOut(many=True, help_text="This week and the next.")


class DrawOut(Output):
    """What is published of an offer's draw, and the driver's own place in it."""

    seed_hash = serializers.CharField(help_text="SHA-256 of the seed, published before the first entry.")
    entries_close_at = serializers.DateTimeField(help_text="Until then the order of entries has no effect.")
    hold_seconds = serializers.IntegerField(help_text="How long who is asked may take to confirm, at most.")
    drawn_at = serializers.DateTimeField(allow_null=True)
    result = serializers.CharField(
        allow_null=True, help_text="Where anybody can recompute it, once it is drawn."
    )


class PlaceOut(Output):
    state = serializers.ChoiceField(choices=places.State.choices)
    entrant = serializers.CharField(allow_blank=True, help_text="Your public name in this draw.")
    points = serializers.IntegerField(allow_null=True, help_text="Your standing as of the close.")
    recent_wins = serializers.IntegerField(
        allow_null=True, help_text="Blocks you claimed in the week before it."
    )
    weight = serializers.IntegerField(allow_null=True, help_text="Your shares of the chance.")
    rank = serializers.IntegerField(allow_null=True, help_text="1 is asked first; the others are reserves.")
    confirm_until = serializers.DateTimeField(
        allow_null=True, help_text="Set while it is yours: claim it before."
    )
    passed_over_for = serializers.CharField(allow_blank=True, help_text="Code of why you could not be asked.")


class OfferOut(Output):
    code = serializers.CharField()
    block = serializers.CharField()
    mode = serializers.ChoiceField(choices=Offer.Mode.choices)
    status = serializers.ChoiceField(choices=Offer.Status.choices)
    mall = MallOut()
    window = WindowOut()
    shift_kind = serializers.ChoiceField(choices=Block.ShiftKind.choices)
    load = LoadOut()
    hourly = Money()
    pay = Money(help_text="For the scheduled window, before tips.")
    tips = Money(help_text="As of now; all of them are yours.")
    estimate = EstimateOut(allow_null=True, help_text=NO_WAY_YET)
    ladder = StepOut(many=True, help_text="Steps still to come while nobody claims; the same for everyone.")
    opens_at = serializers.DateTimeField()
    closes_at = serializers.DateTimeField()
    draw = DrawOut(allow_null=True, help_text="Only of an offer that is drawn.")
    place = PlaceOut()
    eligible = serializers.BooleanField()
    why_not = RefusalOut(allow_null=True)
    hours_left = LeftOut(help_text="What you may still work after this block.")


class OffersOut(Output):
    results = OfferOut(many=True)


class WhyOut(Output):
    eligible = serializers.BooleanField()
    refusals = RefusalOut(many=True)
    entered = serializers.BooleanField()
    place = PlaceOut()
    draw = DrawOut(allow_null=True)


class EntryIn(Input):
    """Nothing: the offer is named by the URL."""


class EntryOut(Output):
    offer = serializers.CharField()
    draw = DrawOut()
    place = PlaceOut()


class LateIn(Input):
    eta_at = Moment(help_text="When you will be at the mall: after the 5th and before the 20th minute.")


class HandOverIn(Input):
    driver = Text(max_length=12, help_text="The other driver's code, as on their page Me.")


class HandOverOut(Output):
    code = serializers.CharField()
    block = serializers.CharField()
    mall = MallOut()
    window = WindowOut()
    pay = Money(help_text="As locked at the claim; it stays.")
    giver = serializers.CharField()
    receiver = serializers.CharField()
    proposed_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    ending = serializers.ChoiceField(choices=HandOver.Ending.choices, allow_blank=True)


class HandOversOut(Output):
    results = HandOverOut(many=True)


class ClaimOut(Output):
    claimed_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    ending = serializers.ChoiceField(choices=Claim.Ending.choices, allow_blank=True)
    hourly = Money(help_text="Locked: it may rise, never fall.")
    pay = Money()
    late_eta_at = serializers.DateTimeField(allow_null=True, help_text="When you said you would be there.")


class CheckInOut(Output):
    opens_at = serializers.DateTimeField()
    late_after = serializers.DateTimeField()
    closes_at = serializers.DateTimeField()


class BlockOut(Output):
    code = serializers.CharField()
    status = serializers.ChoiceField(choices=Block.Status.choices)
    mall = MallOut()
    window = WindowOut()
    shift_kind = serializers.ChoiceField(choices=Block.ShiftKind.choices)
    load = LoadOut()
    claim = ClaimOut()
    estimate = EstimateOut(allow_null=True, help_text=NO_WAY_YET)
    check_in = CheckInOut()
    release_free_until = serializers.DateTimeField(help_text="Exactly then still counts as early.")
    checked_in_at = serializers.DateTimeField(allow_null=True)
    completed_at = serializers.DateTimeField(allow_null=True)
    manifest = serializers.CharField(allow_null=True)


class BlockPage(Output):
    results = BlockOut(many=True)
    next = serializers.CharField(allow_null=True)


class LineOut(Output):
    key = serializers.CharField()
    kind = serializers.CharField()
    text = serializers.CharField()
    amount = Money()
    rule = serializers.CharField(allow_blank=True, help_text="The policy row it was computed from.")
    at = serializers.DateTimeField()


class PaidOut(Output):
    block = serializers.CharField()
    mall = serializers.CharField()
    window = WindowOut()
    total = Money()
    lines = LineOut(many=True)
    estimate = EstimateOut(
        allow_null=True,
        help_text="By the miles driven where they are known, else by those planned; null for a block without orders.",
    )
    expected = ExpectedOut(allow_null=True, help_text="Null for a claim older than this record.")
    actual = ActualOut(allow_null=True, help_text="Null until it is read, and where nothing was driven.")


class EarningsOut(Output):
    balance = Money(help_text="Earned and not yet paid out.")
    results = PaidOut(many=True)
    next = serializers.CharField(allow_null=True)


# -- Rows as documents ---------------------------------------------------------------------------------------


def window(block: Block) -> Json:
    return {"start": moment(block.starts_at), "end": moment(block.ends_at)}


def mall_json(mall: Mall) -> Json:
    return {
        "code": mall.code,
        "name": mall.name,
        "address": mall.address,
        "desk_note": mall.desk_note,
        "latitude": float(mall.latitude),
        "longitude": float(mall.longitude),
        "geofence_m": mall.geofence_m,
        "time_zone": mall.market.time_zone,
    }


def load_json(block: Block) -> Json:
    return {
        "orders": block.orders_count,
        "parcels": block.parcels_count,
        "stores": block.stores_count,
        "doors": block.doors_count,
        "trips": block.trips,
        "litres": block.litres,
        "grams": block.grams,
        "vehicle_kind": block.vehicle_kind,
        "is_relief": block.is_relief,
    }


def refusal_json(refusal: Refused) -> Json:
    return {"code": refusal.code, "message": refusal.message, "reason": refusal.reason}


def week_json(week: hours.Week) -> Json:
    return {
        "monday": week.monday,
        "used_minutes": minutes(week.used),
        "left_minutes": minutes(week.left),
        "limit_minutes": minutes(week.limit),
        "days": [
            {"on": day.on, "used_minutes": minutes(day.used), "free_minutes": minutes(day.free)}
            for day in week.days
        ],
    }


def draw_json(offer: Offer, draw: Draw | None) -> Json | None:
    if draw is None:
        return None
    return {
        "seed_hash": draw.seed_hash,
        "entries_close_at": moment(offer.closes_at),
        "hold_seconds": int(draw.hold.total_seconds()),
        "drawn_at": moment(draw.drawn_at),
        "result": f"/draws/{offer.code}/" if draw.drawn_at else None,
    }


def place_json(place: places.Place) -> Json:
    return {
        "state": str(place.state),
        "entrant": place.entrant,
        "points": place.points,
        "recent_wins": place.wins,
        "weight": place.weight,
        "rank": place.rank,
        "confirm_until": moment(place.confirm_until),
        "passed_over_for": place.passed_over_for,
    }


def offer_json(card: feed.Card) -> Json:
    return offer_for_all(card) | offer_for_one(card)


def offer_for_all(card: feed.Card) -> Json:
    """What every driver of the market reads of an offer, at one version of the market."""
    offer, block = card.offer, card.block
    return {
        "code": offer.code,
        "block": block.code,
        "mode": offer.mode,
        "status": offer.status,
        "mall": mall_json(block.mall),
        "window": window(block),
        "shift_kind": block.shift_kind,
        "load": load_json(block),
        "hourly": amount(card.hourly_cents, block.mall),
        "pay": amount(card.pay_cents, block.mall),
        "tips": amount(card.tips_cents, block.mall),
        "ladder": [
            {
                "at": moment(dt.datetime.fromisoformat(step["at"])),
                "hourly": amount(step["hourly_cents"], block.mall),
            }
            for step in offer.ladder
        ],
        "opens_at": moment(offer.opens_at),
        "closes_at": moment(offer.closes_at),
        "draw": draw_json(offer, card.place.draw),
    }


def offer_for_one(card: feed.Card) -> Json:
    """What is one driver's own of an offer."""
    return {
        "estimate": estimate_json(card.net, card.block),
        "place": place_json(card.place),
        "eligible": card.eligible,
        "why_not": refusal_json(card.refusals[0]) if card.refusals else None,
        "hours_left": {"day_minutes": minutes(card.left.day), "week_minutes": minutes(card.left.week)},
    }


def hand_over_json(made: HandOver) -> Json:
    block = made.claim.block
    return {
        "code": made.code,
        "block": block.code,
        "mall": mall_json(block.mall),
        "window": window(block),
        "pay": amount(made.claim.pay_cents, block.mall),
        "giver": made.claim.driver.code,
        "receiver": made.receiver.code,
        "proposed_at": moment(made.proposed_at),
        "expires_at": moment(made.expires_at),
        "ended_at": moment(made.ended_at),
        "ending": made.ending,
    }


def block_json(claim: Claim, costs: costing.Costs) -> Json:
    block = claim.block
    start = block.starts_at
    return {
        "code": block.code,
        "status": block.status,
        "mall": mall_json(block.mall),
        "window": window(block),
        "shift_kind": block.shift_kind,
        "load": load_json(block),
        "claim": {
            "claimed_at": moment(claim.claimed_at),
            "ended_at": moment(claim.ended_at),
            "ending": claim.ending,
            "hourly": amount(claim.hourly_cents, block.mall),
            "pay": amount(claim.pay_cents, block.mall),
            "late_eta_at": moment(claim.late_eta_at),
        },
        "estimate": estimate_json(reckoning.estimate(costs, block, pay_cents=claim.pay_cents), block),
        "check_in": {
            "opens_at": moment(start - limits.CHECK_IN_BEFORE),
            "late_after": moment(start + limits.CHECK_IN_LATE),
            "closes_at": moment(start + limits.NO_SHOW_AFTER),
        },
        "release_free_until": moment(start - limits.RELEASE_UNTIL),
        "checked_in_at": moment(block.checked_in_at),
        "completed_at": moment(block.completed_at),
        "manifest": block.manifest.code if block.manifest else None,
    }


def paid_json(settled: feed.Settled, costs: costing.Costs) -> Json:
    block = settled.claim.block
    return {
        "block": block.code,
        "mall": block.mall.code,
        "window": window(block),
        "total": amount(settled.total_cents, block.mall),
        "lines": lines_json(settled.lines, block.mall),
        "estimate": estimate_json(reckoning.left_of(costs, settled.claim, settled.lines), block),
        "expected": expected_json(settled.claim),
        "actual": actual_json(reckoning.as_kept(costs, settled.claim, settled.lines), block.mall),
    }


def lines_json(lines: Iterable[DriverPosting], mall: Mall) -> list[Json]:
    return [
        {
            "key": line.key,
            "kind": line.kind,
            "text": line.text,
            "amount": amount(line.cents, mall),
            "rule": line.rule,
            "at": moment(line.at),
        }
        for line in lines
    ]
