"""The worker's application, and every periodic thing the system does, on one list."""

import os
from datetime import timedelta
from typing import Any

from celery import Celery
from celery.signals import task_prerun
from django.db import close_old_connections
from kombu import Exchange, Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "retaildelivery.settings")

QUEUES = ("relay", "webhooks", "notices", "planning", "sweeps")


def every(interval: timedelta, task: str) -> dict[str, Any]:
    """A beat entry; a run that no worker took before the next one is due is dropped, not piled up."""
    seconds = interval.total_seconds()
    return {"task": task, "schedule": seconds, "options": {"expires": seconds}}


SCHEDULE: dict[str, dict[str, Any]] = {
    "offers.audiences": every(timedelta(seconds=15), "offers.tasks.sweep_audiences"),
    "offers.expiry": every(timedelta(seconds=5), "offers.tasks.sweep_offers"),
    "offers.disputes": every(timedelta(minutes=5), "offers.tasks.sweep_disputes"),
    "offers.mileage": every(timedelta(seconds=30), "offers.tasks.sweep_mileage"),
    "offers.statements": every(timedelta(hours=1), "offers.tasks.sweep_statements"),
    "offers.no_shows": every(timedelta(seconds=30), "offers.tasks.sweep_no_shows"),
    "offers.stand_downs": every(timedelta(seconds=30), "offers.tasks.sweep_empty_blocks"),
    "offers.schedules": every(timedelta(minutes=5), "offers.tasks.sweep_schedules"),
    "offers.waves": every(timedelta(seconds=10), "offers.tasks.sweep_waves"),
    "offers.travel_pairs": every(timedelta(hours=1), "offers.tasks.sweep_travel_pairs"),
    "offers.wishes": every(timedelta(seconds=10), "offers.tasks.sweep_wishes"),
    "offers.wishes_told": every(timedelta(hours=1), "offers.tasks.sweep_wishes_told"),
    "deliveries.calibrate_travel": every(timedelta(days=1), "deliveries.tasks.calibrate_travel"),
    "deliveries.slots": every(timedelta(seconds=30), "deliveries.tasks.sweep_slots"),
    "deliveries.sandboxes": every(timedelta(seconds=5), "deliveries.tasks.sweep_sandboxes"),
    "deliveries.quotes": every(timedelta(hours=1), "deliveries.tasks.sweep_quotes"),
    "drivers.appeals": every(timedelta(minutes=15), "drivers.tasks.sweep_appeals"),
    "drivers.likenesses": every(timedelta(minutes=10), "drivers.tasks.sweep_likenesses"),
    "drivers.positions": every(timedelta(hours=1), "drivers.tasks.prune_positions"),
    "drivers.transfers": every(timedelta(minutes=1), "drivers.tasks.sweep_transfers"),
    "drivers.pushes": every(timedelta(seconds=5), "drivers.tasks.sweep_pushes"),
    "outbox.messages": every(timedelta(seconds=30), "retaildelivery.outbox.tasks.sweep_messages"),
    "outbox.reactions": every(timedelta(seconds=10), "retaildelivery.outbox.tasks.sweep_reactions"),
    "stores.invoices": every(timedelta(hours=1), "stores.tasks.sweep_invoices"),
    "stores.webhooks": every(timedelta(seconds=5), "stores.tasks.sweep_webhooks"),
    "stores.webhook_log": every(timedelta(hours=1), "stores.tasks.sweep_webhook_log"),
    "web.idempotent_requests": every(
        timedelta(hours=1), "retaildelivery.web.tasks.sweep_idempotent_requests"
    ),
}

app = Celery("retaildelivery")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    timezone="UTC",
    task_default_queue="relay",
    task_ignore_result=True,
    # A task belongs to its worker when it has ended; one whose worker dies goes to another.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    worker_cancel_long_running_tasks_on_connection_loss=True,
    # Well below the broker's visibility timeout, so that nothing is handed out again while it is still at work.
    task_soft_time_limit=240,
    task_time_limit=300,
    worker_hijack_root_logger=False,
)
# An exchange and key for each: left to the defaults all would share one, and every task would reach every queue.
app.conf.task_queues = [Queue(name, Exchange(name), routing_key=name) for name in QUEUES]
app.conf.task_create_missing_queues = False
app.conf.beat_schedule = SCHEDULE
# A worker keeps its connection to the database from task to task as a web server does from request to request: by
# default one is opened and closed around each, which took a third of a small task's time. The name is read as it is,
# without the namespace.
app.conf.CELERY_DB_REUSE_MAX = 10_000
app.autodiscover_tasks()


@task_prerun.connect
def _drop_a_dead_connection(**_: Any) -> None:
    """A server that was restarted costs no task: an unusable or old connection is opened anew, as Django does."""
    close_old_connections()
