"""Every bound of offers, each with its reason."""

import datetime as dt

CHECK_IN_BEFORE = dt.timedelta(minutes=15)  # the mall's pickup zone holds no more cars
CHECK_IN_LATE = dt.timedelta(minutes=5)  # design, section 5: no check-in by then is late
NO_SHOW_AFTER = dt.timedelta(minutes=20)  # design, section 5
RELEASE_UNTIL = dt.timedelta(minutes=45)  # exactly 45:00 before the start still counts as early
DAY_HOURS = dt.timedelta(hours=10)  # at the wheel in one local day
WEEK_HOURS = dt.timedelta(hours=40)  # in one local week, Monday to Sunday
REST = dt.timedelta(hours=8)  # between two days of work
OFFER_LEAST = dt.timedelta(minutes=10)  # no offer opens with less time to read it
DESK_CODE_TRIES = 5  # wrong desk codes per block in ten minutes
LATE_CHECK_IN_POINTS = -1
FORFEIT_POINTS = -3
NO_SHOW_POINTS = -6
COMPLETED_POINTS = 1
STANDING_DECAYS = dt.timedelta(days=90)
STANDING_FLOOR = -12  # below it, no new claims until points decay
BLOCK_LENGTHS = (dt.timedelta(hours=2), dt.timedelta(hours=3), dt.timedelta(hours=4))
PLAN_SECONDS = 8  # of a worker's time per wave of one mall
PLAN_ORDERS = 200  # orders one wave takes; the rest wait for the next
PLAN_LOCK = dt.timedelta(minutes=2)  # a wave that takes longer has died
SWEEP_BATCH = 200  # rows a sweep takes at once
FEED = 100  # offers a driver's feed carries at most
