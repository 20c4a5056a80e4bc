"""The cache keeps its client, in every thread."""

import threading

from django.core.cache import cache


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
