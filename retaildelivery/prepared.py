"""Statements whose SQL is built once, and read by the server once for each connection. For a request that is made a
thousand times a second most of the time goes into building and reading the same text again; what they read and write is
what the queryset would."""

from __future__ import annotations

import datetime as dt
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.models import NOT_PROVIDED, Expression, Field, Model, QuerySet
from django.db.models.base import ModelState
from django.db.models.query import get_related_populators
from django.db.models.sql import InsertQuery, UpdateQuery
from django.db.transaction import TransactionManagementError

from retaildelivery.outbox import worlds

T = TypeVar("T", bound=Model)

FEW = 4  # rows up to which an insert is kept by the server: each number of rows is a statement of its own


class Given(Expression):
    """Stands in a prepared queryset for a value that is known when it is read: ``filter(code=Given("code"))``."""

    def __init__(self, name: str, template: str = "%s") -> None:
        super().__init__()
        self.name, self.template = name, template

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return self.template, [self]


def _as_it_is(field: Field[Any, Any]) -> type | None:
    """What the database's driver takes for this column without being asked about it; of other types and columns the
    field itself knows how they are written."""
    if isinstance(field, models.CharField | models.TextField):
        return str
    if isinstance(field, models.BooleanField):
        return bool
    return int if isinstance(field, models.IntegerField | models.ForeignKey) else None


def _saves_in_its_way(field: Field[Any, Any]) -> bool:
    if isinstance(field, models.DateField):
        return field.auto_now or field.auto_now_add
    return type(field).pre_save is not Field.pre_save


def call_of(sql: str) -> str:
    """What to execute in place of a statement whose text is always the same (see `postgres.base`)."""
    call: str = connection.call_of(sql)  # type: ignore[attr-defined]
    return call


def any_of(name: str) -> Given:
    """For a list of keys: ``filter(pk__in=any_of("keys"))``."""
    return Given(name, "(SELECT unnest(%s::bigint[]))")


def bound(params: Iterable[Any], given: Mapping[str, Any]) -> list[Any]:
    """The parameters, with what is given in the place of what stands for it."""
    return [given[value.name] if isinstance(value, Given) else value for value in params]


class Prepared(Generic[T]):
    """A queryset made by `build` when it is first needed; `given` are the values of its `Given`s, as the database
    takes them. `select_related`, `defer` and locks are kept; prefetching, annotations and slices by value are not
    for it. `before` is a statement without parameters, with its semicolon, that is sent along ahead of it."""

    def __init__(self, build: Callable[[], QuerySet[T]], *, before: str = "") -> None:
        self.build, self.before = build, before
        self.sql = ""

    def all(self, **given: Any) -> list[T]:
        """The rows. Raises TransactionManagementError for a lock without a transaction."""
        if worlds.current() != worlds.LIVE:
            # A manager filters by the world at work, so what was built for the live one is not for a sandbox.
            return Prepared(self.build, before=self.before).built().rows(given)
        return self.built().rows(given)

    def built(self) -> Prepared[T]:
        """Itself, with its SQL."""
        if not self.sql:
            self._prepare()
        return self

    def rows(self, given: Mapping[str, Any]) -> list[T]:
        """What its SQL gives for these values."""
        if self.locks and not connection.in_atomic_block:
            raise TransactionManagementError("A lock is held to the end of a transaction.")
        here = connections[DEFAULT_DB_ALIAS]
        with here.cursor() as cursor:
            cursor.execute(self.before + call_of(self.sql), bound(self.params, given))
            rows = cursor.fetchall()
        return [self._model(row, here) for row in rows]

    def one(self, **given: Any) -> T | None:
        """The first row, or None."""
        return next(iter(self.all(**given)), None)

    def _prepare(self) -> None:
        queryset = self.build()
        compiler = queryset.query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        assert compiler.klass_info is not None
        assert not compiler.annotation_col_map, "Annotations are not read."
        fields = compiler.klass_info["select_fields"]
        self.columns = slice(fields[0], fields[-1] + 1)
        self.names = [column.target.attname for column, _sql, _alias in compiler.select[self.columns]]
        self.related = get_related_populators(compiler.klass_info, compiler.select, connection.alias)  # type: ignore[call-arg]
        converters = compiler.get_converters([column for column, _sql, _alias in compiler.select])
        self.converters = [(place, steps, column) for place, (steps, column) in converters.items()]
        self.model, self.params = queryset.model, params
        self.locks = queryset.query.select_for_update
        # Last: another thread reads from here on.
        self.sql = sql

    def _model(self, row: tuple[Any, ...], here: Any) -> T:
        values = list(row)
        for place, steps, column in self.converters:
            for step in steps:
                values[place] = step(values[place], column, here)
        made: T = self.model.from_db(here.alias, self.names, values[self.columns])
        for related in self.related:
            related.populate(values, made)
        return made


class PreparedUpdate:
    """``queryset.update(**values)``, in which `Given`s stand for values; `before` as of `Prepared`."""

    def __init__(self, build: Callable[[], QuerySet[Any]], before: str = "", /, **values: Any) -> None:
        self.build, self.before, self.values = build, before, values
        self.sql = ""

    def run(self, **given: Any) -> int:
        """How many rows it changed."""
        sql, params = self._built() if worlds.current() == worlds.LIVE else self._statement()
        with connection.cursor() as cursor:
            cursor.execute(self.before + call_of(sql), bound(params, given))
            return int(cursor.rowcount)

    def _built(self) -> tuple[str, Iterable[Any]]:
        if not self.sql:
            sql, self.params = self._statement()
            # Last: another thread reads from here on.
            self.sql = sql
        return self.sql, self.params

    def _statement(self) -> tuple[str, Iterable[Any]]:
        query: Any = self.build().query.chain(UpdateQuery)
        query.add_update_values(self.values)
        sql, params = query.get_compiler(connection=connection).as_sql()
        return sql, params


def written(value: Any, field: Field[Any, Any], here: Any) -> Any:
    """The value as the driver writes it: a text where it would first have to find out what it has."""
    if isinstance(value, str) and _as_it_is(field) is str:
        return str.__str__(value)  # the member of an enumeration
    found = field.get_db_prep_save(value, here)
    return found.isoformat() if isinstance(found, dt.datetime) else found


class PreparedInsert(Generic[T]):
    """``bulk_create`` of a model, of any number of rows in one statement: what the rows hold is written, with defaults
    of Python's, and they get their keys. For models without parents and without values that are expressions.

    `found` names columns whose value the statement finds itself, by SQL: as part of a larger one it can refer to what
    another part of that wrote. `later` names columns that hold their default until something happens to the row: as
    long as all rows hold it, it is in the text of the statement and not sent with each."""

    def __init__(self, model: type[T], *, later: Sequence[str] = (), **found: str) -> None:
        self.model, self.later, self.found = model, later, found
        self.whole: _Form | None = None

    def run(self, rows: Sequence[T]) -> None:
        """Write them in their order; nothing is done for none."""
        if not rows:
            return
        sql, values = self.part(rows)
        with connection.cursor() as cursor:
            cursor.execute(call_of(sql) if len(rows) <= FEW else sql, values)
            self.keyed(rows, [key for (key,) in cursor.fetchall()])

    def part(self, rows: Sequence[T]) -> tuple[str, list[Any]]:
        """The statement, which gives back the keys, and its values."""
        if self.whole is None:
            self._prepare()
        assert self.whole is not None
        is_new = self.later and all(self.held_later(row) == self.default for row in rows)
        form = self.short if is_new else self.whole
        # Itself, since what stands for it looks for it each time.
        here = connections[DEFAULT_DB_ALIAS]
        return form.sql % ", ".join([form.row] * len(rows)), [
            value for row in rows for value in form.values(row, here)
        ]

    def keyed(self, rows: Sequence[T], keys: Sequence[Any]) -> None:
        """Note the keys that the rows were given."""
        alias = connection.alias
        for made, key in zip(rows, keys, strict=True):
            made.pk = key
            # As a model's own save leaves it.
            made._state.adding, made._state.db = False, alias  # noqa: SLF001

    def _prepare(self) -> None:
        if self.later:
            # Two at least: of a single one the getter gives no tuple.
            named = {field.name: field for field in self.model._meta.concrete_fields}
            fields = [named[name] for name in self.later]
            self.held_later = operator.attrgetter(*[field.attname for field in fields])
            self.default = tuple(field.get_default() for field in fields)
            literals = {
                field.name: _literal(written(default, field, connection))
                for field, default in zip(fields, self.default, strict=True)
            }
            self.short = _Form(self.model, self.found | literals)
        # Last: another thread reads from here on.
        self.whole = _Form(self.model, self.found)


class _Form:
    """One way of writing rows of a model: with `found`, values of columns as SQL, and places for the rest."""

    def __init__(self, model: type[Model], found: Mapping[str, str]) -> None:
        meta = model._meta
        fields = [field for field in meta.concrete_fields if not field.primary_key and not field.generated]
        quote = connection.ops.quote_name
        places = [found.get(field.name) or _place(model, field) for field in fields]
        columns = ", ".join(quote(str(field.column)) for field in fields)
        key = quote(str(meta.pk.column))
        self.row = f"({', '.join(places)})"
        self.sql = f"INSERT INTO {quote(meta.db_table)} ({columns}) VALUES %s RETURNING {key}"  # noqa: S608 -- names of columns
        self.fields: list[Field[Any, Any]] = [field for field in fields if field.name not in found]
        self.plain = [_as_it_is(field) for field in self.fields]
        # All that is held at once, and after it what a field makes of it before it is written, such as a file.
        self.held = operator.attrgetter(*[field.attname for field in self.fields])
        self.own = [(place, field) for place, field in enumerate(self.fields) if _saves_in_its_way(field)]

    def values(self, row: Model, here: Any) -> list[Any]:
        held = list(self.held(row))
        for place, field in self.own:
            held[place] = field.pre_save(row, True)
        return [
            value if value is None or type(value) is plain else written(value, field, here)
            for value, field, plain in zip(held, self.fields, self.plain, strict=True)
        ]


def _place(model: type[Model], field: Any) -> str:
    if not hasattr(field, "get_placeholder"):
        return "%s"
    compiler = InsertQuery(model).get_compiler(connection=connection)
    place: str = field.get_placeholder(None, compiler, connection)
    return place


def _literal(value: Any) -> str:
    """The value as text of a statement."""
    with connection.cursor() as cursor:
        text: str = cursor.mogrify("%s", [value]).decode()
    assert "%" not in text, "It would be taken for a place."
    return text


class Blank(Generic[T]):
    """New rows of a model as its constructor makes them, for those that are made with every request: the fields are
    asked for their defaults once, and only what a default draws is drawn for each row."""

    def __init__(self, model: type[T]) -> None:
        self.model = model
        self.same: dict[str, Any] = {}
        self.drawn: list[tuple[str, Callable[[], Any]]] = []
        self.related: dict[str, str] = {}

    def filled(self, **values: Any) -> T:
        """A row with these values, and defaults for the rest."""
        if not self.same:
            self._prepare()
        row = self.model.__new__(self.model)
        held = row.__dict__
        held.update(self.same, _state=ModelState())
        for name, draw in self.drawn:
            if name not in values:
                held[name] = draw()
        for name, value in values.items():
            if name in self.related:
                # As the field's descriptor does with a row of the right model.
                held[self.related[name]] = None if value is None else value.pk
                row._state.fields_cache[name] = value  # noqa: SLF001
            else:
                held[name] = value
        return row

    def _prepare(self) -> None:
        same: dict[str, Any] = {}
        drawn: list[tuple[str, Callable[[], Any]]] = []
        for field in self.model._meta.concrete_fields:
            if callable(field.default) and field.default is not NOT_PROVIDED:
                drawn.append((field.attname, field.default))
            else:
                same[field.attname] = field.get_default()
        self.drawn = drawn
        self.related = {
            field.name: field.attname for field in self.model._meta.concrete_fields if field.is_relation
        }
        # Last: another thread reads from here on.
        self.same = same
