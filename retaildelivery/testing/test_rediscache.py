"""The cache keeps its client, and every thread its connection."""

import os
import threading

import pytest
import redis
from django.conf import settings
from django.core.cache import cache
from redis.backoff import NoBackoff
from redis.retry import Retry

from retaildelivery.redisline import ThreadsOwn


def test_one_client_serves_every_command():
    kept = cache._cache.get_client("a")  # noqa: SLF001 -- what this is about

    cache.set("a", 1, timeout=60)

    assert cache._cache.get_client("b") is kept  # noqa: SLF001 -- what this is about
    assert cache.get_many(["a", "b"]) == {"a": 1}


def test_threads_use_the_cache_side_by_side():
    def work(number):
        for _ in range(50):
            cache.set(f"thread:{number}", number, timeout=60)
            read.append(cache.get(f"thread:{number}") == number)

    read = []
    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert read == [True] * 400


def test_a_connection_that_the_server_closed_is_made_anew():
    client = ThreadsOwn.from_url(settings.REDIS_URL)
    client.set("line", "1", ex=60)
    number = client.execute_command("CLIENT", "ID")

    redis.Redis.from_url(settings.REDIS_URL).client_kill_filter(_id=number)

    assert client.get("line") == b"1"
    assert client.execute_command("CLIENT", "ID") != number


def test_the_answer_to_a_command_that_was_interrupted_is_not_taken_for_the_next_ones(monkeypatch):
    def interrupted(*_arguments, **_options):
        raise KeyboardInterrupt

    client = ThreadsOwn.from_url(settings.REDIS_URL)
    client.mset({"one": "1", "two": "2"})
    with monkeypatch.context() as patch:
        patch.setattr(client, "parse_response", interrupted)
        with pytest.raises(KeyboardInterrupt):
            client.get("one")

    assert client.get("two") == b"2"


def test_a_command_that_is_refused_keeps_the_connection():
    client = ThreadsOwn.from_url(settings.REDIS_URL)
    number = client.execute_command("CLIENT", "ID")

    with pytest.raises(redis.ResponseError):
        client.execute_command("NO SUCH COMMAND")

    assert client.execute_command("CLIENT", "ID") == number


def test_each_thread_has_a_connection_of_its_own_and_keeps_it():
    def ask():
        found.append([client.execute_command("CLIENT", "ID") for _ in range(3)])

    client, found = ThreadsOwn.from_url(settings.REDIS_URL), []
    ask()
    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()

    assert [len(set(each)) for each in found] == [1, 1]
    assert found[0][0] != found[1][0]


def test_a_child_process_does_not_speak_on_its_parents_connection():
    client = ThreadsOwn.from_url(settings.REDIS_URL)
    own = client.execute_command("CLIENT", "ID")
    reading, writing = os.pipe()

    child = os.fork()
    if not child:
        os.write(writing, b"%d" % client.execute_command("CLIENT", "ID"))
        os._exit(0)
    os.waitpid(child, 0)

    assert int(os.read(reading, 20)) != own
    assert client.execute_command("CLIENT", "ID") == own


def test_a_server_that_is_away_raises_at_once():
    client = ThreadsOwn.from_url(
        "redis://127.0.0.1:1", socket_connect_timeout=0.5, retry=Retry(NoBackoff(), 0)
    )

    with pytest.raises(redis.ConnectionError):
        client.get("line")
