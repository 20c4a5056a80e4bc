"""Every bound of offers, each with its reason."""

import datetime as dt

CHECK_IN_BEFORE = dt.timedelta(minutes=15)  # the mall's pickup zone holds no more cars
CHECK_IN_LATE = dt.timedelta(minutes=5)  # design, section 5: no check-in by then is late
NO_SHOW_AFTER = dt.timedelta(minutes=20)  # design, section 5
RELEASE_UNTIL = dt.timedelta(minutes=45)  # exactly 45:00 before the start still counts as early
DAY_HOURS = dt.timedelta(hours=10)  # at the wheel in one local day
WEEK_HOURS = dt.timedelta(hours=40)  # in one local week, Monday to Sunday
REST = dt.timedelta(hours=8)  # between two days of work
SHIFT_BREAK = dt.timedelta(hours=2)  # blocks no further apart are one shift: nobody goes home to sleep
REFUSAL_VISITS = dt.timedelta(
    days=30
)  # drivers of that time a store may name when it asks to see one no more
OFFER_LEAST = dt.timedelta(minutes=5)  # no offer opens with less time to read it; Colorado asks for 60 s
FIRST_COME_WITHIN = dt.timedelta(hours=1)  # with less to the start nobody has the time for a draw
ENTRIES_OPEN = dt.timedelta(
    minutes=5
)  # of a draw, where the market has no rules; 60 s is the least of the law
HOLD = dt.timedelta(minutes=15)  # design, section 5: for who is asked to confirm
FAULTS_SHOWN = 20  # of one kind, of a draw that does not fit
DRAW_ROWS = 100  # entrants on one page of a result
HOLD_LEAST = dt.timedelta(minutes=2)  # to notice that one is asked and to say yes
RESERVES_ASKED = 20  # passed over at once because they are not eligible; then all are asked
RECENT_WINS = dt.timedelta(days=7)  # blocks claimed so lately make the next draw's share smaller
GOOD_STANDING = 10  # points from which on the share is larger
LADDER_LEAST = dt.timedelta(minutes=2)  # between two steps, however near the start is
SHORT_NOTICE = dt.timedelta(hours=2)  # published later than this before the start, a block pays that rate
EVENING_HOUR = 17  # local; from then on a weekday pays the evening rate
ACCURACY_SLACK_M = 100  # what a phone's own doubt may add to the mall's circle
DESK_CODE_WINDOW = dt.timedelta(minutes=10)  # in which DESK_CODE_TRIES are counted
LOCK_WAIT = dt.timedelta(seconds=3)  # for a row; then the answer is "busy, try again"
MARKET_WORD_LASTS = dt.timedelta(
    minutes=1
)  # what is on offer is read anew this often though nothing was announced
DESK_CODE_TRIES = 5  # wrong desk codes per block in ten minutes
LATE_CHECK_IN_POINTS = -2
LATE_TOLD_POINTS = -1  # driver.md, exception 2: who says so in time is half as late
WARNED_AT_A_STORE = 5  # managers of one store who are told that its driver runs late
STAND_BY_AHEAD = dt.timedelta(days=14)  # nobody knows better when they are free
STAND_BY_HOLD = dt.timedelta(minutes=5)  # for one who stands by to answer: they are waiting for it
STAND_BYS_WEIGHED = 200  # at one mall and time
CALENDAR_KEPT = dt.timedelta(days=60)  # past blocks in the calendar feed
CALENDAR_EVENTS = 500
LAST_CALL = dt.timedelta(minutes=30)  # before the start, where no cutoff says when orders end; driver.md, 11
CUTOFF_GRACE = dt.timedelta(minutes=5)  # for the wave of a cutoff to end before a block counts as empty
STAND_DOWN_AFTER = dt.timedelta(minutes=30)  # driver.md, exception 11: at the mall, and no parcels
PUBLISH_AHEAD = dt.timedelta(days=14)  # nobody plans their month by blocks
PUBLISH_LEAST = dt.timedelta(hours=1)  # nearer the start a block would be called off before it is claimed
PUBLISH_BLOCKS = 20  # of one start at one mall in one go: more is a slip of the finger
PUBLICATIONS_SHOWN = 40
HISTORY_WEEKS = 8  # weeks a forecast looks back
PREFERRED_MALLS = 100  # no market has as many
LEAST_HOURLY_CENTS = 50_000  # more is a slip of the finger
FITS_TOLD = 200  # drivers one transaction tells that an offer fits; each costs a handful of queries
FITS_ROUNDS = 20  # such transactions of one sweep; the next one comes in seconds
FITS_WRITTEN = 2_000  # rows of one statement, when an offer answers the wishes of a whole market
FITS_FORGOTTEN = 20_000  # rows one sweep deletes after their blocks, so that its transaction stays short
HAND_OVER_OPEN = dt.timedelta(
    hours=2
)  # to answer a proposal; then it lapses, and the giver still has the block
FORFEIT_POINTS = -3
NO_SHOW_POINTS = -6
COMPLETED_POINTS = 1
STANDING_DECAYS = dt.timedelta(days=90)
STANDING_FLOOR = -12  # below it, no new claims until points decay
BLOCK_LENGTHS = (dt.timedelta(hours=2), dt.timedelta(hours=3), dt.timedelta(hours=4))
PLAN_SECONDS = 8  # of a worker's time per wave of one mall
WAVE_WAIT = dt.timedelta(seconds=45)  # after an order is posted: those posted together travel together
WAVE_ORDERS = 12  # so many new ones are planned at once: it is a full block
WAVE_EVERY = dt.timedelta(minutes=3)  # orders a wave has left are looked at again so often
COMPANY_WAIT = dt.timedelta(minutes=10)  # a packed order that waited so long goes, be it alone in a block
LEAD = dt.timedelta(minutes=30)  # from a wave to the earliest start: a driver sees it, claims it, gets there
LEAD_SHORT = dt.timedelta(minutes=10)  # the same when an order is packed or urgent; check-in is open at once
START_ROUND = dt.timedelta(minutes=5)  # blocks start on such a minute
URGENT_MARGIN = dt.timedelta(minutes=45)  # left for finding a driver; an order with less must go in this wave
PLAN_DEFER_CENTS = 3000  # what an order that waits is reckoned to cost, the measure of data/planner
PLAN_KM_CENTS = 40  # wear and fuel, to choose between plans by; nobody is paid it
PLAN_LATE_CENTS = 50  # a late minute, the same
PLAN_CAR_CENTS = {  # by which a block for a larger car is reckoned dearer: fewer drivers see it, so it steps up
    "sedan": 0,
    "hatchback": 100,
    "suv": 300,
    "minivan": 600,
    "van": 1000,
}
PLAN_APART = (("chemicals", "food"),)  # 21 CFR 1.908: food rides with nothing that may taint it
PLAN_MAX_TRIPS = 1  # a second loading takes the stores' time too, so a market says that it wants it
PLAN_MOST_TRIPS = 4  # what a market may say
PLAN_OPEN_BLOCKS = (
    40  # with room that one wave looks at, soonest first; each brings its orders into the matrix
)
PLAN_LATE_MAX = dt.timedelta(minutes=60)  # later than that an order is not brought without a person deciding
PRICE_MEMORY = dt.timedelta(hours=6)  # orders nobody took are offered again at the price they had reached
PLAN_AHEAD = dt.timedelta(hours=4)  # ready or promised later than that, an order is left for a later wave
RETURN_WAY = dt.timedelta(minutes=90)  # from the last stop back to the mall, with a queue at the counter
PLAN_SECONDS_EACH = 0.1  # the same for each order, up to that
FAILURE_TEXT = 2_000  # characters of a failure that are kept
PLAN_ORDERS = 200  # orders one wave takes; the rest wait for the next
JOIN_READY = dt.timedelta(
    minutes=10
)  # packed so long after a block starts, an order joins it: unpaid wait ends
BREAK_OFFS_WITHIN = dt.timedelta(days=90)  # as long as standing remembers
BREAK_OFFS_USUAL = 2  # a car breaks down and somebody falls ill; a third within that time is talked about
RELIEF_TRIES = 3  # offers of one relief; then a person drives out or calls somebody
HANDOVER_PAID = dt.timedelta(
    minutes=60
)  # most of a stranded driver's wait for the relief that is paid as work
PAST_FACTS = dt.timedelta(days=15)  # an order is posted and promised within a week each; older facts are over
PLAN_LOCK = dt.timedelta(minutes=2)  # a wave that takes longer has died
CLAIM_TURN = dt.timedelta(milliseconds=300)  # that a claim waits for another on the same offer to end
OFFER_RECENT = dt.timedelta(seconds=1)  # an offer of so long ago serves to enter its draw
OFFERS_RECENT = 200  # kept so by each process
ASKERS_KNOWN = 20_000  # a process remembers, some tens of megabytes
GONE_KEPT = dt.timedelta(hours=1)  # latecomers of a race come within seconds
TOKEN_KNOWN = dt.timedelta(minutes=5)  # an app looks at its feed more often
MILEAGE_ROUNDS = 20  # transactions of one sweep that reads what was driven; the next comes in seconds
SWEEP_BATCH = 200  # rows a sweep takes at once
SEEN_LASTS = dt.timedelta(
    hours=6
)  # who saw a block stays in Redis after they last looked; a sweep comes far sooner
SEEN_PAUSE = dt.timedelta(seconds=5)  # that a Redis which failed is not told who saw what
CHANCE_HISTORY = dt.timedelta(weeks=8)  # blocks older than that met other drivers and other pay
FEED = 100  # offers a driver's feed carries at most
BOARD_ROWS = 60  # rows of one list on the board; a person reads no more
RISK_BEFORE = dt.timedelta(minutes=45)  # an order nobody carries so near the end of its promise is at risk
TRAVEL_CONNECT = 2.0  # seconds in which a road server takes the connection
TRAVEL_SECONDS = 10.0  # for all questions of one wave to the road server together; the rest is estimated
TRAVEL_REST = dt.timedelta(minutes=1)  # a road server that failed is not asked again so long
TRAVEL_ANSWER_BYTES = 4_000_000  # a table of 100 by 100 is a tenth of it
TRAVEL_SNAP_M = 1_000  # a road farther from the door than this is another place's road
TRAVEL_PAIRS_LAST = dt.timedelta(days=7)  # waves of one day share most doors, those of weeks few
TRAVEL_PAIRS_SWEEP = 50_000  # pairs one transaction drops at most
TRAVEL_PAIRS_SWEEPS = 40  # transactions of one sweep; fifty malls learn less in an hour
PLAN_RUNS = 8  # waves the plan page looks back at
EVIDENCE_ROWS = 500  # facts, scans and positions kept with a dispute
STATEMENTS_SHOWN = 60  # a year of weeks on one page
LOG_PAGE = 30  # blocks on one page of the mileage log; the file has them all
TAX_PAGE = 100  # drivers on one page of a year; the files have them all
PAY_NOTICE = dt.timedelta(days=14)  # before anything is lowered
PREVIEW_BACK = dt.timedelta(days=30)  # blocks a change is tried on: a month of every kind of shift
PREVIEW_BLOCKS = 5_000  # a few seconds of pricing; of a larger market the newest
CHANGES_SHOWN = 3  # rows of pay on one page; each is priced anew on the driver's own blocks
EXTRA_WITHIN = dt.timedelta(days=7)  # after a block, as for the statement its pay is on
TOLL_CENTS = 20_000  # no day of tolls costs more; a larger one is a slip of the finger
EXTRAS_OPEN = 5  # of one block at a time: a person looks at each
PERIODS_BACK = (
    5  # weeks whose floors are still looked for: a block that stayed open so long has a person on it
)
POOL_WAITS = dt.timedelta(
    days=3
)  # for the last block of a week; then the others are paid their pool without it
SHIFT_REACH = dt.timedelta(hours=36)  # around a block: no shift is longer
