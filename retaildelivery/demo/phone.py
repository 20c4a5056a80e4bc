"""A driver's app, as far as the simulation uses it: the driver's API with one token."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from retaildelivery.demo.client import Client
from retaildelivery.demo.play import event_id
from retaildelivery.lib.geo import Point

Json = dict[str, Any]

ACCURACY_M = 12
BLOCKS_SHOWN = 20  # newest first; nobody holds more at once
HELD = frozenset({"claimed", "checked_in", "working", "aborted"})


@dataclass(frozen=True, slots=True)
class OfferSeen:
    """An offer in the feed."""

    code: str
    hourly_cents: int
    starts_at: datetime
    eligible: bool
    mode: str = "first_come"
    state: str = "not_entered"


@dataclass(frozen=True, slots=True)
class BlockSeen:
    """A block this driver holds."""

    code: str
    status: str
    starts_at: datetime
    check_in_opens_at: datetime
    mall: Point


class Phone:
    """Every call may raise Refusal or Later (see `client`)."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def now(self) -> datetime:
        return timezone.now()

    # -- Blocks --------------------------------------------------------------------------------------------

    def offers(self) -> list[OfferSeen]:
        return [
            OfferSeen(
                code=offer["code"],
                hourly_cents=offer["hourly"]["cents"],
                starts_at=datetime.fromisoformat(offer["window"]["start"]),
                eligible=offer["eligible"],
                mode=offer["mode"],
                state=offer["place"]["state"],
            )
            for offer in self.client.get("/driver/offers")["results"]
        ]

    def enter(self, offer: str) -> Json:
        return self._put(f"/driver/offers/{offer}/entry", {})

    def claim(self, offer: str) -> Json:
        return self._put(f"/driver/offers/{offer}/claim", {})

    def blocks(self) -> list[BlockSeen]:
        """Those that the driver holds now."""
        rows = self.client.get("/driver/blocks", limit=BLOCKS_SHOWN)["results"]
        return [_block(row) for row in rows if row["claim"]["ended_at"] is None and row["status"] in HELD]

    def release(self, block: str) -> None:
        self.client.delete(f"/driver/blocks/{block}/claim")

    def check_in(self, block: str, *, at: Point) -> Json:
        return self._put(f"/driver/blocks/{block}/check-in", {"client_event_id": event_id(), **_place(at)})

    def depart(self, block: str, *, trip: int) -> Json:
        body = {"client_event_id": event_id(), "trip": trip}
        return self._put(f"/driver/blocks/{block}/departure", body)

    def manifest(self, block: str) -> Json:
        answer: Json = self.client.get(f"/driver/blocks/{block}/manifest")
        return answer

    def hand_over(self, block: str, *, driver_code: str) -> Json:
        """Confirm the driver who takes over what this one holds."""
        return self._put(
            f"/driver/blocks/{block}/handover", {"driver_code": driver_code, "client_event_id": event_id()}
        )

    def badge(self) -> str:
        """The six digits that staff, or another driver who hands over, read."""
        return str(self.client.get("/driver/badge")["code"])

    # -- Stops ---------------------------------------------------------------------------------------------

    def arrive(self, stop: str, *, at: Point) -> Json:
        return self._put(f"/driver/stops/{stop}/arrival", self._evidence(at))

    def scan(self, stop: str, *, parcel: str, at: Point) -> Json:
        body = {"code": parcel, "method": "camera", **self._evidence(at)}
        return self._post(f"/driver/stops/{stop}/scans", body)

    def report(self, stop: str, *, parcel: str, kind: str, at: Point) -> Json:
        body = {"parcel": parcel, "kind": kind, **self._evidence(at)}
        return self._post(f"/driver/stops/{stop}/incidents", body)

    def fail(self, stop: str, *, order: str, reason: str, at: Point) -> Json:
        body = {"order": order, "reason": reason, **self._evidence(at)}
        return self._post(f"/driver/stops/{stop}/attempts", body)

    def prove(
        self,
        stop: str,
        *,
        order: str,
        fields: Mapping[str, str | bool],
        files: Mapping[str, bytes],
        at: Point,
    ) -> Json:
        """With pictures as a form, else as JSON."""
        path = f"/driver/stops/{stop}/proof"
        body = {"order": order, **fields, **self._evidence(at)}
        if not files:
            return self._put(path, body)
        said = {name: str(value) for name, value in body.items()}
        answer: Json = self.client.upload("PUT", path, said, files, key=event_id())
        return answer

    def prove_counter(self, stop: str, *, signed_by: str, files: Mapping[str, bytes], at: Point) -> Json:
        """A photo or a signature at a store's counter."""
        said = {name: str(value) for name, value in self._evidence(at).items()}
        path = f"/driver/stops/{stop}/counter-proof"
        answer: Json = self.client.upload("PUT", path, said | {"signed_by": signed_by}, files, key=event_id())
        return answer

    def report_position(self, place: Point) -> None:
        ping = {**_place(place), "device_at": self.now().isoformat()}
        self._post("/driver/positions", {"positions": [ping]})

    def _evidence(self, at: Point) -> Json:
        """When and where, by the phone."""
        return {"client_event_id": event_id(), "device_at": self.now().isoformat(), **_place(at)}

    def _put(self, path: str, body: Json) -> Json:
        answer: Json = self.client.put(path, body, key=event_id())
        return answer

    def _post(self, path: str, body: Json) -> Json:
        answer: Json = self.client.post(path, body, key=event_id())
        return answer


def _place(point: Point) -> Json:
    return {"latitude": round(point.lat, 6), "longitude": round(point.lng, 6), "accuracy_m": ACCURACY_M}


def _block(row: Json) -> BlockSeen:
    return BlockSeen(
        code=row["code"],
        status=row["status"],
        starts_at=datetime.fromisoformat(row["window"]["start"]),
        check_in_opens_at=datetime.fromisoformat(row["check_in"]["opens_at"]),
        mall=Point(row["mall"]["latitude"], row["mall"]["longitude"]),
    )
