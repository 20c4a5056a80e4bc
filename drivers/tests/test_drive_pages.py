"""What a driver opens about themselves, through HTTP: papers, car, standing, devices and the code."""

import datetime as dt

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from drivers import badge, tokens
from drivers.models import Document, Driver, DriverToken, StandingEvent, Vehicle
from retaildelivery.accounts.models import User

NOW = dt.datetime(2026, 11, 24, 18, 0, tzinfo=dt.UTC)
JPEG = b"\xff\xd8\xff\xe0" + b"\x00" * 64
PATHS = [
    "/drive/status/",
    "/drive/me/",
    "/drive/me/car/",
    "/drive/me/papers/licence/",
    "/drive/me/papers/licence/file/",
    "/drive/me/devices/",
    "/drive/standing/",
    "/drive/badge/",
]


@pytest.fixture(autouse=True)
def _now(time_machine, db):
    time_machine.move_to(NOW, tick=False)


def driver(name, status="approved", **more):
    user = User.objects.create_user(email=f"{name.lower()}@example.com", password="x", name=name)
    return Driver.objects.create(
        user=user,
        market_code="las-vegas",
        status=status,
        applied_at=NOW,
        approved_at=None if status == "applied" else NOW,
        **more,
    )


@pytest.fixture
def ada(client):
    made = driver("Ada")
    client.force_login(made.user)
    return made


def paper(**changes):
    file = SimpleUploadedFile("licence.jpg", JPEG, content_type="image/jpeg")
    return {"number": "N123", "expires_on": "2028-01-01", "file": file} | changes


# -- Doors ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS)
def test_a_stranger_is_sent_to_sign_in(client, path):
    answer = client.get(path)

    assert (answer.status_code, answer["Location"]) == (302, f"/accounts/login/?next={path}")


@pytest.mark.parametrize("path", PATHS)
def test_who_is_no_driver_gets_403(client, path):
    client.force_login(User.objects.create_user(email="sam@example.com", password="x", name="Sam"))

    assert client.get(path).status_code == 403


def test_who_has_left_is_no_driver_any_more(client):
    client.force_login(driver("Gone", status="left", left_at=NOW).user)

    assert client.get("/drive/me/").status_code == 403


@pytest.mark.parametrize(
    ("status", "more", "leads_to"),
    [
        ("applied", {}, "/drive/status/"),
        ("approved", {}, "/drive/offers/"),
        ("suspended", {"suspended_at": NOW}, "/drive/status/"),
    ],
)
def test_the_front_door_leads_on_by_what_one_is(client, status, more, leads_to):
    client.force_login(driver("Ada", status, **more).user)

    assert client.get("/drive/")["Location"] == leads_to


def test_a_suspended_driver_reads_why(client):
    suspended = driver("Ada", "suspended", suspended_at=NOW, suspended_reason="Insurance <ended> in June")
    client.force_login(suspended.user)

    page = client.get("/drive/status/").content.decode()

    assert "Insurance &lt;ended&gt; in June" in page
    assert "You cannot claim blocks now." in page


# -- Papers --------------------------------------------------------------------------------------------------


def test_a_paper_is_handed_in_and_waits(client, ada):
    answer = client.post("/drive/me/papers/licence/", paper())

    assert (answer.status_code, answer["Location"]) == (302, "/drive/me/")
    document = Document.objects.get()
    assert (document.kind, document.number, document.verified_at) == ("licence", "N123", None)
    assert document.file.name.endswith(".jpg")
    served = client.get("/drive/me/papers/licence/file/")
    assert (b"".join(served.streaming_content), served["Content-Type"]) == (JPEG, "image/jpeg")
    assert served["X-Content-Type-Options"] == "nosniff"


def test_a_newer_paper_takes_the_place_of_the_older(client, ada):
    client.post("/drive/me/papers/licence/", paper())
    client.post("/drive/me/papers/licence/", paper(number="N999"))

    assert list(Document.objects.current().values_list("number", flat=True)) == ["N999"]
    assert Document.objects.count() == 2


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"number": ""}, "number"),
        ({"number": "N" * 41}, "number"),
        ({"number": "N\x00"}, "number"),
        ({"expires_on": ""}, "expires_on"),
        ({"expires_on": "2026-11-23"}, "expires_on"),
        ({"expires_on": "2099-01-01"}, "expires_on"),
        ({"expires_on": "soon"}, "expires_on"),
        ({"file": ""}, "file"),
        ({"file": SimpleUploadedFile("a.jpg", b"<script>alert(1)</script>")}, "file"),
        ({"file": SimpleUploadedFile("a.jpg", b"")}, "file"),
        ({"file": SimpleUploadedFile("a.jpg", JPEG + b"\x00" * 8 * 1024 * 1024)}, "file"),
    ],
)
def test_a_paper_that_is_none_names_the_field_and_is_not_kept(client, ada, changes, field):
    answer = client.post("/drive/me/papers/licence/", paper(**changes))

    assert answer.status_code == 422
    assert f'id="id_{field}_error"' in answer.content.decode()
    assert Document.objects.count() == 0


def test_a_page_that_calls_itself_a_picture_is_kept_as_a_picture(client, ada):
    client.post("/drive/me/papers/licence/", paper(file=SimpleUploadedFile("evil.html", JPEG)))

    assert Document.objects.get().file.name.endswith(".jpg")
    assert client.get("/drive/me/papers/licence/file/")["Content-Type"] == "image/jpeg"


def test_nobody_else_sees_my_paper(client, ada):
    client.post("/drive/me/papers/licence/", paper())
    client.force_login(driver("Ben").user)

    assert client.get("/drive/me/papers/licence/file/").status_code == 404


def test_an_unknown_kind_of_paper_is_not_there(client, ada):
    assert client.get("/drive/me/papers/passport/").status_code == 404


def test_a_paper_that_ends_soon_is_said_to(client, ada):
    Document.objects.create(
        driver=ada, kind="licence", number="N", expires_on="2026-12-01", submitted_at=NOW, verified_at=NOW
    )

    assert "Expires soon" in client.get("/drive/me/").content.decode()


# -- Car and preferences -------------------------------------------------------------------------------------


CAR = {"kind": "van", "make": "Ford", "model": "Transit", "year": "2022", "colour": "white", "plate": "nv 77"}


def test_another_car_retires_the_one_before(client, ada):
    client.post("/drive/me/car/", CAR)
    client.post("/drive/me/car/", CAR | {"kind": "suv", "plate": "NV78"})

    assert list(Vehicle.objects.in_use().values_list("kind", "plate", "litres")) == [("suv", "NV78", 900)]
    assert Vehicle.objects.count() == 2


@pytest.mark.parametrize(
    "changes", [{"kind": ""}, {"year": "0"}, {"year": "x"}, {"colour": ""}, {"make": "\x07"}]
)
def test_a_nonsense_car_is_refused(client, ada, changes):
    assert client.post("/drive/me/car/", CAR | changes).status_code == 422
    assert Vehicle.objects.count() == 0


def test_preferences_are_kept(client, ada):
    answer = client.post(
        "/drive/me/",
        {"name": "Ada N.", "phone": "702 555 0111", "locale": "es"},
    )

    assert answer.status_code == 302
    ada.refresh_from_db()
    assert (ada.user.locale, ada.user.phone) == ("es", "+17025550111")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("locale", "tlh"),
        ("phone", "911"),
        ("name", ""),
    ],
)
def test_nonsense_preferences_name_the_field(client, ada, field, value):
    good = {"name": "Ada", "phone": "7025550111", "locale": "en"}

    answer = client.post("/drive/me/", good | {field: value})

    assert answer.status_code == 422
    assert f'id="id_{field}_error"' in answer.content.decode()
    ada.refresh_from_db()
    assert ada.user.phone == ""


# -- Standing, devices, code ---------------------------------------------------------------------------------


def test_standing_shows_causes_and_what_does_not_count(client, ada):
    StandingEvent.objects.create(
        key="a", driver=ada, kind="late", fault="driver", points=-1, subject="block:BX7K2M",
        at=NOW, decays_at=NOW + dt.timedelta(days=90),
    )  # fmt: skip
    StandingEvent.objects.create(
        key="b", driver=ada, kind="late", fault="store", points=0, subject="block:BY",
        at=NOW, decays_at=NOW + dt.timedelta(days=90),
    )  # fmt: skip

    page = client.get("/drive/standing/").content.decode()

    assert "<dd>−1</dd>" in page
    assert "At fault: store." in page
    assert "Does not count." in page
    assert reverse("offers:driver_block_pay", args=["BX7K2M"]) in page


def test_a_token_is_shown_once_and_can_be_revoked(client, ada):
    made = client.post("/drive/me/devices/", {"name": "My app"})
    token = DriverToken.objects.get()
    secret = made.context["secret"]

    assert secret in made.content.decode()
    assert made["Cache-Control"] == "no-store"
    assert secret not in client.get("/drive/me/devices/").content.decode()
    assert tokens.find(secret, at=NOW).pk == token.pk
    client.post(reverse("drivers:revoke", args=[token.prefix]))
    assert tokens.find(secret, at=NOW) is None


def test_another_drivers_token_cannot_be_revoked(client, ada):
    other, _secret = tokens.issue(driver=driver("Ben"), name="his", at=NOW)

    assert client.post(reverse("drivers:revoke", args=[other.prefix])).status_code == 404
    assert DriverToken.objects.get().revoked_at is None


@pytest.mark.parametrize("name", ["", "n" * 81, "\x07"])
def test_a_nonsense_name_makes_no_token(client, ada, name):
    assert client.post("/drive/me/devices/", {"name": name}).status_code == 422
    assert DriverToken.objects.count() == 0


def test_the_eleventh_device_is_refused_in_words(client, ada):
    for number in range(10):
        tokens.issue(driver=ada, name=str(number), at=NOW)

    answer = client.post("/drive/me/devices/", {"name": "one more"})

    assert (answer.status_code, DriverToken.objects.count()) == (409, 10)
    assert "sign one out first" in answer.content.decode()


def test_the_code_is_polled_cheaply_until_it_changes(client, ada, time_machine):
    first = client.get("/drive/badge/")
    assert badge.code(ada.badge_secret, NOW) in first.content.decode()
    etag = {"If-None-Match": first["ETag"]}

    time_machine.move_to(NOW + dt.timedelta(seconds=59), tick=False)
    assert client.get("/drive/badge/", headers=etag).status_code == 304
    time_machine.move_to(NOW + dt.timedelta(seconds=60), tick=False)
    assert client.get("/drive/badge/", headers=etag).status_code == 200


def test_the_secret_of_the_code_is_on_no_page(client, ada):
    pages = [client.get(path).content.decode() for path in PATHS if "file" not in path]

    assert not [page for page in pages if ada.badge_secret in page]
