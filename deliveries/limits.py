"""Every bound of deliveries, each with its reason."""

import datetime as dt

PARCELS_PER_ORDER = 20  # what one person hands over a counter in one go
ITEMS_PER_ORDER = 100  # lines of one receipt
ITEM_QUANTITY = 1_000  # of one thing
BARCODES_PER_PARCEL = 4  # a carton's own, its shipper's, and one of each leg
BARCODE_LENGTH = 64  # signs of a seller's own barcode; GS1-128 has 48 at most
PARCEL_GRAMS = 30_000  # one person carries it alone; 66 lb is the usual bound of parcel carriers
PARCEL_LITRES = 400  # fits through the tailgate of an SUV
ORDER_VALUE_CENTS = 500_000  # insured value of one order
TIP_CENTS = 20_000  # more is a slip of the finger
INSTRUCTIONS_LENGTH = 500  # read at a kerb
PROMISE_AHEAD = dt.timedelta(days=7)  # how far ahead an order may be promised
PROMISE_LEAST = dt.timedelta(minutes=30)  # a narrower window is a lottery
PROMISE_MOST = dt.timedelta(days=1)  # a wider one is no promise
READY_AHEAD = dt.timedelta(days=7)
# Where a calendar has room on both sides for all that is reckoned from a day; nothing is promised outside of it.
FIRST_MOMENT = dt.datetime(1900, 1, 1, tzinfo=dt.UTC)
LAST_MOMENT = dt.datetime(2200, 1, 1, tzinfo=dt.UTC)
PHOTO_BYTES = 8 * 1024 * 1024  # one phone photo
SIGNATURE_BYTES = 256 * 1024  # a drawn line as PNG
PIN_TRIES = 3  # then the door has failed: driver.md, exception 13
BADGE_TRIES = 8  # wrong driver codes at one stop in ten minutes
STOPS_PER_MANIFEST = 60  # what one day of door work can hold
ORDERS_PER_MANIFEST = 40  # a law's guard may set less per market
ARRIVAL_RADIUS_M = 400  # farther from the door than this, an arrival says so
NEAR_RADIUS_M = 1_500  # the recipient is told the driver is near
MEETING_SERVICE = dt.timedelta(minutes=5)  # two drivers find each other and open two cars
MEETING_PARCEL = dt.timedelta(seconds=30)  # out of one car, scanned, into the other
WORTH_SAYING = dt.timedelta(minutes=5)  # a better order that saves less is not worth a driver's attention
ETA_MOVES = dt.timedelta(minutes=2)  # a smaller change of what is expected is within its error
LOCK_WAIT_MS = 4_000  # then the answer is 503 with Retry-After
GEOCODER_TIMEOUT_S = 2  # a counter waits for the answer
LOCK_TURNS = 3  # beginnings of a verb whose order changed manifests under it
STORE_WAIT = dt.timedelta(minutes=20)  # then a driver may go without: driver.md, exception 4
PIN_OFF_M = 500  # a pin farther from where the address is known to be is a slip
ADDRESSES = 5  # completions shown
ADDRESSES_LOOKED_AT = 5_000  # a seller's newest orders, among which an address is looked for
SOON = dt.timedelta(minutes=5)  # "what does it cost if I wait?"
LISTED = 100  # codes or numbers in one query
BUNDLE_ROWS = 500  # scans of one order in its proof; the longest day has a tenth of it
PROOF_PDF_BYTES = 20 * 1024 * 1024  # dozens of photos
WORDS_FREQUENT = 5_000  # orders with the words looked for; then some of the newest have them
BULK_ORDERS = 1_000  # orders in one request
PAGE = 50  # rows of a list page
EXPORT_ROWS = 10_000  # rows of a CSV export
DEVICE_CLOCK_AHEAD = dt.timedelta(minutes=5)  # a phone clock may be a little fast
LATE_EVENT = dt.timedelta(hours=48)  # how old an event from a phone without signal may be
POSITION_FRESH = dt.timedelta(minutes=10)  # an older position would mislead
FIT_LEGS = 200  # fewer legs say more about who drove them than about the roads
FIT_LEGS_MOST = 20_000  # legs one fit is made from, the newest
FIT_BACK = dt.timedelta(days=60)  # roads and seasons change; older legs tell of others
QUOTE_HELD = dt.timedelta(minutes=15)  # long enough to check out, too short to bet on the price
SLOT_HELD = dt.timedelta(minutes=15)  # as a quote: one checkout
SLOT_DAYS = 3  # days whose slots a counter is shown; later is another visit
SLOTS_AHEAD = dt.timedelta(
    days=31
)  # a shop's calendar shows a month; farther ahead nothing can be promised yet
SLOTS_BACK = dt.timedelta(
    days=31
)  # a shop looks back at the month that it bills; what was before nobody books
SLOTS_SHOWN = 6  # what one screen holds
SLOT_CAPACITY = 10_000  # orders in one slot; more is a slip of the finger
SWEEP_SLOTS = 200  # slots one sweep clears
SWEEP_QUOTES = 5_000  # quotes one sweep forgets
PROMISE_USUAL = dt.timedelta(hours=2)  # the window of a promise that named none
REPORT_USUAL = dt.timedelta(days=30)  # how far back a report looks, unless said
BROKEN_SHOWN = 200  # broken promises on a page; the file has them all
QUOTE_KEPT = dt.timedelta(days=30)  # an unused quote; asked about by nobody after that
QUOTE_DOOR_M = 100  # another point of the same door; farther is another door
COUNTER_TIME = dt.timedelta(minutes=10)  # collecting at a counter, on average
CALL_TIME = dt.timedelta(minutes=15)  # from packed to a driver at the counter, on average
THING_GRAMS = 500  # an article of unknown weight, for clients that send articles and no parcels
THING_LITRES = 4  # one of unknown size: a shoe box and a third of it
DOOR_TIME = dt.timedelta(minutes=30)  # to both sides of "at six", where a client names a moment and no window
SCRIPT_STEPS = 30  # of one test order; the longest day has half of it
SCRIPT_SECONDS = 604_800  # a week: as far ahead as an order may be promised
CLOCK_MOVE = dt.timedelta(days=31)  # of a sandbox's clock at once; a longer jump is a slip of the finger
PLAY_STEPS = 100  # robot steps of one request or sweep, a few seconds of work
PLAY_LEASE = dt.timedelta(minutes=2)  # by then whoever moves a sandbox's clock is done, or dead
SANDBOXES_SWEPT = 50  # sandboxes one sweep plays in
PICTURE_SHOWN = dt.timedelta(days=30)  # how long a link to a picture of the proof works without a key
REGULAR_WITHIN = dt.timedelta(minutes=1)  # a system that posts twice in this will post again soon
REGULARS_KNOWN = 2_000  # keys that a process remembers; a few kilobytes for each store of theirs
