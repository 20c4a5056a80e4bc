"""Ask the web process on this machine whether it is ready.

As a program, `python -I retaildelivery/embedded/probe.py`, it reads PORT and BASE_URL and ends with status 0 when
`/readyz` says so; it loads nothing of the project, since containers run it every few seconds.
"""

import os
import sys
import urllib.error
import urllib.request
from urllib.parse import urlsplit


def is_ready(*, port: int, base_url: str, within: float = 5) -> bool:
    """Whether `/readyz` answers 200. The name in BASE_URL is sent as host, for no other may be allowed."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/readyz", headers={"Host": urlsplit(base_url).netloc}
    )
    try:
        with urllib.request.urlopen(request, timeout=within) as answer:  # noqa: S310 -- our own address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


if __name__ == "__main__":
    here = int(os.environ.get("PORT") or 8000)
    sys.exit(
        0 if is_ready(port=here, base_url=os.environ.get("BASE_URL") or f"http://localhost:{here}") else 1
    )
