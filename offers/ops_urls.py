"""What operations open, and where each who signs in is sent."""

from django.urls import path

from offers.views import landing, market, money, ops, plans, refusals, relief_requests, road, schedule, standing_by, tax

urlpatterns = [
    path("welcome/", landing.landing, name="landing"),
    path("store/orders/<slug:code>/market/", market.of_order, name="store_market"),
    path("store/stores/<slug:code>/drivers/", refusals.of_store, name="store_refusals"),
    path("ops/refusals/", refusals.for_operations, name="ops_refusals"),
    path("ops/refusals/<slug:code>/grant/", refusals.grant, name="ops_refusal_grant"),
    path("ops/refusals/<slug:code>/end/", refusals.end, name="ops_refusal_end"),
    path("ops/stand-bys/", standing_by.index, name="ops_stand_bys"),
    path("ops/stand-bys/<slug:code>/end/", standing_by.end_stand_by, name="ops_stand_by_end"),
    path("ops/hand-overs/<slug:code>/end/", standing_by.end_hand_over, name="ops_block_hand_over_end"),
    path("ops/", ops.live, name="board"),
    path("ops/plans/", plans.index, name="ops_plans"),
    path("ops/plans/<slug:mall>/", plans.plan, name="ops_plan"),
    path("ops/plans/<slug:mall>/moves/<str:order>/", plans.move, name="ops_plan_move"),
    path("ops/plans/<slug:mall>/waves/", plans.again, name="ops_plan_again"),
    path("ops/schedule/", schedule.index, name="ops_schedules"),
    path("ops/schedule/<slug:mall>/", schedule.of_mall, name="ops_schedule"),
    path("ops/schedule/<slug:mall>/publications/", schedule.publish, name="ops_schedule_publish"),
    path("ops/schedule/<slug:mall>/automatic/", schedule.automatic, name="ops_schedule_automatic"),
    path("ops/blocks/<str:code>/freeze/", plans.freeze, name="ops_freeze"),
    path("ops/blocks/<str:code>/unfreeze/", plans.unfreeze, name="ops_unfreeze"),
    path("ops/plan/", ops.plan_now, name="ops_plan_now"),
    path("ops/disputes/", money.disputes, name="ops_disputes"),
    path("ops/disputes/<slug:code>/", money.answer, name="ops_dispute"),
    path("ops/tax/", tax.year, name="ops_tax"),
    path("ops/tax/<int:year>/", tax.year, name="ops_tax_year"),
    path("ops/tax/<slug:market>/<int:year>-<int:part>.csv", tax.year_file, name="ops_tax_file"),
    path("ops/blocks/", ops.blocks, name="ops_blocks"),
    path("ops/blocks/<str:code>/", ops.block, name="ops_block"),
    path("ops/blocks/<str:code>/split/", road.split, name="ops_split"),
    path("ops/blocks/<str:code>/relief/", road.hand_over, name="ops_hand_over"),
    path("ops/reliefs/<slug:code>/answer/", relief_requests.answer, name="ops_relief_answer"),
    path("ops/blocks/<str:code>/ending/", road.abort, name="ops_abort"),
    path("ops/blocks/<str:code>/handover/", road.confirm_handover, name="ops_confirm_handover"),
    path("ops/blocks/<str:code>/withdrawal/", ops.withdraw, name="ops_withdraw"),
]
