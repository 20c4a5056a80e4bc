"""Seconds for 1,000 orders in one request, through the whole stack, on an empty and on a filled table.

    python benchmarks/bulk.py

Starts a PostgreSQL, a Redis and Granian of its own and takes them down again. The goal is 3 seconds.
"""

import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import orders  # noqa: E402 -- the path is set first
from retaildelivery.embedded.postgres import Postgres  # noqa: E402
from retaildelivery.embedded.redis import Redis  # noqa: E402

GOAL = 3.0
ROWS, TURNS = 1_000, 5


def measure() -> list[float]:
    """Seconds of each request."""
    store, key = orders.prepare()
    port = orders.free_port()
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws", "--host", "127.0.0.1"]
    server = subprocess.Popen(
        [*command, "--port", str(port), "--workers", "1", "retaildelivery.wsgi:application"],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )
    try:
        orders.wait_for(port)
        connection = http.client.HTTPConnection("127.0.0.1", port)
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        took = []
        for turn in range(TURNS):
            rows = [json.loads(orders.order(store, turn * ROWS + number)) for number in range(ROWS)]
            body = json.dumps({"orders": rows})
            started = time.monotonic()
            connection.request("POST", "/api/v1/orders/bulk", body, headers)
            answer = json.loads(connection.getresponse().read())
            took.append(time.monotonic() - started)
            if answer.get("created") != ROWS:
                raise SystemExit(f"unexpected: {str(answer)[:300]}")
            print(f"{ROWS} orders in {took[-1]:.2f} s")
        return took
    finally:
        server.terminate()
        server.wait()


def main() -> None:
    directory = Path(tempfile.mkdtemp(prefix="retaildelivery-bench-"))
    # The server may run under another account than ours.
    directory.chmod(0o711)
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
        }
        took = measure()
    finally:
        redis.stop()
        postgres.stop()
        shutil.rmtree(directory, ignore_errors=True)
    worst = max(took)
    print(json.dumps({"rows": ROWS, "seconds": [round(each, 2) for each in took], "goal": GOAL}))
    sys.exit(worst > GOAL)


if __name__ == "__main__":
    main()
