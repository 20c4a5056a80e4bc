import os
import tempfile
from pathlib import Path

import psutil
import psycopg2
import pytest
import redis as client
from redis.backoff import NoBackoff
from redis.retry import Retry

from retaildelivery.embedded import postgres as module
from retaildelivery.embedded.postgres import Postgres
from retaildelivery.embedded.processes import ServerFailed
from retaildelivery.embedded.redis import Redis


@pytest.fixture
def directory():
    """Outside pytest's own, which only its owner may enter; the server may run under another account."""
    with tempfile.TemporaryDirectory(prefix="with a space ") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture
def postgres(directory):
    server = Postgres(directory / "postgres", log=directory / "postgres.log", throwaway=True)
    yield server
    server.stop()


@pytest.fixture
def durable_postgres(directory):
    server = Postgres(directory / "postgres", log=directory / "postgres.log")
    yield server
    server.stop()


@pytest.fixture
def redis(tmp_path):
    server = Redis(log=tmp_path / "redis.log")
    yield server
    server.stop()


def one(url, sql):
    connection = psycopg2.connect(url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchone() if cursor.description else None
    finally:
        connection.close()


@pytest.mark.slow
def test_postgres_starts_from_nothing_and_keeps_its_data(postgres):
    url = postgres.start()
    one(url, "CREATE TABLE kept AS SELECT 'still here' AS text")
    postgres.stop()

    again = postgres.start()

    assert one(again, "SELECT text FROM kept") == ("still here",)
    assert one(again, "SHOW server_version_num")[0].startswith("18")


@pytest.mark.slow
def test_postgres_left_behind_by_a_killed_run_is_replaced(postgres):
    url = postgres.start()
    one(url, "CREATE TABLE kept AS SELECT 1 AS number")
    left = psutil.Process(postgres.child.pid)
    second = Postgres(postgres.directory, log=postgres.log, throwaway=True)

    try:
        assert one(second.start(), "SELECT number FROM kept") == (1,)
        assert not left.is_running() or left.status() == psutil.STATUS_ZOMBIE
    finally:
        second.stop()


@pytest.mark.slow
def test_what_was_committed_survives_the_kill_of_the_server_on_the_same_address(durable_postgres):
    url = durable_postgres.start()
    one(url, "CREATE TABLE kept AS SELECT 1 AS number")
    durable_postgres.child.kill()
    durable_postgres.child.wait()

    assert durable_postgres.start() == url
    assert one(url, "SELECT number FROM kept") == (1,)


@pytest.mark.slow
def test_a_note_of_a_server_whose_number_now_belongs_to_another_process_is_forgotten(postgres):
    postgres.start()
    postgres.stop()
    note = postgres.data / "postmaster.pid"
    note.write_text("1\n/elsewhere\n0\n5432\n\n127.0.0.1\n\nready\n")

    assert one(postgres.start(), "SELECT 1") == (1,)


def test_data_of_another_major_version_is_refused_by_name(postgres):
    postgres.data.mkdir()
    (postgres.data / "PG_VERSION").write_text("16\n")

    with pytest.raises(ServerFailed, match="made by PostgreSQL 16, this is 18"):
        postgres.start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another account")
def test_where_the_servers_account_may_not_enter_data_and_programs_go_elsewhere(directory, monkeypatch):
    monkeypatch.setattr(module, "_can_enter", lambda account, path: False)
    said = []
    server = Postgres(directory / "postgres", log=directory / "log", throwaway=True, say=said.append)

    try:
        assert one(server.start(), "SELECT 1") == (1,)
    finally:
        server.discard()

    assert str(server.directory) in said[0]
    assert (directory / "postgres" / "elsewhere.txt").read_text().strip() == str(server.directory)
    assert not server.directory.exists()


def test_postgres_asks_for_its_password(postgres):
    url = postgres.start()
    password = (postgres.directory / "password").read_text()

    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(url.replace(password, "guessed"))


def test_redis_answers_with_its_password_only_and_comes_back_on_the_same_address(redis):
    url = redis.start()
    with pytest.raises(client.AuthenticationError):
        client.Redis(port=redis.port, retry=Retry(NoBackoff(), 0)).ping()
    assert client.Redis.from_url(url).ping()

    redis.child.kill()
    redis.child.wait()

    assert redis.start() == url
    assert client.Redis.from_url(url).ping()
