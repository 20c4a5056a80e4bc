"""The whole system for a browser: `manage.py up` on a database of its own, with the demo's people and no orders."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from retaildelivery.embedded import processes

PROJECT = Path(__file__).resolve().parents[3]
READY_WITHIN = 150.0
INHERITED_NOT = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DJANGO_SETTINGS_MODULE", "DATA_DIR", "LOG_LEVEL"}


@dataclass
class System:
    """A running system: where it answers, and `manage` for its own commands."""

    url: str
    environment: dict[str, str]

    def manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, str(PROJECT / "manage.py"), *arguments],
            env=self.environment, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@contextlib.contextmanager
def running() -> Iterator[System]:
    """Start it, put the demo market in, and stop it whatever happens."""
    with tempfile.TemporaryDirectory(prefix="retaildelivery-e2e-") as place:
        directory = Path(place)
        directory.chmod(0o711)
        port = processes.free_port()
        output = directory / "output.txt"
        environment = {name: value for name, value in os.environ.items() if name not in INHERITED_NOT} | {
            "DATA_DIR": str(directory / "var"),
            "PORT": str(port),
            "WEB_WORKERS": "1",
            "DEMO": "off",
        }
        with output.open("w") as sink:
            process = subprocess.Popen(
                [sys.executable, str(PROJECT / "manage.py"), "up"],
                env=environment, stdout=sink, stderr=subprocess.STDOUT,
            )  # fmt: skip
        try:
            _wait(process, output)
            system = System(f"http://127.0.0.1:{port}", _own(environment, directory / "var"))
            system.manage("seed_demo", "--no-orders", "--first-come")
            yield system
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)


def _wait(process: subprocess.Popen[bytes], output: Path) -> None:
    until = time.monotonic() + READY_WITHIN
    while "Ready after" not in output.read_text():
        assert process.poll() is None, output.read_text()
        assert time.monotonic() < until, output.read_text()
        time.sleep(0.1)


def _own(environment: dict[str, str], data: Path) -> dict[str, str]:
    """The environment of the running children, for a command beside them."""
    child = next(each for each in _children(data) if "DATABASE_URL" in each)
    kept = {name: child[name] for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY") if name in child}
    return {**environment, **kept}


def _children(data: Path) -> Iterator[dict[str, str]]:
    for place in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            pairs = (line.partition("=") for line in place.read_text(errors="replace").split("\0"))
            found = {name: value for name, _equals, value in pairs}
            if found.get("DATA_DIR") == str(data):
                yield found
