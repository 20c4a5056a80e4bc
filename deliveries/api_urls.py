"""What deliveries adds under /api/v1/."""

from django.urls import URLPattern, URLResolver, include, path

from deliveries.api import (
    acting,
    addresses,
    before,
    booking,
    bulk,
    counter,
    driver_urls,
    exporting,
    following,
    printing,
    sandbox,
    seller,
)

app_name = "deliveries_api"
seller_urls: list[URLPattern] = [
    path("orders", seller.OrdersView.as_view(), name="orders"),
    path("serviceability", before.ServiceabilityView.as_view(), name="serviceability"),
    path("quotes", before.QuotesView.as_view(), name="quotes"),
    path("quotes/<slug:code>", before.QuoteView.as_view(), name="quote"),
    path("orders.csv", exporting.OrdersCsvView.as_view(), name="orders_csv"),
    path("orders/<slug:code>/action-quotes", acting.ActionQuotesView.as_view(), name="action_quotes"),
    path("orders/<slug:code>/redelivery", acting.RedeliveryView.as_view(), name="redelivery"),
    path("addresses/validate", addresses.ValidateView.as_view(), name="validate_address"),
    path("addresses/complete", addresses.CompleteView.as_view(), name="complete_address"),
    path("slots", booking.SlotsView.as_view(), name="slots"),
    path("slot-holds", booking.HoldsView.as_view(), name="slot_holds"),
    path("slot-holds/<slug:code>", booking.HoldView.as_view(), name="slot_hold"),
    path("promises", booking.PromisesView.as_view(), name="promises"),
    path("promises/report", booking.PromiseReportView.as_view(), name="promise_report"),
    path("orders/bulk", bulk.BulkView.as_view(), name="orders_bulk"),
    path("orders/<slug:code>", seller.OrderView.as_view(), name="order"),
    path("orders/<slug:code>/cancellation", seller.CancellationView.as_view(), name="cancellation"),
    path("orders/<slug:code>/ready", seller.ReadyView.as_view(), name="ready"),
    path("orders/<slug:code>/location", seller.LocationView.as_view(), name="location"),
    path("orders/<slug:code>/tip", seller.TipView.as_view(), name="tip"),
    path("orders/<slug:code>/timeline", following.TimelineView.as_view(), name="timeline"),
    path("orders/<slug:code>/proof", following.ProofView.as_view(), name="proof"),
    path("orders/<slug:code>/proof.pdf", following.ProofPdfView.as_view(), name="proof_pdf"),
    path("orders/<slug:code>/proof/<slug:which>", following.ProofFileView.as_view(), name="proof_file"),
    path("orders/<slug:code>/labels.pdf", printing.LabelsPdfView.as_view(), name="labels_pdf"),
    path("orders/<slug:code>/labels.zpl", printing.LabelsZplView.as_view(), name="labels_zpl"),
    path("orders/<slug:code>/courier", following.CourierView.as_view(), name="courier"),
    path("handovers", counter.HandoversView.as_view(), name="handovers"),
    path("sandbox/clock", sandbox.ClockView.as_view(), name="sandbox_clock"),
    path("sandbox/reset", sandbox.ResetView.as_view(), name="sandbox_reset"),
    path("sandbox/messages", sandbox.MessagesView.as_view(), name="sandbox_messages"),
    path("sandbox/keys", sandbox.TestKeysView.as_view(), name="sandbox_keys"),
    path("sandbox/orders/<slug:code>/steps", sandbox.StepsView.as_view(), name="sandbox_steps"),
    path("returns/scans", counter.ReturnScansView.as_view(), name="return_scans"),
]
urlpatterns: list[URLPattern | URLResolver] = [*seller_urls, path("driver/", include(driver_urls))]
