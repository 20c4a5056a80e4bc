"""Seconds for 1,000 orders in one request, through the whole stack, on an empty and on a filled table.

    python benchmarks/bulk.py

Starts a PostgreSQL, a Redis and Granian of its own and takes them down again. The goal is 3 seconds.
"""

import http.client
import json
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import orders, system  # noqa: E402 -- the path is set first

GOAL = 3.0
ROWS, TURNS = 1_000, 5


def measure() -> list[float]:
    """Seconds of each request."""
    store, key = orders.prepare()
    with system.web("retaildelivery.wsgi:application", workers=1) as port:
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


def main() -> None:
    with system.servers():
        took = measure()
    worst = max(took)
    print(json.dumps({"rows": ROWS, "seconds": [round(each, 2) for each in took], "goal": GOAL}))
    sys.exit(worst > GOAL)


if __name__ == "__main__":
    main()
