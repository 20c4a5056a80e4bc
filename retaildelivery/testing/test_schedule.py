import pytest
from celery import current_app
from celery.fixups.django import DjangoWorkerFixup
from celery.signals import worker_process_init

from offers.planning import planner
from retaildelivery import celery


def ours():
    celery.app.loader.import_default_modules()
    return {name: task for name, task in celery.app.tasks.items() if not name.startswith("celery.")}


def test_every_entry_of_the_schedule_is_a_task():
    unknown = {entry["task"] for entry in celery.SCHEDULE.values()} - set(ours())

    assert unknown == set()


def test_every_sweep_is_on_the_schedule():
    """A sweep nobody runs is a promise nobody keeps."""
    sweeps = {name for name, task in ours().items() if task.queue == "sweeps"}

    assert sweeps - {entry["task"] for entry in celery.SCHEDULE.values()} == set()


def test_every_task_names_a_queue_that_is_read():
    assert {task.queue for task in ours().values()} <= set(celery.QUEUES)


def test_tasks_are_acknowledged_late_and_bounded():
    assert current_app.conf.task_acks_late
    assert current_app.conf.task_reject_on_worker_lost
    assert [
        name for name, task in ours().items() if not (task.time_limit or current_app.conf.task_time_limit)
    ] == []


def test_a_task_reaches_one_queue_only():
    """Two queues bound to one key would each get every task: everything would run several times."""
    routes = [(queue.exchange.name, queue.routing_key) for queue in current_app.amqp.queues.values()]

    assert len(set(routes)) == len(routes) == len(celery.QUEUES)


def test_a_worker_keeps_its_database_connection_between_tasks():
    """Opening one for each task took a third of its time."""
    assert DjangoWorkerFixup(celery.app).db_reuse_max == celery.app.conf.CELERY_DB_REUSE_MAX > 1


@pytest.mark.parametrize(("queues", "times"), [(["planning"], 1), (["relay", "sweeps"], 0)])
def test_a_worker_that_plans_compiles_the_search_as_it_starts_and_no_other_does(monkeypatch, queues, times):
    """Otherwise the first wave of the day is planned in plain Python, with dearer plans."""
    begun = []
    monkeypatch.setattr(planner.COMPILING, "begin", lambda: begun.append(1))
    monkeypatch.setattr(celery.app.amqp.queues, "_consume_from", dict.fromkeys(queues))

    worker_process_init.send(sender=None)

    assert len(begun) == times
