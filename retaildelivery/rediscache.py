"""Django's Redis cache, with a client that is kept: Django makes one for each command, which costs more than the
command does."""

from __future__ import annotations

from typing import Any

import structlog
from django.core.cache import cache
from django.core.cache.backends import redis
from django.db import connection, transaction
from redis.exceptions import RedisError

from retaildelivery.redisline import ThreadsOwn

log = structlog.get_logger(__name__)


class KeptClient(redis.RedisCacheClient):
    """One client for all threads, which each have a connection of it."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._client = ThreadsOwn
        self._kept: dict[bool, Any] = {}

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        if write not in self._kept:
            self._kept[write] = super().get_client(key, write=write)
        return self._kept[write]


class RedisCache(redis.RedisCache):
    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = KeptClient

    def get_many_or_set(self, values: dict[str, tuple[Any, int]]) -> dict[str, Any]:
        """What is kept under each of these keys, which is the value given here where nothing was, for so many
        seconds. One trip, and who asks at the same time gets the same."""
        client: Any = self._cache
        keys = {key: self.make_and_validate_key(key) for key in values}
        pipeline = client.get_client(write=True).pipeline(transaction=False)
        for key, (value, timeout) in values.items():
            pipeline.set(keys[key], client._serializer.dumps(value), ex=timeout, nx=True)  # noqa: SLF001
        pipeline.mget(list(keys.values()))
        found = pipeline.execute()[-1]
        return {key: client._serializer.loads(value) for key, value in zip(keys, found, strict=True)}  # noqa: SLF001

    def set_each(self, values: dict[str, tuple[Any, int]]) -> None:
        """Put these values, each with its time to live in seconds. One trip."""
        client: Any = self._cache
        if len(values) == 1:
            # What a pipeline costs beside one command is more than the command.
            [(key, (value, timeout))] = values.items()
            self.set(key, value, timeout)
            return
        pipeline = client.get_client(write=True).pipeline(transaction=False)
        for key, (value, timeout) in values.items():
            pipeline.set(self.make_and_validate_key(key), client._serializer.dumps(value), ex=timeout)  # noqa: SLF001
        pipeline.execute()


class _AfterCommit:
    """What a transaction puts into the cache once it commits, in one trip."""

    def __init__(self) -> None:
        self.values: dict[str, tuple[Any, int]] = {}

    def __call__(self) -> None:
        try:
            cache.set_each(self.values)  # type: ignore[attr-defined]
        except RedisError as failure:
            log.warning("cache.away", keys=sorted(self.values), reason=str(failure))


def put_after_commit(key: str, value: Any, *, timeout: int) -> None:
    """Put it into the cache once the running transaction commits, at once when there is none; with everything else that
    the transaction puts there. A cache that is away is passed over: nothing may rest on its being told."""
    for registered in connection.run_on_commit if connection.in_atomic_block else []:
        within, waiting = registered[:2]
        # A part that is undone takes back only what it has put there itself.
        if isinstance(waiting, _AfterCommit) and within == set(connection.savepoint_ids):
            waiting.values[key] = (value, timeout)
            return
    put = _AfterCommit()
    put.values[key] = (value, timeout)
    transaction.on_commit(put, robust=True)
