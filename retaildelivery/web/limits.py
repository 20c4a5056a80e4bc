"""Every bound of the API's edge, each with its reason."""

import datetime as dt

BODY_BYTES = 2_000_000  # a proof photo travels as multipart; JSON of this size is a mistake
JSON_DEPTH = 12  # the deepest document of ours has 5 levels
JSON_DIGITS = 40  # no number of ours has more; Python refuses 4,300 with an error of its own
IDEMPOTENCY_KEY_LENGTH = 255
IDEMPOTENCY_KEPT = dt.timedelta(hours=48)  # a client that has not retried by then has given up
IDEMPOTENCY_LEASE = dt.timedelta(
    seconds=60
)  # an unanswered request older than this has died with its process
IDEMPOTENCY_BODY = 500_000  # characters of an answer that are kept
PAGE = 50  # rows of a page, unless said
PAGE_MOST = 100
BUDGET_PERIOD = dt.timedelta(seconds=60)
REQUESTS_UNKNOWN = 120  # a minute, from one address without a valid key: guessing keys is pointless anyway
REDIS_PAUSE = dt.timedelta(seconds=5)  # how long a Redis that failed is left alone
TAKEN_SINGLY = 100  # requests of a caller that a process counts one by one in a period; then several
TAKEN_AT_ONCE = 10  # requests of a caller that a process then takes, so that it asks Redis a tenth as often
