"""What the recipient is told, in which language, and never twice or too late."""

import pytest

from deliveries import notices, posting
from deliveries.models import Order, Stop
from retaildelivery.outbox.models import Fact, Message
from retaildelivery.testing.afternoon import NOW, TOLD_BY_STAFF, stops_of

pytestmark = pytest.mark.django_db


def tell(name):
    notices.tell_recipient(fact=Fact.objects.get(name=name), at=NOW)


def test_the_recipient_is_told_who_comes_and_gets_the_pin(afternoon):
    order = afternoon.place(requires_pin=True)
    afternoon.assign(afternoon.plan([order]), afternoon.ada)

    tell("order.assigned")
    tell("order.assigned")

    message = Message.objects.get()
    assert (message.to, message.subject) == (
        "rosa@example.com",
        "Your order from Nova Books has a driver",
    )
    assert "Ada will bring your order from Nova Books in a green Toyota RAV4." in message.text
    assert "It is promised for Tuesday, November 24, 12:00 PM – 2:00 PM." in message.text
    assert f"Your PIN is {order.pin}." in message.text
    assert f"/t/{order.tracking_token}/" in message.text
    assert (message.about, message.name) == (f"order:{order.code}", "order_assigned")


def test_a_spanish_recipient_reads_spanish(afternoon):
    order = afternoon.place(recipient_locale="es", requires_pin=True)
    afternoon.assign(afternoon.plan([order]), afternoon.ada)

    tell("order.assigned")

    message = Message.objects.get()
    assert message.subject == "Su pedido de Nova Books ya tiene repartidor"
    assert "prometido para martes 24 de noviembre, 12:00 PM – 2:00 PM." in message.text
    assert f"Su PIN es {order.pin}." in message.text
    assert '<html lang="es">' in message.html


@pytest.mark.parametrize("locale", ["en", "es"])
def test_every_notice_is_written_in_both_languages(afternoon, locale):
    order = afternoon.place(recipient_locale=locale)
    manifest = afternoon.on_route(order)
    tell("order.picked_up")
    afternoon.fail(stops_of(manifest, Stop.Kind.DROPOFF)[0], "refused")
    tell("order.attempt_failed")
    other = afternoon.place(recipient_locale=locale)
    manifest = afternoon.on_route(other, driver=afternoon.ben)
    afternoon.deliver(stops_of(manifest, Stop.Kind.DROPOFF)[0], left_at="front_door")
    tell("order.delivered")
    third = afternoon.place(recipient_locale=locale)
    posting.cancel(
        order_code=third.code, scope=Order.objects.all(), reason="other", note="", actor=TOLD_BY_STAFF, at=NOW
    )
    tell("order.cancelled")

    texts = list(Message.objects.order_by("pk").values_list("text", flat=True))
    assert len(texts) == 4
    assert not [text for text in texts if "{" in text or "None" in text or "\n\n\n" in text]


def test_old_news_is_not_told(afternoon):
    order = afternoon.place()
    manifest = afternoon.on_route(order)
    afternoon.deliver(stops_of(manifest, Stop.Kind.DROPOFF)[0])

    tell("order.assigned")
    tell("order.picked_up")

    assert Message.objects.count() == 0


def test_without_an_address_nobody_is_told(afternoon):
    order = afternoon.place(recipient_email="")
    afternoon.assign(afternoon.plan([order]), afternoon.ada)

    tell("order.assigned")

    assert Message.objects.count() == 0


def test_what_a_seller_types_cannot_become_markup_or_headers(afternoon):
    order = afternoon.place(recipient_name="<script>alert(1)</script>")
    afternoon.bookshop.name = "Nova\r\nBcc: all@example.com <b>"
    afternoon.bookshop.save(update_fields=["name"])
    afternoon.assign(afternoon.plan([order]), afternoon.ada)

    tell("order.assigned")

    message = Message.objects.get()
    assert "<script>" not in message.html
    assert "<b>" not in message.html
    assert "\n" not in message.subject
