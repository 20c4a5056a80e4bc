"""numba where it is there, plain Python where it is not; compiled code is kept on disk.

Compiling takes some twenty seconds once; loading what was compiled, a fraction of one. The directory carries a
digest of the compiled sources, since numba looks only at the file of a function and not at those it calls.
"""

import hashlib
import os
import platform
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

HERE = Path(__file__).resolve().parent
SOURCES = ("compiling.py", "kernel.py", "rounds.py", "runs.py")


def _cache_dir() -> Path | None:
    """Where compiled code is kept: beside the byte code, or nowhere when that cannot be written."""
    digest = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in SOURCES)).hexdigest()[:12]
    folder = HERE / "__pycache__" / f"compiled-{platform.machine()}-{digest}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


try:
    _folder = _cache_dir()
    if _folder is not None:
        os.environ.setdefault("NUMBA_CACHE_DIR", str(_folder))
    import numba

    AVAILABLE, KEPT = True, "NUMBA_CACHE_DIR" in os.environ
except ImportError:
    AVAILABLE = KEPT = False


def compiled(function: F) -> F:
    """The function compiled on its first call, without the lock of the interpreter."""
    if not AVAILABLE:
        return function
    # Without numba's reference counts, which cost ten times the work: nothing here makes an array.
    options: dict[str, Any] = {"cache": KEPT, "nogil": True, "error_model": "numpy", "_nrt": False}
    made: F = numba.njit(**options)(function)
    return made


class Warming:
    """Makes sure, once a process, that everything is compiled, in a thread so that nobody waits for it."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._pid = 0

    def begin(self) -> None:
        """Start, unless it has been."""
        with self._lock:
            if self._thread is None or self._pid != os.getpid():
                self._pid = os.getpid()
                self._thread = threading.Thread(target=self._work, name="compiling", daemon=True)
                self._thread.start()

    def done(self, *, wait_s: float = 0) -> bool:
        """Whether all is compiled, after waiting so many seconds for it at most."""
        self.begin()
        assert self._thread is not None
        self._thread.join(wait_s)
        return not self._thread.is_alive()
