"""What operations open, and where each who signs in is sent."""

from django.urls import path

from offers.views import landing, ops, refusals

urlpatterns = [
    path("welcome/", landing.landing, name="landing"),
    path("store/stores/<slug:code>/drivers/", refusals.of_store, name="store_refusals"),
    path("ops/refusals/", refusals.for_operations, name="ops_refusals"),
    path("ops/refusals/<slug:code>/grant/", refusals.grant, name="ops_refusal_grant"),
    path("ops/refusals/<slug:code>/end/", refusals.end, name="ops_refusal_end"),
    path("ops/", ops.live, name="board"),
    path("ops/plan/", ops.plan_now, name="ops_plan_now"),
    path("ops/blocks/", ops.blocks, name="ops_blocks"),
    path("ops/blocks/<str:code>/", ops.block, name="ops_block"),
    path("ops/blocks/<str:code>/withdrawal/", ops.withdraw, name="ops_withdraw"),
]
