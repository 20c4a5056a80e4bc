"""From a key to an order and back, with nothing but Python's standard library (3.9 or newer).

    API=http://localhost:8000/api/v1 KEY=sk_… python3 quickstart.py

Asks for a price, posts the order at that price, follows it, receives a signed webhook and checks it, and takes the
order back. RECEIVER is where the service reaches this program: with a service on your own machine leave it out
(and run the service with WEBHOOKS_ALLOW_PRIVATE=on); else the https address of a tunnel to port PORT.
"""

import base64
import datetime as dt
import hashlib
import hmac
import http.server
import json
import os
import threading
import time
import urllib.error
import urllib.request
import uuid

API = os.environ.get("API", "http://localhost:8000/api/v1").rstrip("/")
KEY = os.environ["KEY"]


class Refused(Exception):
    """The service said no. Branch on `code`; every code is explained at /api/errors/."""

    def __init__(self, problem):
        super().__init__(f"{problem['code']}: {problem['message']} ({problem['request_id']})")
        self.code = problem["code"]
        self.retryable = problem["retryable"]


def call(method, path, body=None):
    """One request. A write carries a key that makes sending it twice harmless, so that a retry is always right."""
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    if method in ("POST", "PUT", "PATCH"):
        headers["Idempotency-Key"] = str(uuid.uuid4())
    data = None if body is None else json.dumps(body).encode()
    for attempt in range(4):
        request = urllib.request.Request(API + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                text = answer.read()
                return json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            refused = Refused(json.load(error))
            if not refused.retryable or attempt == 3:
                raise refused from None
            time.sleep(int(error.headers.get("Retry-After", "2")))


def verify(secret, headers, body, now=None):
    """The event in a webhook's body (bytes, as they came). Raises ValueError when it is not from the service.

    Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`; several signatures while a secret is being replaced.
    Messages older than five minutes are refused, so that nobody can send yours again.
    """
    sent_at = int(headers["webhook-timestamp"])
    if abs((time.time() if now is None else now) - sent_at) > 300:
        raise ValueError("The message is too old.")
    signed = f"{headers['webhook-id']}.{sent_at}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    wanted = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    if not any(hmac.compare_digest(wanted, given) for given in headers["webhook-signature"].split()):
        raise ValueError("The signature does not match.")
    return json.loads(body)


class Receiver(http.server.BaseHTTPRequestHandler):
    """Keeps what it is sent. Yours would also drop a `webhook-id` that it has seen before."""

    received = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.received.append((self.headers, body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def receive():
    """Have a signed event sent to us, and check that it is from the service, and that a forged one is not."""
    server = http.server.HTTPServer(("127.0.0.1", int(os.environ.get("PORT", "0"))), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = os.environ.get("RECEIVER", f"http://127.0.0.1:{server.server_port}/")
    endpoint = call("POST", "/webhook-endpoints", {"url": url, "event_types": ["order.delivered"]})
    try:
        call("POST", f"/webhook-endpoints/{endpoint['code']}/test")
        headers, body = Receiver.received[0]
        event = verify(endpoint["secret"], headers, body)
        print("webhook", event["type"], "is genuine")
        try:
            verify(endpoint["secret"], headers, body + b" ")
        except ValueError as error:
            print("forged", error)
    finally:
        call("DELETE", f"/webhook-endpoints/{endpoint['code']}")
        server.shutdown()


def store_for(dropoff):
    """The code of the first of our stores that delivers to this door."""
    for store in call("GET", "/stores")["results"]:
        if call("POST", "/serviceability", {"store": store["code"], "dropoff": dropoff})["serviceable"]:
            return store["code"]
    raise SystemExit(
        "No store of yours delivers there. Set LINE1, CITY, REGION, POSTAL_CODE, LATITUDE, LONGITUDE."
    )


def main():
    now = dt.datetime.now(dt.timezone.utc)
    dropoff = {
        "line1": os.environ.get("LINE1", "2212 Alta Drive"),
        "city": os.environ.get("CITY", "Las Vegas"),
        "region": os.environ.get("REGION", "NV"),
        "postal_code": os.environ.get("POSTAL_CODE", "89107"),
        "latitude": float(os.environ.get("LATITUDE", "36.1673")),
        "longitude": float(os.environ.get("LONGITUDE", "-115.1787")),
    }

    quote = call(
        "POST",
        "/quotes",
        {
            "store": store_for(dropoff),
            "window": {
                "start": (now + dt.timedelta(hours=2)).isoformat(timespec="seconds"),
                "end": (now + dt.timedelta(hours=4)).isoformat(timespec="seconds"),
            },
            "dropoff": dropoff,
            "parcels": [{"size": "small", "grams": 900}],
        },
    )
    print("quote", quote["fee"]["cents"], quote["fee"]["currency"], "until", quote["expires_at"])

    order = call(
        "POST",
        "/orders",
        {
            "quote": quote["code"],
            "external_id": f"WEB-{uuid.uuid4().hex[:8]}",
            "recipient": {"name": "Rosa Quintero", "phone": "+1 702 555 0148"},
        },
    )
    print("order", order["code"], order["status"])

    for entry in call("GET", f"/orders/{order['code']}/timeline")["results"]:
        print("timeline", entry["timestamp"], entry["type"])

    receive()

    try:
        call("PUT", f"/orders/{order['code']}/cancellation", {"reason": "bored"})
    except Refused as refused:
        print("refused", refused.code)
    order = call("PUT", f"/orders/{order['code']}/cancellation", {"reason": "customer_changed_mind"})
    print("order", order["code"], order["status"])


if __name__ == "__main__":
    main()
