"""What drivers open: offers, their block, and what it paid."""

from django.urls import path

from offers.views import draws, drive, handing_over, road, standby, standing, wishes

urlpatterns = [
    path("drive/apply/", drive.apply, name="driver_apply"),
    path("drive/offers/", drive.offers, name="driver_offers"),
    path("drive/offers/<slug:code>/", drive.offer, name="driver_offer"),
    path("drive/offers/<slug:code>/entry/", draws.enter, name="driver_enter"),
    path("drive/offers/<slug:code>/entry/withdrawal/", draws.leave, name="driver_leave_draw"),
    path("draws/<slug:code>/", draws.result, name="draw"),
    path("draws/<slug:code>/result.json", draws.export, name="draw_export"),
    path("drive/offers/<slug:code>/claim/", drive.claim, name="driver_claim"),
    path("drive/offers/<slug:code>/decline/", drive.decline, name="driver_decline"),
    path("drive/block/", drive.block, name="driver_block"),
    path("drive/blocks/<slug:code>/", drive.block_detail, name="driver_block_detail"),
    path("drive/blocks/<slug:code>/release/", drive.release, name="driver_release"),
    path("drive/blocks/<slug:code>/check-in/", drive.check_in, name="driver_check_in"),
    path("drive/blocks/<slug:code>/departure/", drive.departure, name="driver_departure"),
    path("drive/blocks/<slug:code>/route/", road.route, name="driver_route"),
    path("drive/blocks/<slug:code>/ending/", road.ending, name="driver_ending"),
    path("drive/blocks/<slug:code>/handover/", road.handover, name="driver_handover"),
    path("drive/blocks/<slug:code>/manifest/", drive.manifest, name="driver_manifest"),
    path("drive/blocks/<slug:code>/lateness/", handing_over.late, name="driver_late"),
    path("drive/blocks/<slug:code>/hand-over/", handing_over.propose, name="driver_hand_over"),
    path("drive/hand-overs/<slug:code>/", handing_over.proposed, name="driver_hand_over_asked"),
    path("drive/hand-overs/<slug:code>/answer/", handing_over.answer, name="driver_hand_over_answer"),
    path("drive/hand-overs/<slug:code>/back/", handing_over.take_back, name="driver_hand_over_back"),
    path("drive/me/wishes/", wishes.wishes, name="driver_wishes"),
    path("drive/wishes/<str:token>/stop/", wishes.stop, name="wish_stop"),
    path("drive/stand-by/", standby.stand_by, name="driver_stand_by"),
    path("drive/stand-by/<slug:code>/leave/", standby.leave, name="driver_stand_by_leave"),
    path("drive/me/calendar/", standby.calendar, name="driver_calendar"),
    path("drive/calendar/<str:token>.ics", standby.feed, name="calendar_feed"),
    path("drive/standing/if/", standing.standing_if, name="driver_standing_if"),
    path("drive/earnings/", drive.earnings, name="driver_earnings"),
    path("drive/earnings/<slug:code>/", drive.block_pay, name="driver_block_pay"),
]
