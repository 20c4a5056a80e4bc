"""Two trips on the driver's phone, in a real Chromium, the last door of the first without a signal."""

import os
import re
import shutil
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import expect, sync_playwright

from deliveries.models import Manifest
from offers.tests import making
from retaildelivery.lib.geo import Point

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")]


@pytest.fixture(scope="module")
def chromium():
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def ada(transactional_db):
    return making.driver("Ada")


@pytest.fixture
def block(ada):
    """A block of two trips, checked in to, its first trip collected."""
    now = timezone.now().replace(microsecond=0)
    shop = making.store(making.mall())
    first = making.order(shop, at=now, window=(now, now + 2 * making.HOUR))
    second = making.order(
        shop, at=now, window=(now, now + 4 * making.HOUR), parcels=2, point=Point(36.1, -115.2)
    )
    made = making.block_of_trips([first], [second], start=now, at=now - making.MINUTE)
    making.claimed(made, ada, at=now - making.MINUTE)
    making.check_in(made, ada, at=now)
    making.collect(made, ada, arrive=now, handover=now)
    return made


@pytest.fixture
def page(chromium, live_server, ada):
    context = chromium.new_context(viewport={"width": 390, "height": 844}, base_url=live_server.url)
    client = Client()
    client.force_login(ada.user)
    context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    made = context.new_page()
    made.set_default_timeout(15_000)
    yield made
    context.close()


def seen(page, name):
    """Keeps what is on the phone, for whoever wants to look."""
    if folder := os.environ.get("SHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_a_driver_drives_two_trips_and_loads_in_between(page, block, ada):
    page.goto("/drive/block/")
    expect(page.get_by_role("heading", name="Trip 1 of 2")).to_be_visible()
    expect(page.get_by_role("heading", name="Trip 2 of 2")).to_be_visible()
    expect(
        page.get_by_text(re.compile(r"Back at fashion-show mall about .* to load 2 parcels"))
    ).to_be_visible()
    seen(page, "1-loaded")
    page.get_by_role("button", name="Depart").click()
    expect(page.get_by_text("On your way.")).to_be_visible()
    page.get_by_role("link", name="Open stop 2").click()
    page.get_by_role("button", name="I am at the door").click()
    expect(page.get_by_role("heading", name="Hand over")).to_be_visible()

    page.context.set_offline(True)
    page.locator("#proof form button.is-primary").click()
    expect(page.locator("#proof form > .notice.is-warn")).to_be_visible()
    assert Manifest.objects.get().status == "on_route"
    page.context.set_offline(False)
    page.locator(".queuebar button").click()
    expect(page.locator(".queuebar")).to_be_hidden()
    page.goto("/drive/block/")

    expect(page.get_by_role("heading", name="Back to fashion-show mall")).to_be_visible()
    expect(page.get_by_text("Load 2 parcels for trip 2 of 2")).to_be_visible()
    expect(page.get_by_role("button", name="Depart")).to_have_count(0)
    seen(page, "2-back")
    making.collect(block, ada, arrive=timezone.now(), handover=timezone.now())
    page.reload()
    seen(page, "3-loaded-again")
    page.get_by_role("button", name="Depart").click()
    expect(page.get_by_text("On your way.")).to_be_visible()
    seen(page, "4-second-trip")
    manifest = Manifest.objects.get()
    assert (manifest.status, manifest.trip) == ("on_route", 2)
