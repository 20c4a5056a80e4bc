"""The tools of a driver's page, in a real Chromium: scanner, photo, signature, position, and no signal."""

import io
import os
import re
import shutil

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from PIL import Image
from playwright.sync_api import expect, sync_playwright

from retaildelivery.web.tests import bench

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium"),
    pytest.mark.urls("retaildelivery.web.tests.bench"),
]


@pytest.fixture(scope="module")
def chromium():
    # Playwright's loop lives in this thread; Django would take it for an asynchronous caller.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"],
        )
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def phone(chromium, live_server):
    bench.received.clear()
    bench.polls.clear()
    client = Client()
    client.force_login(get_user_model().objects.create_user("ada@example.com"))
    context = chromium.new_context(
        viewport={"width": 390, "height": 844},
        permissions=["geolocation"],
        geolocation={"latitude": 36.1277, "longitude": -115.1723},
        service_workers="block",
    )
    context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    page = context.new_page()
    page.set_default_timeout(8000)
    page.goto(f"{live_server.url}/drive/bench/")
    page.wait_for_selector("[data-scan-camera]:not([hidden])")
    page.wait_for_selector(".queuebar", state="attached")
    yield page
    context.close()


def arrives(page, count):
    for _ in range(100):
        if len(bench.received) >= count:
            break
        page.wait_for_timeout(50)
    page.wait_for_timeout(150)
    return bench.received


def test_a_typed_code_is_sent_with_its_id_and_its_time(phone):
    phone.fill("[data-scan-input]", "K7QX92MD")
    phone.click("text=Check")

    [sent] = arrives(phone, 1)
    assert (sent["code"], sent["method"]) == ("K7QX92MD", "typed")
    assert re.fullmatch(r"[0-9a-f-]{36}", sent["client_event_id"])
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT[\d:.]+Z", sent["device_at"])


def test_a_hand_scanner_is_heard_wherever_the_focus_is(phone):
    # In one go, as the scanner's firmware does; key by key a busy machine may be as slow as a person.
    phone.locator("main").evaluate(
        """main => [..."B4TT8M2C", "Enter"].forEach(
            key => main.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true })))"""
    )

    [sent] = arrives(phone, 1)
    assert (sent["code"], sent["method"]) == ("B4TT8M2C", "wedge")


def test_what_is_done_without_signal_is_sent_in_order_when_it_is_back(phone):
    phone.context.set_offline(True)
    for code in ("FIRST222", "SECOND22"):
        phone.fill("[data-scan-input]", code)
        phone.click("text=Check")
        phone.wait_for_selector("form#scan .notice.is-warn")
        expect(phone.locator("[data-scan-input]")).to_have_value("")
    phone.wait_for_selector("text=2 actions waiting for signal")
    before = list(bench.received)

    phone.context.set_offline(False)

    sent = arrives(phone, 2)
    assert before == []
    assert [one["code"] for one in sent] == ["FIRST222", "SECOND22"]
    assert len({one["client_event_id"] for one in sent}) == 2
    phone.wait_for_selector(".queuebar", state="hidden")


def test_an_action_refused_later_says_so_and_can_be_put_away(phone):
    phone.context.set_offline(True)
    phone.fill("[data-scan-input]", "REFUSE22")
    phone.click("text=Check")
    phone.wait_for_selector("text=1 action waiting for signal")

    phone.context.set_offline(False)

    phone.wait_for_selector("text=Refused: Scan: Not for this stop")
    phone.click(".queuebar button")
    phone.wait_for_selector(".queuebar", state="hidden")
    assert len(bench.received) == 1


def test_a_photo_is_made_small_and_goes_with_signature_and_position(phone):
    raw = io.BytesIO()
    Image.effect_noise((2400, 1800), 80).convert("RGB").save(raw, "JPEG", quality=97)
    phone.set_input_files(
        "[name=photo]", {"name": "door.jpg", "mimeType": "image/jpeg", "buffer": raw.getvalue()}
    )
    phone.wait_for_selector("[data-photo-preview]:not([hidden])")
    size = phone.evaluate("[document.querySelector('[data-photo-preview]').naturalWidth]")
    phone.locator("canvas").scroll_into_view_if_needed()
    box = phone.locator("canvas").bounding_box()
    phone.mouse.move(box["x"] + 20, box["y"] + 20)
    phone.mouse.down()
    phone.mouse.move(box["x"] + 160, box["y"] + 90, steps=8)
    phone.mouse.up()
    phone.click("#proof button.is-primary")

    [sent] = arrives(phone, 1)
    assert size == [1600]
    assert 0 < int(sent["photo"]) < len(raw.getvalue())
    assert sent["signature"].startswith("data:image/png;base64,")
    assert (sent["lat"], sent["lng"]) == ("36.127700", "-115.172300")


def test_a_dangerous_button_asks_first(phone):
    phone.click("text=Give back")
    phone.wait_for_selector("dialog[open] >> text=Really?")
    asked = list(bench.received)
    phone.click("dialog[open] >> text=No, go back")
    phone.click("text=Give back")
    phone.click("dialog[open] [data-confirmed]")

    assert asked == []
    assert [one["code"] for one in arrives(phone, 1)] == ["sure"]


def test_a_live_region_swaps_only_itself_and_then_asks_conditionally(phone):
    phone.wait_for_selector("#live >> text=fresh")
    for _ in range(100):
        if '"one"' in bench.polls:
            break
        phone.wait_for_timeout(50)

    assert bench.polls[0] == ""
    assert '"one"' in bench.polls
    assert phone.locator("text=not this").count() == 0
    assert phone.locator("#live").count() == 1


def test_a_page_seen_before_opens_without_signal_and_says_how_old_it_is(chromium, live_server):
    client = Client()
    client.force_login(get_user_model().objects.create_user("ben@example.com"))
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    page = context.new_page()
    page.goto(f"{live_server.url}/drive/bench/")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.goto(f"{live_server.url}/drive/bench/?again")
    page.wait_for_timeout(500)

    context.set_offline(True)
    page.goto(f"{live_server.url}/drive/bench/?again")

    expect(page.locator("h1")).to_have_text("Bench")
    expect(page.locator(".queuebar")).to_contain_text("This page is as last seen at")
    page.goto(f"{live_server.url}/drive/never/")
    expect(page.locator("h1")).to_have_text("No signal")
    context.close()
