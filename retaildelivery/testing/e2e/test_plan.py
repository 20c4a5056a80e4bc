"""The plan page by hand: an order dragged onto a block, priced, and saved."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from retaildelivery.testing.e2e.conftest import CHROMIUM
from retaildelivery.testing.e2e.system import System
from retaildelivery.testing.e2e.test_flow import post_order

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium"),
    pytest.mark.xdist_group("system"),
]

STAFF, OPS = "manager@las-vegas.example.com", "ops@example.com"
PLAN = "/ops/plans/fashion-show/"


def middle(page: Page, what: Locator) -> tuple[float, float]:
    box = what.bounding_box()
    assert box is not None
    return box["x"] + min(box["width"] / 2, 40), box["y"] + min(box["height"] / 2, 20)


def drag(page: Page, grip: Locator, target: Locator) -> None:
    """Hold the grip and go towards the target; at the edge of the window the page moves along."""
    grip.scroll_into_view_if_needed()
    page.mouse.move(*middle(page, grip))
    page.mouse.down()
    for step in range(300):
        x, y = middle(page, target)
        page.mouse.move(x, min(max(y, 10), 890) + step % 2)
        if 80 < y < 820:
            break
    expect(target).to_have_class("card is-tight plan-block is-target")
    page.mouse.up()


def test_a_waiting_order_is_dragged_into_a_block_and_saved(system: System, people: Any) -> None:
    staff, ops = people(STAFF), people(OPS)
    there = post_order(staff, name="Rosa Quintero", line1="2218 Alta Drive", pin=False)
    system.manage("plan", "--mall", "fashion-show", "--publish", "--everything")
    late = post_order(staff, name="Sam Field", line1="2218 Alta Drive, garden house", pin=False)
    ops.goto(PLAN)
    block = ops.locator(".plan-block", has=ops.locator(f"a[href*='/moves/{there}/']"))
    code = block.get_attribute("data-drop")

    drag(ops, ops.locator(f"#left [data-move*='{late}'] .plan-grip"), block)

    ops.wait_for_url(f"**/moves/{late}/?to={code}")
    expect(ops.get_by_role("heading", name=f"Into block {code}")).to_be_visible()
    expect(ops.get_by_text("The judge allows it")).to_be_visible()
    ops.get_by_role("button", name="Move it").click()
    ops.wait_for_url(f"**{PLAN}#block-{code}")
    expect(ops.locator(f"#block-{code} a[href*='/moves/{late}/']")).to_be_visible()
