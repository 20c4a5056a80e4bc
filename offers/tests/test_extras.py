"""What is paid beside the plan: tolls, ways nobody planned, and missions."""

import base64
import datetime as dt
from decimal import Decimal
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.urls import reverse
from PIL import Image
from rest_framework.test import APIClient

from drivers import tokens
from drivers.models import DriverPosting
from offers import extras
from offers.models import Block, Extra, Mission, PayPolicy
from offers.tests import making
from offers.tests.making import AT, HOUR, MINUTE, START
from retaildelivery.accounts.models import User

pytestmark = pytest.mark.django_db
LATER = START + 3 * HOUR


@pytest.fixture(autouse=True)
def _now(time_machine):
    time_machine.move_to(LATER, tick=False)


@pytest.fixture
def mall():
    made = making.mall()
    PayPolicy.objects.update(tolls_refunded=True, extra_trip_cents=200, extra_mile_cents=Decimal("50"))
    return made


@pytest.fixture
def ada():
    return making.driver("Ada")


@pytest.fixture
def olive():
    return User.objects.create_superuser(email="olive@example.com", password="x", name="Olive")


@pytest.fixture
def block(mall, ada):
    return drive(mall, ada)


def drive(mall, driver, *, start=START):
    order = making.order(making.store(mall, f"Store {start:%d%H}"), at=start - 3 * HOUR)
    made = making.claimed(
        making.block([order], start=start, at=start - 3 * HOUR), driver, at=start - 3 * HOUR
    )
    return making.worked(made, driver, check_in_at=start, last=start + HOUR)


def picture(colour="red"):
    out = BytesIO()
    Image.new("RGB", (8, 8), colour).save(out, "PNG")
    return SimpleUploadedFile("receipt.png", out.getvalue(), "image/png")


def lines(driver, *kinds):
    rows = DriverPosting.objects.filter(driver=driver, kind__in=kinds).order_by("pk")
    return [(row.key, row.cents, row.rule) for row in rows]


def test_a_toll_with_its_receipt_is_granted_in_the_admin_and_paid_once(client, block, ada, olive):
    client.force_login(ada.user)
    page = client.get(reverse("offers:driver_block_pay", args=[block.code])).content.decode()
    assert "I paid a toll" in page
    form = {"what": "Bay bridge", "amount": "8.50", "receipt": picture()}

    answer = client.post(reverse("offers:driver_toll", args=[block.code]), form)

    assert answer.status_code == 302
    extra = Extra.objects.get()
    assert "a person looks at it" in client.get(answer.url).content.decode()
    client.force_login(olive)
    url = reverse("admin:offers_extra_changelist")
    assert extra.code in client.get(url).content.decode()
    assert client.get(reverse("admin:offers_extra_receipt", args=[extra.pk])).status_code == 200
    for _twice in range(2):
        client.post(url, {"action": "grant", "_selected_action": [extra.pk]})

    assert lines(ada, "toll") == [(f"block:{block.code}:toll:{extra.code}", 850, "las-vegas-2026")]
    extra.refresh_from_db()
    assert (extra.granted_at, extra.decided_by) == (LATER, olive)


def test_one_receipt_counts_once_and_where_no_toll_is_given_back_none_is_asked_for(client, block, ada, mall):
    client.force_login(ada.user)
    url = reverse("offers:driver_toll", args=[block.code])
    for status in (302, 409):
        form = {"what": "Bridge", "amount": "8.50", "receipt": picture()}
        assert client.post(url, form).status_code == status
    other = making.mall("downtown", market="boulder")
    PayPolicy.objects.filter(market=other.market).update(tolls_refunded=False)
    theirs = drive(other, making.driver("Bo", market="boulder"))
    bo = theirs.claims.get().driver
    with pytest.raises(extras.TollsNotRefunded):
        extras.ask_toll(
            block_code=theirs.code, driver=bo, what="x", cents=1, receipt=picture("blue"), at=LATER
        )

    assert Extra.objects.count() == 1


@pytest.mark.parametrize(
    "change",
    [{"amount": "0"}, {"amount": "x"}, {"what": ""}, {"receipt": ""}],
    ids=["zero", "word", "what", "none"],
)
def test_a_toll_that_lacks_something_is_shown_again(client, block, ada, change):
    client.force_login(ada.user)
    form = {"what": "Bridge", "amount": "8.50", "receipt": picture()} | change

    assert client.post(reverse("offers:driver_toll", args=[block.code]), form).status_code == 422
    assert not Extra.objects.exists()


def test_no_picture_and_somebody_elses_block_are_refused(client, block, ada):
    text = SimpleUploadedFile("receipt.png", b"no picture", "image/png")
    client.force_login(ada.user)
    form = {"what": "Bridge", "amount": "8.50", "receipt": text}
    assert client.post(reverse("offers:driver_toll", args=[block.code]), form).status_code == 409
    client.force_login(making.driver("Ben").user)
    form = {"what": "Wrong address", "minutes": "12", "miles": "3"}
    assert client.post(reverse("offers:driver_extra_trip", args=[block.code]), form).status_code == 404

    assert not Extra.objects.exists()


def test_a_way_that_nobody_planned_pays_its_sum_its_minutes_and_its_miles(client, block, ada, olive):
    client.force_login(ada.user)
    form = {"what": "Wrong address", "minutes": "12", "miles": "3"}
    assert client.post(reverse("offers:driver_extra_trip", args=[block.code]), form).status_code == 302
    extra = Extra.objects.get()

    extras.grant(code=extra.code, by=olive, at=LATER)

    # 2.00, twelve minutes at 18.00 an hour, three miles at 0.50.
    assert lines(ada, "extra_trip") == [
        (f"block:{block.code}:extra_trip:{extra.code}", 710, "las-vegas-2026")
    ]
    with pytest.raises(extras.ExtraDecided):
        extras.decline(code=extra.code, reason="no", by=olive, at=LATER)


def test_a_declined_extra_pays_nothing_and_its_driver_reads_why(client, block, ada, olive):
    extra = extras.ask_trip(
        block_code=block.code, driver=ada, what="Detour", minutes=9, miles=Decimal(1), at=LATER
    )
    client.force_login(olive)
    answer = client.post(
        reverse("admin:offers_extra_changelist"),
        {"action": "decline", "_selected_action": [extra.pk], "reason": "It was on the plan."},
    )
    assert answer.status_code in {200, 302}

    client.force_login(ada.user)
    page = client.get(reverse("offers:driver_block_pay", args=[block.code])).content.decode()
    assert "declined: It was on the plan." in page
    assert lines(ada, "extra_trip") == []


def test_after_a_week_nothing_more_is_asked_for(block, ada):
    with pytest.raises(extras.ExtraTooLate):
        extras.ask_trip(
            block_code=block.code,
            driver=ada,
            what="x",
            minutes=1,
            miles=Decimal(0),
            at=LATER + dt.timedelta(days=8),
        )
    with pytest.raises(Block.DoesNotExist):
        extras.ask_trip(
            block_code=block.code,
            driver=making.driver("Ben"),
            what="x",
            minutes=1,
            miles=Decimal(0),
            at=LATER,
        )


def mission(mall, **more):
    given = {
        "code": "two-2026",
        "name": "Two blocks",
        "blocks": 2,
        "cents": 1500,
        "valid_from": dt.date(2026, 1, 1),
    }
    return Mission.objects.create(mall=mall, **given | more)


def test_a_mission_is_paid_once_with_the_block_that_fulfils_it(
    client, mall, ada, django_assert_max_num_queries
):
    mission(mall)
    mission(mall, code="five-2026", name="Five blocks", blocks=5)

    drive(mall, ada)
    assert lines(ada, "bonus") == []
    client.force_login(ada.user)
    with django_assert_max_num_queries(12):
        page = client.get("/drive/earnings/").content.decode()
    assert "1 of 2 blocks done" in page
    second = drive(mall, ada, start=START + 24 * HOUR)
    drive(mall, ada, start=START + 48 * HOUR)

    assert lines(ada, "bonus") == [(f"mission:two-2026:2026-11-23:{ada.code}", 1500, "two-2026")]
    assert DriverPosting.objects.get(kind="bonus").subject == f"block:{second.code}"
    assert "3 of 2 blocks done" in client.get("/drive/earnings/").content.decode()


def test_a_mission_that_was_paid_stays_as_it_was(mall, ada):
    mission(mall, blocks=1)
    drive(mall, ada)
    rows = Mission.objects.all()

    with pytest.raises(IntegrityError, match="was paid"), transaction.atomic():
        rows.update(cents=1)
    rows.update(valid_to=dt.date(2026, 12, 7))

    assert rows.get().cents == 1500


def test_another_mall_another_week_and_a_mission_that_is_over_count_for_nothing(mall, ada):
    mission(mall, blocks=2)
    mission(making.mall("downtown"), code="downtown-2026", blocks=1)
    mission(mall, code="over-2026", blocks=1, valid_to=dt.date(2026, 11, 23))

    drive(mall, ada)
    drive(mall, ada, start=START + 7 * 24 * HOUR + 5 * MINUTE)

    assert lines(ada, "bonus") == []


# -- Over the API -------------------------------------------------------------------------------------------------


def api_of(driver):
    _token, secret = tokens.issue(driver=driver, name="phone", at=AT)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client


def test_a_toll_is_asked_for_over_the_api_and_its_outcome_read(block, ada, olive):
    phone, url = api_of(ada), f"/api/v1/driver/blocks/{block.code}/tolls"
    photo = base64.b64encode(picture().read()).decode()

    asked = phone.post(url, {"what": "Bay bridge", "cents": 850, "receipt": photo}, format="json")
    again = phone.post(url, {"what": "Bay bridge", "cents": 850, "receipt": photo}, format="json")
    as_form = {"what": "Tunnel", "cents": 400, "receipt": picture("blue")}
    second = phone.post(url, as_form, format="multipart")

    assert (asked.status_code, again.status_code, second.status_code) == (201, 409, 201)
    assert again.json()["code"] == "receipt_known"
    extras.grant(code=asked.json()["code"], by=olive, at=LATER)
    extras.decline(code=second.json()["code"], reason="not readable", by=olive, at=LATER)
    listed = phone.get("/api/v1/driver/extras").json()["results"]
    told = [
        (row["what"], row["cents"], row["granted_at"] is not None, row["declined_reason"]) for row in listed
    ]
    assert told == [("Tunnel", 400, False, "not readable"), ("Bay bridge", 850, True, "")]
    assert phone.get(f"/api/v1/driver/extras/{asked.json()['code']}").json()["kind"] == "toll"


def test_a_way_that_was_not_planned_is_asked_for_by_its_driver_alone(block, ada):
    url = f"/api/v1/driver/blocks/{block.code}/extra-trips"
    given = {"what": "wrong address", "minutes": 12, "miles": "3.5"}

    assert api_of(making.driver("Ben")).post(url, given, format="json").status_code == 404
    assert not Extra.objects.exists()
    asked = api_of(ada).post(url, given, format="json")
    assert (asked.status_code, asked.json()["miles"]) == (201, "3.5")
    wrong = api_of(ada).post(url, given | {"minutes": 0, "why": "x"}, format="json")
    assert wrong.status_code == 400


def test_missions_and_how_far_one_is_are_over_the_api(ada, mall):
    Mission.objects.create(
        name="Three blocks", mall=mall, blocks=3, cents=1500, valid_from=dt.date(2026, 11, 23)
    )

    (told,) = api_of(ada).get("/api/v1/driver/missions").json()["results"]

    assert (told["name"], told["mall"], told["cents"]) == ("Three blocks", mall.code, 1500)
    assert (told["blocks"], told["done"], told["left"]) == (3, 0, 3)
