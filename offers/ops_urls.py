"""What operations open."""

from django.urls import path

from offers.views import ops

urlpatterns = [
    path("ops/", ops.live, name="board"),
    path("ops/plan/", ops.plan_now, name="ops_plan_now"),
    path("ops/blocks/", ops.blocks, name="ops_blocks"),
    path("ops/blocks/<str:code>/", ops.block, name="ops_block"),
    path("ops/blocks/<str:code>/withdrawal/", ops.withdraw, name="ops_withdraw"),
]
