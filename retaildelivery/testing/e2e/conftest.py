"""One running system and one Chromium for all tests of this folder, and the people who use it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from retaildelivery.demo.cast import PASSWORD
from retaildelivery.testing.e2e.system import System, running

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PHONE = {"width": 390, "height": 844}
COUNTER = {"width": 1440, "height": 900}
FASHION_SHOW = {"latitude": 36.1277, "longitude": -115.1723}
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]

People = Callable[..., Page]

# A machine that also plans and compiles may take its time; what never comes is missed all the same.
expect.set_options(timeout=20_000)


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    with running() as started:
        yield started


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    # Closed before the next module: Playwright's loop lives in this thread, where Django would take the tests that
    # follow for asynchronous callers.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def people(system: System, chromium: Browser) -> Iterator[People]:
    """`people("ada@drivers.example.com", phone=True)`: somebody signed in, as a page of their own."""
    contexts: list[BrowserContext] = []

    def sign_in(email: str = "", *, phone: bool = False, language: str = "en-US") -> Page:
        context = chromium.new_context(
            base_url=system.url,
            viewport=PHONE if phone else COUNTER,
            locale=language,
            permissions=["geolocation"],
            geolocation=FASHION_SHOW,
            service_workers="block",
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        if email:
            page.goto("/accounts/login/")
            page.fill("input[name=login]", email)
            page.fill("input[name=password]", PASSWORD)
            page.locator("form:has(input[name=password]) button.is-primary").first.click()
            page.wait_for_url(lambda url: "/login" not in url)
        return page

    yield sign_in
    for context in contexts:
        context.close()
