"""A market for benchmarks, written in bulk: drivers with papers, cars and tokens, and blocks with an order each on
offer. And a client that costs little: raw sockets, one request prepared as bytes."""

import datetime as dt
import json
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

SECOND = dt.timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    took: float
    body: bytes
    headers: bytes


def make_mall(*, draws: bool) -> Any:
    """A mall with a store and a pay policy; with `draws` by the default rules, else everything is first come."""
    from offers.models import DrawRules, PayPolicy  # noqa: PLC0415
    from stores.models import Mall, Market, Seller, Store  # noqa: PLC0415

    market = Market.objects.create(code="las-vegas", name="Las Vegas", time_zone="America/Los_Angeles")
    PayPolicy.objects.create(market=market, valid_from=dt.date(2020, 1, 1), code="bench")
    if not draws:
        DrawRules.objects.create(
            market=market,
            valid_from=dt.date(2020, 1, 1),
            first_come_within=dt.timedelta(days=400),
            entries=60 * SECOND,
            hold=60 * SECOND,
        )
    mall = Mall.objects.create(
        code="fashion-show",
        market=market,
        name="Fashion Show",
        address="3200 Las Vegas Blvd S",
        latitude="36.127700",
        longitude="-115.172300",
        desk_code="K7QX4M",
    )
    seller = Seller.objects.create(name="Juniper Books", email="juniper@example.com")
    Store.objects.create(seller=seller, mall=mall, name="Juniper Books", unit="L1 20")
    return mall


def different(draw: Callable[[], str], count: int) -> list[str]:
    """So many codes, no two the same: of ten thousand short ones drawn at once two may well be."""
    found: dict[str, None] = {}
    while len(found) < count:
        found[draw()] = None
    return list(found)


def make_drivers(count: int, *, at: dt.datetime) -> list[str]:
    """Approved drivers; the secret of a token of each."""
    from drivers import tokens  # noqa: PLC0415
    from drivers.models import Document, Driver, DriverToken, Vehicle  # noqa: PLC0415
    from drivers.models.driver import driver_code  # noqa: PLC0415
    from retaildelivery.accounts.models import User  # noqa: PLC0415
    from retaildelivery.lib import codes  # noqa: PLC0415

    users = User.objects.bulk_create(
        User(email=f"{codes.new_code(length=12)}@example.com", name=f"Driver {n}") for n in range(count)
    )
    drivers = Driver.objects.bulk_create(
        Driver(
            user=user, code=code, market_code="las-vegas", status="approved", applied_at=at, approved_at=at
        )
        for user, code in zip(users, different(driver_code, count), strict=True)
    )
    Document.objects.bulk_create(
        Document(
            driver=driver,
            kind=kind,
            number=f"{kind}{driver.pk}",
            expires_on=at.date() + dt.timedelta(days=400),
            submitted_at=at,
            verified_at=at,
        )
        for driver in drivers
        for kind in Document.REQUIRED
    )
    litres, grams = Vehicle.CAPACITY[Vehicle.Kind.SEDAN]
    Vehicle.objects.bulk_create(
        Vehicle(
            driver=driver,
            kind=Vehicle.Kind.SEDAN,
            make="Toyota",
            model="Corolla",
            year=2020,
            colour="blue",
            plate=f"P{driver.pk}",
            litres=litres,
            grams=grams,
            created_at=at,
        )
        for driver in drivers
    )
    secrets = [tokens.PREFIX + codes.new_token() for _ in drivers]
    DriverToken.objects.bulk_create(
        DriverToken(
            driver=driver,
            name="phone",
            prefix=secret[: tokens.PREFIX_LENGTH],
            digest=tokens.digest_of(secret),
            created_at=at,
            last_used_at=at,
        )
        for driver, secret in zip(drivers, secrets, strict=True)
    )
    return secrets


def make_blocks(mall: Any, count: int, *, at: dt.datetime, starts_in: dt.timedelta) -> list[str]:
    """Blocks with one order each, on offer by the verbs that the planner uses; the code of each offer."""
    from django.db import transaction  # noqa: PLC0415

    from deliveries.manifests import DraftStop  # noqa: PLC0415
    from deliveries.models import Order, Parcel, Stop  # noqa: PLC0415
    from offers import drafting, offering  # noqa: PLC0415
    from retaildelivery.lib.geo import Point  # noqa: PLC0415
    from retaildelivery.lib.windows import Window  # noqa: PLC0415
    from stores.models import Store  # noqa: PLC0415

    store = Store.objects.select_related("mall__market").get()
    start = at + starts_in
    orders = Order.objects.bulk_create(
        Order(
            store=store,
            external_scope=store.seller_id,
            placed_at=at,
            ready_at=at,
            window=(start, start + dt.timedelta(hours=6)),
            recipient_name="Robin Field",
            recipient_phone="+17025550123",
            address_line1=f"{n} Sirius Ave",
            city="Las Vegas",
            region="NV",
            postal_code="89102",
            latitude="36.150000",
            longitude="-115.200000",
            requires_photo=False,
        )
        for n in range(count)
    )
    Parcel.objects.bulk_create(
        Parcel(order=order, number=1, size=Parcel.Size.SMALL, litres=12, grams=1000) for order in orders
    )
    codes = []
    for order in orders:
        stops = [
            DraftStop(Stop.Kind.PICKUP, store, mall.point, store.name, start, 300 * SECOND, (order,)),
            DraftStop(
                Stop.Kind.DROPOFF, None, Point(36.15, -115.2), order.address, start, 180 * SECOND, (order,)
            ),
        ]
        with transaction.atomic():
            block = drafting.draft(
                mall=mall,
                window=Window(start, start + dt.timedelta(hours=2)),
                stops=stops,
                distance_m=20_000,
                at_least_cents=0,
                at=at,
            )
            codes.append(offering.publish(block=block, at=at).code)
    return codes


def request(method: str, path: str, *, token: str = "", body: bytes = b"", headers: str = "") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return ("\r\n".join(lines) + "\r\n" + headers + "\r\n").encode() + body


class Client:
    """One connection that is kept."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.open()

    def open(self) -> None:
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b""

    def send(self, data: bytes) -> None:
        self.sent_at = time.perf_counter()
        self.socket.sendall(data)

    def receive(self) -> Answer:
        data = self.rest
        while b"\r\n\r\n" not in data:
            data += self._more()
        head, _, data = data.partition(b"\r\n\r\n")
        status, length = int(head[9:12]), 0
        for line in head.split(b"\r\n")[1:]:
            if line[:15].lower() == b"content-length:":
                length = int(line[15:])
        while len(data) < length:
            data += self._more()
        self.rest = data[length:]
        return Answer(status, time.perf_counter() - self.sent_at, data[:length], head)

    def _more(self) -> bytes:
        more = self.socket.recv(65_536)
        if not more:
            raise ConnectionError("The server closed the connection.")
        return more

    def ask(self, data: bytes) -> Answer:
        self.send(data)
        return self.receive()

    def close(self) -> None:
        self.socket.close()


def at_full_speed(
    port: int, *, clients: int, seconds: float, next_request: Callable[[], bytes | None]
) -> tuple[float, list[Answer]]:
    """Answers a second of so many clients that ask as fast as they are answered, and every answer. Ends early when
    `next_request` has nothing more."""
    answers: list[Answer] = []
    end = time.perf_counter() + seconds

    def work() -> None:
        client = Client(port)
        while time.perf_counter() < end:
            data = next_request()
            if data is None:
                break
            answers.append(client.ask(data))
        client.close()

    started = time.perf_counter()
    threads = [threading.Thread(target=work) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(answers) / (time.perf_counter() - started), answers


def all_at_once(port: int, requests: Sequence[bytes]) -> list[Answer]:
    """Every request on a connection of its own, all sent before the first answer is read; how long each took is
    counted from when the first was sent."""
    clients = [Client(port) for _ in requests]
    started = time.perf_counter()
    for client, data in zip(clients, requests, strict=True):
        client.send(data)
        client.sent_at = started
    answers: list[Answer | None] = [None] * len(clients)

    def read(part: range) -> None:
        for place in part:
            answers[place] = clients[place].receive()
            clients[place].close()

    # Read side by side, so that one slow answer does not make the ones behind it look slow.
    width = max(1, len(clients) // 16)
    parts = [range(first, min(first + width, len(clients))) for first in range(0, len(clients), width)]
    readers = [threading.Thread(target=read, args=(part,)) for part in parts]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    return [answer for answer in answers if answer is not None]


def quantiles(answers: Sequence[Answer]) -> dict[str, float]:
    """p50, p95 and the longest, in milliseconds."""
    took = sorted(answer.took for answer in answers)
    pick = lambda share: round(1000 * took[min(len(took) - 1, int(len(took) * share))], 1)  # noqa: E731
    return {"p50_ms": pick(0.5), "p95_ms": pick(0.95), "max_ms": pick(1)}


def finish(result: dict[str, object]) -> None:
    """The last line is the result, for programs."""
    print(json.dumps(result))
