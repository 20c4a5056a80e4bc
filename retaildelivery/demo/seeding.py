"""Puts the demo market into an empty or an already seeded database. Nothing that is there is changed, so that
what people edited in their demo stays; only papers about to expire are renewed."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.db import transaction

from deliveries import geocoding
from deliveries.models import FeePolicy, KnownAddress, SlotRule
from drivers.models import CostProfile, Document, Driver, Vehicle
from offers.models import DrawRules, Holiday, PayPolicy, PlanRules
from retaildelivery.accounts.models import User
from retaildelivery.demo import cast, data
from retaildelivery.demo.cast import Login
from retaildelivery.demo.data import Courier, DemoMarket
from retaildelivery.outbox import worlds
from stores import keys
from stores.models import ApiKey, Mall, Market, Sandbox, Seller, StaffMembership, Store, StoreHours

POLICIES_FROM = date(2026, 1, 1)
# Delivery slots that customers may book, by the mall's clock: from, to, cents on top of the fee.
SLOTS = ((10, 12, 0), (12, 14, 0), (14, 16, 0), (16, 18, 150), (18, 20, 250))
SLOT_ROOM = 12
PAPERS_LAST = timedelta(days=400)
PAPERS_RENEWED = timedelta(days=30)  # before they expire
HOLIDAYS = (
    (date(2026, 11, 26), "Thanksgiving Day"),
    (date(2026, 12, 25), "Christmas Day"),
    (date(2027, 1, 1), "New Year's Day"),
    (date(2027, 5, 31), "Memorial Day"),
    (date(2027, 7, 5), "Independence Day, observed"),
    (date(2027, 9, 6), "Labor Day"),
    (date(2027, 11, 25), "Thanksgiving Day"),
    (date(2027, 12, 25), "Christmas Day"),
)
# Known to everyone, like the passwords: a key of the seller that has a shop in every mall.
API_KEY = "sk_live_demo-loomstead-4f2k9x7m3c8v5b6n"
TEST_KEY = "sk_test_demo-loomstead-4f2k9x7m3c8v5b6n"
API_KEY_SELLER = "loomstead"


@dataclass(frozen=True, slots=True)
class Seeded:
    """Rows in the database after seeding, by noun."""

    markets: int
    stores: int
    people: int
    drivers: int


@transaction.atomic
def seed(*, at: datetime) -> Seeded:
    """Everything but orders. May be called any number of times."""
    sellers = _sellers()
    for market in data.markets():
        row = _market(market)
        _mall(market, row, sellers)
        _doors(market)
    stores = _stores_by_key()
    people = _people()
    _memberships(people, stores, sellers)
    for courier in data.couriers():
        _driver(courier, people[courier.email], at=at, verified_by=people[cast.OPERATIONS.email])
    _api_key(sellers[API_KEY_SELLER], people[cast.OPERATIONS.email], at=at)
    return Seeded(
        markets=len(data.markets()), stores=len(stores), people=len(people), drivers=len(data.couriers())
    )


def _market(demo: DemoMarket) -> Market:
    market, _ = Market.objects.get_or_create(
        code=demo.code, defaults={"name": demo.name, "time_zone": demo.time_zone}
    )
    PayPolicy.objects.get_or_create(
        market=market, valid_from=POLICIES_FROM, defaults={"code": f"{demo.code}-pay-{POLICIES_FROM:%Y-%m}"}
    )
    FeePolicy.objects.get_or_create(
        market=market,
        valid_from=POLICIES_FROM,
        defaults={
            "code": f"{demo.code}-fee-{POLICIES_FROM:%Y-%m}",
            "base_cents": 899,
            "base_distance_m": 8_047,
            "mile_cents": 75,
            "large_cents": 200,
            "extra_large_cents": 600,
        },
    )
    # Short ways and small cars: one driver for two trips is often cheaper than two drivers.
    PlanRules.objects.get_or_create(market=market, valid_from=POLICIES_FROM, defaults={"max_trips": 2})
    for day, name in HOLIDAYS:
        Holiday.objects.get_or_create(market=market, on=day, defaults={"name": name})
    return market


def _doors(demo: DemoMarket) -> None:
    """Where the doors of the demo are, so that addresses are found and wrong pins are seen without a geocoder. The
    first of several doors of one house stands for all."""
    houses = {
        geocoding.key_of(door.address1, door.postal_code): door.point
        for door in reversed(data.doors_in(demo.code))
    }
    KnownAddress.objects.bulk_create(
        (
            KnownAddress(key=key, latitude=str(point.lat), longitude=str(point.lng), source="demo")
            for key, point in houses.items()
        ),
        ignore_conflicts=True,
    )


def draw_soon() -> None:
    """The demo's markets draw what starts in eight minutes or later, after the shortest time for entries
    that the law allows: whoever watches sees draws, though everything in a demo starts soon."""
    for demo in data.markets():
        DrawRules.objects.get_or_create(
            market=Market.objects.get(code=demo.code),
            valid_from=POLICIES_FROM,
            defaults={
                "first_come_within": timedelta(minutes=8),
                "entries": timedelta(seconds=60),
                "hold": timedelta(minutes=3),
            },
        )


def _sellers() -> dict[str, Seller]:
    return {
        demo.key: Seller.objects.get_or_create(email=demo.email, defaults={"name": demo.name})[0]
        for demo in data.sellers()
    }


def _mall(demo: DemoMarket, market: Market, sellers: dict[str, Seller]) -> None:
    place = data.mall_of(demo.code)
    mall, _ = Mall.objects.get_or_create(
        code=place.code,
        defaults={
            "market": market,
            "name": place.name,
            "address": place.address,
            "latitude": str(place.point.lat),
            "longitude": str(place.point.lng),
            "geofence_m": place.geofence_m,
            "desk_code": place.desk_code,
            "desk_note": place.desk_note,
        },
    )
    for starts, ends, cents in SLOTS:
        SlotRule.objects.get_or_create(
            mall=mall,
            starts=time(starts),
            valid_from=POLICIES_FROM,
            defaults={
                "weekdays": list(range(7)),
                "ends": time(ends),
                "capacity": SLOT_ROOM,
                "price_cents": cents,
            },
        )
    for shop in data.stores_in(demo.code):
        store, created = Store.objects.get_or_create(
            seller=sellers[shop.seller],
            mall=mall,
            name=shop.name,
            defaults={
                "unit": shop.unit,
                "phone": shop.phone,
                "pickup_note": shop.pickup_note,
                "prep_minutes": shop.prep_minutes,
            },
        )
        if created:
            StoreHours.objects.bulk_create(
                StoreHours(
                    store=store,
                    weekday=weekday,
                    # The demo is looked at at any hour, in any part of the world: a shop that has shut would give
                    # its drivers nothing to do.
                    opens=time.min,
                    closes=time(23, 59),
                )
                for weekday in range(7)
            )


def store_of(shop: data.DemoStore) -> Store:
    """The row of a demo store. Raises Store.DoesNotExist before seeding."""
    return Store.objects.select_related("mall__market", "seller").get(mall__code=shop.mall, name=shop.name)


def _stores_by_key() -> dict[str, Store]:
    rows = Store.objects.filter(mall__code__in=[mall.code for mall in data.malls()]).select_related(
        "mall", "seller"
    )
    by_place = {(store.mall.code, store.name): store for store in rows}
    return {shop.key: by_place[shop.mall, shop.name] for shop in data.stores()}


def _people() -> dict[str, User]:
    """Users by e-mail, each with a verified address. The one password is hashed once: it is no secret, and
    seventy slow hashes would be the longest part of a first start."""
    logins = {login.email: login for login in cast.logins()}
    missing = set(logins) - set(User.objects.filter(email__in=logins).values_list("email", flat=True))
    if missing:
        password = make_password(cast.PASSWORD)
        phones = {courier.email: courier.phone for courier in data.couriers()}
        User.objects.bulk_create(
            User(
                email=email,
                name=logins[email].name,
                phone=phones.get(email, ""),
                password=password,
                is_staff=logins[email].role == "operations",
                is_superuser=logins[email].role == "operations",
            )
            for email in sorted(missing)
        )
    people = {user.email: user for user in User.objects.filter(email__in=logins)}
    EmailAddress.objects.bulk_create(
        (
            EmailAddress(user=people[email], email=email, verified=True, primary=True)
            for email in sorted(missing)
        ),
        ignore_conflicts=True,
    )
    return people


def _memberships(people: dict[str, User], stores: dict[str, Store], sellers: dict[str, Seller]) -> None:
    def belongs(login: Login, seller: Seller, store: Store | None) -> None:
        StaffMembership.objects.get_or_create(
            user=people[login.email],
            seller=seller,
            store=store,
            ended_at=None,
            defaults={
                "role": StaffMembership.Role.STAFF if login.role == "staff" else StaffMembership.Role.MANAGER
            },
        )

    belongs(cast.OFFICE, sellers[cast.OFFICE.place], None)
    for login in cast.logins():
        if login.role in {"manager", "staff"}:
            belongs(login, stores[login.place].seller, stores[login.place])


def _driver(courier: Courier, user: User, *, at: datetime, verified_by: User) -> None:
    driver, created = Driver.objects.get_or_create(
        user=user,
        defaults={
            "market_code": courier.market,
            "status": Driver.Status.APPROVED,
            "applied_at": at - timedelta(days=60),
            "approved_at": at - timedelta(days=58),
        },
    )
    if created:
        if courier.cost_cents_per_mile:
            CostProfile.objects.create(
                driver=driver,
                basis=CostProfile.Basis.FLAT,
                cents_per_mile=courier.cost_cents_per_mile,
                changed_at=at,
            )
        litres, grams = Vehicle.CAPACITY[courier.kind]
        Vehicle.objects.create(
            driver=driver,
            kind=courier.kind,
            make=courier.make,
            model=courier.model,
            year=courier.year,
            colour=courier.colour,
            plate=courier.plate.split(" ", 1)[1],
            litres=litres,
            grams=grams,
            created_at=at,
        )
    _papers(driver, at=at, verified_by=verified_by)


def _papers(driver: Driver, *, at: datetime, verified_by: User) -> None:
    """Verified papers of every kind that is required; those of the demo are renewed before they expire."""
    soon = (at + PAPERS_RENEWED).date()
    current = Document.objects.current().filter(driver=driver)
    current.filter(number__startswith="DEMO", expires_on__lt=soon).update(replaced_at=at)
    held = set(current.values_list("kind", flat=True))
    Document.objects.bulk_create(
        Document(
            driver=driver,
            kind=kind,
            number=f"DEMO-{driver.code}",
            expires_on=(at + PAPERS_LAST).date(),
            submitted_at=at,
            verified_at=at,
            verified_by=verified_by,
        )
        for kind in Document.REQUIRED
        if kind not in held
    )


def _api_key(seller: Seller, created_by: User, *, at: datetime) -> None:
    sandbox, _made = Sandbox.objects.get_or_create(seller=seller, defaults={"created_at": at})
    for key, name, world in ((API_KEY, "demo", worlds.LIVE), (TEST_KEY, "demo, sandbox", sandbox.pk)):
        ApiKey.objects.get_or_create(
            digest=keys.digest(key),
            defaults={
                "seller": seller,
                "name": name,
                "prefix": key[: keys.PREFIX_LENGTH],
                "scopes": list(ApiKey.Scope.values),
                "created_by": created_by,
                "created_at": at,
                "world": world,
            },
        )
