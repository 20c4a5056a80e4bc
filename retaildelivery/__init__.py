"""The project package: the composition root on top, the shared ground floor below."""

from retaildelivery.celery import app as celery_app

__all__ = ["celery_app"]
