"""Operations step in from the admin, and cannot change what happened."""

import pytest
from django.urls import reverse

from deliveries.models import Manifest, Order, Stop
from retaildelivery.accounts.models import User
from retaildelivery.outbox.models import Fact
from retaildelivery.testing.afternoon import NOW, nothing_changes, stops_of


@pytest.fixture(autouse=True)
def _now(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def olive(client, afternoon):
    made = User.objects.create_superuser(email="boss@example.com", password="x", name="Olive Tan")
    client.force_login(made)
    return made


def act(client, model, action, *rows, **more):
    address = reverse(f"admin:deliveries_{model}_changelist")
    return client.post(address, {"action": action, "_selected_action": [row.pk for row in rows], **more})


def test_operations_cancel_with_a_reason(client, afternoon, olive):
    order = afternoon.place()

    asked = act(client, "order", "cancel", order)
    assert (asked.status_code, Order.objects.get().status) == (200, "placed")
    act(client, "order", "cancel", order, reason="the store burnt down")

    order.refresh_from_db()
    assert (order.status, order.cancelled_by, order.cancel_note) == (
        "cancelled",
        "operations",
        "the store burnt down",
    )
    assert Fact.objects.get(name="order.cancelled").actor == "Olive Tan"


def test_a_refusal_is_told_and_changes_nothing(client, afternoon, olive):
    order = afternoon.place()
    afternoon.on_route(order)

    with nothing_changes():
        answer = act(client, "order", "cancel", order, reason="too late")

    told = [str(message) for message in client.get(answer["Location"]).context["messages"]]
    assert any("can no longer be cancelled" in text for text in told)


def test_operations_turn_a_route_round(client, afternoon, olive):
    manifest = afternoon.on_route(afternoon.place())

    act(client, "manifest", "turn_round", manifest, reason="breakdown")

    assert Manifest.objects.get().status == "returning"
    assert len(stops_of(manifest, Stop.Kind.RETURN)) == 1


def test_operations_write_off_what_was_lost(client, afternoon, olive):
    order = afternoon.place()
    afternoon.on_route(order)

    act(client, "order", "write_off", order, reason="stolen")

    assert Order.objects.get().status == "lost"


@pytest.mark.parametrize("model", ["order", "parcel", "manifest", "scan", "proofofdelivery", "attempt"])
def test_history_has_no_form_to_add_or_delete(client, olive, model):
    assert client.get(reverse(f"admin:deliveries_{model}_changelist")).status_code == 200
    assert client.get(reverse(f"admin:deliveries_{model}_add")).status_code == 403


def test_store_staff_do_not_get_in(client, afternoon):
    client.force_login(afternoon.sam)

    order = afternoon.place()

    with nothing_changes():
        answer = act(client, "order", "cancel", order, reason="x")

    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/")
