"""Django's Redis cache, with a client that is kept: Django makes one for each command, which costs more than the
command does."""

from __future__ import annotations

from typing import Any

from django.core.cache.backends import redis


class KeptClient(redis.RedisCacheClient):
    """A client may be used by any number of threads: it takes a connection of the pool for each command."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._kept: dict[bool, Any] = {}

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        if write not in self._kept:
            self._kept[write] = super().get_client(key, write=write)
        return self._kept[write]


class RedisCache(redis.RedisCache):
    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = KeptClient

    def get_many_or_set(self, values: dict[str, Any], *, timeout: int) -> dict[str, Any]:
        """What is kept under each of these keys, which is the value given here where nothing was. One trip, and who
        asks at the same time gets the same."""
        client: KeptClient = self._cache
        keys = {key: self.make_and_validate_key(key) for key in values}
        pipeline = client.get_client(write=True).pipeline(transaction=False)
        for key, value in values.items():
            pipeline.set(keys[key], client._serializer.dumps(value), ex=timeout, nx=True)  # noqa: SLF001
        pipeline.mget(list(keys.values()))
        found = pipeline.execute()[-1]
        return {key: client._serializer.loads(value) for key, value in zip(keys, found, strict=True)}  # noqa: SLF001
