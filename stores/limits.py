"""Every bound of stores, each with its reason."""

import datetime as dt

PREP_MINUTES = 240  # longer than an afternoon is a store that should post later
API_KEYS_PER_SELLER = 50  # more are forgotten keys
ENDPOINTS_PER_SELLER = 20  # each costs a message per event
WEBHOOK_BODY_BYTES = 256 * 1024  # an order with every parcel fits in a tenth of it
WEBHOOK_RESPONSE_BYTES = 16 * 1024  # what is kept of an answer, and the most that is read
WEBHOOK_TIMEOUT = dt.timedelta(seconds=7)  # for the whole exchange: a receiver should store and answer
WEBHOOK_CONNECT = dt.timedelta(seconds=3)  # a host that does not even answer the knock
WEBHOOK_GRACE = dt.timedelta(seconds=10)  # the sweep leaves a fresh message to its own task for so long
WEBHOOK_LEASE = dt.timedelta(seconds=30)  # a sender that has not reported by then has died
# After the first try at once: the schedule of Standard Webhooks. Each wait grows by up to WEBHOOK_JITTER.
WEBHOOK_RETRIES = (
    dt.timedelta(seconds=5),
    dt.timedelta(minutes=5),
    dt.timedelta(minutes=30),
    dt.timedelta(hours=2),
    dt.timedelta(hours=5),
    dt.timedelta(hours=10),
    dt.timedelta(hours=14),
    dt.timedelta(hours=20),
    dt.timedelta(hours=24),
)
WEBHOOK_JITTER = 0.2  # so that what failed together does not come back together
SENDING_THREADS = 8  # of one worker process; each holds a database connection
LANE_WIDTH = 2  # of them for one endpoint, so that three that hang leave room for the others
LANE_LENGTH = 500  # messages of one endpoint that a process remembers; the sweep knows the rest
# An endpoint that fails is tried with one message at a time, this far apart (a quarter of how long it fails).
PROBE_LEAST = dt.timedelta(seconds=5)
PROBE_MOST = dt.timedelta(minutes=10)
UNVERIFIED_MESSAGES = 500  # to an endpoint that has not shown whose it is: enough to try, not to harass
ENDPOINT_FAILS = dt.timedelta(days=5)  # failing for so long switches it off
WEBHOOK_KEPT = dt.timedelta(days=30)  # how long messages and attempts can be looked up and replayed
STATEMENT_PAGE = 50  # lines of a seller's account on one page
REPLAY_MESSAGES = 10_000  # sent again by one request; a longer outage is read from the feed
SWEEP_BATCH = 500  # rows a sweep takes at once, so that its transaction stays short
EVENTS_PAGE = 200  # facts a page of the feed carries at most
TOKEN_LASTS = dt.timedelta(hours=1)  # an OAuth access token; its key can end it sooner
TOKENS_PER_MINUTE = 60  # asked for from one address: guessing a key must not be cheap
NETWORKS_PER_KEY = 20  # addresses and networks a key may be used from
AUDIT_PAGE = 50  # entries of the log on one page
AUDIT_EXPORT = 50_000  # entries of one CSV file
KEY_OVERLAP = dt.timedelta(hours=24)  # a rotated key works so long beside the new one
KEY_USE_NOTED = dt.timedelta(minutes=1)  # how exact "last used" is
SECRET_OVERLAP = dt.timedelta(hours=24)  # messages are signed with the old secret too for so long
MESSAGES_PAGE = 30  # messages of an endpoint on one page
DRIVE_TOKEN = dt.timedelta(
    minutes=30, seconds=30
)  # how far ahead a caller may date a token: the convention's bound
INVOICE_DUE = dt.timedelta(days=30)  # what the books of retailers are used to
INVOICES_PAGE = 24  # two years on one page
INVOICE_PDF_LINES = 1_000  # of one document, some thirty pages; the CSV has them all
ADJUSTMENT_CENTS = 1_000_000  # a larger correction is several, each with its reason
CONTEST_WITHIN = dt.timedelta(days=60)  # as long as drivers have; what the phones knew is kept for 30 days
CONTEST_ANSWER = dt.timedelta(hours=72)  # to the first answer by a named person
CONTESTS_SWEPT = 200  # contested charges one sweep speaks of
