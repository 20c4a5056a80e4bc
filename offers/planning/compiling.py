"""numba where it is there, plain Python where it is not; compiled code is kept on disk.

Compiling takes some twenty seconds once; loading what was compiled, a fraction of one. The directory carries a
digest of the compiled sources, since numba looks only at the file of a function and not at those it calls.
"""

import fcntl
import functools
import hashlib
import importlib.util
import logging
import os
import platform
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

logger = logging.getLogger(__name__)

HERE = Path(__file__).resolve().parent
SOURCES = ("compiling.py", "kernel.py", "rounds.py", "runs.py")


@functools.cache
def cache_dir() -> Path | None:
    """Where compiled code is kept: beside the byte code, or nowhere when that cannot be written."""
    digest = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in SOURCES)).hexdigest()[:12]
    folder = HERE / "__pycache__" / f"compiled-{platform.machine()}-{digest}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


AVAILABLE = importlib.util.find_spec("numba") is not None


_plain: list[Callable[..., Any]] = []


def compiled(function: F) -> F:
    """Marks a function that `switch_on` replaces by its compiled form; plain Python until then."""
    _plain.append(function)
    return function


def switch_on() -> None:
    """Put compiled forms in the place of all marked functions, wherever they were imported by name; they compile,
    or load what was kept, on their first call."""
    if not AVAILABLE or not _plain:
        return
    folder = cache_dir()
    if folder is not None:
        os.environ.setdefault("NUMBA_CACHE_DIR", str(folder))
    numba = importlib.import_module("numba")  # A hundred megabytes, which only who plans shall pay.
    # Without numba's reference counts, which cost ten times the work: nothing here makes an array.
    make = numba.njit(cache="NUMBA_CACHE_DIR" in os.environ, nogil=True, error_model="numpy", _nrt=False)
    made = {function: make(function) for function in _plain}
    for names in {id(function.__globals__): function.__globals__ for function in _plain}.values():
        for name, value in list(names.items()):
            if isinstance(value, FunctionType) and value in made:
                names[name] = made[value]
    _plain.clear()


def compile_aside() -> None:
    """Compile in a process of its own, unless that was done: it takes four hundred megabytes, and would hold the
    interpreter's lock while a plan is being made."""
    folder = cache_dir()
    if folder is None:
        return
    code, root = "from offers.planning import anneal; anneal.compile_all(aside=False)", HERE.parents[1]
    with (folder / "lock").open("w") as lock:
        # Of several workers that start together one compiles, and the others load what it made.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / "ready").exists():
            return
        subprocess.run(
            [sys.executable, "-c", code], cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, check=True,
            capture_output=True, timeout=600,
        )  # fmt: skip
        (folder / "ready").touch()


class Warming:
    """Makes sure, once a process, that everything is compiled, in a thread so that nobody waits for it."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._pid = 0
        self._worked = False

    def begin(self) -> None:
        """Start, unless it has been."""
        with self._lock:
            if self._thread is None or self._pid != os.getpid():
                self._pid = os.getpid()
                self._thread = threading.Thread(target=self._try, name="compiling", daemon=True)
                self._thread.start()

    def done(self, *, wait_s: float = 0) -> bool:
        """Whether all is compiled, after waiting so many seconds for it at most."""
        self.begin()
        assert self._thread is not None
        self._thread.join(wait_s)
        return self._worked

    def _try(self) -> None:
        try:
            self._work()
            self._worked = True
        except Exception:
            logger.exception("The search cannot be compiled; plain Python does it, with dearer plans.")
