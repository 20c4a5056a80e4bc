"""What a recipient knows and says at the door."""

from django.db import close_old_connections

from deliveries.models import Order


def pin_of(order_code: str) -> str:
    """The PIN that the recipient reads on their page; a driver's API never holds it."""
    # A run lasts for days; the database may have been restarted since the last question.
    close_old_connections()
    return Order.objects.values_list("pin", flat=True).get(code=order_code)
