"""What operations open, and where each who signs in is sent."""

from django.urls import path

from offers.views import landing, ops

urlpatterns = [
    path("welcome/", landing.landing, name="landing"),
    path("ops/", ops.live, name="board"),
    path("ops/plan/", ops.plan_now, name="ops_plan_now"),
    path("ops/blocks/", ops.blocks, name="ops_blocks"),
    path("ops/blocks/<str:code>/", ops.block, name="ops_block"),
    path("ops/blocks/<str:code>/withdrawal/", ops.withdraw, name="ops_withdraw"),
]
