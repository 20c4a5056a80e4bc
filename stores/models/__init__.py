"""Malls and the shops in them, who works there, and the keys and endpoints of a seller's systems."""

from stores.models.adjustment import SellerAdjustment
from stores.models.contest import Contest
from stores.models.invoice import Invoice, InvoiceCounter, InvoiceLine
from stores.models.key import ApiKey
from stores.models.market import LATITUDE, LONGITUDE, Mall, Market
from stores.models.posting import SellerAccount, SellerPosting
from stores.models.sandbox import Sandbox
from stores.models.seller import Seller
from stores.models.signing import SigningSecret
from stores.models.store import StaffMembership, Store, StoreHours
from stores.models.webhook import WebhookAttempt, WebhookEndpoint, WebhookMessage

__all__ = [
    "LATITUDE",
    "LONGITUDE",
    "ApiKey",
    "Contest",
    "Invoice",
    "InvoiceCounter",
    "InvoiceLine",
    "Mall",
    "Market",
    "Sandbox",
    "Seller",
    "SellerAccount",
    "SellerAdjustment",
    "SellerPosting",
    "SigningSecret",
    "StaffMembership",
    "Store",
    "StoreHours",
    "WebhookAttempt",
    "WebhookEndpoint",
    "WebhookMessage",
]
