"""What offers adds under /api/v1/."""

from django.urls import URLPattern, URLResolver, path

from offers import (
    api,
    costs_api,
    handing_over_api,
    hours_api,
    market_api,
    mileage_api,
    money_api,
    preferences_api,
    road_api,
    standby_api,
)

app_name = "offers_api"
urlpatterns: list[URLPattern | URLResolver] = [
    path("orders/<slug:code>/market", market_api.MarketView.as_view(), name="order_market"),
    path("driver/offers", api.OffersView.as_view(), name="offers"),
    path("driver/offers/<slug:code>", api.OfferView.as_view(), name="offer"),
    path("driver/offers/<slug:code>/why", api.WhyView.as_view(), name="why"),
    path("driver/offers/<slug:code>/entry", api.EntryView.as_view(), name="entry"),
    path("driver/offers/<slug:code>/claim", api.ClaimView.as_view(), name="claim"),
    path("driver/offers/<slug:code>/decline", api.DeclineView.as_view(), name="decline"),
    path("driver/blocks", api.BlocksView.as_view(), name="blocks"),
    path("driver/blocks/<slug:code>", api.BlockView.as_view(), name="block"),
    path("driver/blocks/<slug:code>/claim", api.BlockClaimView.as_view(), name="block_claim"),
    path("driver/blocks/<slug:code>/check-in", api.CheckInView.as_view(), name="check_in"),
    path("driver/blocks/<slug:code>/departure", api.DepartureView.as_view(), name="departure"),
    path("driver/blocks/<slug:code>/route", road_api.RouteView.as_view(), name="route"),
    path("driver/blocks/<slug:code>/route/kept", road_api.KeptRouteView.as_view(), name="route_kept"),
    path("driver/blocks/<slug:code>/ending", road_api.EndingView.as_view(), name="ending"),
    path("driver/blocks/<slug:code>/relief", road_api.ReliefView.as_view(), name="relief"),
    path("driver/blocks/<slug:code>/handover", road_api.HandoverView.as_view(), name="handover"),
    path("driver/blocks/<slug:code>/manifest", api.ManifestView.as_view(), name="manifest"),
    path("driver/blocks/<slug:code>/lateness", handing_over_api.LateView.as_view(), name="lateness"),
    path(
        "driver/blocks/<slug:code>/transfer",
        handing_over_api.BlockHandOverView.as_view(),
        name="block_hand_over",
    ),
    path("driver/transfers", handing_over_api.HandOversView.as_view(), name="hand_overs"),
    path(
        "driver/transfers/<slug:code>/acceptance",
        handing_over_api.AcceptanceView.as_view(),
        name="hand_over_acceptance",
    ),
    path(
        "driver/transfers/<slug:code>/refusal",
        handing_over_api.RefusalView.as_view(),
        name="hand_over_refusal",
    ),
    path("driver/stand-bys", standby_api.StandBysView.as_view(), name="stand_bys"),
    path("driver/stand-bys/<slug:code>", standby_api.StandByView.as_view(), name="stand_by"),
    path("driver/calendar", standby_api.CalendarView.as_view(), name="calendar"),
    path("driver/hours", hours_api.HoursView.as_view(), name="hours"),
    path("driver/preferences", preferences_api.PreferencesView.as_view(), name="preferences"),
    path("driver/cost-profile", costs_api.CostProfileView.as_view(), name="cost_profile"),
    path("driver/earnings", api.EarningsView.as_view(), name="earnings"),
    path("driver/statements", money_api.StatementsView.as_view(), name="statements"),
    path("driver/statements/<slug:code>", money_api.StatementView.as_view(), name="statement"),
    path("driver/statements/<slug:code>.pdf", money_api.StatementPdfView.as_view(), name="statement_pdf"),
    path("driver/statements/<slug:code>.csv", money_api.StatementCsvView.as_view(), name="statement_csv"),
    path("driver/tax-years/<int:year>", money_api.TaxYearView.as_view(), name="tax_year"),
    path("driver/tax-years/<int:year>.pdf", money_api.TaxYearPdfView.as_view(), name="tax_year_pdf"),
    path("driver/mileage-logs/<int:year>", mileage_api.MileageLogView.as_view(), name="mileage_log"),
    path(
        "driver/mileage-logs/<int:year>.csv", mileage_api.MileageLogCsvView.as_view(), name="mileage_log_csv"
    ),
    path("driver/account-export", money_api.AccountExportView.as_view(), name="account_export"),
    path("driver/payout-account", money_api.PayoutAccountView.as_view(), name="payout_account"),
    path("driver/disputes", money_api.DisputesView.as_view(), name="disputes"),
    path("driver/disputes/<slug:code>", money_api.DisputeView.as_view(), name="dispute"),
    path(
        "driver/disputes/<slug:code>/withdrawal",
        money_api.DisputeWithdrawalView.as_view(),
        name="dispute_withdrawal",
    ),
]
