"""Servers of a benchmark's own: a PostgreSQL, a Redis, and the product's processes, taken down again at the end."""

import contextlib
import http.client
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from retaildelivery.embedded.postgres import Postgres  # noqa: E402 -- the path is set first
from retaildelivery.embedded.redis import Redis  # noqa: E402


@contextlib.contextmanager
def servers(**environment: str) -> Iterator[Path]:
    """PostgreSQL and Redis, and the environment that names them, with Django set up and migrated.

    Gives the directory that all of it lives in.
    """
    directory = Path(tempfile.mkdtemp(prefix="retaildelivery-bench-"))
    # The server may run under another account than ours.
    directory.chmod(0o711)
    (directory / "var" / "run").mkdir(parents=True)
    postgres = Postgres(directory / "postgres", log=directory / "postgres.log", throwaway=False)
    redis = Redis(log=directory / "redis.log")
    try:
        os.environ |= {
            "DATABASE_URL": postgres.start(),
            "REDIS_URL": redis.start(),
            "DATA_DIR": str(directory / "var"),
            "SECRET_KEY": "only-for-measuring-" * 4,
            "DJANGO_SETTINGS_MODULE": "retaildelivery.settings",
            "LOG_LEVEL": "WARNING",
            **environment,
        }
        # Settings read the addresses of the servers, so nothing of Django may be loaded before those run.
        import django  # noqa: PLC0415

        django.setup()
        from django.core.management import call_command  # noqa: PLC0415

        call_command("migrate", verbosity=0)
        yield directory
    finally:
        redis.stop()
        postgres.stop()
        shutil.rmtree(directory, ignore_errors=True)


@contextlib.contextmanager
def process(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of the product, by the same interpreter; ended with the block."""
    child = subprocess.Popen([sys.executable, *command], cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        yield child
    finally:
        child.terminate()
        child.wait()


@contextlib.contextmanager
def web(application: str, *, workers: int = 2) -> Iterator[int]:
    """Granian with this application; gives its port once it answers."""
    port = free_port()
    with process(
        *("-m", "granian", "--interface", "wsgi", "--no-ws", "--host", "127.0.0.1", "--port", str(port)),
        *("--workers", str(workers), "--blocking-threads", "4", application),
    ):
        wait_for(port)
        yield port


def worker(*queues: str, concurrency: int = 2) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
    """A Celery worker as `manage.py up` starts it."""
    return process(
        *("-m", "celery", "--app", "retaildelivery", "worker", "--without-gossip", "--without-mingle"),
        *("--concurrency", str(concurrency), "--queues", ",".join(queues), "--loglevel", "WARNING"),
    )


def beat() -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
    return process("-m", "celery", "--app", "retaildelivery", "beat", "--loglevel", "WARNING")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def wait_for(port: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/healthz")
            if connection.getresponse().status == http.HTTPStatus.OK:
                return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("The server did not start.")


def percentile(sorted_values: list[float], share: float) -> float:
    """The value below which this share of them lies."""
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * share))]
