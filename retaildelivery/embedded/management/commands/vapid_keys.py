"""manage.py vapid_keys: a new key pair for notices to phones."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from retaildelivery.lib import vapid


class Command(BaseCommand):
    help = "Print a new VAPID key pair: the private key as a line for the environment; the public one follows from it."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        private = vapid.new_key()
        self.stdout.write(f"VAPID_PRIVATE_KEY={private}")
        self.stdout.write(f"# Public key: {vapid.public_key(private)}")
