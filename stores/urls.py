"""Every page of stores, by the door it is behind."""

from django.urls import path

from stores.views import account, endpoints, events, log, oauth, settings

app_name = "stores"
urlpatterns = [
    path("store/settings/", settings.settings, name="settings"),
    path("store/settings/<str:code>/", settings.store, name="store"),
    path("store/settings/<str:code>/hours/", settings.store_hours, name="store_hours"),
    path("store/settings/<str:code>/pause/", settings.store_pause, name="store_pause"),
    path("store/sellers/<str:seller_code>/staff/", settings.staff, name="staff"),
    path("store/sellers/<str:seller_code>/staff/<str:membership>/end/", settings.staff_end, name="staff_end"),
    path("store/sellers/<str:seller_code>/keys/", settings.api_keys, name="api_keys"),
    path(
        "store/sellers/<str:seller_code>/keys/<str:prefix>/", settings.api_key_change, name="api_key_change"
    ),
    path("store/sellers/<str:seller_code>/account/", account.account, name="account"),
    path("store/sellers/<str:seller_code>/invoices/", account.invoices, name="invoices"),
    path("store/sellers/<str:seller_code>/invoices/<str:number>/", account.invoice, name="invoice"),
    path(
        "store/sellers/<str:seller_code>/invoices/<str:number>.pdf",
        account.invoice_file,
        {"form": "pdf"},
        name="invoice_pdf",
    ),
    path(
        "store/sellers/<str:seller_code>/invoices/<str:number>.csv",
        account.invoice_file,
        {"form": "csv"},
        name="invoice_csv",
    ),
    path("api/events/", events.all_of_them, name="events"),
    path("api/events/<str:name>/", events.one, name="event"),
    path("oauth/token", oauth.token, name="oauth_token"),
    path("store/sellers/<str:seller_code>/log/", log.log, name="log"),
    path("store/sellers/<str:seller_code>/log.csv", log.log_csv, name="log_csv"),
    path("store/sellers/<str:seller_code>/webhooks/", endpoints.all_of, name="webhooks"),
    path("store/sellers/<str:seller_code>/webhooks/<str:code>/", endpoints.one, name="webhook"),
    path(
        "store/sellers/<str:seller_code>/webhooks/<str:code>/change/", endpoints.change, name="webhook_change"
    ),
    path(
        "store/sellers/<str:seller_code>/webhooks/<str:code>/replay/",
        endpoints.send_all_again,
        name="webhook_send_all_again",
    ),
    path(
        "store/sellers/<str:seller_code>/webhooks/<str:code>/messages/<str:message>/",
        endpoints.send_again,
        name="webhook_send_again",
    ),
]
