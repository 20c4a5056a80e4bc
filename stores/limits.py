"""Every bound of stores, each with its reason."""

import datetime as dt

PREP_MINUTES = 240  # longer than an afternoon is a store that should post later
API_KEYS_PER_SELLER = 50  # more are forgotten keys
ENDPOINTS_PER_SELLER = 20  # each costs a message per event
WEBHOOK_BODY_BYTES = 256 * 1024  # an order with every parcel fits in a tenth of it
WEBHOOK_RESPONSE_BYTES = 16 * 1024  # what is kept of an answer, and the most that is read
WEBHOOK_TIMEOUT = dt.timedelta(seconds=7)  # a receiver should store and answer
WEBHOOK_KEPT = dt.timedelta(days=30)  # how long messages and attempts can be looked up and replayed
SWEEP_BATCH = 500  # rows a sweep takes at once, so that its transaction stays short
EVENTS_PAGE = 200  # facts a page of the feed carries at most
KEY_OVERLAP = dt.timedelta(hours=24)  # a rotated key works so long beside the new one
KEY_USE_NOTED = dt.timedelta(minutes=1)  # how exact "last used" is
SECRET_OVERLAP = dt.timedelta(hours=24)  # messages are signed with the old secret too for so long
