"""A shop of a run: its staff post orders, pack them, and hand parcels over, through the API."""

from collections.abc import Generator, Iterable
from datetime import datetime, timedelta, tzinfo
from typing import Any

from django.utils import timezone

from retaildelivery.demo import city, orders
from retaildelivery.demo.afternoon import OrderIdea
from retaildelivery.demo.client import Client, Refusal
from retaildelivery.demo.play import PACKED_WITHIN_S, Play, event_id
from retaildelivery.demo.town import Life, patiently

SEARCH = timedelta(minutes=25)  # until a missing parcel is found


class Shop:
    """One store and the key of its seller's system."""

    def __init__(self, store: str, *, client: Client, zone: tzinfo, play: Play) -> None:
        self.store = store
        self.client = client
        self.zone = zone
        self.play = play

    def post(self, idea: OrderIdea, *, external_id: str, at: datetime) -> Generator[float, None, str]:
        """Post the order; its code. It is packed after the shop's usual time, at the run's pace."""
        ready_at = at + timedelta(seconds=self.play.packing(idea.ready_after))
        body = orders.body_of(
            idea, store=self.store, external_id=external_id, at=at, ready_at=ready_at, zone=self.zone
        )
        key = event_id()
        answer = yield from patiently(lambda: self.client.post("/orders", body, key=key))
        return str(answer["code"])

    def pack(self, order: str) -> Life:
        """The parcels are on the shelf now."""
        key = event_id()
        try:
            yield from patiently(lambda: self.client.put(f"/orders/{order}/ready", {}, key=key))
        except Refusal:
            # Picked up or cancelled in the meantime.
            return

    def look_for(self, *, order: str) -> None:
        """A parcel that was missing is found, sooner or later, and is ready again."""
        self.play.town.settle(
            f"find {order}", lambda: self.pack(order), after=max(self.play.pace(SEARCH), PACKED_WITHIN_S)
        )

    def hand_over(self, *, stop: str, driver_code: str) -> Any:
        """Staff read the driver's code at the counter, for a pickup or for what comes back."""
        return self.client.post("/handovers", {"driver_code": driver_code, "stop": stop}, key=event_id())


def staff(shops: dict[str, Shop], script: Iterable[city.Posting], *, run: str, play: Play) -> Life:
    """Post a market's orders when their time comes, each at its own shop."""
    passed = timedelta(0)
    for posting in script:
        yield play.pace(posting.after - passed)
        passed = posting.after
        idea = posting.idea
        shop = shops[idea.store.key]
        number = f"{run}-{idea.number:04d}"
        try:
            code = yield from shop.post(idea, external_id=number, at=timezone.now())
        except Refusal:
            # The shop has paused, or operations closed it: its customers come another day.
            continue
        play.numbers[code] = str(idea.number)
        play.score.posted += 1
        play.town.settle(
            f"pack {code}", lambda shop=shop, code=code: shop.pack(code), after=play.packing(idea.ready_after)
        )
