"""Starting and stopping child processes so that none outlives the one that started it."""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_PR_SET_PDEATHSIG = 1
# Loaded here because the child may only call, not import, between fork and exec.
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class ServerFailed(RuntimeError):
    """A child did not come up; the message says which one, why, and what to do."""


@dataclass(frozen=True, slots=True)
class Account:
    """A system account to run a child as."""

    name: str
    uid: int
    gid: int


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def port_is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def end_with_parent() -> None:
    """Have the kernel send this process SIGTERM when its parent ends; only Linux can."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM))


def spawn(
    command: Sequence[str | Path],
    *,
    log: Path | None,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
    account: Account | None = None,
    on_parent_death: signal.Signals = signal.SIGTERM,
    text: str | None = None,
) -> subprocess.Popen[bytes]:
    """Start `command` in a process group of its own, with output appended to `log` (or ours).

    The group keeps a Ctrl-C in the terminal from reaching the child before its parent has decided the order.
    On Linux the kernel sends `on_parent_death` to the child when the calling thread ends, however it ends;
    so call this from a thread that lives as long as the child should. `text` is fed to standard input.
    """
    parent = os.getpid()

    def die_with_parent() -> None:
        # Runs after the change of account, which would clear the setting.
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, int(on_parent_death))
            if os.getppid() != parent:
                os._exit(1)

    with contextlib.ExitStack() as opened:
        output = None
        if log is not None:
            log.parent.mkdir(parents=True, exist_ok=True)
            output = opened.enter_context(log.open("ab"))
        child = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.PIPE if text is not None else subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if log is not None else None,
            env=None if environment is None else dict(environment),
            cwd=directory,
            process_group=0,
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else [],
            preexec_fn=die_with_parent,  # noqa: PLW1509 -- the hook takes no lock and allocates next to nothing
        )
    if text is not None and child.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            child.stdin.write(text.encode())
            child.stdin.close()
    return child


def stop(
    child: subprocess.Popen[bytes], *, by: signal.Signals = signal.SIGTERM, patience: float = 10
) -> None:
    """Ask the child to end, wait `patience` seconds, then kill whatever is left of its group."""
    if child.poll() is None:
        child.send_signal(by)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=patience)
    kill_group(child.pid)
    child.wait()


def kill_group(pid: int) -> None:
    """Kill every process still in the group led by `pid`, led or leaderless."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def wait_until(
    ready: Callable[[], bool], *, child: subprocess.Popen[bytes], name: str, log: Path, seconds: float
) -> None:
    """Poll `ready` while the child lives. Raises ServerFailed with the end of its log when it does not."""
    until = time.monotonic() + seconds
    while not ready():
        if child.poll() is not None:
            raise ServerFailed(f"{name} ended with status {child.returncode}.\n{tail(log)}")
        if time.monotonic() > until:
            raise ServerFailed(f"{name} was not ready within {seconds:.0f} seconds.\n{tail(log)}")
        time.sleep(0.03)


def tail(log: Path, lines: int = 12) -> str:
    try:
        text = log.read_text(errors="replace")
    except OSError:
        return ""
    return f"The end of {log}:\n" + "\n".join(f"    {line}" for line in text.splitlines()[-lines:])
