import hashlib
from io import StringIO
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, connection
from redis.backoff import NoBackoff
from redis.retry import Retry


class Command(BaseCommand):
    help = "Make database and static files ready: migrate, collectstatic, and the demo unless DEMO=off."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-static", action="store_true", help="the static files are part of the image")
        parser.add_argument("--logins", type=Path, help="write what seed_demo says to this file")

    def handle(self, *args: Any, logins: Path | None, no_static: bool, **options: Any) -> None:
        _refuse_unless_reachable()
        self.stdout.write("Applying migrations")
        call_command("migrate", interactive=False, verbosity=0)
        if not settings.DEBUG and not no_static:
            self._collect_static()
        if settings.DEMO:
            self.stdout.write("Seeding the demo market")
            said = StringIO()
            call_command("seed_demo", stdout=said)
            if logins is None:
                self.stdout.write(said.getvalue())
            else:
                logins.touch(mode=0o600)
                logins.write_text(said.getvalue())

    def _collect_static(self) -> None:
        """Only when a source file has changed: compressing and naming them all takes seconds."""
        stamp = Path(settings.STATIC_ROOT) / ".sources"
        sources = _fingerprint_of_sources()
        if stamp.exists() and stamp.read_text() == sources:
            return
        self.stdout.write("Collecting static files")
        call_command("collectstatic", interactive=False, verbosity=0)
        stamp.write_text(sources)


def _refuse_unless_reachable() -> None:
    try:
        connection.ensure_connection()
    except OperationalError as error:
        raise CommandError(f"The database of DATABASE_URL does not answer: {error}") from error
    client = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=5, retry=Retry(NoBackoff(), 0))
    try:
        client.ping()
    except redis.RedisError as error:
        raise CommandError(f"The Redis of REDIS_URL does not answer: {error}") from error
    finally:
        client.close()


def _fingerprint_of_sources() -> str:
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            state = Path(storage.path(name)).stat()
            digest.update(f"{name}:{state.st_size}:{state.st_mtime_ns}\n".encode())
    return digest.hexdigest()
