"""Every bound of drivers, each with its reason."""

import datetime as dt

DOCUMENT_BYTES = 8 * 1024 * 1024  # a phone photo of a licence
DOCUMENT_KINDS = {"image/jpeg", "image/png", "image/webp", "application/pdf"}
POSITION_EVERY = dt.timedelta(seconds=5)  # pings closer together than this are dropped
POSITIONS_KEPT = dt.timedelta(days=30)  # evidence for disputes, no longer
POSITIONS_PER_CALL = 200  # what a phone may have queued while offline
TOKENS_PER_DRIVER = 10  # more are forgotten devices
BADGE_STEP = dt.timedelta(seconds=60)  # how long one code at the counter lasts
BADGE_SKEW_STEPS = 1  # a code read aloud may be a step old
