"""A Redis client for what nearly every request asks: each thread keeps a connection of its own.

Taking a connection from a pool, looking whether it still lives, noting how long the command took and giving it back
cost as much as the command. A connection that turns out to be dead is made anew once.
"""

from __future__ import annotations

import os
import threading
from typing import Any

import redis


class ThreadsOwn(redis.Redis):
    """`redis.Redis`, whose single commands go over the calling thread's connection; pipelines, scripts' loading and
    subscriptions go as ever."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._kept = threading.local()

    def execute_command(self, *command: Any, **options: Any) -> Any:
        connection = self._connection()
        try:
            return self._answer(connection, *command, **options)
        except redis.ConnectionError:
            # The server may have closed it since the command before. One that is away raises again here.
            return self._answer(connection, *command, **options)

    def _answer(self, connection: Any, *command: Any, **options: Any) -> Any:
        try:
            connection.send_command(*command)
            return self.parse_response(connection, command[0], **options)  # type: ignore[no-untyped-call]
        except redis.ResponseError:
            raise
        except BaseException:
            # Of who is interrupted the answer may still be under way: the next command must not take it for its own.
            connection.disconnect()
            raise

    def _connection(self) -> Any:
        connection = getattr(self._kept, "connection", None)
        # A forked process must not speak on its parent's connection.
        if connection is None or connection.pid != os.getpid():
            pool = self.connection_pool
            connection = self._kept.connection = pool.connection_class(**pool.connection_kwargs)
        return connection
