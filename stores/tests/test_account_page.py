"""The seller's account, by role."""

import pytest
from django.db import transaction
from django.urls import reverse

from retaildelivery.testing.afternoon import NOW
from stores import billing

pytestmark = pytest.mark.django_db


@pytest.fixture
def owed(afternoon):
    with transaction.atomic():
        for number, cents in enumerate((899, 200)):
            billing.post(
                key=f"order:K7QX4M2P:{number}",
                seller=afternoon.bookshop.seller,
                store=afternoon.bookshop,
                kind="base",
                cents=cents,
                text=f"Line {number}",
                rule="las-vegas-2026",
                subject="order:K7QX4M2P",
                at=NOW,
            )
    return reverse("stores:account", args=[afternoon.bookshop.seller.code])


def test_a_manager_reads_what_is_owed_and_why(client, afternoon, owed, django_assert_max_num_queries):
    client.force_login(afternoon.sam)

    with django_assert_max_num_queries(12):
        page = client.get(owed).content.decode()

    assert "$10.99" in page
    assert "Line 0" in page
    assert reverse("deliveries:store_order", args=["K7QX4M2P"]) in page


def test_staff_of_the_store_get_403_and_strangers_404(client, afternoon, owed):
    harbor = reverse("stores:account", args=[afternoon.shoes.seller.code])
    client.force_login(afternoon.mia)

    assert (client.get(harbor).status_code, client.get(owed).status_code) == (403, 404)


def test_who_is_signed_out_is_sent_to_sign_in(client, owed):
    answer = client.get(owed)

    assert (answer.status_code, answer["Location"].split("?")[0]) == (302, reverse("account_login"))
