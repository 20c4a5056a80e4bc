"""An order from the counter to the door, in real browsers against the whole running system."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from retaildelivery.testing.e2e.conftest import CHROMIUM
from retaildelivery.testing.e2e.system import System

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium"),
    pytest.mark.xdist_group("system"),
]

LAS_VEGAS = ZoneInfo("America/Los_Angeles")
STAFF = "loomstead@las-vegas.example.com"
ADA = "ada@drivers.example.com"
OPS = "ops@example.com"


def photo() -> dict[str, Any]:
    """A picture as the phone's camera would give it."""
    content = BytesIO()
    Image.new("RGB", (640, 480), "#7a5c3a").save(content, "JPEG")
    return {"name": "door.jpg", "mimeType": "image/jpeg", "buffer": content.getvalue()}


def post_order(staff: Page, *, name: str, line1: str, pin: bool) -> str:
    """Type an order at the counter, pin its door, pack it; the code it got."""
    now = dt.datetime.now(LAS_VEGAS)
    staff.goto("/store/orders/new/")
    staff.fill("[name=recipient_name]", name)
    staff.fill("[name=recipient_phone]", "702 555 0143")
    staff.fill("[name=recipient_email]", "zoe@example.com")
    staff.fill("[name=line1]", line1)
    staff.fill("[name=city]", "Las Vegas")
    staff.fill("[name=region]", "NV")
    staff.fill("[name=postal_code]", "89107")
    staff.fill("[name=window_start]", now.strftime("%Y-%m-%dT%H:%M"))
    staff.fill("[name=window_end]", (now + dt.timedelta(hours=4)).strftime("%Y-%m-%dT%H:%M"))
    staff.set_checked("[name=requires_pin]", pin)
    staff.get_by_role("button", name="Post the order").click()
    staff.wait_for_url(re.compile(r"/store/orders/[A-Z0-9]+/$"))
    staff.fill("[name=latitude]", "36.167300", force=True)
    staff.fill("[name=longitude]", "-115.178700", force=True)
    staff.get_by_role("button", name="This is the door").click()
    expect(staff.get_by_text("The door is on the map")).to_be_visible()
    staff.get_by_role("button", name="Packed").click()
    expect(staff.get_by_text("is packed")).to_be_visible()
    return staff.url.rstrip("/").rsplit("/", 1)[-1]


def parcels_on(page: Page) -> list[str]:
    """The parcels' codes as the order's page shows them."""
    found = page.locator("section", has=page.get_by_role("heading", name="Parcels")).locator("b.code")
    return [text.replace(" ", "") for text in found.all_inner_texts()]


def claim(driver: Page) -> None:
    driver.goto("/drive/offers/")
    driver.locator("article.ticket").first.get_by_role("button", name=re.compile("Claim|Take")).click()
    driver.wait_for_url(re.compile("/drive/(block|blocks)/"))


def check_in(driver: Page) -> None:
    driver.goto("/drive/block/")
    driver.get_by_role("button", name="I am here").click()
    expect(driver.get_by_text("My code for the counter")).to_be_visible()


def badge(driver: Page) -> str:
    driver.goto("/drive/badge/")
    text = driver.locator("main").inner_text()
    found = re.search(r"\b(\d{3})\s?(\d{3})\b", text) or re.search(r"((?:\d\s){5}\d)", text)
    assert found, text
    return re.sub(r"\D", "", found.group(0))


def collect(driver: Page, staff: Page, parcels: list[str]) -> None:
    """Both halves of the handover: staff read the code, the driver scans each label."""
    driver.goto("/drive/block/")
    driver.locator("a[href*='/drive/stops/']").first.click()
    stop = driver.url
    driver.get_by_role("button", name="I am at the counter").click()
    expect(driver.get_by_text("Staff have not confirmed yet")).to_be_visible()
    code = badge(driver)
    staff.goto("/store/handover/")
    staff.fill("[name=driver_code]", code)
    staff.get_by_role("button", name="Confirm the driver").click()
    expect(staff.get_by_text("You have confirmed this driver")).to_be_visible()
    for parcel in parcels:
        driver.goto(stop)
        driver.fill("[name=code]", parcel)
        with driver.expect_response(re.compile("/scans/$")):
            driver.get_by_role("button", name="Take it").click()


def depart(driver: Page) -> None:
    driver.goto("/drive/block/")
    with driver.expect_response(re.compile("/departure/$")):
        driver.get_by_role("button", name="Depart").click()


def to_the_door(driver: Page) -> str:
    driver.goto("/drive/block/")
    driver.locator("li.stop:not(.is-done) a[href*='/drive/stops/']").first.click()
    driver.get_by_role("button", name="I am at the door").click()
    driver.wait_for_selector("#proof")
    return driver.url


def eventually(look: Callable[[], bool], page: Page, *, seconds: int = 30) -> None:
    """What a worker does after the answer: reload until it is there."""
    for _turn in range(seconds * 2):
        if look():
            return
        page.wait_for_timeout(500)
    raise AssertionError(page.locator("main").inner_text())


def test_an_order_goes_from_the_counter_to_the_door(system: System, people: Any) -> None:
    staff, ada, ops = people(STAFF), people(ADA, phone=True), people(OPS)
    recipient = people(phone=True)

    code = post_order(staff, name="Zoë Ångström-Figueroa", line1="2212 Alta Drive", pin=True)
    parcels = parcels_on(staff)
    tracking = staff.get_by_role("link", name="The recipient's page").get_attribute("href")
    system.manage("plan", "--mall", "fashion-show", "--publish", "--everything")
    claim(ada)
    check_in(ada)
    collect(ada, staff, parcels)
    depart(ada)
    recipient.goto(str(tracking))
    expect(recipient.get_by_role("heading", name="On its way to you")).to_be_visible()
    pin = recipient.locator(".pin").first.inner_text().replace("\n", "").replace(" ", "")
    door = to_the_door(ada)

    # A wrong PIN does not open the door, and says how many tries are left.
    ada.fill("[name=pin]", "0000" if pin != "0000" else "1111")
    ada.locator("input[type=file][name=photo]").set_input_files(photo())
    ada.locator("[name=left_at][value=in_hand]").check(force=True)
    ada.get_by_role("button", name="Delivered").click()
    expect(ada.get_by_text(re.compile("2 tries left|tries left"))).to_be_visible()

    ada.goto(door)
    ada.fill("[name=pin]", pin)
    ada.locator("input[type=file][name=photo]").set_input_files(photo())
    ada.locator("[name=left_at][value=in_hand]").check(force=True)
    with ada.expect_response(re.compile("/proof/$")):
        ada.get_by_role("button", name="Delivered").click()

    recipient.goto(str(tracking))
    expect(recipient.get_by_role("heading", name="Delivered", exact=True)).to_be_visible()
    staff.goto(f"/store/orders/{code}/")
    expect(staff.get_by_role("heading", name="Proof of delivery")).to_be_visible()
    ada.goto("/drive/earnings/")
    eventually(lambda: "$" in ada.locator("main").inner_text() and _paid(ada), ada)
    ops.goto(f"/ops/orders/{code}/")
    for said in ("Posted", "A driver has taken it", "Handed over to the driver", "Delivered"):
        expect(ops.get_by_text(said, exact=True).first).to_be_visible()
    ops.goto("/ops/outbox/")
    eventually(lambda: _told(ops) >= 3, ops)


def _paid(driver: Page) -> bool:
    driver.reload()
    return driver.locator("a[href^='/drive/earnings/']").count() > 0


def _told(ops: Page) -> int:
    ops.reload()
    return int(ops.locator("a.row", has_text="zoe@example.com").count())


def test_what_nobody_takes_goes_back_to_the_store(system: System, people: Any) -> None:
    staff, ada = people(STAFF), people(ADA, phone=True)
    code = post_order(staff, name="Nobody Home", line1="2214 Alta Drive", pin=False)
    parcels = parcels_on(staff)
    system.manage("plan", "--mall", "fashion-show", "--publish", "--everything")
    claim(ada)
    check_in(ada)
    collect(ada, staff, parcels)
    depart(ada)

    to_the_door(ada)
    ada.locator("#failed summary").click()
    ada.locator("[name=reason][value=nobody_home]").check(force=True)
    with ada.expect_response(re.compile("/attempts/$")):
        ada.get_by_role("button", name="Could not deliver").click()
    ada.goto("/drive/block/")
    ada.locator("li.stop:not(.is-done) a[href*='/drive/stops/']").first.click()
    ada.get_by_role("button", name="I am at the counter").click()
    number = badge(ada)

    staff.goto("/store/returns/")
    staff.locator("a.row").first.click()
    staff.fill("[name=driver_code]", number)
    staff.get_by_role("button", name="Confirm the driver").click()
    expect(staff.get_by_text("You have confirmed this driver")).to_be_visible()
    for parcel in parcels:
        staff.fill("[name=code]", parcel)
        staff.get_by_role("button", name="Take it back").click()
        staff.wait_for_load_state("networkidle")

    staff.goto(f"/store/orders/{code}/")
    expect(staff.get_by_text("Back at the store").first).to_be_visible()


def test_the_second_driver_reads_why_the_block_is_gone(system: System, people: Any) -> None:
    staff, ada, second = (
        people(STAFF),
        people(ADA, phone=True),
        people("chidi@drivers.example.com", phone=True),
    )
    post_order(staff, name="Two Drivers", line1="2216 Alta Drive", pin=False)
    system.manage("plan", "--mall", "fashion-show", "--publish", "--everything")
    for driver in (ada, second):
        driver.goto("/drive/offers/")
        driver.wait_for_selector("article.ticket")

    ada.locator("article.ticket").first.get_by_role("button", name=re.compile("Claim|Take")).click()
    ada.wait_for_url(re.compile("/drive/(block|blocks)/"))
    second.locator("article.ticket").first.get_by_role("button", name=re.compile("Claim|Take")).click()

    expect(second.get_by_text("Another driver has this block.")).to_be_visible()
