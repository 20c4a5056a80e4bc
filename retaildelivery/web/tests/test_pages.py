"""The pages of the house itself, and the files every page is made of."""

import gzip
import hashlib
import json
import re

import pytest
from django.test import Client

BUDGET_BYTES = 80_000


@pytest.mark.django_db
def test_the_front_door_shows_the_four_doors_to_a_stranger(client):
    answer = client.get("/")

    page = answer.content.decode()
    assert answer.status_code == 200
    assert all(f'href="{door}"' in page for door in ("/store/", "/drive/", "/ops/", "/accounts/login/"))
    assert "No account needed." in page


@pytest.mark.django_db
def test_the_front_door_speaks_spanish_to_who_asks(client):
    page = client.get("/", headers={"accept-language": "es"}).content.decode()

    assert '<html lang="es"' in page


@pytest.mark.django_db
def test_pages_forbid_inline_script_and_foreign_hosts(client):
    policy = client.get("/").headers["Content-Security-Policy"]

    assert "script-src 'self'" in [part.strip() for part in policy.split(";")]
    assert "unsafe-inline" not in policy


def test_the_service_worker_lives_at_the_root_and_names_files_that_exist(client, settings):
    answer = client.get("/sw.js")

    given = json.loads(re.search(r"const SETTINGS = (.*);", answer.content.decode())[1])
    missing = [
        name
        for name in given["shell"]
        if not (settings.BASE_DIR / "static" / name.removeprefix(settings.STATIC_URL)).exists()
    ]
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert missing == []
    assert given["offline"] == "/offline/"


@pytest.mark.django_db
def test_the_page_without_signal_can_be_kept_before_anybody_signed_in(client):
    assert client.get("/offline/").status_code == 200


def test_the_portal_can_be_installed(client, settings):
    manifest = client.get("/manifest.webmanifest").json()

    assert (manifest["start_url"], manifest["display"]) == ("/drive/", "standalone")
    assert [icon["sizes"] for icon in manifest["icons"]] == ["192x192", "512x512"]


def test_the_tab_of_the_admin_and_of_files_has_an_icon_that_exists(client, settings):
    answer = client.get("/favicon.ico")

    assert answer.status_code == 302
    assert (settings.BASE_DIR / "static" / answer.url.removeprefix(settings.STATIC_URL)).exists()


@pytest.mark.django_db
def test_a_wrong_address_gets_a_page_of_ours(client):
    answer = client.get("/nowhere/")

    assert answer.status_code == 404
    assert "Nothing at this address" in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["login", "signup", "password/reset"])
def test_account_pages_stand_in_the_same_frame(client, name):
    page = client.get(f"/accounts/{name}/").content.decode()

    assert '<div class="gate"><section class="card">' in page
    assert 'class="button is-primary' in page


def _packed(path):
    return len(gzip.compress(path.read_bytes(), 9))


@pytest.mark.django_db
def test_what_a_phone_loads_first_is_within_its_budget(client, settings):
    static = settings.BASE_DIR / "static"
    page = client.get("/offline/").content
    names = set(re.findall(r'(?:src|href)="/static/([^"#]+\.(?:css|js|svg))', page.decode()))

    loaded = sum(_packed(static / name) for name in names | {"js/offline.js", "js/scanner.js"})

    assert loaded + len(gzip.compress(page)) < BUDGET_BYTES


def test_dark_is_the_same_whether_chosen_or_taken_from_the_system(settings):
    text = (settings.BASE_DIR / "static" / "css" / "tokens.css").read_text()
    chosen = re.search(r':root\[data-theme="dark"\] \{(.*?)\n\}', text, re.DOTALL)[1]
    system = re.search(r':root:not\(\[data-theme="light"\]\) \{(.*?)\n  \}', text, re.DOTALL)[1]

    assert re.findall(r"--[\w-]+: [^;]+;", chosen) == re.findall(r"--[\w-]+: [^;]+;", system)


def test_vendored_files_are_the_ones_the_list_says(settings):
    vendor = settings.BASE_DIR / "static" / "vendor"
    rows = re.findall(
        r"^\| `(.+?)` \|.*`([0-9a-f]{64})` \|$", (vendor / "README.md").read_text(), re.MULTILINE
    )

    found = {name: hashlib.sha256((vendor / name).read_bytes()).hexdigest() for name, _sum in rows}

    assert found == dict(rows)
    assert {path.relative_to(vendor).as_posix() for path in vendor.rglob("*.js")} <= set(found)
    assert [path.name for path in vendor.iterdir() if path.is_dir() and not (path / "LICENSE").exists()] == []


def _tokens(settings, opening):
    text = (settings.BASE_DIR / "static" / "css" / "tokens.css").read_text()
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", text.split(opening, 1)[1].split("\n}", 1)[0]))


def _luminance(colour):
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (
        ((part + 0.055) / 1.055) ** 2.4 if part > 0.04045 else part / 12.92 for part in parts
    )  # WCAG 2.2, relative luminance
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one, other):
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("opening", [":root {", ':root[data-theme="dark"] {'])
def test_words_can_be_read_in_the_sun(settings, opening):
    """Everything a driver reads is at least 7:1 on every ground it stands on; the rest at least 4.5:1."""
    colour = {**_tokens(settings, ":root {"), **_tokens(settings, opening)}
    grounds = ("paper", "surface", "surface-2")
    driver = [("ink", g) for g in grounds] + [("ink-2", g) for g in grounds]
    driver += [(tone, f"{tone}-bg") for tone in ("go", "warn", "stop", "info", "idle")]
    driver += [("hi-ink", "hi"), ("primary-ink", "primary"), ("bar-ink", "bar"), ("hi", "bar")]
    others = [(ink, g) for ink in ("ink-3", "link", "stop") for g in grounds] + [("bar-ink-2", "bar")]

    dim = {pair for pair in driver if _contrast(*(colour[name] for name in pair)) < 7}
    dim |= {pair for pair in others if _contrast(*(colour[name] for name in pair)) < 4.5}

    assert dim == set()


@pytest.mark.parametrize(
    "path", ["/t/%00/", "/v1/customers/S1/deliveries/%00", "/api/v1/orders/%00", "/store/%00/"]
)
def test_an_address_with_a_nul_is_of_nothing(db, settings, path):
    settings.DOOR_DIRECT = True

    answer = Client(raise_request_exception=False).get(path)

    assert answer.status_code == 404
