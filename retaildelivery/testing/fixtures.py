"""Loaded by pytest before Django: gives the run a PostgreSQL and a Redis of its own, and the shared fixtures.

`addopts = -p retaildelivery.testing.fixtures` in pytest.ini loads it. Unless DATABASE_URL or REDIS_URL say
otherwise the servers are started once, by the controller; workers of pytest-xdist inherit their addresses.
Two runs side by side have nothing in common.
"""

import atexit
import contextlib
import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import hypothesis
import psutil
import pytest
from django.core.cache import cache
from django.utils import translation

from retaildelivery.embedded.postgres import Postgres
from retaildelivery.embedded.redis import Redis

# Celery keys of the broker, cache entries and counters live in one database of Redis per worker.
_REDIS_DATABASES = 16


# Tests of one running system in one browser.
E2E = "retaildelivery/testing/e2e/"

# For the workers: the PostgreSQL was started for this run alone.
OWN_SERVER = "RETAILDELIVERY_TESTS_ON_THEIR_OWN_SERVER"

_PREFIX = "retaildelivery-test-"

# How long an example takes says something about the machine and its other work, not about the property.
hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")


def _remove_what_killed_runs_left() -> None:
    """Their servers ended with them; their directories did not."""
    for directory in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError, ValueError):
            if not psutil.pid_exists(int((directory / "owner").read_text())):
                shutil.rmtree(directory, ignore_errors=True)


class _Servers:
    """What was started for this run, and its directory."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix=_PREFIX))
        (self.directory / "owner").write_text(str(os.getpid()))
        # The server may run under another account than ours (see embedded.postgres).
        self.directory.chmod(0o711)
        self.postgres = Postgres(
            self.directory / "postgres", log=self.directory / "postgres.log", throwaway=True
        )
        self.redis = Redis(log=self.directory / "redis.log")

    def stop(self) -> None:
        self.redis.stop()
        self.postgres.discard()
        shutil.rmtree(self.directory, ignore_errors=True)


_servers: _Servers | None = None


def _prepare_environment() -> None:
    """Set what settings read, before pytest-django loads them."""
    global _servers  # noqa: PLW0603 -- a plugin module has no object to hold what it must stop at the end
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if not worker and not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
        _remove_what_killed_runs_left()
        _servers = _Servers()
        # A run that ends before it has begun, for a wrong option say, never comes to pytest_unconfigure.
        atexit.register(_stop)
        if not os.environ.get("DATABASE_URL"):
            os.environ["DATABASE_URL"] = _servers.postgres.start()
            os.environ[OWN_SERVER] = "yes"
        if not os.environ.get("REDIS_URL"):
            os.environ["REDIS_URL"] = _servers.redis.start()
    if worker:
        number = (int(worker.removeprefix("gw")) + 1) % _REDIS_DATABASES
        os.environ["REDIS_URL"] = os.environ["REDIS_URL"].rsplit("/", 1)[0] + f"/{number}"
        os.environ["DATA_DIR"] = str(Path(os.environ["DATA_DIR"]) / worker)
    elif _servers:
        os.environ["DATA_DIR"] = str(_servers.directory / "var")
    else:
        os.environ.setdefault("DATA_DIR", tempfile.mkdtemp(prefix=_PREFIX))
    # Nothing is collected for tests; the middleware wants to see its directory all the same.
    (Path(os.environ["DATA_DIR"]) / "static").mkdir(parents=True, exist_ok=True)
    # Importing this package has already named the production settings, for Celery's command line.
    os.environ["DJANGO_SETTINGS_MODULE"] = "retaildelivery.settings_test"
    os.environ["SECRET_KEY"] = "only-for-tests-" * 5
    os.environ["DEBUG"] = "off"
    os.environ["LOG_LEVEL"] = os.environ.get("LOG_LEVEL") or "WARNING"
    # Settings may start extra threads and look for a local .env; a test's outcome must not depend on one.
    for name in ("BASE_URL", "ALLOWED_HOSTS", "EMAIL_URL", "SECURE", "PORT", "PROOFS_DIR", "STATIC_ROOT"):
        os.environ.pop(name, None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--browsers-required",
        action="store_true",
        help="fail the run when a browser test was skipped: a page nobody looked at is not a page that works",
    )


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests() -> Generator[None, None, None]:
    # pytest-django loads settings in this very hook; a wrapper is sure to come before it.
    try:
        _prepare_environment()
        return (yield)
    except BaseException:
        _stop()
        raise


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    # Only now is Django set up, so only now may a module that imports models at its top be loaded.
    config.pluginmanager.import_plugin("retaildelivery.testing.databases")
    config.pluginmanager.import_plugin("retaildelivery.testing.cast")
    config.pluginmanager.import_plugin("retaildelivery.testing.calls")
    config.pluginmanager.import_plugin("retaildelivery.testing.refusals")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Whole modules to one worker, as `--dist loadscope` says, and all that drive one running system to one, which
    begins with them: a second system would cost a minute."""
    if config.getoption("dist") != "loadscope":
        return None
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415 -- not there without xdist

    class Scopes(LoadScopeScheduling):  # type: ignore[misc,unused-ignore]
        def _split_scope(self, nodeid: str) -> str:
            return E2E if nodeid.startswith(E2E) else str(super()._split_scope(nodeid))

    return Scopes(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first, so that no worker is left alone with it at the end."""
    items.sort(key=lambda item: (not item.nodeid.startswith(E2E), item.get_closest_marker("slow") is None))


def _skipped_browser_tests(config: pytest.Config) -> list[str]:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter is not None else []
    return [report.nodeid for report in skipped if "browser" in getattr(report, "keywords", {})]


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if session.config.getoption("--browsers-required") and _skipped_browser_tests(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    skipped = _skipped_browser_tests(config) if config.getoption("--browsers-required") else []
    if skipped:
        terminalreporter.section("browser tests were skipped", red=True)
        for nodeid in skipped:
            terminalreporter.line(nodeid)
        terminalreporter.line("Install Chromium so that they can run: make test says how.")


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    _stop()


def _stop() -> None:
    global _servers  # noqa: PLW0603
    if _servers is not None:
        _servers.stop()
        _servers = None


@pytest.fixture(autouse=True)
def _default_language() -> None:
    """A request in another language leaves it behind in its thread."""
    translation.deactivate()


@pytest.fixture(autouse=True)
def _empty_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counters, limits and cached sessions of one test are not seen by the next."""
    cache.clear()
    # Settings have to be read before it is loaded.
    from retaildelivery.web import throttling  # noqa: PLC0415

    monkeypatch.setattr(throttling, "counters", throttling._Counters())  # noqa: SLF001
