"""Afternoons to plan in tests: drawn by a seed, or by hypothesis with anything that may happen."""

from random import Random

from hypothesis import strategies as st

from offers.planning.afternoon import Afternoon, BlockLength, Dwell, WaitingOrder
from offers.planning.travel import Estimate
from retaildelivery.lib.geo import Point

MALL = Point(36.1277, -115.1723)
LENGTHS = tuple(BlockLength(hours * 3600, hours * 2000) for hours in (2, 3, 4))


def afternoon(*orders: WaitingOrder, mall: Point = MALL, **changes: object) -> Afternoon:
    """The afternoon of these orders; `changes` replace its defaults."""
    matrix = Estimate().matrix([mall, *(order.point for order in orders)], hour=12)
    given = {
        "mall": mall, "now": 0, "close": 43_200, "orders": orders, "lengths": LENGTHS, "litres": 350,
        "grams": 150_000, "seconds": matrix.seconds, "metres": matrix.metres,
    }  # fmt: skip
    return Afternoon(**(given | changes))


def order(number: int, *, north: float = 0.03, east: float = 0.0, **changes: object) -> WaitingOrder:
    """An order ready at 10:00 for a door some degrees from the mall, due within two hours of being ready."""
    given = {
        "code": f"O{number}", "point": Point(MALL.lat + north, MALL.lng + east), "store": f"S{number % 4}",
        "ready": 36_000 - 25_200, "early": 0, "due": 36_000 - 25_200 + 7200, "litres": 30, "grams": 4000,
        "parcels": 1,
    }  # fmt: skip
    return WaitingOrder(**(given | changes))


def drawn(size: int, seed: int, **changes: object) -> Afternoon:
    """`size` orders over five hours, doors within some 15 km, promises of 2 h, 4 h and the evening."""
    random = Random(seed)
    orders = []
    for number in range(size):
        ready = random.randrange(0, 18_000)
        early, due = random.choice([(0, ready + 8400), (0, ready + 14_400), (28_800, 39_600)])
        orders.append(
            order(
                number,
                north=random.gauss(0, 0.06),
                east=random.gauss(0, 0.07),
                store=f"S{random.randrange(8)}",
                ready=ready,
                early=early,
                due=due,
                litres=random.choice([3, 10, 30, 60, 120]),
                grams=random.randrange(300, 20_000),
                parcels=random.choice([1, 1, 1, 2, 3]),
            )
        )
    return afternoon(*orders, **changes)


moments = st.integers(-90_000, 90_000)
near = st.integers(-90, 90)


@st.composite
def absurd(draw: st.DrawFn, most: int = 12) -> Afternoon:
    """Anything: late, huge, on one spot, across the date line, never ready, closed already."""
    places = draw(
        st.sampled_from([
            st.just(MALL),
            st.builds(lambda a, b: Point(MALL.lat + a / 500, MALL.lng + b / 500), near, near),
            st.builds(Point, st.floats(-90, 90), st.sampled_from([-180.0, -179.99, 179.99, 180.0])),
        ])
    )  # fmt: skip
    size = draw(st.integers(0, most))
    starts = draw(st.sampled_from([st.just(36_000), moments, st.integers(0, 20_000)]))
    orders = [
        order(
            number,
            point=draw(places),
            store=f"S{draw(st.integers(0, 3))}",
            ready=draw(starts),
            early=draw(st.sampled_from([0, 0, 28_800]) | moments),
            due=draw(st.integers(0, 40_000) | moments),
            litres=draw(st.integers(0, 80) | st.integers(0, 1000)),
            grams=draw(st.integers(0, 200_000)),
            parcels=draw(st.integers(1, 4)),
        )
        for number in range(size)
    ]
    return afternoon(
        *orders,
        mall=draw(places),
        now=draw(st.sampled_from([0, 10_000]) | moments),
        close=draw(st.sampled_from([43_200, 100_000]) | moments),
        dwell=draw(st.sampled_from([Dwell(), Dwell(0, 0, 0, 0, 0), Dwell(240, 20, 120, 45, 120)])),
        km_cents=draw(st.integers(0, 200)),
        late_cents_min=draw(st.integers(0, 500)),
        late_max_s=draw(st.sampled_from([0, 3600, 100_000])),
        defer_cents=draw(st.sampled_from([0, 1, 3000, 100_000])),
        max_orders=draw(st.none() | st.integers(1, 5)),
        max_metres=draw(st.none() | st.integers(1, 100_000)),
        start_slack_s=draw(st.sampled_from([0, 10_800, 200_000])),
    )
