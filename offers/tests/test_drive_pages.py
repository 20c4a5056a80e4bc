"""The driver's pages of offers, blocks and pay, through HTTP."""

import datetime as dt

import pytest
from django.urls import reverse

from deliveries import loading
from deliveries.models import Order, Stop
from drivers import badge
from drivers.models import Driver, DriverPosting, StandingEvent
from offers import claiming, expiry, facts, handing_over, withdrawing
from offers.models import Block, Claim, Decline
from offers.tests import making
from offers.tests.making import AT, HOUR, MINUTE, START
from retaildelivery.accounts.models import User
from retaildelivery.outbox.models import Fact
from stores.models import Market

HTML_BUDGET = 12
BLOCK_PAGES = [
    ("get", "driver_block_detail"),
    ("get", "driver_release"),
    ("post", "driver_release"),
    ("post", "driver_check_in"),
    ("post", "driver_departure"),
    ("get", "driver_manifest"),
    ("get", "driver_block_pay"),
]
OFFER_PAGES = [("get", "driver_offer"), ("post", "driver_claim"), ("post", "driver_decline")]


@pytest.fixture(autouse=True)
def _now(time_machine, db):
    time_machine.move_to(AT, tick=False)


@pytest.fixture
def block():
    store = making.store(making.mall())
    return making.block([making.order(store, parcels=2, tip_cents=300), making.order(store)])


@pytest.fixture
def ada():
    return making.driver("Ada")


@pytest.fixture
def ben():
    return making.driver("Ben")


@pytest.fixture
def mine(block, ada, client):
    """Ada has the block."""
    claiming.claim(offer_code=making.offer_of(block).code, driver_id=ada.pk, at=AT)
    client.force_login(ada.user)
    return block


def url(name, code):
    return reverse(f"offers:{name}", args=[code])


def snapshot():
    return (
        sorted(Block.objects.values_list("code", "status")),
        sorted(Claim.objects.values_list("pk", "ending")),
        Decline.objects.count(),
        Fact.objects.count(),
        Driver.objects.count(),
    )


# -- The front door ------------------------------------------------------------------------------------------


def test_a_stranger_is_sent_to_sign_in_from_every_page(client, block):
    code = making.offer_of(block).code
    paths = [
        "/drive/",
        "/drive/apply/",
        "/drive/offers/",
        "/drive/block/",
        "/drive/earnings/",
        *[url(name, code) for method, name in OFFER_PAGES if method == "get"],
        *[url(name, block.code) for method, name in BLOCK_PAGES if method == "get"],
    ]

    answers = [client.get(path) for path in paths]

    assert [(a.status_code, a["Location"]) for a in answers] == [
        (302, f"/accounts/login/?next={path}") for path in paths
    ]


def test_somebody_without_a_driver_record_applies_and_reaches_the_papers(client):
    Market.objects.create(code="las-vegas", name="Las Vegas", time_zone="America/Los_Angeles")
    client.force_login(User.objects.create_user(email="new@example.com", password="x", name="New"))
    assert client.get("/drive/")["Location"] == "/drive/apply/"

    answer = client.post("/drive/apply/", application())

    assert (answer.status_code, answer["Location"]) == (302, "/drive/status/")
    driver = Driver.objects.select_related("user").get()
    assert (driver.status, driver.market_code, driver.user.phone) == ("applied", "las-vegas", "+17025550148")
    page = client.get("/drive/status/").content.decode()
    assert "3 papers are still missing." in page
    assert client.get("/drive/apply/")["Location"] == "/drive/"


def application(**changes):
    return {
        "name": "Nadia Oyelaran",
        "phone": "(702) 555-0148",
        "market": "las-vegas",
        "kind": "suv",
        "make": "Toyota",
        "model": "RAV4",
        "year": "2021",
        "colour": "green",
        "plate": "nv 123",
    } | changes


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 121),
        ("name", "A\x07da"),
        ("phone", "12"),
        ("phone", "call me"),
        ("market", "atlantis"),
        ("kind", "hovercraft"),
        ("year", "1889"),
        ("year", "2031"),
        ("year", "'; DROP TABLE drivers_driver; --"),
        ("plate", "P" * 13),
        ("make", "m" * 1_000_000),
    ],
)
def test_a_nonsense_application_names_the_field_and_writes_nothing(client, field, value):
    Market.objects.create(code="las-vegas", name="Las Vegas", time_zone="America/Los_Angeles")
    client.force_login(User.objects.create_user(email="new@example.com", password="x", name="New"))
    before = snapshot()

    answer = client.post("/drive/apply/", application(**{field: value}))

    assert answer.status_code == 422
    assert f'id="id_{field}_error"' in answer.content.decode()
    assert snapshot() == before


def test_names_of_every_script_are_taken(client):
    Market.objects.create(code="las-vegas", name="Las Vegas", time_zone="America/Los_Angeles")
    client.force_login(User.objects.create_user(email="new@example.com", password="x", name="New"))

    client.post("/drive/apply/", application(name="<b>مريم</b> 🚗"))

    page = client.get("/drive/me/").content.decode()
    assert "&lt;b&gt;مريم&lt;/b&gt; 🚗" in page


# -- Offers --------------------------------------------------------------------------------------------------


def test_an_offer_says_what_it_pays_costs_and_leaves(client, block, ada):
    client.force_login(ada.user)

    page = client.get("/drive/offers/").content.decode()

    # Two hours at $18; 12.4 miles at 72.5 cents are $9.01.
    for words in (
        "fashion-show mall",
        "$36.00",
        "$18.00 an hour",
        "12.4 mi",
        "12.4 mi × 72.50 ¢ = $9.01",
        "<b>$26.99 left</b>, $13.50 an hour",
    ):
        assert words in page
    assert "$3.00" in page
    assert "If nobody claims it: $19.00 an hour" in page
    assert f'action="{url("driver_claim", making.offer_of(block).code)}"' in page


def test_a_block_published_ahead_claims_no_way_and_no_cost(client, ada):
    offer = making.offer_of(making.empty_block(making.mall()))
    client.force_login(ada.user)

    for address in (reverse("offers:driver_offers"), url("driver_offer", offer.code)):
        page = client.get(address).content.decode()
        assert "Published ahead: its orders follow" in page
        assert "0.0 mi" not in page
        assert "$0.00" not in page
    assert "Fits in" in page


def test_who_may_not_claim_reads_why_and_has_no_button(client, block, ada):
    Driver.objects.filter(pk=ada.pk).update(status="applied", approved_at=None)
    client.force_login(ada.user)

    page = client.get("/drive/offers/").content.decode()

    assert "Your account is not approved for work." in page
    assert url("driver_claim", making.offer_of(block).code) not in page


def test_two_drivers_want_one_offer_and_the_second_reads_that_it_is_taken(client, block, ada, ben):
    offer = making.offer_of(block)
    client.force_login(ada.user)
    first = client.post(url("driver_claim", offer.code))
    client.force_login(ben.user)
    before = snapshot()

    second = client.post(url("driver_claim", offer.code))

    assert (first.status_code, first["Location"]) == (302, url("driver_block_detail", block.code))
    assert second.status_code == 409
    assert "Another driver has this block." in second.content.decode()
    assert 'data-code="block_taken"' in second.content.decode()
    assert 'hx-get="/drive/offers/"' in second.content.decode()
    assert snapshot() == before
    assert Claim.objects.get().driver_id == ada.pk


def test_an_offer_of_another_market_is_not_there(client, ada):
    elsewhere = making.mall("tysons", zone="America/New_York", market="washington")
    offer = making.offer_of(making.block([making.order(making.store(elsewhere))]))
    client.force_login(ada.user)
    before = snapshot()

    answers = [getattr(client, method)(url(name, offer.code)) for method, name in OFFER_PAGES]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert snapshot() == before


def test_not_for_me_hides_it_and_says_so(client, block, ada):
    offer = making.offer_of(block)
    client.force_login(ada.user)

    answer = client.post(url("driver_decline", offer.code), {"reason": "distance"})

    assert answer["Location"] == "/drive/offers/"
    assert Decline.objects.values_list("reason", flat=True).get() == "distance"
    page = client.get("/drive/offers/").content.decode()
    assert "No open offers" in page
    assert "1 block you declined is not shown." in page


def test_the_details_give_away_no_door(client, block, ada):
    client.force_login(ada.user)
    door = Order.objects.first()

    page = client.get(url("driver_offer", making.offer_of(block).code)).content.decode()

    assert "Las Vegas 89102" in page
    assert "2 doors" in page
    assert door.address_line1 not in page
    assert door.recipient_name not in page
    assert door.recipient_phone not in page


def test_offers_that_have_not_changed_cost_no_sql(client, block, ada, django_assert_num_queries):
    client.force_login(ada.user)
    etag = client.get("/drive/offers/")["ETag"]

    with django_assert_num_queries(0):
        answer = client.get("/drive/offers/", headers={"If-None-Match": etag, "HX-Request": "true"})
    assert answer.status_code == 304
    assert client.get("/drive/offers/", headers={"If-None-Match": etag}).status_code == 200


def test_an_etag_is_worth_nothing_to_somebody_else(client, block, ada, ben):
    client.force_login(ada.user)
    etag = client.get("/drive/offers/")["ETag"]

    client.force_login(ben.user)
    assert (
        client.get("/drive/offers/", headers={"If-None-Match": etag, "HX-Request": "true"}).status_code == 200
    )
    client.logout()
    assert (
        client.get("/drive/offers/", headers={"If-None-Match": etag, "HX-Request": "true"}).status_code == 302
    )


# -- My block ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "name"), BLOCK_PAGES)
def test_another_drivers_block_is_not_there(client, mine, ben, method, name):
    client.force_login(ben.user)
    before = snapshot()

    answer = getattr(client, method)(url(name, mine.code), {"desk_code": "K7QX4M"})

    assert answer.status_code == 404
    assert snapshot() == before


@pytest.mark.parametrize(("method", "name"), [*BLOCK_PAGES, *OFFER_PAGES])
def test_staff_of_a_store_are_no_drivers(client, mine, method, name):
    client.force_login(User.objects.create_user(email="sam@example.com", password="x", name="Sam"))

    assert getattr(client, method)(url(name, mine.code)).status_code == 403


def test_a_block_of_another_day_says_its_day_above_the_offers_and_over_its_stops(client, mine, time_machine):
    pages = [reverse("offers:driver_offers"), url("driver_manifest", mine.code)]
    day = f"{START.astimezone(mine.mall.zone):%a %-d}, "

    assert all(day not in client.get(page).content.decode() for page in pages)
    time_machine.move_to(AT - dt.timedelta(days=1), tick=False)
    assert all(day in client.get(page).content.decode() for page in pages)


def test_release_in_time_says_beforehand_that_it_is_free(client, mine, time_machine):
    time_machine.move_to(START - 45 * MINUTE, tick=False)
    assert "Without consequence" in client.get(url("driver_release", mine.code)).content.decode()

    answer = client.post(url("driver_release", mine.code))

    assert answer["Location"] == "/drive/offers/"
    assert Claim.objects.values_list("ending", flat=True).get() == "released"


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (HOUR, "Until Mon, Nov 23, 12:15 PM you can give it back without any consequence."),
        (45 * MINUTE - dt.timedelta(seconds=1), "giving it back counts at once: 3 points"),
    ],
)
def test_what_giving_back_costs_is_said_before_the_claim(client, block, ada, time_machine, left, words):
    time_machine.move_to(START - left, tick=False)
    expiry.sweep(at=START - left)
    client.force_login(ada.user)

    assert words in client.get(url("driver_offer", making.offer_of(block).code)).content.decode()


def test_nobody_reckons_a_car_for_a_way_that_nobody_knows(client, mine, ada):
    empty = making.empty_block(mine.mall, start=START + 6 * HOUR)
    making.claimed(empty, ada)

    assert "for your car" in client.get(url("driver_block_detail", mine.code)).content.decode()
    assert "for your car" not in client.get(url("driver_block_detail", empty.code)).content.decode()


def test_release_too_late_says_beforehand_what_it_costs(client, mine, time_machine):
    time_machine.move_to(START - 45 * MINUTE + dt.timedelta(seconds=1), tick=False)
    page = client.get(url("driver_release", mine.code)).content.decode()
    assert "Counts as a forfeit" in page
    assert "3 points against your standing" in page

    client.post(url("driver_release", mine.code))

    assert Claim.objects.values_list("ending", flat=True).get() == "forfeited"


def test_check_in_by_position_inside_the_circle(client, mine, time_machine):
    time_machine.move_to(START - 10 * MINUTE, tick=False)
    here = {"lat": "36.1277", "lng": "-115.1723", "accuracy_m": "15.4"}

    answer = client.post(url("driver_check_in", mine.code), here)

    assert answer["Location"] == url("driver_block_detail", mine.code)
    assert Block.objects.get().status == "checked_in"


@pytest.mark.parametrize(
    ("minutes", "entered", "status", "words"),
    [
        (-16, {"desk_code": "K7QX4M"}, 409, "Check-in opens 15 minutes before the start."),
        (-10, {}, 422, "Share your position"),
        (-10, {"lat": "36.2", "lng": "-115.1723"}, 422, "from the mall; check in within 1,310 ft of it"),
        (-10, {"lat": "36.2"}, 422, "Share your position"),
        (-10, {"desk_code": "WRONG2"}, 422, "That is not the mall desk&#x27;s code."),
        (-10, {"lat": "ninety", "lng": "0"}, 422, "number"),
        (-10, {"desk_code": "K" * 21}, 422, "20 characters"),
        (20, {"desk_code": "K7QX4M"}, 409, "Check-in closed"),
    ],
)
def test_a_check_in_that_cannot_be_is_told_why(client, mine, time_machine, minutes, entered, status, words):
    time_machine.move_to(START + minutes * MINUTE, tick=False)
    before = snapshot()

    answer = client.post(url("driver_check_in", mine.code), entered)

    assert answer.status_code == status
    assert words in answer.content.decode()
    assert snapshot() == before


def test_departure_waits_for_every_pickup(client, mine, ada, time_machine):
    time_machine.move_to(START, tick=False)
    client.post(url("driver_check_in", mine.code), {"desk_code": "k7qx 4m"})
    page = client.get("/drive/block/").content.decode()
    assert "One pickup is not finished." in page

    refused = client.post(url("driver_departure", mine.code))
    assert (refused.status_code, Block.objects.get().status) == (409, "checked_in")

    load_everything(mine, ada)
    assert "Everything is in your car." in client.get("/drive/block/").content.decode()
    answer = client.post(url("driver_departure", mine.code))
    assert (answer.status_code, Block.objects.get().status) == (302, "working")


def load_everything(block, driver, *, at=START):
    """Each parcel is scanned and staff confirm, through the verbs."""
    for stop in block.manifest.stops.filter(kind=Stop.Kind.PICKUP):
        loading.confirm_handover(
            stop_code=stop.code,
            stores=type(stop.store).objects.all(),
            driver_code=badge.code(driver.badge_secret, at),
            user=None,
            key_prefix="sk_live_x",
            at=at,
        )
        for order in Order.objects.filter(consignments__pickup=stop):
            for parcel in order.parcels.all():
                loading.scan(
                    driver=driver,
                    stop_code=stop.code,
                    entered=parcel.code,
                    method="typed",
                    evidence=loading.Evidence(client_event_id=parcel.code, device_at=at),
                    at=at,
                )


def test_the_stop_list_in_words_has_every_parcel(client, mine):
    page = client.get(url("driver_manifest", mine.code)).content.decode().replace(" ", "")

    for order in Order.objects.all():
        assert order.address_line1.replace(" ", "") in page
        for parcel in order.parcels.all():
            assert parcel.code in page


def test_no_page_of_the_block_shows_a_pin_or_a_tracking_link(client, mine):
    Order.objects.update(requires_pin=True, pin="7391")
    tokens = list(Order.objects.values_list("tracking_token", flat=True))
    paths = ["/drive/block/", url("driver_block_detail", mine.code), url("driver_manifest", mine.code)]
    paths += [url("driver_offer", Claim.objects.get().offer.code), "/drive/offers/", "/drive/earnings/"]

    pages = [client.get(path).content.decode() for path in paths]

    assert not [page for page in pages if "7391" in page or any(token in page for token in tokens)]


# -- Pay -----------------------------------------------------------------------------------------------------


def test_pay_is_shown_line_by_line_with_its_rule(client, mine, ada):
    DriverPosting.objects.create(
        key=f"block:{mine.code}:base", driver=ada, kind="base", cents=3600, text="2 h at $18.00",
        rule="las-vegas-2026:weekday", subject=f"block:{mine.code}", at=AT,
    )  # fmt: skip
    DriverPosting.objects.create(
        key=f"block:{mine.code}:tip:X", driver=ada, kind="tip", cents=300, text="Tip", rule="tips",
        subject=f"block:{mine.code}", at=AT,
    )  # fmt: skip
    Claim.objects.update(ended_at=AT, ending="completed")

    listed = client.get("/drive/earnings/").content.decode()
    page = client.get(url("driver_block_pay", mine.code)).content.decode()

    assert "$39.00" in listed
    assert "about $29.99 left after your car" in listed
    for words in ("2 h at $18.00", "las-vegas-2026:weekday", "$3.00", "$39.00"):
        assert words in page


# -- Costs ---------------------------------------------------------------------------------------------------


def test_who_is_late_reads_until_when_and_what_then(client, mine, time_machine):
    for minutes, words in ((5, False), (6, True), (19, True)):
        time_machine.move_to(START + minutes * MINUTE, tick=False)
        page = client.get(url("driver_block_detail", mine.code)).content.decode()
        assert ("At 1:20 PM the block goes to somebody else" in page) is words
        assert ("being late counts 2 points" in page) is words
    Claim.objects.update(late_told_at=START, late_eta_at=START + 15 * MINUTE)
    told = client.get(url("driver_block_detail", mine.code)).content.decode()
    time_machine.move_to(START + 20 * MINUTE, tick=False)
    over = client.get(url("driver_block_detail", mine.code)).content.decode()

    assert "it counts 1 point, since you said so in time" in told
    assert "The time to check in is over" in over
    assert "Starts in" not in over


def test_a_block_that_is_gone_waits_for_no_pay(client, mine, time_machine):
    offer = Claim.objects.get().offer
    withdrawing.withdraw(block_code=mine.code, reason="The mall floods.", actor=facts.SYSTEM, at=AT)

    page = client.get(url("driver_block_pay", mine.code)).content.decode()

    assert "Operations say: The mall floods." in page
    assert "Not settled yet" not in page
    assert "This block was called off." in client.get(url("driver_offer", offer.code)).content.decode()


def test_what_was_given_back_late_pays_nothing_and_says_so(client, mine, ada):
    claiming.release(block_code=mine.code, driver_id=ada.pk, at=START - MINUTE)

    page = client.get(url("driver_block_pay", mine.code)).content.decode()

    assert "Released late, " in page
    assert "it pays nothing" in page
    assert "Not settled yet" not in page


def test_every_page_stays_within_its_queries(client, mine, ada, django_assert_max_num_queries):
    store = mine.mall.stores.first()
    for day in range(1, 6):
        making.block([making.order(store, window=(START, START + 200 * HOUR))], start=START + 24 * day * HOUR)
    offer = making.offer_of(Block.objects.filter(status="offered").order_by("pk").first())
    paths = [
        "/drive/offers/",
        url("driver_offer", offer.code),
        "/drive/block/",
        url("driver_block_detail", mine.code),
        url("driver_release", mine.code),
        url("driver_manifest", mine.code),
        "/drive/earnings/",
        url("driver_block_pay", mine.code),
        "/drive/me/",
        "/drive/standing/",
        "/drive/status/",
        "/drive/badge/",
        "/drive/me/devices/",
        "/drive/me/papers/licence/",
    ]
    for path in paths:
        with django_assert_max_num_queries(HTML_BUDGET):
            assert client.get(path).status_code == 200


def test_a_release_that_was_promised_to_be_harmless_is_not_done_once_it_would_count(
    client, mine, time_machine
):
    edge = START - 45 * MINUTE
    time_machine.move_to(edge, tick=False)
    page = client.get(url("driver_release", mine.code)).content.decode()
    time_machine.move_to(edge + dt.timedelta(seconds=1), tick=False)

    stale = client.post(url("driver_release", mine.code), {"early": "1"})

    assert 'name="early"' in page
    assert stale.status_code == 409
    assert "Not released" in stale.content.decode()
    assert 'name="early"' not in stale.content.decode()
    assert (Claim.objects.get().ended_at, StandingEvent.objects.count()) == (None, 0)
    client.post(url("driver_release", mine.code))
    assert Claim.objects.get().ending == "forfeited"


def test_who_handed_a_block_over_reads_that_it_is_with_another_driver(client, mine, ada):
    ben = making.driver("Ben")
    proposed = handing_over.propose(block_code=mine.code, driver_id=ada.pk, receiver_code=ben.code, at=AT)
    handing_over.accept(code=proposed.code, driver_id=ben.pk, at=AT)

    page = client.get(url("driver_block_pay", mine.code)).content.decode()

    assert "Another driver has this block and its pay" in page
    assert "Claimed" not in page
