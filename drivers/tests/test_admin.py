"""Operations decide about papers and drivers in the admin, and cannot change what happened."""

import datetime as dt

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from drivers import applying
from drivers.models import Document, Driver, DriverPosting
from retaildelivery.accounts.models import User
from retaildelivery.outbox.models import Fact

NOW = dt.datetime(2026, 11, 24, 18, 0, tzinfo=dt.UTC)
JPEG = b"\xff\xd8\xff\xe0" + b"\x00" * 64


@pytest.fixture(autouse=True)
def _now(time_machine, db):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def olive(client):
    made = User.objects.create_superuser(email="olive@example.com", password="x", name="Olive")
    client.force_login(made)
    return made


@pytest.fixture
def ada():
    user = User.objects.create_user(email="ada@example.com", password="x", name="Ada")
    made = Driver.objects.create(user=user, market_code="las-vegas", applied_at=NOW)
    for kind in Document.REQUIRED:
        applying.submit_document(
            driver_code=made.code,
            kind=kind,
            number="N1",
            expires_on=dt.date(2028, 1, 1),
            file=SimpleUploadedFile("paper.jpg", JPEG),
            at=NOW,
        )
    return made


def act(client, model, action, rows, **more):
    address = reverse(f"admin:drivers_{model}_changelist")
    return client.post(address, {"action": action, "_selected_action": [row.pk for row in rows], **more})


def test_papers_are_verified_and_then_the_driver_approved(client, olive, ada):
    act(client, "document", "verify", Document.objects.all())
    act(client, "driver", "approve", [ada])

    ada.refresh_from_db()
    assert (ada.status, ada.approved_at) == ("approved", NOW)
    assert set(Document.objects.values_list("verified_by", flat=True)) == {olive.pk}
    assert Fact.objects.filter(name="driver.approved", actor="Olive").count() == 1


def test_without_verified_papers_nobody_is_approved(client, olive, ada):
    answer = act(client, "driver", "approve", [ada])

    ada.refresh_from_db()
    assert ada.status == "applied"
    told = [str(message) for message in client.get(answer["Location"]).context["messages"]]
    assert any("Not every paper is there" in text for text in told)


def test_a_paper_is_sent_back_with_a_reason(client, olive, ada):
    one = Document.objects.order_by("pk").first()
    asked = act(client, "document", "send_back", [one])
    assert "the driver reads it" in asked.content.decode()
    one.refresh_from_db()
    assert one.rejected_at is None

    act(client, "document", "send_back", [one], reason="The photo is blurred.")

    one.refresh_from_db()
    assert (one.rejected_at, one.rejected_reason) == (NOW, "The photo is blurred.")


def test_suspension_and_reinstatement_need_a_reason(client, olive, ada):
    act(client, "document", "verify", Document.objects.all())
    act(client, "driver", "approve", [ada])

    act(client, "driver", "suspend", [ada], reason="")
    ada.refresh_from_db()
    assert ada.status == "approved"
    act(client, "driver", "suspend", [ada], reason="Insurance ended")
    ada.refresh_from_db()
    assert (ada.status, ada.suspended_reason) == ("suspended", "Insurance ended")
    act(client, "driver", "reinstate", [ada], reason="New insurance seen")
    ada.refresh_from_db()
    assert ada.status == "approved"


def test_the_paper_itself_is_shown_to_operations_alone(client, olive, ada):
    address = reverse("admin:drivers_document_file", args=[Document.objects.order_by("pk").first().pk])

    assert b"".join(client.get(address).streaming_content) == JPEG
    client.force_login(ada.user)
    assert client.get(address).status_code == 302
    clerk = User.objects.create_user(email="h@example.com", password="x", name="H", is_staff=True)
    client.force_login(clerk)
    assert client.get(address).status_code == 403


def test_the_account_can_be_read_and_not_changed(client, olive, ada):
    DriverPosting.objects.create(
        key="k", driver=ada, kind="base", cents=1, text="t", subject="block:B", at=NOW, rule="r"
    )
    row = DriverPosting.objects.get()

    assert client.get(reverse("admin:drivers_driverposting_changelist")).status_code == 200
    assert client.get(reverse("admin:drivers_driverposting_add")).status_code == 403
    assert (
        client.post(reverse("admin:drivers_driverposting_change", args=[row.pk]), {"cents": 9}).status_code
        == 403
    )
    assert client.post(reverse("admin:drivers_driverposting_delete", args=[row.pk])).status_code == 403
    row.refresh_from_db()
    assert row.cents == 1


@pytest.mark.parametrize(
    "model", ["driver", "document", "driverposting", "standingevent", "position", "drivertoken"]
)
def test_every_list_opens_and_can_be_searched(client, olive, ada, model):
    address = reverse(f"admin:drivers_{model}_changelist")

    assert client.get(address).status_code == 200
    assert client.get(address, {"q": "ada"}).status_code == 200


def test_a_driver_opens_without_the_secret_of_the_badge(client, olive, ada):
    page = client.get(reverse("admin:drivers_driver_change", args=[ada.pk])).content.decode()

    assert ada.badge_secret not in page
    assert "Look at it" in page
