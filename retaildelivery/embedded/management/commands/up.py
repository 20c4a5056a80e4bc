import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from retaildelivery import environment
from retaildelivery.embedded import processes
from retaildelivery.embedded.processes import ServerFailed
from retaildelivery.embedded.supervisor import Options, Refused, Supervisor


class Command(BaseCommand):
    help = "Run the whole system: PostgreSQL, Redis, web, worker, beat and the demo, until Ctrl-C."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--with-parent",
            action="store_true",
            help="stop as well when the process that started this one (such as make) is killed",
        )

    def handle(self, *args: Any, with_parent: bool, **options: Any) -> None:
        if with_parent:
            processes.end_with_parent()
        supervisor = Supervisor(
            Options(
                directory=settings.DATA_DIR,
                host=environment.text("HOST", "127.0.0.1"),
                port=settings.PORT,
                base_url=settings.BASE_URL,
                web_workers=settings.WEB_WORKERS,
                demo=settings.DEMO,
                # Only what was asked for: settings also fall back to what a running copy has left.
                database_url=os.environ.get("DATABASE_URL") or os.environ.get("DATABASE_URL_FILE") or "",
                redis_url=os.environ.get("REDIS_URL") or os.environ.get("REDIS_URL_FILE") or "",
            ),
            say=self._say,
        )
        try:
            supervisor.run()
        except (Refused, ServerFailed) as error:
            raise CommandError(str(error)) from error

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        # Somebody is watching, perhaps through a pipe.
        self.stdout.flush()
