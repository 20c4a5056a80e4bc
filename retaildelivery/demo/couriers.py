"""A driver's day: look at offers, claim a block, come to the mall, load, drive, hand over, bring back.

What to do next is always read from the server, never remembered, so that the next run takes up where one that
was killed stopped.
"""

from collections.abc import Generator
from datetime import datetime, timedelta
from typing import Any

import structlog

from retaildelivery.demo import city, pictures, recipients
from retaildelivery.demo.client import Refusal
from retaildelivery.demo.data import Courier
from retaildelivery.demo.phone import BlockSeen, OfferSeen, Phone
from retaildelivery.demo.play import Play
from retaildelivery.demo.town import Life, patiently
from retaildelivery.lib.geo import Point, crow_m

log = structlog.get_logger(__name__)

Stop = dict[str, Any]

GONE = 404
STRANDED = "aborted"  # its driver cannot go on and still holds parcels

CLAIMS_AHEAD = timedelta(minutes=45)  # nobody in this city plans further
COMES_FROM = timedelta(minutes=12)  # way to the mall
LATE_FROM = timedelta(minutes=5)  # after the start a check-in counts as late
PING_EVERY_S = 3.0  # positions reported on the way to a stop
PINGS = 4  # at most
WITHIN_MALL_M = 500  # nearer than that a counter is reached on foot
TRIES_AT_A_STOP = 3
SHORT_OF_A_PARCEL = 0.006  # parcels that a shop cannot find


class Rider:
    """One courier with a phone."""

    def __init__(self, courier: Courier, *, phone: Phone, home: Point, play: Play) -> None:
        self.courier = courier
        self.temper = city.TEMPERS[courier.temper]
        self.phone = phone
        self.play = play
        self.here = home
        self.staying_away: set[str] = set()
        self.seen: dict[str, int] = {}
        self.noticed: dict[str, datetime] = {}
        self.worked = 0
        self.holds = False
        self.tries: dict[str, int] = {}

    def life(self) -> Life:
        """Until the run closes: work on what is claimed, else look for a block."""
        throw = city.dice(self.play.seed, "wakes", self.courier.key)
        yield self.play.pace(self.temper.looks_every) * throw.random()
        try:
            yield from self._days()
        finally:
            self.holds = False

    def _days(self) -> Life:
        while True:
            # A block of another day is nothing to wait for.
            held = yield from patiently(self.phone.blocks)
            blocks = [block for block in held if block.starts_at - self.phone.now() <= CLAIMS_AHEAD]
            # Who broke down waits for whoever takes over, which may be a person; the run does not.
            self.holds = any(block.status != STRANDED for block in blocks)
            block = self._next(blocks)
            if self.play.closing and not self.holds:
                return
            if block is not None:
                yield from self._work(block)
            elif not blocks:
                yield from self._look()
            yield self._until_next_look()

    def _until_next_look(self) -> float:
        least, most = self.play.looks_within_s
        return min(max(self.play.pace(self.temper.looks_every), least), most)

    def _next(self, blocks: list[BlockSeen]) -> BlockSeen | None:
        """A block at work before one to come; never one this driver stays away from."""
        mine = [block for block in blocks if block.code not in self.staying_away]
        return min(mine, key=lambda block: (block.status == "claimed", block.starts_at), default=None)

    # -- Finding work --------------------------------------------------------------------------------------

    def _look(self) -> Generator[float, None, None]:
        offers = yield from patiently(self.phone.offers)
        now = self.phone.now()
        for offer in offers:
            if self._is_left(offer, now):
                continue
            drawn = offer.mode == "draw" and offer.state != "asked"
            if drawn and offer.state != "not_entered":
                continue
            if offer.state == "asked" or (offer.code not in self.seen and self._wants(offer, now)):
                if drawn:
                    yield from self._enter(offer)
                    continue
                try:
                    yield from patiently(lambda offer=offer: self.phone.claim(offer.code))
                except Refusal:
                    # Another driver was faster, or it would be too many hours: there will be another block.
                    self.play.score.lost += 1
                    continue
                self.play.score.claimed += 1
                return

    def _enter(self, offer: OfferSeen) -> Generator[float, None, None]:
        """Take part in a draw, and look at the next offer: one may be in several."""
        try:
            yield from patiently(lambda: self.phone.enter(offer.code))
        except Refusal:
            self.play.score.lost += 1

    def _is_left(self, offer: OfferSeen, now: datetime) -> bool:
        """Whether the offer is new and still left to people who look at it on a page."""
        since = self.noticed.setdefault(offer.code, now)
        return (now - since).total_seconds() < self.play.leaves_s

    def _wants(self, offer: OfferSeen, now: datetime) -> bool:
        """Whether to go for this offer; decided once, by the how-manieth it is that this driver sees, since its
        code is another one in each run."""
        if not offer.eligible or offer.starts_at - now > CLAIMS_AHEAD:
            return False
        number = self.seen[offer.code] = len(self.seen) + 1
        return city.wants(
            self.temper,
            hourly_cents=offer.hourly_cents,
            seed=self.play.seed,
            driver=self.courier.key,
            offer=number,
        )

    # -- One block -----------------------------------------------------------------------------------------

    def _work(self, block: BlockSeen) -> Generator[float, None, None]:
        if block.status == STRANDED:
            yield from self._hand_on(block)
            return
        if block.status == "claimed":
            came = yield from self._come(block)
            if not came:
                return
        self.play.score.at_work += 1
        try:
            yield from self._serve(block)
        finally:
            self.play.score.at_work -= 1

    def _come(self, block: BlockSeen) -> Generator[float, None, bool]:
        """To the mall in time, or late, or not at all."""
        self.worked += 1
        who = {"seed": self.play.seed, "driver": self.courier.key, "block": self.worked}
        if not city.shows_up(self.temper, **who):
            self.staying_away.add(block.code)
            self.play.score.missed += 1
            return False
        if city.changes_mind(self.temper, **who):
            yield self.play.pace(timedelta(minutes=3))
            yield from patiently(lambda: self.phone.release(block.code))
            return False
        after_start = city.arrival_after_start(self.temper, **who)
        now = self.phone.now()
        arrives = max(now + timedelta(seconds=self.play.pace(COMES_FROM)), block.check_in_opens_at)
        if after_start > timedelta(0):
            arrives = max(arrives, block.starts_at + LATE_FROM + after_start)
        yield max(0.0, (arrives - now).total_seconds())
        manifest = yield from patiently(lambda: self.phone.manifest(block.code))
        self.here = _begins_at(block, manifest["stops"])
        yield from patiently(lambda: self.phone.check_in(block.code, at=self.here))
        return True

    def _serve(self, block: BlockSeen) -> Generator[float, None, None]:
        """Stop by stop until the server says there is nothing left to do."""
        while True:
            try:
                manifest = yield from patiently(lambda: self.phone.manifest(block.code))
            except Refusal as refusal:
                if refusal.status != GONE:
                    raise
                # Operations ended the block.
                return
            met = yield from self._hand_on(block, manifest)
            if met:
                continue
            stranded = yield from self._is_stranded(block)
            if stranded:
                return
            stop = _next_stop(manifest)
            loading = manifest["status"] in {"assigned", "loading"}
            if loading and not _is_to_load(stop, manifest):
                yield self.play.pace(city.PARK)
                trip = manifest["trip"]
                yield from patiently(lambda trip=trip: self.phone.depart(block.code, trip=trip))
            elif stop is None:
                break
            else:
                yield from self._at(block, stop)
        # Completion and pay follow from the last stop, a moment later.
        yield self.play.looks_within_s[0]
        self.play.score.completed += 1

    def _is_stranded(self, block: BlockSeen) -> Generator[float, None, bool]:
        """Whether it was broken off: its driver stays where they are, until somebody has come for the parcels."""
        held = yield from patiently(self.phone.blocks)
        return any(each.code == block.code and each.status == STRANDED for each in held)

    def _at(self, block: BlockSeen, stop: Stop) -> Generator[float, None, None]:
        ways = {
            "pickup": self._collect,
            "meeting": self._take_over,
            "dropoff": self._deliver,
            "return": self._bring_back,
        }
        tries = self.tries[stop["code"]] = self.tries.get(stop["code"], 0) + 1
        try:
            came = yield from self._go_to(block, stop)
            if not came:
                return
            if tries <= TRIES_AT_A_STOP:
                yield from ways[stop["kind"]](stop)
            elif tries == TRIES_AT_A_STOP + 1:
                yield from self._give_up(stop)
            else:
                # A person has to look at this; until then the stop is tried again now and then.
                yield from ways[stop["kind"]](stop)
                yield self.play.looks_within_s[1]
        except Refusal as refusal:
            log.info("demo_refused", driver=self.courier.key, stop=stop["code"], refusal=str(refusal))
            yield self.play.looks_within_s[0] * tries

    def _give_up(self, stop: Stop) -> Generator[float, None, None]:
        """What a driver does about a stop where nothing works: say so, and go on."""
        for order in stop["orders"]:
            if stop["kind"] == "dropoff" and order["open"]:
                yield from patiently(
                    lambda code=order["code"]: self.phone.fail(
                        stop["code"], order=code, reason="other", at=self.here
                    )
                )
            for parcel in order["parcels"]:
                if stop["kind"] == "pickup" and not parcel["scanned"]:
                    yield from patiently(
                        lambda code=parcel["code"]: self.phone.report(
                            stop["code"], parcel=code, kind="short", at=self.here
                        )
                    )

    def _go_to(self, block: BlockSeen, stop: Stop) -> Generator[float, None, bool]:
        """Drive there, and say so on arrival; False for who broke down on the way."""
        there = Point(stop["latitude"], stop["longitude"])
        if stop["status"] == "planned":
            way = self.play.pace(city.drive(self.here, there, haste=self.temper.haste))
            if stop["kind"] == "pickup" and crow_m(self.here, there) <= WITHIN_MALL_M:
                way = self.play.pace(city.PARK)
            pings = min(PINGS, 1 + int(way / PING_EVERY_S))
            for part in range(1, pings + 1):
                yield way / pings
                place = city.between(self.here, there, part / pings)
                yield from patiently(lambda place=place: self.phone.report_position(place))
            stranded = yield from self._is_stranded(block)
            if stranded:
                return False
            self.here = there
            yield from patiently(lambda: self.phone.arrive(stop["code"], at=there))
        self.here = there
        return True

    # -- At a counter --------------------------------------------------------------------------------------

    def _collect(self, stop: Stop) -> Generator[float, None, None]:
        yield from self._confirm(stop)
        for order in stop["orders"]:
            for parcel in order["parcels"]:
                if parcel["scanned"] or parcel["status"] not in {"expected", "ready"}:
                    continue
                yield self.play.pace(city.SCAN)
                if (
                    city.dice(self.play.seed, "short", stop["code"], parcel["code"]).random()
                    < SHORT_OF_A_PARCEL
                ):
                    yield from patiently(
                        lambda code=parcel["code"]: self.phone.report(
                            stop["code"], parcel=code, kind="short", at=self.here
                        )
                    )
                    self.play.counters[stop["store"]["code"]].look_for(order=order["code"])
                    continue
                yield from self._scan(stop, parcel["code"])
        yield from self._prove_counter(stop)

    def _bring_back(self, stop: Stop) -> Generator[float, None, None]:
        yield from self._confirm(stop)
        for order in stop["orders"]:
            back = [part for part in order["parcels"] if part["status"] in {"return_due", "loaded"}]
            for parcel in back:
                if not parcel["scanned"]:
                    yield self.play.pace(city.SCAN)
                    yield from self._scan(stop, parcel["code"])
            self.play.score.returned += bool(back)
        yield from self._prove_counter(stop)

    def _prove_counter(self, stop: Stop) -> Generator[float, None, None]:
        """The photo or signature that an order asks for at the counter."""
        missing = stop["counter"]["missing"]
        if not missing:
            return
        yield self.play.pace(city.SCAN)
        dice = city.dice(self.play.seed, "counter", stop["code"])
        parcels = sum(len(order["parcels"]) for order in stop["orders"])
        files = {}
        if "photo" in missing:
            files["photo"] = pictures.door_photo(dice, parcels=parcels)
        if "signature" in missing:
            files["signature"] = pictures.signature(dice)
        name = stop["store"]["name"]
        yield from patiently(
            lambda: self.phone.prove_counter(stop["code"], signed_by=name, files=files, at=self.here)
        )

    def _confirm(self, stop: Stop) -> Generator[float, None, None]:
        """The staff's half of a hand-over."""
        yield self.play.pace(city.STORE_DWELL)
        if stop["handover_confirmed"]:
            return
        badge = yield from patiently(self.phone.badge)
        counter = self.play.counters[stop["store"]["code"]]
        yield from patiently(lambda: counter.hand_over(stop=stop["code"], driver_code=badge))

    def _scan(self, stop: Stop, parcel: str) -> Generator[float, None, None]:
        yield from patiently(lambda: self.phone.scan(stop["code"], parcel=parcel, at=self.here))

    # -- From one driver to another ------------------------------------------------------------------------

    def _take_over(self, stop: Stop) -> Generator[float, None, None]:
        """Read what the other driver holds, and show them the code until they have confirmed it."""
        for order in stop["orders"]:
            self.play.badges[order["code"]] = self.phone.badge
            for parcel in order["parcels"]:
                if parcel["status"] == "loaded" and not parcel["scanned"]:
                    yield self.play.pace(city.SCAN)
                    yield from self._scan(stop, parcel["code"])
        yield self.play.looks_within_s[0]

    def _hand_on(
        self, block: BlockSeen, manifest: dict[str, Any] | None = None
    ) -> Generator[float, None, bool]:
        """Confirm whoever is there to take over something of this block; whether anybody was."""
        if not self.play.badges:
            return False
        if manifest is None:
            manifest = yield from patiently(lambda: self.phone.manifest(block.code))
        mine = {order["code"] for stop in manifest["stops"] for order in stop["orders"] if order["open"]}
        # A code that this driver showed may still lie there, when the other confirmed in between.
        shown = {code for code, badge in self.play.badges.items() if badge != self.phone.badge}
        met = sorted(mine & shown)
        if not met:
            return False
        badge = yield from patiently(self.play.badges[met[0]])
        yield from patiently(lambda: self.phone.hand_over(block.code, driver_code=badge))
        for code in met:
            del self.play.badges[code]
        return True

    # -- At a door -----------------------------------------------------------------------------------------

    def _deliver(self, stop: Stop) -> Generator[float, None, None]:
        for order in stop["orders"]:
            if order["open"]:
                yield from self._hand_out(stop, order)

    def _hand_out(self, stop: Stop, order: dict[str, Any]) -> Generator[float, None, None]:
        asks = order["requirements"]
        attended = bool(asks["pin"] or asks["signature"] or asks["minimum_age"])
        subject = self.play.subject(order["code"])
        outcome = city.at_the_door(seed=self.play.seed, order=subject, attended=attended)
        yield self.play.pace(outcome.takes)
        dice = city.dice(self.play.seed, "proof", subject)
        if outcome.reason:
            yield from patiently(
                lambda: self.phone.fail(
                    stop["code"], order=order["code"], reason=outcome.reason, at=self.here
                )
            )
            self.play.score.failed += 1
            return
        if asks["barcodes"]:
            for parcel in order["parcels"]:
                if parcel["status"] == "loaded" and not parcel["scanned"]:
                    yield from self._scan(stop, parcel["code"])
        files = {}
        if asks["photo"]:
            files["photo"] = pictures.door_photo(dice, parcels=len(order["parcels"]))
        if asks["signature"]:
            files["signature"] = pictures.signature(dice)
        fields = {
            "left_at": outcome.left_at,
            "signed_by": order["recipient"]["name"] if asks["signature"] else "",
            "signer_relationship": "recipient" if asks["signature"] else "",
            "pin": recipients.pin_of(order["code"]) if asks["pin"] else "",
            "age_checked": bool(asks["minimum_age"]),
        }
        yield from patiently(
            lambda: self.phone.prove(
                stop["code"], order=order["code"], fields=fields, files=files, at=self.here
            )
        )
        self.play.score.delivered += 1


def _is_back(manifest: dict[str, Any]) -> bool:
    """Whether the driver is back to load another trip: what came back with them is handed over first."""
    return manifest["status"] == "loading" and manifest["departed_at"] is not None


def _next_stop(manifest: dict[str, Any]) -> Stop | None:
    """Trip by trip what is to be loaded before doors before returns, each in the planned order."""
    kinds = {"pickup": 0, "meeting": 0, "dropoff": 1, "return": 0 if _is_back(manifest) else 2}
    still = [stop for stop in manifest["stops"] if stop["status"] in {"planned", "arrived"}]

    def turn(stop: Stop) -> tuple[bool, int, int]:
        return stop["trip"] > manifest["trip"], kinds[stop["kind"]], stop["number"]

    return min(still, key=turn, default=None)


def _is_to_load(stop: Stop | None, manifest: dict[str, Any]) -> bool:
    """Whether something of this trip is still to be had, or brought back, here: at a meeting nothing is when the other
    driver has delivered it."""
    if stop is None or stop["trip"] > manifest["trip"]:
        return False
    if stop["kind"] == "meeting":
        return bool(stop["orders"])
    return stop["kind"] == "pickup" or (stop["kind"] == "return" and _is_back(manifest))


def _begins_at(block: BlockSeen, stops: list[Stop]) -> Point:
    """Where the block begins: at its mall, or where another driver waits."""
    meetings = (Point(stop["latitude"], stop["longitude"]) for stop in stops if stop["kind"] == "meeting")
    return next(meetings, block.mall)
