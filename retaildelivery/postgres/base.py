"""The database backend: PostgreSQL as Django speaks to it, with statements that the server reads once for a connection,
and without the second index of unique texts."""

from __future__ import annotations

import re
import select
from typing import Any

from django.db.backends.postgresql import base, schema
from django.db.models import Field, Model

_PLACE = re.compile(r"%(?:%|s|\(\w+\)s)")


class DatabaseSchemaEditor(schema.DatabaseSchemaEditor):
    """Django gives each unique or indexed text a second index, for searches by its beginning. Ours are codes, tokens
    and keys that are looked up whole, and every row written would pay for it; a model that is searched by a beginning
    says so in its `Meta.indexes`."""

    def _create_like_index_sql(self, model: type[Model], field: Field[Any, Any]) -> None:
        return None


class DatabaseWrapper(base.DatabaseWrapper):
    SchemaEditorClass = DatabaseSchemaEditor

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        # They live as long as the connection, on which a rollback does not end them.
        self._calls: dict[str, str] = {}
        return super().get_new_connection(conn_params)

    def is_usable(self) -> bool:
        """Whether the connection is alive. A server that ends it says so on it: while nothing has gone wrong and
        there is nothing to read it is; asking the server would cost each request a trip. That a machine fell silent is
        for TCP's own probes to find."""
        quiet = self.connection is not None and not self.errors_occurred and not self.connection.closed
        if quiet and not _has_word(self.connection.fileno()):
            return True
        return super().is_usable()

    def call_of(self, sql: str) -> str:
        """What to execute, with the same parameters, in place of `sql`: the server reads it once for this connection,
        and plans it anew only while that pays (https://www.postgresql.org/docs/current/sql-prepare.html). For
        statements whose text is always the same. A place whose type nothing around it tells needs a cast."""
        self.ensure_connection()
        call = self._calls.get(sql)
        if call is None:
            name = f"statement_{len(self._calls) + 1}"
            text, places = _numbered(sql)
            with self.wrap_database_errors, self.connection.cursor() as cursor:
                cursor.execute(f"PREPARE {name} AS {text}")
            call = self._calls[sql] = f"EXECUTE {name} ({', '.join(places)})" if places else f"EXECUTE {name}"
        return call


def _has_word(descriptor: int) -> bool:
    """Whether there is anything to read, or the other side has gone."""
    watch = select.poll()
    watch.register(descriptor, select.POLLIN | select.POLLPRI)
    return bool(watch.poll(0))


def _numbered(sql: str) -> tuple[str, list[str]]:
    """With `$1`, `$2` for the places of Python's driver; and those, in the order of their numbers."""
    places: list[str] = []

    def number(place: re.Match[str]) -> str:
        said = place.group()
        if said == "%%":
            return "%"
        if said == "%s" or said not in places:
            places.append(said)
            return f"${len(places)}"
        return f"${places.index(said) + 1}"

    return _PLACE.sub(number, sql), places
