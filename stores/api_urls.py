"""What stores adds under /api/v1/."""

from django.urls import path

from stores import api, invoices_api

app_name = "stores_api"
urlpatterns = [
    path("malls", api.MallsView.as_view(), name="malls"),
    path("stores", api.StoresView.as_view(), name="stores"),
    path("events", api.EventsView.as_view(), name="events"),
    path("invoices", invoices_api.InvoicesView.as_view(), name="invoices"),
    path("invoices/<slug:number>", invoices_api.InvoiceView.as_view(), name="invoice"),
    path("invoices/<slug:number>.pdf", invoices_api.InvoicePdfView.as_view(), name="invoice_pdf"),
    path("invoices/<slug:number>.csv", invoices_api.InvoiceCsvView.as_view(), name="invoice_csv"),
    path("audit-log", api.AuditView.as_view(), name="audit_log"),
    path("webhook-endpoints", api.EndpointsView.as_view(), name="endpoints"),
    path("webhook-endpoints/<slug:code>", api.EndpointView.as_view(), name="endpoint"),
    path("webhook-endpoints/<slug:code>/rotate-secret", api.SecretView.as_view(), name="secret"),
    path("webhook-endpoints/<slug:code>/test", api.TestView.as_view(), name="test"),
    path("webhook-endpoints/<slug:code>/verify", api.VerifyView.as_view(), name="verify"),
    path("webhook-endpoints/<slug:code>/replay", api.ReplayAllView.as_view(), name="replay_all"),
    path("webhook-endpoints/<slug:code>/messages", api.MessagesView.as_view(), name="messages"),
    path(
        "webhook-endpoints/<slug:code>/messages/<slug:message>/replay",
        api.ReplayView.as_view(),
        name="replay",
    ),
]
