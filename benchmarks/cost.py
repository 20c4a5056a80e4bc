"""What one request of the market costs in processor time of one process, beside a bare UPDATE in the same run.

    python benchmarks/cost.py
    python benchmarks/cost.py --profile win

No load generator, no threads, no server of HTTP: the application is called in this process, so that the figures stand
also on a machine with other work. Starts a PostgreSQL and a Redis of its own and takes them down again.
"""

import argparse
import cProfile
import datetime as dt
import io
import itertools
import pstats
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from market import finish, make_blocks, make_drivers, make_mall
from system import servers

HOUR = dt.timedelta(hours=1)
OFFERS = 5


def environ(method: str, path: str, *, token: str = "", seen: str = "", body: bytes = b"") -> dict[str, Any]:
    asked: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
    }
    if token:
        asked["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    if seen:
        asked["HTTP_IF_NONE_MATCH"] = seen
    if body:
        asked |= {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body))}
    return asked


class Application:
    """The product's application, with its statements counted."""

    def __init__(self) -> None:
        from django.db import connection  # noqa: PLC0415

        from benchmarks.bare import application  # noqa: PLC0415

        self.application, self.connection = application, connection
        self.tags: list[str] = []

    def statements_of(self, asked: dict[str, Any]) -> int:
        """How many statements answering it takes, without those that begin and end a transaction."""
        found = []

        def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            found.append(sql)
            return execute(sql, params, many, context)

        with self.connection.execute_wrapper(count):
            self.ask(asked)
        return len(found)

    def ask(self, asked: dict[str, Any]) -> str:
        """Answer one request to its last byte; the status."""
        return self._asked(asked)[0][:3]

    def tag_of(self, asked: dict[str, Any]) -> str:
        """The ETag of the answer."""
        return dict(self._asked(asked)[1])["ETag"]

    def _asked(self, asked: dict[str, Any]) -> tuple[str, list[tuple[str, str]]]:
        said: list[tuple[str, list[tuple[str, str]]]] = []
        answer = self.application(asked, lambda status, headers: said.append((status, headers)))
        for _part in answer:
            pass
        answer.close()
        return said[0]


def measure(arguments: argparse.Namespace) -> dict[str, object]:
    from django.db import connection  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from offers import freshness  # noqa: PLC0415

    at, count = timezone.now(), arguments.requests
    warm = 20
    total = warm + 1 + count
    mall = make_mall(draws=arguments.draws)
    tokens = make_drivers(total, at=at)
    blocks = make_blocks(mall, total, at=at, starts_in=3 * HOUR) if not arguments.draws else []
    drawn = make_blocks(mall, OFFERS, at=at, starts_in=30 * HOUR)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bare_block (id bigint PRIMARY KEY, status text NOT NULL)")
        cursor.execute("INSERT INTO bare_block SELECT n, 'offered' FROM generate_series(1, 100000) n")
        cursor.execute("ANALYZE")
    numbers = itertools.count(1)
    app = Application()

    def put(path: str, token: str = "") -> dict[str, Any]:
        return environ("PUT", path, token=token, body=b"{}")

    kinds: dict[str, Callable[[int], dict[str, Any]]] = {
        "bare": lambda n: put(f"/bare/update/{next(numbers)}"),
        "ok": lambda n: environ("GET", "/bare/ok"),
        "badge": lambda n: environ("GET", "/api/v1/driver/badge", token=tokens[n]),
    }
    if arguments.draws:
        kinds["enter"] = lambda n: put(f"/api/v1/driver/offers/{drawn[0]}/entry", tokens[n])
    else:
        kinds["win"] = lambda n: put(f"/api/v1/driver/offers/{blocks[n]}/claim", tokens[n])
    # Last, when the market has its five offers only: a first look, and the poll after a price step.
    kinds["look"] = lambda n: environ("GET", "/api/v1/driver/offers", token=tokens[n])
    kinds["step"] = lambda n: environ("GET", "/api/v1/driver/offers", token=tokens[n], seen=app.tags[n])
    found: dict[str, object] = {}
    for name, make in kinds.items():
        if name == "step":
            app.tags = [app.tag_of(kinds["look"](n)) for n in range(total)]
        if name in {"look", "step"}:
            freshness.touch("las-vegas")
        profile = arguments.profile == name
        found[name] = one(app, make, bare=kinds["bare"], warm=warm, total=total, profile=profile)
        print(name, found[name])
    return {"benchmark": "cost", **found}


def one(
    app: Application,
    make: Callable[[int], dict[str, Any]],
    *,
    bare: Callable[[int], dict[str, Any]],
    warm: int,
    total: int,
    profile: bool,
) -> dict[str, object]:
    for n in range(warm):
        app.ask(make(n))
    statements = app.statements_of(make(warm))
    requests = [make(n) for n in range(warm + 1, total)]
    took, beside, statuses = [], [], set()
    profiler = cProfile.Profile()
    for n, asked in enumerate(requests):
        if profile and n > 10:
            profiler.enable()
        started = time.process_time()
        statuses.add(app.ask(asked))
        took.append(time.process_time() - started)
        profiler.disable()
        # A bare one after each, so that a slow second of the machine meets both.
        plain = bare(n)
        started = time.process_time()
        app.ask(plain)
        beside.append(time.process_time() - started)
    if profile:
        stats = pstats.Stats(profiler)
        stats.sort_stats("cumulative").print_stats(90)
        stats.sort_stats("tottime").print_stats(45)
    return {
        "statements": statements,
        "ms": round(1000 * statistics.mean(took), 3),
        "bare_ms": round(1000 * statistics.mean(beside), 3),
        "of_bare": round(statistics.mean(beside) / statistics.mean(took), 3),
        "statuses": sorted(statuses),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=200, help="of each kind")
    parser.add_argument("--draws", action="store_true", help="entries instead of claims")
    parser.add_argument("--profile", default="", help="print where the time of this kind goes")
    arguments = parser.parse_args()
    with servers(API_REQUESTS_PER_MINUTE="10000000"):
        result = measure(arguments)
    finish(result)


if __name__ == "__main__":
    main()
