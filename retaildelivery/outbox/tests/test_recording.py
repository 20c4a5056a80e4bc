"""A fact is written with its change or not at all; what follows from it is done once."""

import datetime as dt
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from celery import Celery
from django.db import DatabaseError, close_old_connections, connection, transaction

from retaildelivery.environment import BASE_DIR
from retaildelivery.outbox import dispatch, limits, locks, messages, recording, relaying
from retaildelivery.outbox.models import Fact, Message, Reaction
from retaildelivery.outbox.recording import Happening

NOW = dt.datetime(2026, 11, 24, 18, 0, tzinfo=dt.UTC)
LATER = NOW + limits.RELAY_GRACE


@pytest.fixture(autouse=True)
def _table(settings):
    settings.OUTBOX_REACTIONS = "retaildelivery.outbox.tests.reacting.REACTIONS"


def happening(name="manifest.completed", **changes):
    return Happening(**({"name": name, "at": NOW, "subjects": ["manifest:M1"]} | changes))


def recorded(name="manifest.completed"):
    with transaction.atomic():
        return recording.record(happening(name))


def payments():
    return Message.objects.filter(name="paid").count()


@pytest.mark.django_db(transaction=True)
def test_a_fact_cannot_be_recorded_outside_a_transaction():
    with pytest.raises(recording.NotInTransaction):
        recording.record(happening())

    assert Fact.objects.count() == 0
    assert Reaction.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_a_change_that_is_rolled_back_leaves_no_fact_and_sends_nothing(monkeypatch):
    sent = []
    monkeypatch.setattr(dispatch, "relay", lambda *, reaction_id: sent.append(reaction_id))

    def half():
        with transaction.atomic():
            recording.record(happening())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()

    assert (Fact.objects.count(), Reaction.objects.count(), sent) == (0, 0, [])


@pytest.mark.django_db
def test_a_fact_brings_one_reaction_of_each_kind_and_relays_them_after_the_commit(
    monkeypatch, django_capture_on_commit_callbacks
):
    sent = []
    monkeypatch.setattr(dispatch, "relay_all", lambda *, reaction_ids: sent.extend(reaction_ids))

    with django_capture_on_commit_callbacks(execute=True):
        fact = recording.record(happening("order.lost"))
        dispatch.relays.flush()
        assert sent == []
    dispatch.relays.flush()

    rows = list(fact.reactions.order_by("pk"))
    assert [row.key for row in rows] == ["tests.break", "tests.pay"]
    assert sent == [row.pk for row in rows]


@pytest.mark.django_db
def test_many_facts_and_what_follows_are_recorded_in_one_statement(django_assert_num_queries):
    with django_assert_num_queries(1):
        facts = recording.record_all([happening(subjects=[f"manifest:M{n}"]) for n in range(12)])

    assert [fact.subjects for fact in facts] == [[f"manifest:M{n}"] for n in range(12)]
    assert Reaction.objects.count() == 12


@pytest.mark.django_db
def test_a_fact_can_be_neither_changed_nor_deleted():
    fact = recorded("manifest.aborted")

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Fact.objects.filter(pk=fact.pk).update(name="manifest.completed")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Fact.objects.filter(pk=fact.pk).delete()

    assert Fact.objects.get().name == "manifest.aborted"


@pytest.mark.django_db
def test_replaying_a_completion_twice_pays_once():
    reaction = recorded().reactions.get()

    assert relaying.relay(reaction_id=reaction.pk, at=NOW) is True
    assert relaying.relay(reaction_id=reaction.pk, at=NOW) is False

    assert payments() == 1
    reaction.refresh_from_db()
    assert reaction.done_at == NOW


@pytest.mark.django_db
def test_a_reaction_that_breaks_leaves_nothing_and_is_tried_again():
    breaking, paying = recorded("order.lost").reactions.order_by("pk")

    assert relaying.relay(reaction_id=breaking.pk, at=NOW) is False
    assert payments() == 0
    assert relaying.relay(reaction_id=paying.pk, at=NOW) is True

    breaking.refresh_from_db()
    assert (breaking.done_at, breaking.attempts) == (None, 1)
    assert breaking.next_attempt_at == NOW + limits.REACTION_RETRIES[0]
    assert "broke after its effect" in breaking.last_error
    assert payments() == 1


@pytest.mark.django_db
def test_a_reaction_whose_key_is_gone_stays_to_be_seen(settings):
    reaction = recorded().reactions.get()
    Reaction.objects.filter(pk=reaction.pk).update(key="tests.renamed")

    assert relaying.relay(reaction_id=reaction.pk, at=NOW) is False

    reaction.refresh_from_db()
    assert reaction.done_at is None
    assert "No reaction tests.renamed" in reaction.last_error


def leaving(**data):
    with transaction.atomic():
        return recording.record(happening("driver.left", data=data)).reactions.get()


@pytest.mark.django_db
def test_what_waits_for_the_same_thing_is_done_together():
    first, *others = (leaving() for _ in range(3))
    other_kind = recorded().reactions.get()

    assert relaying.relay(reaction_id=first.pk, at=NOW) is True

    assert payments() == 3
    assert [relaying.relay(reaction_id=each.pk, at=NOW) for each in others] == [False, False]
    assert list(Reaction.objects.filter(done_at=None)) == [other_kind]


@pytest.mark.django_db
def test_the_message_of_what_was_done_along_with_others_asks_the_database_nothing_and_a_second_one_asks_again(
    django_assert_num_queries,
):
    first, along = leaving(), leaving()
    relaying.relay(reaction_id=first.pk, at=NOW)

    with django_assert_num_queries(0):
        assert relaying.relay(reaction_id=along.pk, at=NOW) is False
    # As after the row was set back by hand.
    Reaction.objects.filter(pk=along.pk).update(done_at=None)
    assert relaying.relay(reaction_id=along.pk, at=NOW) is True


@pytest.mark.django_db
def test_of_those_done_together_the_one_that_breaks_holds_back_nobody():
    first, bad, third = leaving(), leaving(bad=True), leaving()

    assert relaying.relay_all(reaction_ids=[first.pk], at=NOW) == {first.pk, third.pk}

    assert payments() == 2
    bad.refresh_from_db()
    assert (bad.done_at, bad.attempts) == (None, 1)
    assert "cannot be paid" in bad.last_error
    # From then on it is tried by itself, so the others go on together.
    later, latest = leaving(), leaving()
    assert relaying.relay_all(reaction_ids=[later.pk], at=NOW) == {later.pk, latest.pk}
    bad.refresh_from_db()
    assert bad.attempts == 1


@pytest.mark.django_db
def test_what_a_process_did_not_send_before_it_died_is_found_by_the_sweep(monkeypatch):
    monkeypatch.setattr(dispatch, "relay", lambda *, reaction_id: False)
    reaction = recorded().reactions.get()

    assert relaying.overdue(at=LATER - dt.timedelta(seconds=1)) == []
    assert relaying.overdue(at=LATER) == [reaction.pk]
    relaying.relay(reaction_id=reaction.pk, at=LATER)

    assert payments() == 1
    assert relaying.overdue(at=LATER + limits.RELAY_HANDED) == []


@pytest.mark.django_db
def test_the_sweep_run_twice_hands_a_reaction_out_once_and_again_only_if_it_is_still_open(monkeypatch):
    monkeypatch.setattr(dispatch, "relay", lambda *, reaction_id: False)
    reaction = recorded().reactions.get()

    assert relaying.overdue(at=LATER) == [reaction.pk]
    assert relaying.overdue(at=LATER) == []
    assert relaying.overdue(at=LATER + limits.RELAY_HANDED) == [reaction.pk]


@pytest.mark.django_db
def test_without_a_broker_the_fact_is_kept_and_nobody_waits(monkeypatch, settings):
    nobody = Celery(broker="redis://127.0.0.1:1/0", set_as_current=False)
    nobody.conf.broker_transport_options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    monkeypatch.setattr(dispatch, "current_app", nobody)
    monkeypatch.setattr(dispatch._Broker, "away_until", 0.0)

    reaction = recorded().reactions.get()
    begun = time.monotonic()
    assert [dispatch.relay(reaction_id=reaction.pk) for _ in range(10)] == [False] * 10
    assert time.monotonic() - begun < 1
    assert relaying.overdue(at=LATER) == [reaction.pk]


@pytest.mark.django_db
def test_a_message_is_written_once_whatever_is_replayed_and_sent_once(mailoutbox):
    def write():
        with transaction.atomic():
            return messages.write(
                key="evt_1:recipient", name="near", to="rosa@example.com", subject="Near", text="Soon", at=NOW
            )

    first, second = write(), write()

    assert (first.to, second) == ("rosa@example.com", None)
    assert messages.deliver(message_id=first.pk, at=NOW) is True
    assert messages.deliver(message_id=first.pk, at=NOW) is False
    assert [mail.subject for mail in mailoutbox] == ["Near"]


@pytest.mark.django_db
def test_a_mail_server_that_refuses_is_asked_again_and_then_given_up(monkeypatch):
    def refuse(self):
        raise ConnectionRefusedError("no server")

    monkeypatch.setattr("django.core.mail.EmailMultiAlternatives.send", refuse)
    with transaction.atomic():
        message = messages.write(key="k", name="near", to="r@example.com", subject="S", text="T", at=NOW)

    at = NOW
    for wait in limits.MESSAGE_RETRIES:
        assert messages.deliver(message_id=message.pk, at=at) is False
        message.refresh_from_db()
        assert (message.given_up_at, message.next_attempt_at) == (None, at + wait)
        at += wait
    messages.deliver(message_id=message.pk, at=at)

    message.refresh_from_db()
    assert (message.given_up_at, message.sent_at, message.last_error) == (at, None, "no server")


def at_once(number, work):
    """Run the same work in so many threads that start together; their results."""
    barrier, results = threading.Barrier(number), []

    def run():
        barrier.wait()
        try:
            results.append(work())
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    close_old_connections()
    return results


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_eight_workers_at_one_reaction_pay_once():
    reaction = recorded().reactions.get()

    done = at_once(8, lambda: relaying.relay(reaction_id=reaction.pk, at=NOW))

    assert sorted(done) == [False] * 7 + [True]
    assert payments() == 1


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_workers_that_are_handed_the_same_batch_at_once_pay_each_once():
    keys = [leaving().pk for _ in range(6)]

    done = at_once(4, lambda: relaying.relay_all(reaction_ids=keys, at=NOW))

    assert sorted(key for each in done for key in each) == keys
    assert payments() == 6


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_the_race_is_real_when_the_lock_is_removed(monkeypatch):
    reaction = recorded().reactions.get()
    monkeypatch.setattr(
        locks,
        "reaction_to_do",
        lambda pk: Reaction.objects.filter(pk=pk, done_at=None).select_related("fact").first(),
    )

    at_once(8, lambda: relaying.relay(reaction_id=reaction.pk, at=NOW))

    assert payments() > 1


def killed(*act):
    """Run the dying process against this test's database, and see that it was killed."""
    given = connection.settings_dict
    address = (
        f"postgres://{given['USER']}:{given['PASSWORD']}@{given['HOST']}:{given['PORT']}/{given['NAME']}"
    )
    ended = subprocess.run(
        [sys.executable, "-m", "retaildelivery.outbox.tests.dying", *act],
        env={**os.environ, "DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "retaildelivery.settings_test"},
        cwd=BASE_DIR,
        timeout=60,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_process_killed_between_commit_and_send_costs_nothing_but_a_moment():
    killed("commit")

    [reaction_id] = relaying.overdue(at=LATER)
    relaying.relay(reaction_id=reaction_id, at=LATER)

    assert (Fact.objects.count(), payments()) == (1, 1)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_between_effect_and_commit_has_done_nothing():
    reaction = recorded().reactions.get()

    killed("react", str(reaction.pk))
    assert payments() == 0
    relaying.relay(reaction_id=reaction.pk, at=LATER)

    assert payments() == 1


@pytest.mark.django_db
def test_many_reactions_at_once_are_handed_over_in_batches(monkeypatch, django_capture_on_commit_callbacks):
    sent = []
    monkeypatch.setattr(dispatch, "relay_all", lambda *, reaction_ids: sent.append(reaction_ids))

    with django_capture_on_commit_callbacks(execute=True):
        recording.record_all([happening(subjects=[f"manifest:M{n}"]) for n in range(120)])
    dispatch.relays.flush()

    assert [len(batch) for batch in sent] == [50, 50, 20]
    assert sorted(key for batch in sent for key in batch) == sorted(
        Reaction.objects.values_list("pk", flat=True)
    )


def test_what_is_told_within_a_moment_goes_together_and_each_reaction_once(monkeypatch):
    sent, first = [], threading.Event()
    monkeypatch.setattr(limits, "TELL_EVERY", dt.timedelta(milliseconds=300))

    def note(*, reaction_ids):
        sent.append(reaction_ids)
        first.set()

    monkeypatch.setattr(dispatch, "relay_all", note)
    relays = dispatch._Relays()

    relays.tell([1])
    assert first.wait(5)
    for reaction in range(2, 8):
        relays.tell([reaction])
    assert sent == [[1]]
    deadline = time.monotonic() + 5
    while len(sent) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)

    assert sent == [[1], [2, 3, 4, 5, 6, 7]]


def test_after_a_failure_that_nobody_expected_what_comes_next_is_still_told(monkeypatch):
    sent = []

    def fail_once(*, reaction_ids):
        sent.append(reaction_ids)
        if len(sent) == 1:
            raise ZeroDivisionError

    monkeypatch.setattr(dispatch, "relay_all", fail_once)
    relays = dispatch._Relays()

    for reaction in (1, 2):
        relays.tell([reaction])
        deadline = time.monotonic() + 5
        while len(sent) < reaction and time.monotonic() < deadline:
            time.sleep(0.01)

    assert sent == [[1], [2]]


def test_a_program_that_ends_at_once_has_told_of_what_it_did(tmp_path):
    told = tmp_path / "told"
    program = (
        "import django; django.setup()\n"
        "from retaildelivery.outbox import dispatch\n"
        "def note(*, reaction_ids):\n"
        f"    open({str(told)!r}, 'a').write(repr(reaction_ids))\n"
        "dispatch.relay_all = note\n"
        "dispatch.relay_soon(reaction_ids=[7])\n"
    )

    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)

    assert told.read_text() == "[7]"
