"""The database backend: PostgreSQL as Django speaks to it, without the second index of unique texts."""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql import base, schema
from django.db.models import Field, Model


class DatabaseSchemaEditor(schema.DatabaseSchemaEditor):
    """Django gives each unique or indexed text a second index, for searches by its beginning. Ours are codes, tokens
    and keys that are looked up whole, and every row written would pay for it; a model that is searched by a beginning
    says so in its `Meta.indexes`."""

    def _create_like_index_sql(self, model: type[Model], field: Field[Any, Any]) -> None:
        return None


class DatabaseWrapper(base.DatabaseWrapper):
    SchemaEditorClass = DatabaseSchemaEditor
