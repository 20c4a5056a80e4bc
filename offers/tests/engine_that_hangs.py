"""Stands for the engine's child on an input on which it never returns."""

import time

time.sleep(60)
