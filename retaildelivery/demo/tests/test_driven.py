"""The demo's first driver has driven before: the account, statements, invoices and the preview hold real work."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.urls import reverse

from drivers.models import Driver, DriverPosting
from offers.models import Block
from retaildelivery.demo import driven, seeding
from retaildelivery.outbox.models import Message, Reaction
from stores.models import Invoice

AT = datetime(2026, 11, 23, 18, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada():
    seeding.seed(at=AT)
    seeding.draw_soon()
    assert driven.remember(at=AT) == len(driven.BLOCKS)
    return Driver.objects.get(user__email="ada@drivers.example.com")


def test_blocks_were_driven_week_by_week_and_a_second_time_adds_none(ada, capsys):
    blocks = Block.objects.order_by("pk")
    lines = DriverPosting.objects.filter(driver=ada).order_by("sequence")

    assert driven.remember(at=AT + timedelta(days=1)) == 0
    assert [block.status for block in blocks] == ["settled"] * len(driven.BLOCKS)
    assert {"base", "wait", "tip"} <= {line.kind for line in lines}
    assert all(line.at < AT - timedelta(days=2) for line in lines)
    assert sorted(line.at for line in lines) == [line.at for line in lines]
    assert not Reaction.objects.filter(done_at=None).exists()
    # Both end with an error when an account differs.
    call_command("verify_pay", "--all")
    call_command("verify_account", "--all")
    assert f"{ada.code}: {len(lines)} lines" in capsys.readouterr().out


def test_statements_add_up_and_last_month_has_invoices(ada):
    weeks = list(ada.statements.order_by("starts_at"))
    lines = DriverPosting.objects.filter(driver=ada, at__lt=weeks[-1].ends_at)

    assert len(weeks) >= 4
    assert weeks[-1].closing_cents == sum(line.cents for line in lines)
    invoice = Invoice.objects.get()
    assert (invoice.month.month, invoice.seller_name) == (10, "Loomstead")
    assert set(Message.objects.values_list("name", flat=True)) == {"invoice_issued"}


def test_the_pages_of_a_newcomer_are_not_empty(ada, client, time_machine):
    time_machine.move_to(AT, tick=False)
    client.force_login(ada.user, backend="allauth.account.auth_backends.AuthenticationBackend")

    assert client.get(reverse("offers:driver_statements")).content.count(b"/drive/earnings/statements/") >= 4
