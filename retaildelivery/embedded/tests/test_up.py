"""`manage.py up` for real: one system is started, hurt and stopped, in the order of the tests below."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import psutil
import psycopg2
import pytest

from retaildelivery.embedded import processes, supervisor

PROJECT = Path(__file__).resolve().parents[3]

pytestmark = pytest.mark.slow


class System:
    """A data directory, and `manage.py up` over it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = processes.free_port()
        self.output = directory / "output.txt"
        self.process = None

    def command(self, **changes):
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name not in {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DJANGO_SETTINGS_MODULE"}
        }
        return {
            "args": [sys.executable, str(PROJECT / "manage.py"), "up"],
            "env": {
                **inherited,
                "DATA_DIR": str(self.directory / "var"),
                "PORT": str(self.port),
                "WEB_WORKERS": "1",
                "DEMO": "off",
                **changes,
            },
        }

    def start(self):
        with self.output.open("w") as output:
            self.process = subprocess.Popen(**self.command(), stdout=output, stderr=subprocess.STDOUT)
        until = time.monotonic() + 150
        while "Ready after" not in self.output.read_text():
            assert self.process.poll() is None, self.output.read_text()
            assert time.monotonic() < until, self.output.read_text()
            time.sleep(0.1)

    def refusal(self, **changes):
        done = subprocess.run(
            **self.command(**changes), capture_output=True, text=True, timeout=180, check=False
        )
        assert done.returncode != 0
        return done.stdout + done.stderr

    def family(self):
        return psutil.Process(self.process.pid).children(recursive=True)

    def child(self, word):
        return next(each for each in self.family() if word in each.cmdline())

    def ready(self):
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz") as answer,
        ):
            return json.load(answer)
        return None

    def database(self):
        kept = json.loads((self.directory / "var" / "run" / "environment.json").read_text())
        return psycopg2.connect(kept["DATABASE_URL"])

    def kill(self):
        self.process.kill()
        self.process.wait()


def wait_for(what, seconds=90):
    until = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.1)
    return found


def gone(family):
    return all(not each.is_running() or each.status() == psutil.STATUS_ZOMBIE for each in family)


@pytest.fixture
def directory():
    """Outside pytest's own, which only its owner may enter; the server may run under another account."""
    with tempfile.TemporaryDirectory(prefix="up with a space ") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture(scope="module")
def system():
    with tempfile.TemporaryDirectory(prefix="up with a space ") as name:
        Path(name).chmod(0o711)
        started = System(Path(name))
        try:
            yield started
        finally:
            if started.process is not None and started.process.poll() is None:
                started.process.terminate()
                started.process.wait(90)


def test_it_starts_from_nothing_and_says_where(system):
    system.start()

    assert system.ready() == {
        "status": "ok",
        "checks": {"database": "ok", "redis": "ok", "migrations": "ok"},
    }
    assert f"http://localhost:{system.port}" in system.output.read_text()


def test_a_second_copy_on_the_same_data_is_refused(system):
    said = system.refusal(PORT=str(processes.free_port()))

    assert "Another copy is already running" in said
    assert "DATA_DIR" in said
    assert system.ready()["status"] == "ok"


def test_a_port_in_use_is_refused_by_its_name(system, tmp_path):
    said = system.refusal(DATA_DIR=str(tmp_path / "other"))

    assert f"Port {system.port} is in use" in said
    assert "PORT=" in said


def test_a_child_that_dies_is_started_again(system):
    worker = system.child(supervisor.PROMPT_QUEUES)

    worker.kill()

    # Its own children are killed with it, or they would go on taking tasks.
    assert wait_for(lambda: "worker ended with status -9" in system.output.read_text())
    assert wait_for(lambda: any(supervisor.PROMPT_QUEUES in each.cmdline() for each in system.family()))


def test_postgres_killed_under_it_comes_back(system):
    with contextlib.closing(system.database()) as connection, connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE kept AS SELECT 'still here' AS text")

    next(
        each for each in system.family() if each.name() == "postgres" and each.ppid() == system.process.pid
    ).kill()

    assert wait_for(lambda: "PostgreSQL ended" in system.output.read_text())
    assert wait_for(lambda: (system.ready() or {}).get("status") == "ok")


def test_redis_killed_under_it_comes_back(system):
    next(each for each in system.family() if each.name() == "redis-server").kill()

    assert wait_for(lambda: "Redis ended" in system.output.read_text())
    assert wait_for(lambda: (system.ready() or {}).get("status") == "ok")


def test_killed_outright_it_leaves_no_process_and_starts_again_with_its_data(system):
    family = system.family()
    system.kill()
    assert wait_for(lambda: gone(family))

    system.start()

    with contextlib.closing(system.database()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT text FROM kept")
        assert cursor.fetchone() == ("still here",)
    assert system.ready()["status"] == "ok"


def test_termination_stops_everything(system):
    family = system.family()

    system.process.send_signal(signal.SIGTERM)

    assert system.process.wait(90) == 0
    assert gone(family)
    assert "Stopped" in system.output.read_text()


def test_an_interrupt_in_the_middle_of_starting_stops_everything(system):
    with system.output.open("w") as output:
        system.process = subprocess.Popen(**system.command(), stdout=output, stderr=subprocess.STDOUT)
    wait_for(lambda: "Applying migrations" in system.output.read_text())
    family = system.family()

    system.process.send_signal(signal.SIGINT)

    assert system.process.wait(90) == 0
    assert gone(family)
    assert "Stopped" in system.output.read_text()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("DATABASE_URL", "sqlite:///here.db"),
        ("REDIS_URL", "somewhere"),
        ("BASE_URL", "delivery.example.com"),
        ("DEMO", "perhaps"),
        ("TIME_ZONE", "Las Vegas"),
    ],
)
def test_nonsense_in_a_variable_is_refused_by_its_name(system, name, value):
    said = system.refusal(**{name: value})

    assert f"Configuration: {name}" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgres://nobody:hunter2@127.0.0.1:1/none"),
        ("REDIS_URL", "redis://:hunter2@127.0.0.1:1/0"),
    ],
)
def test_a_server_of_ones_own_that_does_not_answer_is_named(directory, name, value):
    said = System(directory).refusal(**{name: value})

    assert f"of {name} does not answer" in said
    assert "Traceback" not in said
    assert "hunter2" not in said
