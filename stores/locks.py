"""Every locking query of stores. Order: seller, API key, message, endpoint; an invoice counter by itself."""

from __future__ import annotations

from django.db.models import QuerySet

from retaildelivery.prepared import Given, Prepared
from stores.models import (
    ApiKey,
    Contest,
    InvoiceCounter,
    Market,
    Seller,
    SellerAdjustment,
    WebhookEndpoint,
    WebhookMessage,
)


def seller(pk: int) -> Seller:
    """The seller, locked: serialises what is counted per seller."""
    return Seller.objects.select_for_update(of=("self",), no_key=True).get(pk=pk)


def invoice_counter(market: Market) -> InvoiceCounter:
    """The counter of the market's invoices, locked to the end of the transaction: one invoice at a time."""
    InvoiceCounter.objects.bulk_create([InvoiceCounter(market=market)], ignore_conflicts=True)
    return InvoiceCounter.objects.select_for_update(of=("self",), no_key=True).get(market=market)


def adjustment(code: str) -> SellerAdjustment:
    """Raises SellerAdjustment.DoesNotExist."""
    rows = SellerAdjustment.objects.select_related("seller", "store", "market")
    return rows.select_for_update(of=("self",), no_key=True).get(code=code)


def contest(code: str) -> Contest:
    """Raises Contest.DoesNotExist."""
    rows = Contest.objects.select_related("posting__seller", "posting__store", "posting__market")
    return rows.select_for_update(of=("self",), no_key=True).get(code=code)


def api_key(scope: QuerySet[ApiKey], prefix: str) -> ApiKey:
    return (
        scope.select_for_update(of=("self",), no_key=True)
        .select_related("seller", "store")
        .get(prefix=prefix)
    )


def endpoint(scope: QuerySet[WebhookEndpoint], code: str) -> WebhookEndpoint:
    return scope.select_for_update(of=("self",), no_key=True).select_related("seller").get(code=code)


_TO_SEND = Prepared(
    lambda: (
        WebhookMessage.objects.filter(
            pk=Given("message"),
            delivered_at=None,
            given_up_at=None,
            endpoint__disabled_at=None,
            endpoint__deleted_at=None,
        )
        .select_for_update(of=("self",), no_key=True, skip_locked=True)
        .select_related("endpoint__seller")
    )
)


def message_to_send(message_id: int) -> WebhookMessage | None:
    """The message with its endpoint, locked, unless it is done with or another sender is at it."""
    return _TO_SEND.one(message=message_id)
