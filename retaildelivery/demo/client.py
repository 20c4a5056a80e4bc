"""The HTTP door, as a seller's system and a driver's app use it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

from retaildelivery.demo.town import Dismissed, Later

TIMEOUT_S = (2.0, 8.0)  # to connect, to answer
UNREACHABLE_S = 2.0  # before asking a server that is not there again
LONGEST_WAIT_S = 30.0
UNKNOWN_KEY = 401
TOO_MANY, BAD_GATEWAY, UNAVAILABLE, GATEWAY_TIMEOUT = 429, 502, 503, 504
REFUSED_FROM, BROKEN_FROM = 400, 500


class Refusal(Exception):
    """The server said no, and why. `code` is the stable one of the API."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code


@dataclass(slots=True)
class Tally:
    """What the simulation heard, for its progress line: refusals by code."""

    calls: int = 0
    refusals: dict[str, int] = field(default_factory=dict)

    def refused(self, code: str) -> None:
        self.refusals[code] = self.refusals.get(code, 0) + 1


class Client:
    """Calls under `/api/v1` with one key or token. Raises Refusal for a no, Later for a not now, and
    Dismissed when the key was revoked."""

    def __init__(self, base_url: str, token: str, *, tally: Tally) -> None:
        self.root = base_url.rstrip("/") + "/api/v1"
        self.tally = tally
        self.session = requests.Session()
        self.session.headers.update({"Authorization": f"Bearer {token}", "Accept": "application/json"})
        # A proxy of the machine is not for a server on the machine.
        self.session.trust_env = False

    def get(self, path: str, **params: str | int) -> Any:
        return self._call("GET", path, params=params)

    def post(self, path: str, body: Mapping[str, Any], *, key: str) -> Any:
        return self._call("POST", path, json=body, key=key)

    def put(self, path: str, body: Mapping[str, Any], *, key: str) -> Any:
        return self._call("PUT", path, json=body, key=key)

    def delete(self, path: str) -> Any:
        return self._call("DELETE", path)

    def upload(
        self, method: str, path: str, fields: Mapping[str, str], files: Mapping[str, bytes], *, key: str
    ) -> Any:
        """A multipart form; `files` by field name, JPEG or PNG by their first byte."""
        kinds = {name: "image/png" if data[:1] == b"\x89" else "image/jpeg" for name, data in files.items()}
        parts = {
            name: (f"{name}.{kinds[name].rpartition('/')[2]}", data, kinds[name])
            for name, data in files.items()
        }
        return self._call(method, path, data=fields, files=parts, key=key)

    def close(self) -> None:
        self.session.close()

    def _call(self, method: str, path: str, *, key: str = "", **content: Any) -> Any:
        self.tally.calls += 1
        headers = {"Idempotency-Key": key} if key else {}
        try:
            answer = self.session.request(
                method, self.root + path, headers=headers, timeout=TIMEOUT_S, **content
            )
        except (requests.ConnectionError, requests.Timeout) as error:
            raise Later(UNREACHABLE_S, f"{method} {path}: {error}") from error
        if answer.status_code in {TOO_MANY, BAD_GATEWAY, UNAVAILABLE, GATEWAY_TIMEOUT}:
            raise Later(_seconds(answer), f"{method} {path}: {answer.status_code}")
        if answer.status_code == UNKNOWN_KEY:
            # Another run has taken the market over and issued keys of its own.
            raise Dismissed(f"{method} {path}: {self._refusal(answer).code}")
        if answer.status_code >= REFUSED_FROM:
            raise self._refusal(answer)
        return answer.json() if answer.content else None

    def _refusal(self, answer: requests.Response) -> Refusal:
        try:
            body = answer.json()
        except ValueError:
            body = {}
        known = isinstance(body, dict)
        code = str(body.get("code", f"http_{answer.status_code}")) if known else f"http_{answer.status_code}"
        self.tally.refused(code)
        return Refusal(answer.status_code, code, str(body.get("message", "")) if known else "")


def _seconds(answer: requests.Response) -> float:
    said = answer.headers.get("Retry-After", "")
    return min(float(said), LONGEST_WAIT_S) if said.isdigit() else UNREACHABLE_S
