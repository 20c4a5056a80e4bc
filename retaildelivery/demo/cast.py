"""Who signs in to the demo: fixed people, one fixed password, printed by `seed_demo`."""

from dataclasses import dataclass

from retaildelivery.demo import data

PASSWORD = "parcels-to-doors-2026"  # noqa: S105  Known to everyone: the demo has nothing to protect.


@dataclass(frozen=True, slots=True)
class Login:
    """`role` is one of operations, office, manager, staff, driver; `place` a seller's or store's key or a
    market's code."""

    role: str
    email: str
    name: str
    place: str
    path: str
    market: str = ""


def _of_market(code: str) -> tuple[Login, ...]:
    """A manager of the market's first shop, one at the till of each shop, and the drivers."""
    tills = tuple(
        Login(
            "staff",
            f"{store.seller}@{code}.example.com",
            f"{store.name} counter",
            store.key,
            "/store/",
            code,
        )
        for store in data.stores_in(code)
    )
    first = data.stores_in(code)[0]
    manager = Login("manager", f"manager@{code}.example.com", _MANAGERS[code], first.key, "/store/", code)
    drivers = tuple(
        Login("driver", courier.email, courier.name, code, "/drive/", code)
        for courier in data.couriers_in(code)
    )
    return (manager, *tills, *drivers)


_MANAGERS = {
    "las-vegas": "Renée Castellanos",
    "chandler": "Thomas Begay",
    "tysons": "Adaeze Nwosu",
    "friendswood": "Wyatt Guidry",
}

OPERATIONS = Login("operations", "ops@example.com", "Morgan Ellery", "", "/ops/")
# Looks after the shops of one seller in all malls.
OFFICE = Login("office", "office@loomstead.example.com", "Imani Westergaard", "loomstead", "/store/")


def logins() -> tuple[Login, ...]:
    """Everyone, operations and the seller's office first, then market by market."""
    return (OPERATIONS, OFFICE, *(login for market in data.markets() for login in _of_market(market.code)))


def headline() -> tuple[Login, ...]:
    """The few that a newcomer needs: operations, an office, and per market a manager and a driver."""
    found = [OPERATIONS, OFFICE]
    for market in data.markets():
        of_market = _of_market(market.code)
        found.append(of_market[0])
        found.append(next(login for login in of_market if login.role == "driver"))
    return tuple(found)
