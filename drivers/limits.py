"""Every bound of drivers, each with its reason."""

import datetime as dt

DOCUMENT_BYTES = 8 * 1024 * 1024  # a phone photo of a licence
DOCUMENT_KINDS = {"image/jpeg", "image/png", "image/webp", "application/pdf"}
APPEAL_WITHIN = dt.timedelta(days=30)  # of the event, or of the first answer; later nobody remembers
APPEAL_ANSWER = dt.timedelta(hours=72)  # design, section 5
APPEAL_TEXT = 2_000  # characters; more is a letter
APPEALS_SWEPT = 100  # overdue appeals one sweep tells of
APPEALS_OPEN = 10  # at once, of one driver: more are a dispute with a person, not with a machine
POSITION_EVERY = dt.timedelta(seconds=5)  # pings closer together than this are dropped
POSITIONS_KEPT = dt.timedelta(days=30)  # evidence for disputes, no longer
POSITIONS_PER_CALL = 200  # what a phone may have queued while offline
WORD_LASTS = dt.timedelta(
    minutes=5
)  # what is kept of a driver is read anew this often though nothing was announced; an app polls every ten seconds
TOKENS_PER_DRIVER = 10  # more are forgotten devices
BADGE_STEP = dt.timedelta(seconds=60)  # how long one code at the counter lasts
BADGE_SKEW_STEPS = 1  # a code read aloud may be a step old
LOCK_WAIT_MS = 4_000  # then the answer is 503 with Retry-After
CLOCK_AHEAD = dt.timedelta(minutes=5)  # a phone clock may be a little fast
PRUNE_BATCH = 20_000  # positions one sweep forgets, so that its transaction stays short
EXPIRES_SOON = dt.timedelta(days=30)  # a driver is told of a paper that ends within this
ALIKE = 20  # accounts that share one value and are paired; the oldest ones
DISPUTE_ANSWER = dt.timedelta(hours=72)  # to the first answer by a named person
DISPUTE_WITHIN = dt.timedelta(days=60)  # after that the evidence is thin: positions are kept for 30 days
OVERDUE_BATCH = 200  # disputes one sweep speaks of
ADJUSTMENT_CENTS = 500_000  # a larger correction is several, each with its reason
GRANT_ALONE_CENTS = 5_000  # up to here a granted dispute is posted without waiting for a second person
PAYOUT_LEAST_CENTS = 100  # a transfer of less costs more than it carries
EARNINGS_PAGE = 20  # blocks on one page of the earnings
TRANSFERS_SWEPT = (
    500  # payouts one sweep asks the provider for; at some 10 a second it is done before the next
)
TRANSFER_RETRY = dt.timedelta(minutes=5)  # to the next question while nobody knows whether the money went
STRIPE_KEY_LASTS = dt.timedelta(hours=23)  # Stripe keeps idempotency keys for a day at least
STRIPE_CONNECT_S = 5  # a host that does not even answer the knock
STRIPE_READ_S = 60  # Stripe's own clients wait for 80; an answer that is lost is asked for again
PHONES = 5  # of one driver that are notified; with a sixth the one that was reached longest ago ends
PUSH_RETRIES = (
    dt.timedelta(seconds=5),
    dt.timedelta(seconds=30),
    dt.timedelta(minutes=2),
)  # then e-mail: who is asked to confirm has minutes
PUSH_LEASE = dt.timedelta(minutes=1)  # a sender that has not reported by then has died
PUSH_TIMEOUT = dt.timedelta(seconds=5)  # for the whole exchange: push services take a message in milliseconds
PUSH_CONNECT = dt.timedelta(seconds=3)
PUSH_ANSWER_BYTES = 1_000  # what is read of an answer
PUSH_BATCH = 500  # pushes one sweep hands to the workers
NOTICE_LASTS = dt.timedelta(hours=24)  # a push service keeps it so long for a phone that is off
BRIEF_LENGTH = 200  # characters; phones show three lines, and a push may have 4 kB
ENDPOINT_LENGTH = 500  # the longest of today's push services is half of that
HOME_PLACES = 3  # decimals of a degree, about 100 m: enough for a way, too little to find a door
