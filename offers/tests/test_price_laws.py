"""Laws and terms tried through the documented form: each figure was reckoned by hand from the rates beside it."""

import json

import pytest

from offers.pricing.case import price_case, read_case
from offers.pricing.reading import CaseError, read_json
from offers.pricing.told import as_json

PROP22 = {"scope": "period", "percent": 120}
SEATTLE_2025 = {"per_minute": "0.45", "per_mile": "0.77", "minimum": "5.20"}
BC = {"scope": "period", "percent": 120, "per_km": "0.35", "mileage": "on_top"}
HOURLY = {"base": 20}


def block(**fields):
    return fields


CASES = {
    # -- California, Proposition 22: 120 % of the wage for engaged time, cents a mile in the floor ----------------
    # 0.5 h x 19.20 + 3 x 0.35 = 9.60 + 1.05
    "prop22 2024 exactly met": (
        {"floor": PROP22 | {"wage": 16, "per_mile": "0.35"}, "block": block(paid="10.65", hours="0.5", miles=3)},
        "10.65", "10.65", "0.00",
    ),
    # 80 min x 19.80 / 60 + 12.4 x 0.36 = 26.40 + 4.464 = 30.864
    "prop22 2025 rounded once": (
        {"floor": PROP22 | {"wage": "16.50", "per_mile": "0.36"}, "block": block(paid=25, minutes=80, miles="12.4")},
        "30.86", "30.86", "5.86",
    ),
    # 1.5 h x 20.28 + 15 x 0.37 = 30.42 + 5.55
    "prop22 2026 over two blocks": (
        {
            "floor": PROP22 | {"wage": "16.90", "per_mile": "0.37"},
            "blocks": [block(paid=20, minutes=45, miles=6), block(paid=5, minutes=45, miles=9)],
        },
        "35.97", "35.97", "10.97",
    ),
    # 18.00 each; what one week paid too much does not help the other: 30.00 + 18.00
    "prop22 a good week does not pay for a bad one": (
        {
            "floor": PROP22 | {"wage": 15},
            "blocks": [block(paid=30, hours=1, period="1"), block(paid=10, hours=1, period="2")],
        },
        "48.00", "18.00/18.00", "8.00",
    ),
    # (18.67 + 19.18) x 1.2 + 0.5 x 16.89 x 1.2 = 45.42 + 10.134 = 55.554
    "prop22 two cities and a rate that changes on 1 July": (
        {
            "floor": PROP22 | {"wage": [
                {"place": "San Francisco", "amount": "18.67", "to": "2025-07-01"},
                {"place": "San Francisco", "amount": "19.18", "from": "2025-07-01"},
                {"place": "Oakland", "amount": "16.89"},
                {"amount": "16.50"},
            ]},
            "block": block(paid=0, engaged=[
                {"date": "2025-06-30", "place": "San Francisco", "hours": 1},
                {"date": "2025-07-01", "place": "San Francisco", "hours": 1},
                {"date": "2025-07-01", "place": "Oakland", "minutes": 30},
            ]),
        },
        "55.55", "55.55", "55.55",
    ),
    # A place without a row of its own takes that of everywhere: 2 h x 16.50 x 1.2
    "prop22 elsewhere in the state": (
        {
            "floor": PROP22 | {"wage": [{"place": "Oakland", "amount": "16.89"}, {"amount": "16.50"}]},
            "block": block(paid=39, hours=2, place="Fresno", date="2025-03-01"),
        },
        "39.60", "39.60", "0.60",
    ),
    # 4 h x 20.136 + 15 x 0.36 = 85.944; only base counts: 60 + 30 + 25.94
    "prop22 with a bonus that does not count": (
        {
            "floor": PROP22 | {"wage": "16.78", "per_mile": "0.36", "creditable": ["base"]},
            "block": block(paid=60, hours=4, miles=15, bonuses=[30]),
        },
        "115.94", "85.94", "25.94",
    ),
    # 1 h x 18.00 for the one that was carried; what the driver cancelled is nothing
    "prop22 nothing for what the driver cancelled": (
        {
            "floor": PROP22 | {"wage": 15},
            "block": block(paid=5, engaged=[{"hours": 1}, {"hours": 2, "cancelled_by": "driver"}]),
        },
        "18.00", "18.00", "13.00",
    ),
    # But when the customer cancels, the 15 minutes are engaged: 1.25 h x 18.00
    "prop22 time for what the customer cancelled": (
        {
            "floor": PROP22 | {"wage": 15},
            "block": block(paid=5, engaged=[{"hours": 1}, {"minutes": 15, "cancelled_by": "customer"}]),
        },
        "22.50", "22.50", "17.50",
    ),
    # 12:00 to 13:00 less the gap of a quarter of an hour: 0.75 h x 18.00
    "prop22 a gap between the moments is not engaged": (
        {
            "floor": PROP22 | {"wage": 15},
            "block": block(paid=0, accepted="12:00", picked_up="12:20", completed="13:00",
                           gaps=[{"from": "12:25", "to": "12:40"}]),
        },
        "13.50", "13.50", "13.50",
    ),
    # The night the clocks go back has 4 hours from 00:30 to 03:30: 4 x 18.00
    "prop22 the night that has an hour more": (
        {
            "time_zone": "America/Los_Angeles", "floor": PROP22 | {"wage": 15},
            "block": block(paid=0, accepted="2026-11-01T00:30", completed="2026-11-01T03:30"),
        },
        "72.00", "72.00", "72.00",
    ),
    # ... and the one in spring has 2 from 01:00 to 04:00: 2 x 18.00
    "prop22 the night that has an hour less": (
        {
            "time_zone": "America/Los_Angeles", "floor": PROP22 | {"wage": 15},
            "block": block(paid=0, accepted="2026-03-08T01:00", completed="2026-03-08T04:00"),
        },
        "36.00", "36.00", "36.00",
    ),
    # -- Seattle: the greater of minutes and miles, and a least for each offer -----------------------------------
    # 12 x 0.44 + 2 x 0.74 = 5.28 + 1.48
    "seattle 2024 above the least": (
        {
            "floor": {"per_minute": "0.44", "per_mile": "0.74", "minimum": 5},
            "block": block(paid=4, minutes=12, miles=2),
        },
        "6.76", "6.76", "2.76",
    ),
    # 20 x 0.45 + 4 x 0.77 = 9.00 + 3.08
    "seattle 2025": ({"floor": SEATTLE_2025, "block": block(minutes=20, miles=4)}, "12.08", "12.08", "12.08"),
    # 7 x 0.45 + 0.5 x 0.77 = 3.535, so the least
    "seattle minutes begun": (
        {"floor": SEATTLE_2025 | {"engaged": {"whole_minutes": "up"}}, "block": block(minutes="6.5", miles="0.5")},
        "5.20", "5.20", "5.20",
    ),
    # Of each offer by itself: max(3.47, 5.20) - 2 = 3.20; 17.35 - 20 < 0
    "seattle each offer for itself": (
        {
            "floor": SEATTLE_2025,
            "block": block(offers=[{"paid": 2, "minutes": 6, "miles": 1}, {"paid": 20, "minutes": 30, "miles": 5}]),
        },
        "25.20", "5.20/17.35", "3.20",
    ),
    # Over the period: 5.20 + 17.35 = 22.55 against 22.00
    "seattle least of each offer, compared over a period": (
        {
            "floor": {
                "per_minute": "0.45", "per_mile": "0.77", "minimum_per_offer": "5.20", "scope": "period",
                "mileage": "in_offer",
            },
            "block": block(offers=[{"paid": 2, "minutes": 6, "miles": 1}, {"paid": 20, "minutes": 30, "miles": 5}]),
        },
        "22.55", "22.55", "0.55",
    ),
    # 16.90 with a tip of 7.00 beside it
    "seattle a tip is beside it": (
        {
            "floor": {"per_minute": "0.44", "per_mile": "0.74", "minimum": 5},
            "block": block(paid=10, minutes=30, miles=5, tips=[7]),
        },
        "23.90", "16.90", "6.90",
    ),
    # -- British Columbia: 120 % of the wage, kilometres beside it -----------------------------------------------
    # 2 h x 21.42 = 42.84 < 50; 30 km x 0.35 = 10.50
    "bc kilometres are due though the wage is met": (
        {"floor": BC | {"wage": "17.85"}, "block": block(paid=50, hours=2, km=30)}, "60.50", "42.84", "0.00",
    ),
    # 60 x 0.35 - 4.00 paid already
    "bc allowance that was paid before": (
        {"floor": BC | {"wage": "17.40"}, "block": block(paid=60, hours="3.5", km=60, mileage_paid=4)},
        "90.08", "73.08", "13.08",
    ),
    # 0.5 h x 20.88 = 10.44 twice, 20.88 against 8 + 9; 7 km x 0.35 = 2.45; tip 3
    "bc two blocks and a tip": (
        {
            "floor": BC | {"wage": "17.40"},
            "blocks": [block(paid=8, minutes=30, km=4, tips=[3]), block(paid=9, minutes=30, km=3)],
        },
        "26.33", "20.88", "3.88",
    ),
    # -- New York City -------------------------------------------------------------------------------------------
    # 25 x 21.44 = 536.00
    "nyc individual": (
        {"floor": {"scope": "period", "wage": "21.44"}, "block": block(paid=500, hours=25)},
        "536.00", "536.00", "36.00",
    ),
    # 30 x 22.13, and only trip hours count for the individual
    "nyc individual without on-call time": (
        {"floor": {"scope": "period", "wage": "22.13"}, "block": block(paid=0, trip_hours=30, on_call_hours=12)},
        "663.90", "663.90", "663.90",
    ),
    # 19.56 / 0.55 x 1 h = 35.5636
    "nyc divided by utilisation": (
        {"floor": {"wage": "19.56", "utilisation": "0.55"}, "block": block(hours=1)}, "35.56", "35.56", "35.56",
    ),
    # 30 h x 19.56 = 586.80 against 350.00: 236.80
    "nyc pool by all hours": (
        {
            "floor": {"scope": "pool", "wage": "19.56"},
            "blocks": [
                block(driver="A", paid=150, hours=10, on_call_hours=5),
                block(driver="B", paid=200, hours=5, on_call_hours=10),
            ],
        },
        "586.80", "586.80/586.80", "236.80",
    ),
    # 1.00 over three is 34, 33 and 33 cents
    "nyc pool that does not divide": (
        {
            "floor": {"scope": "pool", "minimum": 1, "share_by": "equal"},
            "blocks": [block(driver=name, hours=1) for name in "ABC"],
        },
        "1.00", "1.00/1.00/1.00", "1.00",
    ),
    # -- Terms ---------------------------------------------------------------------------------------------------
    "guarantee and tip": (
        {"floor": {"minimum": 27}, "block": block(paid=20, tips=[12])}, "39.00", "27.00", "7.00",
    ),
    # 3 h x 18 and 3 h x 2
    "base and step": ({"terms": {"base": 18, "step": 2}, "block": block(scheduled_hours=3)}, "60.00", "", "0.00"),
    # 25 is the cap: 2 of 5 steps
    "steps up to the cap": (
        {"terms": {"base": 23, "step": 1, "cap": 25}, "block": block(scheduled_hours=2, steps=5)},
        "50.00", "", "0.00",
    ),
    # 61 s are two minutes begun: 2 x 20 / 60 = 0.6667
    "overtime by minutes begun": (
        {"terms": HOURLY, "block": block(scheduled_hours=2, overtime_seconds=61)}, "40.67", "", "0.00",
    ),
    # 10:00 is free, 10:01 is a minute: 0.3333
    "wait at its edge": (
        {
            "terms": HOURLY,
            "block": block(scheduled_hours=1, waits=[{"store": "A", "minutes": 10}, {"store": "B", "seconds": 601}]),
        },
        "20.33", "", "0.00",
    ),
    # 9 + 9 minutes at one store are 8 that count: 2.6667
    "two waits at one store": (
        {
            "terms": HOURLY,
            "block": block(scheduled_hours=1, waits=[{"store": "A", "minutes": 9}, {"store": "A", "minutes": 9}]),
        },
        "22.67", "", "0.00",
    ),
    "withdrawn two hours ahead": (
        {"terms": HOURLY, "block": block(scheduled_hours=2, notice_minutes=120)}, "0.00", "", "0.00",
    ),
    "withdrawn a second later": (
        {"terms": HOURLY, "block": block(scheduled_hours=2, notice_seconds=7199)}, "20.00", "", "0.00",
    ),
    "withdrawn 45 minutes ahead": (
        {"terms": HOURLY, "block": block(scheduled_hours=2, notice_minutes=45)}, "20.00", "", "0.00",
    ),
    "withdrawn a second after that": (
        {"terms": HOURLY, "block": block(scheduled_hours=2, notice_seconds=2699)}, "40.00", "", "0.00",
    ),
    "stood down": (
        {"terms": {"base": 20, "step": 3}, "block": block(scheduled_hours=2, outcome="stood_down")},
        "46.00", "", "0.00",
    ),
    # 47 min x 21 / 60 = 16.45
    "aborted": (
        {"terms": {"base": 21}, "block": block(scheduled_hours=2, worked_minutes=47)}, "16.45", "", "0.00",
    ),
    # 10 min x 20 / 60 = 3.3333; the law asks 5.20
    "aborted at the floor": (
        {"terms": HOURLY, "floor": SEATTLE_2025, "block": block(scheduled_hours=2, worked_minutes=10)},
        "5.20", "5.20", "1.87",
    ),
    # 5 of 8 of 60
    "partial": (
        {"terms": HOURLY, "block": block(scheduled_hours=3, done=5, of=8)}, "37.50", "", "0.00",
    ),
    # a third of 10.00 is 3.3333
    "partial by a third": (
        {"terms": {"base": 10}, "block": block(scheduled_hours=1, done=1, of=3)}, "3.33", "", "0.00",
    ),
    # 40 + 2 x 6 + (2 + 12 x 20 / 60 + 3 x 0.5)
    "ways back and one that was not planned": (
        {
            "terms": {"base": 20, "return": 6, "extra_trip": {"each": 2, "per_mile": "0.50"}},
            "block": block(scheduled_hours=2, returns=2, extra_trips=[{"minutes": 12, "miles": 3}]),
        },
        "59.50", "", "0.00",
    ),
    "toll given back": (
        {"terms": {"base": 20, "tolls_refunded": True}, "block": block(scheduled_hours=1, tolls=["3.75"])},
        "23.75", "", "0.00",
    ),
    "toll not given back": (
        {"terms": HOURLY, "block": block(scheduled_hours=1, tolls=["3.75"])}, "20.00", "", "0.00",
    ),
    # 20 + 4 bonus count, toll and tip do not: 30 - 24 = 6
    "what counts towards a floor": (
        {
            "terms": {"base": 20, "tolls_refunded": True}, "floor": {"minimum": 30},
            "block": block(scheduled_hours=1, tolls=[2], tips=[5], missions=[{"name": "ten blocks", "amount": 4}]),
        },
        "37.00", "30.00", "6.00",
    ),
    # Saturday: 21 x 2
    "a weekend": (
        {
            "time_zone": "America/Los_Angeles",
            "terms": {"base_by_kind": {"weekday_day": 18, "weekend": 21}},
            "block": block(start="2026-11-28T12:00", end="2026-11-28T14:00"),
        },
        "42.00", "", "0.00",
    ),
    # City 20/h first, then state 18/h over the period: nothing is paid twice
    "two laws for one hour": (
        {
            "floors": [{"scope": "period", "wage": 18}, {"scope": "offer", "wage": 20}],
            "blocks": [block(paid=10, hours=1), block(paid=30, hours=1)],
        },
        "50.00", "20.00/20.00/36.00", "10.00",
    ),
    # 4 x 20.136 + 5.40 = 85.944 against 60.00 + 25.93: 0.014
    "prop22 a bonus a cent short": (
        {
            "floor": PROP22 | {"wage": "16.78", "per_mile": "0.36"},
            "block": block(paid=60, hours=4, miles=15, bonuses=["25.93"]),
        },
        "85.94", "85.94", "0.01",
    ),
    # Three cities over the change of 1 July: (18.67 + 2 x 17.87 + 0.5 x 16.50) x 1.2 + 35 x 0.36 = 75.192 + 12.60
    "prop22 three cities in one period": (
        {
            "floor": PROP22 | {"per_mile": "0.36", "wage": [
                {"place": "San Francisco", "amount": "18.67", "to": "2025-07-01"},
                {"place": "San Francisco", "amount": "19.18", "from": "2025-07-01"},
                {"place": "Los Angeles", "amount": "17.28", "to": "2025-07-01"},
                {"place": "Los Angeles", "amount": "17.87", "from": "2025-07-01"},
                {"amount": "16.50"},
            ]},
            "blocks": [
                block(paid=20, date="2025-06-30", place="San Francisco", hours=1, miles=10),
                block(paid=30, date="2025-07-01", place="Los Angeles", hours=2, miles=20, tips=[5]),
                block(paid=10, date="2025-07-02", place="Fresno", minutes=30, miles=5),
            ],
        },
        "92.79", "87.79", "27.79",
    ),
    # Accepted before midnight, picked up after it: the rate of the new day, 19.18 x 1.2
    "prop22 the wage is that of the pickup": (
        {
            "time_zone": "America/Los_Angeles",
            "floor": PROP22 | {"wage": [
                {"amount": "18.67", "to": "2025-07-01"}, {"amount": "19.18", "from": "2025-07-01"},
            ]},
            "block": block(accepted="2025-06-30T23:40", picked_up="2025-07-01T00:05", completed="2025-07-01T00:40"),
        },
        "23.02", "23.02", "23.02",
    ),
    # 20.00 shared 10:20:30 min; 5.14 - 3.333, 10.28 - 6.667, 15.42 - 10.00
    "seattle offers inside a block share its base by time": (
        {
            "terms": HOURLY, "floor": {"per_minute": "0.44", "per_mile": "0.74", "minimum": 5},
            "block": block(scheduled_hours=1, offers=[
                {"minutes": 10, "miles": 1}, {"minutes": 20, "miles": 2}, {"minutes": 30, "miles": 3},
            ]),
        },
        "30.84", "5.14/10.28/15.42", "10.84",
    ),
    "seattle the least though the customer cancels": (
        {"floor": SEATTLE_2025, "block": block(minutes=2, cancelled_by="customer")}, "5.20", "5.20", "5.20",
    ),
    "seattle nothing when the driver does": (
        {"floor": SEATTLE_2025, "block": block(minutes=2, cancelled_by="driver")}, "0.00", "0.00", "0.00",
    ),
    # The law of the city ends at its border
    "seattle and not tacoma": (
        {
            "floor": SEATTLE_2025 | {"places": ["Seattle"]},
            "blocks": [block(place="Seattle", minutes=20, miles=4), block(place="Tacoma", minutes=20, miles=4)],
        },
        "12.08", "12.08", "12.08",
    ),
    # 40 of 60 min in the city, so 2/3 of 9.00 are compared with 40 x 0.45 = 18.00
    "seattle a block partly in the city": (
        {
            "floor": {"scope": "period", "per_minute": "0.45", "place": "Seattle"},
            "block": block(paid=9, engaged=[{"place": "Seattle", "minutes": 40}, {"place": "Tacoma", "minutes": 20}]),
        },
        "21.00", "18.00", "12.00",
    ),
    # 2024 until the last day of the year (5.00), 2025 from the first on (5.20)
    "seattle over the new year": (
        {
            "floors": [
                {"per_minute": "0.44", "per_mile": "0.74", "minimum": 5, "to": "2025-01-01"},
                SEATTLE_2025 | {"from": "2025-01-01"},
            ],
            "blocks": [block(date="2024-12-31", minutes=6, miles=1), block(date="2025-01-01", minutes=8, miles="1.5")],
        },
        "10.20", "5.00/5.20", "10.20",
    ),
    "seattle least of each offer by rows": (
        {
            "floor": {"scope": "period", "minimum_per_offer": [
                {"amount": 5, "to": "2025-01-01"}, {"amount": "5.20", "from": "2025-01-01"},
            ]},
            "blocks": [block(date="2024-12-31", minutes=6), block(date="2025-01-01", minutes=6)],
        },
        "10.20", "10.20", "10.20",
    ),
    # (17.40 + 17.85) x 1.2 = 42.30 against 40.00; 20 km x 0.35
    "bc over the change of 1 June": (
        {
            "floor": BC | {"wage": [
                {"amount": "17.40", "to": "2025-06-01"}, {"amount": "17.85", "from": "2025-06-01"},
            ]},
            "blocks": [
                block(date="2025-05-31", hours=1, paid=20, km=10), block(date="2025-06-01", hours=1, paid=20, km=10),
            ],
        },
        "49.30", "42.30", "2.30",
    ),
    # 0.07 for 0.2 km: rounded once for the week, not 0.035 twice
    "bc kilometres are rounded once": (
        {"floor": BC, "blocks": [block(km="0.1"), block(km="0.1")]}, "0.07", "0.00", "0.00",
    ),
    # Ada's 663.90 are met, Ben is short of 442.60 by 42.60; then 80 h x 22.13 = 1770.40 against 1142.60
    "nyc each by trip hours, then all by all hours": (
        {
            "floors": [{"scope": "period", "wage": "22.13"}, {"scope": "pool", "wage": "22.13"}],
            "blocks": [
                block(driver="Ada", trip_hours=30, on_call_hours=10, paid=700),
                block(driver="Ben", trip_hours=20, on_call_hours=20, paid=400),
            ],
        },
        "1770.40", "663.90/442.60/1770.40/1770.40", "670.40",
    ),
    # 18 minutes at one store, half of them its fault: 10 free once, 8 x 20 / 60
    "one store is free of ten minutes once": (
        {
            "terms": HOURLY,
            "block": block(scheduled_hours=1, waits=[
                {"store": "A", "minutes": 9, "at_fault": False}, {"store": "A", "minutes": 9},
            ]),
        },
        "22.67", "", "0.00",
    ),
    # 9 and 9 minutes of two visits are no wait; 12 and 13 are 2 and 3: 0.67 + 1.00
    "each visit to a store is free of its own ten minutes": (
        {
            "terms": HOURLY,
            "block": block(scheduled_hours=1, waits=[
                {"store": "A", "minutes": 9}, {"store": "A", "minutes": 9, "visit": 2},
                {"store": "B", "minutes": 12}, {"store": "B", "minutes": 13, "visit": 2},
            ]),
        },
        "21.67", "", "0.00",
    ),
    # 40.00 for 2 h are 20.00 an hour: 12 min are 4.00
    "an extra trip at the rate of flat pay": (
        {"terms": {"flat": 40}, "block": block(scheduled_hours=2, extra_trips=[{"minutes": 12}])},
        "44.00", "", "0.00",
    ),
    # (47 + 8) min x 21 / 60
    "aborted with handing over": (
        {"terms": {"base": 21}, "block": block(scheduled_hours=2, worked_minutes=47, handover_minutes=8)},
        "19.25", "", "0.00",
    ),
    # base 27.495 and step 1.005 are 28.50 exactly; half of it, rounded once
    "half of a withdrawn block is rounded once": (
        {"terms": {"base": "18.33", "step": "0.67"}, "block": block(scheduled_hours="1.5", notice_minutes=60)},
        "14.25", "", "0.00",
    ),
    # 23:30 to 00:30 less 10
    "a gap after midnight": (
        {
            "floor": {"per_minute": 1, "engaged": {"from": "picked_up"}},
            "block": block(date="2026-05-01", picked_up="23:30", completed="00:30",
                           gaps=[{"from": "00:05", "to": "00:15"}]),
        },
        "50.00", "50.00", "50.00",
    ),
    "gaps that overlap are left out once": (
        {
            "floor": {"per_minute": 1},
            "block": block(date="2026-05-01", accepted="12:00", completed="13:00",
                           gaps=[{"from": "12:10", "to": "12:30"}, {"from": "12:20", "to": "12:40"}]),
        },
        "30.00", "30.00", "30.00",
    ),
    # The third block of Ada's at the Strip fulfils it, once; Ben's second does not. The bonus counts: 75 < 80
    "a mission counts towards the floor": (
        {
            "terms": HOURLY, "floor": {"scope": "period", "minimum": 80},
            "missions": {"name": "three", "blocks": 3, "amount": 15, "place": "Strip"},
            "blocks": [
                *[block(driver="Ada", place="Strip", scheduled_hours=1)] * 2,
                block(driver="Ada", place="Strip", scheduled_hours=1, notice_minutes=200),
                block(driver="Ada", place="Mall", scheduled_hours="0.1"),
                block(driver="Ada", place="Strip", scheduled_hours="0.9"),
            ],
        },
        "80.00", "80.00", "5.00",
    ),
    "nothing was done": ({"block": {}}, "0.00", "", "0.00"),
}  # fmt: skip


# What a writer keeps beside it is not read.
CASES["a case with notes"] = (
    {"note": "by hand", "expect": {"total": "20.00"}, "terms": HOURLY, "block": block(scheduled_hours=1)},
    "20.00", "", "0.00",
)  # fmt: skip


def priced(document):
    return as_json(price_case(read_case(read_json(json.dumps(document)))))


@pytest.mark.parametrize("name", CASES)
def test_a_case_comes_to_what_was_reckoned_by_hand(name):
    document, total, floors, top_up = CASES[name]

    answer = priced(document)

    told = "/".join(each["floor"] for each in answer["floors"])
    topped = sum(each["top_up_cents"] for each in answer["floors"])
    assert (answer["total"], told, f"{topped // 100}.{topped % 100:02d}") == (total, floors, top_up)


HOSTILE = [
    "", "null", "[]", "{}", "7", '"case"', '{"block": {}', '{"block": NaN}', '{"block": {"tips": [NaN]}}',
    '{"block": {"tips": [Infinity]}}', '{"block": {"tips": [1e400]}}', '{"block": {"tips": [1e999999999999]}}',
    '{"block": {"tips": [-1]}}', '{"block": {"tips": [0.001]}}', '{"block": {"tips": ["$5"]}}',
    '{"block": {"tips": ["1,000"]}}', '{"block": {"tips": [true]}}', '{"block": {"tips": [[1]]}}',
    '{"block": {"tips": {"amount": {}}}}', '{"block": {"tips": 1, "tip": 2}}', '{"block": {"tipps": 1}}',
    '{"block": {"returns": 1.5}}', '{"block": {"returns": -1}}', '{"block": {"returns": 1e30}}',
    '{"block": {"hours": 1, "minutes": 60}}', '{"block": {"hours": 1e12}}', '{"block": {"hours": "one"}}',
    '{"block": {"scheduled_hours": 1, "start": "2026-01-01T10:00", "end": "2026-01-01T11:00"}}',
    '{"block": {"start": "yesterday", "end": "12:00"}}',
    '{"block": {"start": "2026-02-30T10:00", "end": "2026-02-30T11:00"}}', '{"block": {"date": 20260101}}',
    '{"block": {"date": "2026-13-01"}}', '{"block": {"outcome": "lost"}}', '{"block": {"outcome": "withdrawn"}}',
    '{"block": {"share": 1.1}}', '{"block": {"done": 2}}', '{"block": {"done": 3, "of": 2}}',
    '{"block": {"done": 0, "of": 0}}', '{"block": {"waits": [{"store": "A"}]}}', '{"block": {"waits": "long"}}',
    '{"block": {"accepted": "12:00"}}', '{"block": {"completed": "12:00"}}', '{"blocks": []}', '{"blocks": [1]}',
    '{"blocks": "x"}', '{"block": {}, "blocks": [{}]}', '{"block": {}, "time_zone": "Mars/Base"}',
    '{"block": {}, "time_zone": "../../etc/passwd"}', '{"block": {}, "terms": []}', '{"block": {}, "terms": 5}',
    '{"block": {}, "terms": {"base": -1}}', '{"block": {}, "terms": {"base": "x"}}',
    '{"block": {}, "terms": {"base": 18, "flat": 5}}', '{"block": {}, "terms": {"wait": 5}}',
    '{"block": {}, "terms": {"stood_down_percent": 101}}', '{"block": {}, "terms": {"withdrawn": [5]}}',
    '{"block": {}, "terms": {"withdrawn": [{"percent": 5}]}}', '{"block": {}, "floor": {"scope": "galaxy"}}',
    '{"block": {}, "floor": {"wage": "a lot"}}', '{"block": {}, "floor": {"wage": []}}',
    '{"block": {}, "floor": {"wage": [{}]}}', '{"block": {}, "floor": {"per_mile": 1, "per_km": 1}}',
    '{"block": {}, "floor": {"utilisation": 0}}', '{"block": {}, "floor": {"creditable": ["tip"]}}',
    '{"block": {}, "floor": {"creditable": [7]}}', '{"block": {}, "floor": {"creditable": [[]]}}',
    '{"block": {}, "floor": {"creditable": [{}]}}', '{"block": {}, "floor": {"mileage": {}}}',
    '{"block": {}, "floor": {"scope": []}}', '{"block": {}, "period": 7}', '{"block": {}, "period": {"days": 0}}',
    '{"block": {"hours": 1}, "floor": {"wage": [{"amount": 1, "from": "2026-01-01"}]}}',
    '{"block": {"hours": 1, "date": "2025-01-01"}, "floor": {"wage": [{"amount": 1, "from": "2026-01-01"}]}}',
    '{"block": {"accepted": "0001-01-01T00:00", "completed": "9999-12-31T23:59"}, "time_zone": "Asia/Tokyo"}',
    '{"block": {"accepted": "9999-12-31T23:59", "completed": "00:01"}, "time_zone": "America/Los_Angeles"}',
    '{"block": {"id": ""}}', '{"block": {"id": {}}}', '{"title": 5e5, "block": {"id": []}}', "[" * 100_000,
    '{"block": {"engaged": [{"place": "x"}]}}', '{"block": {"offers": []}, "offers": [1]}',
    '{"block": {"gaps": [1]}}', '{"block": {"extra_trips": -1}}', '{"block": {"extra_trips": "two"}}',
    '{"block": {"kind": "night"}}', '{"block": {"holidays": ["x"]}}', '{"block": {"steps": 0.5}}',
    '{"block": {"cancelled_by": 5, "hours": "1e-20"}}', '{"block": {"wage": "٣"}}', '{"currency": [], "block": {}}',
    '{"block": {"base": 1e-11}}', '{"block": {}, "block": {}}', '{"\\u0000": 1, "block": {}}',
    '{"block": {"accepted": "12:00", "completed": "13:00", "minutes": 60}}',
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_what_cannot_be_priced_is_refused_by_its_field_and_with_the_mend(text):
    with pytest.raises(CaseError) as caught:
        price_case(read_case(read_json(text)))

    assert caught.value.where
    assert len(caught.value.mend) > 10
