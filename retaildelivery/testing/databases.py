"""The test databases: migrated once for all workers, and emptied after a test by what it wrote.

Loaded by `fixtures` after pytest-django, whose fixtures of these names it replaces.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connection
from django.test import TransactionTestCase
from pytest_django.plugin import DjangoDbBlocker

from retaildelivery.testing import fixtures

TEMPLATE = "test_template"

# What migrations wrote and Django needs at any time.
_KEPT = ("django_migrations", "django_content_type", "auth_permission", "django_site")


@pytest.fixture(scope="session")
def django_db_keepdb(request: pytest.FixtureRequest) -> bool:
    """A worker's database is there when it is asked for, and is thrown away with its server."""
    return bool(request.config.getvalue("reuse_db")) or _is_worker_of_own_server()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None,
    django_db_blocker: DjangoDbBlocker,
) -> None:
    """Of several workers the first migrates; all take copies of what it made."""
    if not _is_worker_of_own_server():
        return
    shared = Path(os.environ["DATA_DIR"]).parent
    with (shared / "template.lock").open("w") as lock, django_db_blocker.unblock():
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "template.ready").exists():
            _make_template()
            (shared / "template.ready").touch()
        mine = settings.DATABASES[DEFAULT_DB_ALIAS]["TEST"]["NAME"]
        with connection._nodb_cursor() as cursor:  # type: ignore[attr-defined]  # noqa: SLF001
            cursor.execute(f'CREATE DATABASE "{mine}" TEMPLATE {TEMPLATE}')


def _is_worker_of_own_server() -> bool:
    return fixtures.OWN_SERVER in os.environ and "PYTEST_XDIST_WORKER" in os.environ


def _make_template() -> None:
    own, mine = settings.DATABASES[DEFAULT_DB_ALIAS], connection.settings_dict
    name, test_name = own["NAME"], own["TEST"]["NAME"]
    own["TEST"]["NAME"] = mine["TEST"]["NAME"] = TEMPLATE
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    connection.close()
    own["NAME"] = mine["NAME"] = name
    own["TEST"]["NAME"] = mine["TEST"]["NAME"] = test_name


def empty() -> None:
    """Delete every row of the test database, as `flush` does, from the tables that have any: truncating a hundred
    empty tables takes longer than most tests. Triggers that guard accounts and references sleep meanwhile, which
    takes a superuser; another account flushes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('is_superuser') = 'on'")
        (may,) = cursor.fetchone() or (False,)
        if not may:
            call_command("flush", verbosity=0, interactive=False, reset_sequences=False)
            return
        tables = [name for name in connection.introspection.table_names(cursor) if name not in _KEPT]
        some = (f"(SELECT '{name}' FROM \"{name}\" LIMIT 1)" for name in tables)  # noqa: S608 -- names of tables
        cursor.execute(" UNION ALL ".join(some))
        used = [row[0] for row in cursor.fetchall()]
        if used:
            deletes = ";".join(f'DELETE FROM "{name}"' for name in used)  # noqa: S608
            cursor.execute(f"BEGIN; SET LOCAL session_replication_role = replica; {deletes}; COMMIT")


@pytest.fixture(scope="session", autouse=True)
def _emptied_by_what_was_written() -> None:
    """Tests that commit are followed by `empty`."""
    TransactionTestCase._fixture_teardown = lambda _case: empty()  # noqa: SLF001
