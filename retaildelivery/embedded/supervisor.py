"""The whole system as children of one process: servers first, then the programs that use them.

Nothing here knows Django or our apps. The supervisor runs in the main thread only, because a child's life is
tied to the thread that started it (see processes.spawn).
"""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import psutil

from retaildelivery.embedded import probe, processes
from retaildelivery.embedded.postgres import Postgres
from retaildelivery.embedded.processes import ServerFailed
from retaildelivery.embedded.redis import Redis

PROJECT = Path(__file__).resolve().parents[2]
READY_WITHIN = 90.0
LOOK_EVERY = 0.25
LONGEST_BACK_OFF = 30.0
# A child that ran this long has earned a quick restart again.
STEADY_AFTER = 60.0
LOG_BYTES = 10_000_000
PROMPT_QUEUES = "relay,webhooks,notices,sweeps"


class Refused(RuntimeError):
    """The system cannot be started as asked; the message says what to change."""


class _AskedToStop(BaseException):
    """Raised by the signal handler, wherever the main thread is; not an error."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to run. `directory` holds data, logs and the lock; `port` is the web server's."""

    directory: Path
    host: str
    port: int
    base_url: str
    web_workers: int
    demo: bool
    database_url: str = ""
    redis_url: str = ""


@dataclass(slots=True)
class _Program:
    """One long-running child and how its restarts went. `final` programs may end by themselves."""

    name: str
    command: list[str]
    patience: float
    final: bool = False
    child: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    not_before: float = 0.0


@dataclass(slots=True)
class _Running:
    programs: list[_Program] = field(default_factory=list)
    postgres: Postgres | None = None
    redis: Redis | None = None


class Supervisor:
    def __init__(self, options: Options, *, say: Callable[[str], None]) -> None:
        self.options = options
        self.say = say
        self.run_directory = options.directory / "run"
        self.logs = options.directory / "log"
        self.environment = {
            **os.environ,
            "DATA_DIR": str(options.directory),
            "PORT": str(options.port),
            "PYTHONUNBUFFERED": "1",
        }
        self.running = _Running()

    def run(self) -> None:
        """Start everything, say where it is, keep it up until asked to stop, then stop it all.

        Raises Refused when another copy holds the data directory or the port, ServerFailed when a part
        cannot be started.
        """
        with self._lock(), self._stop_on_signals():
            if processes.port_is_taken(self.options.port):
                raise Refused(
                    f"Port {self.options.port} is in use by another program. Stop that one, or choose "
                    f"another with PORT, for example: PORT={self.options.port + 1} make run"
                )
            try:
                self._start()
                self._watch()
            except _AskedToStop:
                self.say("Stopping")
            finally:
                self._stop()
            self.say("Stopped. The data stays in " + str(self.options.directory))

    # -- Start ---------------------------------------------------------------------------------------------

    def _start(self) -> None:
        begun = time.monotonic()
        self._end_leftovers()
        self._start_servers()
        self._prepare()
        self.say("Starting web, worker, planner and beat")
        web, *others = self._programs()
        self._run(web)
        assert web.child is not None
        processes.wait_until(
            self._ready, child=web.child, name="The web server", log=self._log("web"), seconds=READY_WITHIN
        )
        # Only now, so that on a small machine they do not keep the first page waiting.
        for program in others:
            self._run(program)
        self.say(f"\nReady after {time.monotonic() - begun:.0f} s: {self.options.base_url}")
        self._say_logins()
        self.say(f"Logs are in {self.logs}. Ctrl-C stops everything; the data stays.")

    def _start_servers(self) -> None:
        if self.options.database_url:
            self.say("Using the PostgreSQL of DATABASE_URL")
        else:
            self.say("Starting PostgreSQL")
            self.running.postgres = Postgres(
                self.options.directory / "postgres", log=self._log("postgres"), say=self.say
            )
            self.environment["DATABASE_URL"] = self.running.postgres.start()
        if self.options.redis_url:
            self.say("Using the Redis of REDIS_URL")
        else:
            self.say("Starting Redis")
            self.running.redis = Redis(log=self._log("redis"))
            self.environment["REDIS_URL"] = self.running.redis.start()
        # For `manage.py shell` and the like in another terminal.
        self._write_private(
            "environment.json",
            {
                name: self.environment[name]
                for name in ("DATABASE_URL", "REDIS_URL")
                if name in self.environment
            },
        )

    def _prepare(self) -> None:
        """Migrations, static files and the demo, in one process; what it says is passed on."""
        (self.run_directory / "logins.txt").unlink(missing_ok=True)
        metrics = self.run_directory / "metrics"
        shutil.rmtree(metrics, ignore_errors=True)
        metrics.mkdir()
        command = self._manage("prepare", "--logins", str(self.run_directory / "logins.txt"))
        child = processes.spawn(command, log=None, environment=self.environment, directory=PROJECT)
        try:
            status = child.wait()
        finally:
            processes.stop(child)
        if status:
            raise ServerFailed("The database could not be prepared; the reason is above.")

    def _programs(self) -> list[_Program]:
        """What runs beside the servers. The first one is the web server."""
        options = self.options
        python = sys.executable
        celery = [python, "-m", "celery", "--app", "retaildelivery"]
        worker = [*celery, "worker", "--without-gossip", "--without-mingle", "--concurrency"]
        return [
            _Program(
                "web",
                [
                    *(python, "-m", "granian", "--interface", "wsgi", "--no-ws"),
                    *("--host", options.host, "--port", str(options.port)),
                    *("--workers", str(options.web_workers), "--blocking-threads", "4"),
                    *("--blocking-threads-idle-timeout", "600", "--workers-kill-timeout", "5"),
                    *("--respawn-failed-workers", "--backlog", "2048"),
                    "retaildelivery.wsgi:application",
                ],
                patience=10,
            ),
            # A wave thinks for seconds: in a worker of its own it keeps no webhook waiting.
            _Program("worker", [*worker, "2", "--queues", PROMPT_QUEUES], patience=15),
            _Program("planner", [*worker, "1", "--queues", "planning"], patience=15),
            _Program("beat", [*celery, "beat"], patience=5),
            *(
                [_Program("simulate", self._manage("simulate"), patience=5, final=True)]
                if options.demo
                else []
            ),
        ]

    def _run(self, program: _Program) -> None:
        self.running.programs.append(program)
        self._launch(program)

    def _launch(self, program: _Program) -> None:
        extra = (
            {"PROMETHEUS_MULTIPROC_DIR": str(self.run_directory / "metrics")} if program.name == "web" else {}
        )
        program.child = processes.spawn(
            program.command,
            log=self._log(program.name),
            environment={**self.environment, **extra},
            directory=PROJECT,
        )
        program.started = time.monotonic()
        self._note_children()

    def _ready(self) -> bool:
        return probe.is_ready(port=self.options.port, base_url=self.options.base_url)

    def _say_logins(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            self.say((self.run_directory / "logins.txt").read_text().rstrip())

    # -- Keep up -------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        while True:
            time.sleep(LOOK_EVERY)
            for server, name in ((self.running.postgres, "PostgreSQL"), (self.running.redis, "Redis")):
                if server is not None and server.child is not None and server.child.poll() is not None:
                    self.say(f"{name} ended with status {server.child.returncode}; starting it again")
                    processes.kill_group(server.child.pid)
                    server.start()
            for program in self.running.programs:
                self._revive(program)

    def _revive(self, program: _Program) -> None:
        child = program.child
        now = time.monotonic()
        if child is not None and child.poll() is not None:
            # Whatever the dead one had started would hold its port or its queue.
            processes.kill_group(child.pid)
            program.child = None
            if program.final and child.returncode == 0:
                self.say(f"{program.name} has finished")
                program.not_before = float("inf")
                return
            program.failures = 1 if now - program.started > STEADY_AFTER else program.failures + 1
            wait = min(2.0 ** (program.failures - 1), LONGEST_BACK_OFF)
            program.not_before = now + wait
            self.say(
                f"{program.name} ended with status {child.returncode} (see {self._log(program.name)}); "
                f"starting it again in {wait:.0f} s"
            )
        if program.child is None and now >= program.not_before:
            self._launch(program)

    # -- Stop ----------------------------------------------------------------------------------------------

    def _stop(self) -> None:
        """Those who use the servers first, all at once; then the servers. A second Ctrl-C changes nothing."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        alive = [program for program in self.running.programs if program.child is not None]
        for program in alive:
            if program.child is not None and program.child.poll() is None:
                program.child.terminate()
        for program in alive:
            if program.child is not None:
                self._finish(program.child, patience=program.patience)
        if self.running.redis is not None:
            self.running.redis.stop()
        if self.running.postgres is not None:
            self.running.postgres.stop()
        for name in ("environment.json", "children.json"):
            (self.run_directory / name).unlink(missing_ok=True)

    @staticmethod
    def _finish(child: subprocess.Popen[bytes], *, patience: float) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=patience)
        processes.kill_group(child.pid)
        child.wait()

    def _note_children(self) -> None:
        found = []
        for program in self.running.programs:
            if program.child is not None:
                with contextlib.suppress(psutil.NoSuchProcess):
                    found.append([program.child.pid, psutil.Process(program.child.pid).create_time()])
        self._write_private("children.json", found)

    def _end_leftovers(self) -> None:
        """End what a killed supervisor left running where the kernel does not do it (other than Linux)."""
        try:
            noted = json.loads((self.run_directory / "children.json").read_text())
        except (OSError, ValueError):
            return
        left = []
        for pid, created in noted:
            with contextlib.suppress(psutil.NoSuchProcess):
                process = psutil.Process(pid)
                if abs(process.create_time() - created) < 1:
                    process.terminate()
                    left.append(process)
        if left:
            self.say("Stopping what an earlier run has left behind")
            psutil.wait_procs(left, timeout=10)
            for process in left:
                processes.kill_group(process.pid)

    # -- The data directory --------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _lock(self) -> Generator[None]:
        """One supervisor per data directory; the kernel lets go of the lock however the holder ends."""
        self.run_directory.mkdir(parents=True, exist_ok=True)
        # Children of other accounts pass through; only names can be guessed, nothing can be listed.
        self.options.directory.chmod(0o711)
        self.run_directory.chmod(0o700)
        self._rotate_logs()
        with (self.run_directory / "lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                raise Refused(
                    f"Another copy is already running on {self.options.directory} ({file.read().strip()}). "
                    f"Stop it, or give this one its own directory with DATA_DIR and its own PORT."
                ) from None
            file.truncate(0)
            file.write(f"process {os.getpid()}, {self.options.base_url}")
            file.flush()
            yield

    @contextlib.contextmanager
    def _stop_on_signals(self) -> Generator[None]:
        def ask(number: int, frame: FrameType | None) -> None:
            raise _AskedToStop

        before = {n: signal.signal(n, ask) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _rotate_logs(self) -> None:
        self.logs.mkdir(parents=True, exist_ok=True)
        self.logs.chmod(0o700)
        for log in self.logs.glob("*.log"):
            if log.stat().st_size > LOG_BYTES:
                log.replace(log.with_suffix(".log.1"))

    def _log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def _manage(self, *arguments: str) -> list[str]:
        return [sys.executable, str(PROJECT / "manage.py"), *arguments]

    def _write_private(self, name: str, content: object) -> None:
        aside = self.run_directory / f"{name}.new"
        aside.touch(mode=0o600)
        aside.write_text(json.dumps(content))
        aside.rename(self.run_directory / name)
