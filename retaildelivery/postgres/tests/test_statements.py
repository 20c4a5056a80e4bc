"""Statements that the server reads once for each connection."""

import psycopg2
import pytest
from django.db import DataError, OperationalError, ProgrammingError, connection, transaction

from retaildelivery.postgres import base

pytestmark = pytest.mark.django_db


def kept():
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, statement FROM pg_prepared_statements ORDER BY name")
        return dict(cursor.fetchall())


def ask(sql, params):
    with connection.cursor() as cursor:
        cursor.execute(connection.call_of(sql), params)
        return cursor.fetchall()


def test_a_statement_is_read_once_and_gives_what_its_text_gives(django_assert_num_queries):
    sql = "SELECT %s::int + %s::int, '100 %%'"
    before = len(kept())

    with django_assert_num_queries(2):
        assert ask(sql, [1, 2]) == [(3, "100 %")]
        assert ask(sql, [40, 2]) == [(42, "100 %")]

    assert len(kept()) == before + 1


def test_a_named_place_may_be_said_twice():
    sql = "SELECT %(b)s::text, %(a)s::text, %(b)s::text"

    assert ask(sql, {"a": "one", "b": "two"}) == [("two", "one", "two")]


def test_a_statement_without_places_needs_no_values():
    assert ask("SELECT 7 AS seven", None) == [(7,)]


def test_it_stays_when_the_transaction_in_which_it_was_first_asked_is_undone():
    sql = "SELECT %s::int / %s::int"
    with pytest.raises(DataError), transaction.atomic():
        ask(sql, [1, 0])

    assert ask(sql, [8, 2]) == [(4,)]


def test_what_cannot_be_read_is_refused_as_django_says_it():
    for _turn in range(2):
        with pytest.raises(ProgrammingError), transaction.atomic():
            ask("SELECT nothing FROM nowhere WHERE a = %s", [1])


@pytest.mark.django_db(transaction=True)
def test_a_new_connection_knows_none_and_asks_again():
    sql = "SELECT %s::int * 3"
    assert ask(sql, [5]) == [(15,)]

    connection.close()

    assert ask(sql, [6]) == [(18,)]


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_the_server_ended_is_an_error_of_djangos():
    with psycopg2.connect(**_address()) as other, other.cursor() as cursor:
        connection.ensure_connection()
        cursor.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])

    with pytest.raises(OperationalError):
        ask("SELECT %s::int * 4", [5])
    connection.close()

    assert ask("SELECT %s::int * 4", [5]) == [(20,)]


@pytest.mark.django_db(transaction=True)
def test_a_request_after_the_server_ended_its_connection_gets_a_new_one():
    connection.ensure_connection()
    connection.health_check_enabled, connection.health_check_done = True, False
    gone = connection.connection.info.backend_pid
    with psycopg2.connect(**_address()) as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [gone])

    assert ask("SELECT pg_backend_pid() <> %s::int", [gone]) == [(True,)]


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_is_alive_is_kept_without_asking_the_server(monkeypatch):
    connection.ensure_connection()
    connection.health_check_enabled, connection.health_check_done = True, False
    kept = connection.connection.info.backend_pid
    monkeypatch.setattr("django.db.backends.postgresql.base.DatabaseWrapper.is_usable", None)

    assert ask("SELECT pg_backend_pid() = %s::int", [kept]) == [(True,)]


def _address():
    settings = connection.settings_dict
    return {
        "host": settings["HOST"],
        "port": settings["PORT"],
        "dbname": settings["NAME"],
        "user": settings["USER"],
        "password": settings["PASSWORD"],
    }


def test_places_are_numbered_in_their_order():
    assert base._numbered("a = %s AND b LIKE '%%x' AND c = %s") == (
        "a = $1 AND b LIKE '%x' AND c = $2",
        ["%s", "%s"],
    )
    assert base._numbered("%(x)s %(y)s %(x)s") == ("$1 $2 $1", ["%(x)s", "%(y)s"])
