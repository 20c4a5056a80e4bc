"""drf-spectacular's own command, which first writes down what codes the operations answer as the code is now."""

from __future__ import annotations

from typing import Any

from drf_spectacular.management.commands import spectacular

from retaildelivery.web import error_codes


class Command(spectacular.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        error_codes.keep(error_codes.read())
        super().handle(*args, **options)  # type: ignore[no-untyped-call]
