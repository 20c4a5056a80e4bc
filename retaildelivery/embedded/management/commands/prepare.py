import hashlib
from io import StringIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    help = "Make database and static files ready: migrate, collectstatic, and the demo unless DEMO=off."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-static", action="store_true", help="the static files are part of the image")
        parser.add_argument("--logins", type=Path, help="write what seed_demo says to this file")

    def handle(self, *args: Any, logins: Path | None, no_static: bool, **options: Any) -> None:
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


def _fingerprint_of_sources() -> str:
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            state = Path(storage.path(name)).stat()
            digest.update(f"{name}:{state.st_size}:{state.st_mtime_ns}\n".encode())
    return digest.hexdigest()
