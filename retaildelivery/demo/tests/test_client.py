"""The client tells a no from a not-now, against a real server on a socket."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from retaildelivery.demo.city import dice
from retaildelivery.demo.client import Client, Refusal, Tally
from retaildelivery.demo.pictures import door_photo, signature
from retaildelivery.demo.town import Dismissed, Later

ANSWERS = {
    "/api/v1/ok": (200, {}, b'{"code": "K7QX"}'),
    "/api/v1/nothing": (204, {}, b""),
    "/api/v1/no": (409, {}, b'{"code": "block_taken", "message": "Another driver has this block."}'),
    "/api/v1/revoked": (401, {}, b'{"code": "invalid_key"}'),
    "/api/v1/page": (404, {}, b"<html>"),
    "/api/v1/busy": (503, {"Retry-After": "7"}, b""),
    "/api/v1/often": (429, {"Retry-After": "3600"}, b""),
}


class Handler(BaseHTTPRequestHandler):
    seen = []

    def answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.seen.append((self.command, self.path, dict(self.headers), self.rfile.read(length)))
        status, headers, body = ANSWERS[self.path.partition("?")[0]]
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 -- names of the library

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    Handler.seen = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def client(server):
    client = Client(f"http://127.0.0.1:{server.server_port}/", "dt_secret", tally=Tally())
    yield client
    client.close()


def test_a_call_carries_token_body_and_idempotency_key(client):
    assert client.post("/ok", {"a": 1}, key="k-1") == {"code": "K7QX"}

    method, path, headers, body = Handler.seen[0]
    assert (method, path, json.loads(body)) == ("POST", "/api/v1/ok", {"a": 1})
    assert headers["Authorization"] == "Bearer dt_secret"
    assert headers["Idempotency-Key"] == "k-1"


def test_an_empty_answer_is_nothing(client):
    assert client.delete("/nothing") is None
    assert client.get("/ok", limit=5) == {"code": "K7QX"}
    assert Handler.seen[-1][1] == "/api/v1/ok?limit=5"


def test_a_no_carries_the_code_of_the_api_and_is_counted(client):
    with pytest.raises(Refusal, match="Another driver") as no:
        client.put("/no", {}, key="k-2")
    with pytest.raises(Refusal) as page:
        client.get("/page")

    assert (no.value.status, no.value.code) == (409, "block_taken")
    assert page.value.code == "http_404"
    assert client.tally.refusals == {"block_taken": 1, "http_404": 1}
    assert client.tally.calls == 2


@pytest.mark.parametrize(("path", "seconds"), [("/busy", 7.0), ("/often", 30.0)])
def test_a_server_that_is_busy_is_asked_later(client, path, seconds):
    with pytest.raises(Later) as later:
        client.get(path)

    assert later.value.seconds == seconds


def test_whoever_has_a_revoked_key_goes_home(client):
    with pytest.raises(Dismissed, match="invalid_key"):
        client.get("/revoked")


def test_a_server_that_is_gone_is_asked_later():
    with pytest.raises(Later) as later:
        Client("http://127.0.0.1:9", "dt_secret", tally=Tally()).get("/ok")

    assert later.value.seconds == 2.0


def test_photos_are_uploaded_as_a_form(client):
    client.upload(
        "PUT",
        "/ok",
        {"left_at": "front_door"},
        {"photo": door_photo(dice(1), parcels=2), "signature": signature(dice(2))},
        key="k-3",
    )

    body = Handler.seen[0][3]
    assert b'name="left_at"\r\n\r\nfront_door' in body
    assert b'filename="photo.jpeg"\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8' in body
    assert b'filename="signature.png"\r\nContent-Type: image/png\r\n\r\n\x89PNG' in body
    assert 5_000 < len(body) < 120_000


def test_pictures_repeat_for_the_same_dice():
    assert door_photo(dice("a"), parcels=3) == door_photo(dice("a"), parcels=3)
    assert signature(dice("a")) != signature(dice("b"))
