"""Every page, as each person finds it by following links: nothing for axe to object to, nothing that overflows."""

from __future__ import annotations

import re
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from retaildelivery.testing.e2e.conftest import CHROMIUM
from retaildelivery.testing.e2e.system import System

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium"),
    pytest.mark.xdist_group("system"),
]

MOST = 14  # pages one person visits; lists hold many of a kind
# Codes and numbers in a path: of pages alike in everything else one is looked at.
VARIES = re.compile(r"/(?=[^/]*\d)[A-Za-z0-9_-]{5,}(?=/|$)")
NOT_PAGES = re.compile(
    r"\.(?:pdf|csv|json|py)$|logout|/proof/|/photo|/file/|/admin/|/i18n/|/sw\.js|/api/schema|\.ics$"
)

STAFF, OPS, ADA = "manager@las-vegas.example.com", "ops@example.com", "ada@drivers.example.com"
WALKS = [
    pytest.param("", ["/", "/accounts/login/", "/accounts/password/reset/", "/api/docs/"], False, id="a stranger"),
    pytest.param(STAFF, ["/store/", "/store/orders/new/", "/store/settings/"], False, id="a manager at the counter"),
    pytest.param(STAFF, ["/store/", "/store/handover/"], True, id="a manager with a phone"),
    pytest.param(ADA, ["/drive/offers/", "/drive/block/", "/drive/me/"], True, id="a driver"),
    pytest.param(OPS, ["/ops/", "/ops/orders/", "/ops/outbox/"], False, id="operations"),
    pytest.param(OPS, ["/ops/"], True, id="operations with a phone"),
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _afternoon(system: System) -> None:
    """Orders of today, and some of them on offer."""
    system.manage("seed_demo")
    system.manage("plan", "--mall", "fashion-show", "--publish", "--everything")


def shape_of(path: str) -> str:
    return VARIES.sub("/…", path.split("?")[0])


def links_on(page: Page, origin: str) -> list[str]:
    """Paths of our own that the page leads to."""
    found = page.eval_on_selector_all("a[href]", "links => links.map(link => link.href)")
    ours = [urlsplit(link) for link in found if link.startswith(origin)]
    return [link.path for link in ours if not NOT_PAGES.search(link.path)]


# In the second scheme only colours are others.
RULES: dict[str, dict[str, Any]] = {
    "light": {"resultTypes": ["violations"]},
    "dark": {"resultTypes": ["violations"], "runOnly": ["color-contrast"]},
}


def open_in(page: Page, path: str, scheme: Literal["light", "dark"]) -> list[str]:
    """Load the page in this colour scheme; what axe objects to, and whether something is wider than the screen."""
    # Set before the page is loaded: a button on its way from one colour to the other is neither.
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    answer = page.goto(path)
    assert answer is not None
    # The front door leads to every door; somebody else's says so politely.
    assert answer.status in {200, 403}, f"{path}: {answer.status}"
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    faults = [
        f"{scheme}: {each['id']}: {node['html'][:160]}"
        for each in Axe().run(page, options=RULES[scheme]).response["violations"]
        for node in each["nodes"][:2]
    ]
    width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return [*faults, *([f"wider than the screen by {width} px"] if width > 1 else [])]


@pytest.mark.parametrize(("email", "begin", "phone"), WALKS)
def test_a_walk_meets_no_fault(
    system: System, people: Any, email: str, begin: list[str], phone: bool
) -> None:
    page = people(email, phone=phone)
    todo, seen, faults = list(begin), set(), {}

    while todo and len(seen) < MOST:
        path = todo.pop(0)
        if shape_of(path) in seen:
            continue
        seen.add(shape_of(path))
        if found := [*open_in(page, path, "light"), *open_in(page, path, "dark")]:
            faults[path] = found
        todo += links_on(page, system.url)

    assert faults == {}
    assert len(seen) >= len(begin)


@pytest.mark.parametrize("language", ["es-MX", "en-US"])
def test_a_page_speaks_the_browsers_language(people: Any, language: str) -> None:
    page = people(language=language)
    page.goto("/accounts/login/")

    assert page.locator("html").get_attribute("lang") == language[:2]
