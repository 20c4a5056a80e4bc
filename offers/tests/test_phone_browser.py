"""Notices on a phone, in a real Chromium: the button, what the service worker shows, and what a tap opens."""

import os
import shutil

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction
from django.test import Client
from django.utils import timezone
from playwright.sync_api import expect, sync_playwright

from drivers import notifying, pushing
from drivers.models import Driver, Push, PushSubscription
from drivers.tests import phone as phones
from retaildelivery.lib import vapid

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")]

# A Chromium without Google's keys has no push service: the subscription comes from the service of the test.
SUBSCRIBES = """
let given = null;
const made = (options) => ({
  endpoint: "%(endpoint)s",
  options: { applicationServerKey: options.applicationServerKey.buffer || options.applicationServerKey },
  toJSON: () => ({ endpoint: "%(endpoint)s", keys: %(keys)s }),
  unsubscribe: async () => { given = null; return true; },
});
PushManager.prototype.subscribe = async (options) => { given = made(options); return given; };
PushManager.prototype.getSubscription = async () => given;
"""


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
    at = timezone.now()
    user = get_user_model().objects.create_user("ada@example.com", name="Ada")
    return Driver.objects.create(
        user=user, market_code="las-vegas", status="approved", applied_at=at, approved_at=at
    )


@pytest.fixture
def phone(settings):
    settings.VAPID_PRIVATE_KEY = vapid.new_key()
    settings.PUSH_ALLOW_PRIVATE = True
    with phones.running() as service:
        yield service.phone()


@pytest.fixture
def opened(chromium, live_server, ada, phone):
    """The preferences on the phone; `permission` as the driver has answered before."""
    contexts = []

    def open_page(permission, script=""):
        context = chromium.new_context(viewport={"width": 390, "height": 844}, base_url=live_server.url)
        contexts.append(context)
        if permission:
            context.grant_permissions(["notifications"], origin=live_server.url)
        client = Client()
        client.force_login(ada.user)
        context.add_cookies(
            [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
        )
        page = context.new_page()
        page.set_default_timeout(15_000)
        if script:
            page.add_init_script(script)
        page.goto("/drive/me/wishes/")
        return page

    yield open_page
    for context in contexts:
        context.close()


def subscribes(phone):
    return SUBSCRIBES % {"endpoint": phone.endpoint, "keys": phone.keys}


def test_a_driver_switches_notices_on_sees_one_opens_it_and_switches_them_off(opened, ada, phone):
    page = opened(True, subscribes(phone))
    page.click("text=Notify me on this phone")
    expect(page.locator("p[data-push-when=on]")).to_be_visible()
    assert PushSubscription.objects.get().endpoint == phone.endpoint

    with transaction.atomic():
        notifying.notify(
            driver=ada, key="k", name="award_made", subject="The draw asks you", brief="Until 2:15 PM.", text="All.",
            path="/drive/standing/", about="block:BX", at=timezone.now(),
        )  # fmt: skip
    pushing.send(push_id=Push.objects.get().pk, at=timezone.now())
    session = page.context.new_cdp_session(page)
    registrations = []
    session.on(
        "ServiceWorker.workerRegistrationUpdated", lambda told: registrations.extend(told["registrations"])
    )
    session.send("ServiceWorker.enable")
    for _try in range(100):
        if registrations:
            break
        page.wait_for_timeout(50)
    session.send(
        "ServiceWorker.deliverPushMessage",
        {
            "origin": page.url.split("/drive/")[0],
            "registrationId": registrations[0]["registrationId"],
            "data": pushing.payload(Push.objects.get().notice).decode(),
        },
    )
    page.wait_for_function(
        "navigator.serviceWorker.ready.then(r => r.getNotifications()).then(all => all.length === 1)"
    )
    shown = page.evaluate(
        "navigator.serviceWorker.ready.then(r => r.getNotifications())"
        ".then(([one]) => [one.title, one.body, one.tag, one.data.url])"
    )
    assert shown == ["The draw asks you", "Until 2:15 PM.", "block:BX", "/drive/standing/"]
    assert [told["title"] for told in phone.shown] == ["The draw asks you"]

    [worker] = page.context.service_workers
    with page.expect_navigation(url="**/drive/standing/"):
        worker.evaluate(
            """async () => {
              const [notification] = await registration.getNotifications();
              dispatchEvent(new NotificationEvent("notificationclick", { notification }));
            }"""
        )

    page.goto("/drive/me/wishes/")
    page.click("text=Notify me on this phone")
    page.click("text=No more on this phone")
    expect(page.locator("[data-push-on]")).to_be_visible()
    assert not PushSubscription.objects.exists()


def test_a_browser_without_a_push_service_says_so_and_one_that_cannot_offers_no_button(opened):
    page = opened(True)
    page.click("text=Notify me on this phone")
    expect(page.locator("p[data-push-when=failed]")).to_be_visible()
    other = opened(True, "delete window.PushManager;")

    expect(other.locator("p[data-push-when=unsupported]")).to_be_visible()
    expect(other.locator("[data-push-on]")).to_be_hidden()
    assert not PushSubscription.objects.exists()


def test_who_has_blocked_notifications_reads_how_to_allow_them(opened):
    page = opened(False, "Object.defineProperty(Notification, 'permission', { value: 'denied' });")

    expect(page.locator("p[data-push-when=denied]")).to_be_visible()
    expect(page.locator("[data-push-on]")).to_be_hidden()
