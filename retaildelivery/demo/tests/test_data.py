"""The demo's data is plausible: counts, places, postcodes, and nobody real."""

import re
from collections import Counter
from zoneinfo import ZoneInfo

import pytest

from retaildelivery.demo import cast, data
from retaildelivery.lib import geo

CODES = ["las-vegas", "chandler", "tysons", "friendswood"]
# Which postcodes belong to which city of the demo.
CITIES = {
    "Las Vegas": r"891\d\d",
    "Henderson": r"890(02|1[1245]|44|52|74)",
    "Chandler": r"85(22[456]|248|249|286)",
    "Gilbert": r"85(233|234|29[5678])",
    "Tempe": r"8528[1234]",
    "Phoenix": r"8504[458]",
    "Mesa": r"852(02|10)",
    "McLean": r"2210[12]",
    "Tysons": r"22(102|182)",
    "Falls Church": r"2204[236]",
    "Vienna": r"2218[012]",
    "Oakton": r"22124",
    "Fairfax": r"2203[01]",
    "Great Falls": r"22066",
    "Reston": r"2019[014]",
    "Arlington": r"22(20[57]|213)",
    "Friendswood": r"77546",
    "Webster": r"77598",
    "Houston": r"77(058|059|062|089)",
    "Taylor Lake Village": r"77586",
    "Seabrook": r"77586",
    "League City": r"77573",
    "Pearland": r"7758[14]",
    "Dickinson": r"77539",
}
# South, north, west, east.
BOXES = {
    "las-vegas": (36.00, 36.24, -115.34, -115.04),
    "chandler": (33.20, 33.45, -112.06, -111.70),
    "tysons": (38.84, 39.03, -77.40, -77.10),
    "friendswood": (29.44, 29.64, -95.29, -95.00),
}


@pytest.mark.parametrize("code", CODES)
def test_a_market_has_some_sixty_doors_each_once(code):
    doors = data.doors_in(code)

    assert 60 <= len(doors) <= 66
    assert len({(door.address1.lower(), door.address2.lower(), door.postal_code) for door in doors}) == len(
        doors
    )
    assert len({door.point for door in doors}) >= len(doors) - 1


@pytest.mark.parametrize("code", CODES)
def test_doors_lie_around_the_mall_as_those_of_a_real_afternoon(code):
    centre = data.mall_of(code).point
    metres = sorted(geo.crow_m(centre, door.point) for door in data.doors_in(code))

    assert metres[0] > 100
    assert metres[-1] < 20_000
    assert 4_000 < metres[len(metres) // 2] < 9_000


@pytest.mark.parametrize("code", CODES)
def test_doors_have_the_region_and_postcode_of_their_city_and_lie_in_its_box(code):
    south, north, west, east = BOXES[code]

    wrong = [
        door
        for door in data.doors_in(code)
        if not (south < door.point.lat < north and west < door.point.lng < east)
        or door.region != data.market(code).region
        or not re.fullmatch(CITIES[door.city], door.postal_code)
        or not re.match(r"\d{2,5} \S", door.address1)
    ]

    assert wrong == []


def test_each_market_has_one_mall_with_a_real_time_zone():
    assert [market.code for market in data.markets()] == CODES
    assert [data.mall_of(code).name for code in CODES] == [
        "Fashion Show Mall",
        "Chandler Fashion Center",
        "Tysons Corner Center",
        "Baybrook Mall",
    ]
    assert [str(ZoneInfo(market.time_zone)) for market in data.markets()] == [
        "America/Los_Angeles",
        "America/Phoenix",
        "America/New_York",
        "America/Chicago",
    ]


@pytest.mark.parametrize("code", CODES)
def test_a_mall_has_seven_or_eight_stores_of_different_sellers_that_sell_something(code):
    stores = data.stores_in(code)

    assert 7 <= len(stores) <= 8
    assert len({store.seller for store in stores}) == len(stores)
    assert [store.key for store in stores if len(data.goods_of(store.kind)) < 3] == []
    assert [store.key for store in stores if store.opens >= store.closes] == []


def test_some_sellers_have_stores_in_several_malls():
    malls = Counter(store.seller for store in data.stores())

    assert malls["loomstead"] == 4
    assert set(malls) == {seller.key for seller in data.sellers()}


@pytest.mark.parametrize("code", CODES)
def test_a_market_has_six_to_eight_drivers_of_several_tempers_and_cars(code):
    couriers = data.couriers_in(code)

    assert 6 <= len(couriers) <= 8
    assert {courier.temper for courier in couriers} == {"eager", "steady", "picky", "late", "forgetful"}
    assert {"sedan", "suv", "van"} <= {courier.kind for courier in couriers}
    assert len({courier.plate for courier in couriers}) == len(couriers)


@pytest.mark.parametrize("code", CODES)
def test_every_phone_is_kept_for_fiction_and_every_address_an_example(code):
    phones = [
        *(person.phone for person in data.people_in(code)),
        *(courier.phone for courier in data.couriers_in(code)),
        *(store.phone for store in data.stores_in(code)),
    ]
    emails = [
        *(person.email for person in data.people_in(code)),
        *(seller.email for seller in data.sellers()),
        *(login.email for login in cast.logins()),
    ]

    assert len(phones) == len(set(phones))
    assert [phone for phone in phones if not re.fullmatch(r"\+1[2-9]\d\d55501\d\d", phone)] == []
    assert [email for email in emails if not re.fullmatch(r"[\w.-]+@([\w-]+\.)*example\.com", email)] == []


def test_recipients_have_names_of_many_scripts_and_lengths():
    names = " ".join(person.name for person in data.people_in("tysons"))
    longest = max(len(person.name) for person in data.people_in("tysons"))

    assert re.search(r"[\u0600-\u06ff]", names)
    assert re.search(r"[\u4e00-\u9fff]", names)
    assert re.search(r"[àâäéèêëíóöúüñçŁÅ]", names)
    assert 40 <= longest <= 120


@pytest.mark.parametrize("seller", [seller.kind for seller in data.sellers()])
def test_goods_fit_through_a_car_door_and_a_person_can_lift_them(seller):
    sizes = {"small": (1, 12), "medium": (13, 40), "large": (41, 90), "extra_large": (91, 400)}

    wrong = [
        item
        for item in data.goods_of(seller)
        if not sizes[item.size][0] <= item.litres <= sizes[item.size][1]
        or not 0 < item.grams <= 30_000
        or not 0 < item.low_cents < item.high_cents <= 500_000
    ]

    assert wrong == []


def test_logins_are_one_per_e_mail_and_name_every_door_of_the_demo():
    emails = [login.email for login in cast.logins()]

    assert len(emails) == len(set(emails))
    assert Counter(login.role for login in cast.headline()) == {
        "operations": 1,
        "office": 1,
        "manager": 4,
        "driver": 4,
    }
    assert {login.place for login in cast.logins() if login.role == "staff"} == {
        store.key for store in data.stores()
    }


def test_doors_are_read_from_a_file_with_other_names_for_its_columns(tmp_path):
    path = tmp_path / "doors.csv"
    path.write_text(
        "km,address1,city,state,zip,lat,lng\n1.2,12 Elm Street,Vienna,VA,22180,38.9,-77.26\n", "utf-8"
    )

    assert data.read_doors(path) == (
        data.Door("12 Elm Street", "", "Vienna", "VA", "22180", geo.Point(38.9, -77.26)),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("address1,city,state,zip,lat,lng\n", "doors.csv: no door in it"),
        ("address1,city,state,zip,lat,lng\n1 Elm,,VA,22180,38.9,-77.2\n", "line 2: no city"),
        ("address1,city,state,lat,lng\n1 Elm,Vienna,VA,38.9,-77.2\n", "line 2: no postal_code or zip"),
        (
            "address1,city,state,zip,lat,lng\n1 Elm,Vienna,VA,22180,north,-77.2\n",
            "line 2: lat is not a number",
        ),
        ("address1,city,state,zip,lat,lng\n1 Elm,Vienna,VA,22180,nan,-77.2\n", "line 2: lat is not a number"),
        (
            "address1,city,state,zip,lat,lng\n1 Elm,Vienna,VA,22180,138.9,-77.2\n",
            "line 2: latitude 138.9 is not",
        ),
    ],
)
def test_a_file_of_doors_that_cannot_be_used_is_refused_with_its_line(tmp_path, text, message):
    path = tmp_path / "doors.csv"
    path.write_text(text, "utf-8")

    with pytest.raises(data.DoorsUnreadable, match=message):
        data.read_doors(path)


def test_a_missing_file_of_doors_is_refused(tmp_path):
    with pytest.raises(data.DoorsUnreadable, match=r"nowhere\.csv"):
        data.read_doors(tmp_path / "nowhere.csv")
