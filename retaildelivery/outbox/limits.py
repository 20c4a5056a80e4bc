"""Every bound of the outbox, each with its reason."""

import datetime as dt

RELAY_GRACE = dt.timedelta(seconds=10)  # the sweep leaves a fresh reaction to its own relay for so long
RELAY_HANDED = dt.timedelta(minutes=1)  # and one it has handed to a worker for so long
BROKER_PAUSE = dt.timedelta(seconds=5)  # between two tries of a process to reach a broker that is away
REACTION_RETRIES = (
    dt.timedelta(seconds=10),
    dt.timedelta(minutes=1),
    dt.timedelta(minutes=5),
    dt.timedelta(minutes=30),
)  # then every half hour: a reaction is never given up, since a fact is never lost
TELL_EVERY = dt.timedelta(
    milliseconds=60
)  # workers are told of reactions this often at most; a webhook has 250 ms
RELAY_FEW = 16  # reactions one task is handed when some are recorded at once
RELAY_BATCH = 50  # reactions one task is handed when many are recorded at once
TOGETHER = (
    50  # reactions done in one transaction: most of the gain, and locks are held for a fifth of a second
)
DONE_ALONG = 10_000  # reactions done together with others whose message a worker remembers not to look up
SWEEP_BATCH = 500  # reactions one sweep hands to the workers
MESSAGE_RETRIES = (
    dt.timedelta(seconds=30),
    dt.timedelta(minutes=5),
    dt.timedelta(minutes=30),
    dt.timedelta(hours=2),
    dt.timedelta(hours=8),
)  # then it is given up: nobody wants yesterday's "your driver is near"
MESSAGE_CLAIM = dt.timedelta(minutes=2)  # a sender that has not reported by then has died
ERROR_TEXT = 2_000  # characters of an error that are kept
ALERTED = 20  # people of operations who get a mail about one thing
