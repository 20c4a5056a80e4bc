"""Sets a market up for a run: keys for its shops, tokens for its drivers, and the actors themselves.

Keys and tokens are issued by the verbs that people use, are named after the simulation, and revoked when the
run ends; what a killed run left is revoked when the next begins.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.utils import timezone

from drivers import tokens
from drivers.models import Driver, DriverToken
from retaildelivery.demo import afternoon, city, data, seeding
from retaildelivery.demo.client import Client
from retaildelivery.demo.couriers import Rider
from retaildelivery.demo.data import Courier, Door
from retaildelivery.demo.phone import Phone
from retaildelivery.demo.play import Play
from retaildelivery.demo.shops import Shop
from retaildelivery.outbox.models import Fact
from retaildelivery.outbox.recording import Actor
from stores import keys
from stores.models import ApiKey, Seller, Store

NAME = "simulation"
SCOPES = (ApiKey.Scope.ORDERS_READ, ApiKey.Scope.ORDERS_WRITE, ApiKey.Scope.HANDOVER)
ACTOR = Actor(kind=Fact.Actor.SYSTEM, name=NAME, source="simulate")


@dataclass(slots=True)
class Stage:
    """One market ready to be played: a shop for each store, a rider for each courier."""

    market: str
    play: Play
    base_url: str
    shops: dict[str, Shop] = field(default_factory=dict)
    riders: list[Rider] = field(default_factory=list)
    afternoons: int = 0
    is_posted: bool = False
    _clients: list[Client] = field(default_factory=list)

    def set_up(self, *, at: datetime) -> None:
        """Issue what the actors need. Raises Store.DoesNotExist before `seed_demo`."""
        clear(at=at, market=self.market)
        clients: dict[int, Client] = {}
        for demo in data.stores_in(self.market):
            store = seeding.store_of(demo)
            client = clients.get(store.seller_id)
            if client is None:
                issued = keys.issue(
                    seller=store.seller, name=key_name(self.market), scopes=SCOPES, actor=ACTOR, at=at
                )
                client = clients[store.seller_id] = self._client(issued.secret)
            shop = Shop(store.code, client=client, zone=store.mall.zone, play=self.play)
            self.shops[demo.key] = self.play.counters[store.code] = shop
        for number, courier in enumerate(data.couriers_in(self.market)):
            if courier.email in self.play.not_played:
                continue
            self.riders.append(self._rider(courier, number, at=at))

    def script(
        self, *, day: date, orders: int, minutes: int, doors: Sequence[Door] | None
    ) -> Sequence[city.Posting]:
        """The orders of one afternoon with the simulated time at which each is posted."""
        ideas = afternoon.afternoon(self.market, seed=self.play.seed, day=day, n=orders, doors=doors)
        return city.postings(ideas, minutes=minutes)

    def close(self) -> None:
        for client in self._clients:
            client.close()
        clear(at=timezone.now(), market=self.market)

    def _client(self, secret: str) -> Client:
        client = Client(self.base_url, secret, tally=self.play.tally)
        self._clients.append(client)
        return client

    def _rider(self, courier: Courier, number: int, *, at: datetime) -> Rider:
        driver = Driver.objects.get(user__email=courier.email)
        _, secret = tokens.issue(driver=driver, name=NAME, at=at)
        doors = data.doors_in(self.market)
        # They live among their customers.
        home = doors[(number * 7) % len(doors)].point
        return Rider(courier, phone=Phone(self._client(secret)), home=home, play=self.play)


def key_name(market: str) -> str:
    return f"{NAME} {market}"


def clear(*, at: datetime, market: str) -> None:
    """Revoke every key and token that a simulation of this market has left."""
    own = ApiKey.objects.live(at).filter(name=key_name(market))
    for prefix in own.values_list("prefix", flat=True):
        keys.revoke(prefix=prefix, scope=own, actor=ACTOR, at=at)
    left = DriverToken.objects.filter(name=NAME, driver__market_code=market, revoked_at=None)
    for token in left:
        tokens.revoke(token=token, at=at)


def is_seeded(market: str) -> bool:
    """Whether every shop and driver of the market is there."""
    shops = data.stores_in(market)
    emails = [courier.email for courier in data.couriers_in(market)]
    return (
        Store.objects.filter(mall__code=shops[0].mall, name__in=[shop.name for shop in shops]).count()
        == len(shops)
        and Driver.objects.filter(user__email__in=emails).count() == len(emails)
        and Seller.objects.filter(email__in=[seller.email for seller in data.sellers()]).exists()
    )
