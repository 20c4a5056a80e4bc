"""What store staff open."""

from django.urls import path

from deliveries.views import counter, printing, promises, store, store_after, store_new

urlpatterns = [
    path("store/", store.home, name="store_home"),
    path("store/orders/", store.orders, name="store_orders"),
    path("store/orders/new/", store_new.order_new, name="store_order_new"),
    path("store/orders/new/slot/", store_new.order_slot, name="store_order_slot"),
    path("store/orders/<str:code>/", store.order, name="store_order"),
    path("store/orders/<str:code>/location/", store.order_location, name="store_order_location"),
    path("store/orders/<str:code>/cancellation/", store.order_cancel, name="store_order_cancel"),
    path("store/orders/<str:code>/ready/", store.order_ready, name="store_order_ready"),
    path("store/orders/<str:code>/redelivery/", store_after.again, name="store_order_again"),
    path("store/orders/<str:code>/proof.pdf", store_after.proof, name="store_order_proof"),
    path("store/orders/<str:code>/labels.pdf", printing.order_labels, name="store_order_labels"),
    path("store/orders/<str:code>/proof/<str:which>", store.order_photo, name="store_order_photo"),
    path(
        "store/orders/<str:code>/attempts/<int:number>/photo", store.attempt_photo, name="store_attempt_photo"
    ),
    path("store/handover/", counter.counter, name="store_handover"),
    path("store/handover/confirmation/", counter.confirm, name="store_handover_confirm"),
    path("store/handover/<str:code>/", counter.stop, name="store_stop"),
    path(
        "store/handover/<str:code>/proof/<int:number>/<str:which>",
        counter.counter_photo,
        name="store_counter_photo",
    ),
    path("store/handover/<str:code>/scans/", counter.return_scan, name="store_return_scan"),
    path("store/promises/", promises.promises, name="store_promises"),
    path("store/promises.csv", promises.promises_csv, name="store_promises_csv"),
    path("store/returns/", counter.returns, name="store_returns"),
]
