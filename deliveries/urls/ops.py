"""Operations' pages of orders and messages."""

from django.urls import path

from deliveries.views import ops

urlpatterns = [
    path("ops/orders/", ops.orders, name="ops_orders"),
    path("ops/orders/<str:code>/", ops.order, name="ops_order"),
    path("ops/outbox/", ops.messages, name="ops_messages"),
    path("ops/outbox/<str:code>/", ops.message, name="ops_message"),
]
