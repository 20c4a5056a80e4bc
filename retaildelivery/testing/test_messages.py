"""The Spanish catalogue is complete, compiled, and fits the sources."""

import os
import re
import shutil
import subprocess
import sys

import polib
import pytest

from retaildelivery.environment import BASE_DIR
from retaildelivery.testing import source

LOCALE = BASE_DIR / "retaildelivery" / "locale" / "es" / "LC_MESSAGES"
PLACEHOLDERS = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")


@pytest.fixture(scope="module")
def catalogue():
    return polib.pofile(str(LOCALE / "django.po"))


def test_nothing_is_left_in_english(catalogue):
    assert [entry.msgid for entry in catalogue.untranslated_entries()] == []


def test_nothing_is_a_guess(catalogue):
    assert [entry.msgid for entry in catalogue.fuzzy_entries()] == []


def test_translations_keep_their_placeholders(catalogue):
    """A lost one is a sentence without its number; a misspelt one is an error in the middle of a page."""
    lost = [
        entry.msgid
        for entry in catalogue
        if entry.msgstr and set(PLACEHOLDERS.findall(entry.msgid)) != set(PLACEHOLDERS.findall(entry.msgstr))
    ]

    assert lost == []


def test_the_compiled_catalogue_is_the_written_one(catalogue):
    """Machines without gettext read the compiled file, so it is kept: `make messages` writes both."""
    assert (LOCALE / "django.mo").exists(), "Run `make messages` and commit both files."
    compiled = {
        (entry.msgctxt, entry.msgid): (entry.msgstr, entry.msgstr_plural)
        for entry in polib.mofile(str(LOCALE / "django.mo"))
    }

    written = {
        (entry.msgctxt, entry.msgid): (entry.msgstr, entry.msgstr_plural)
        for entry in catalogue.translated_entries()
    }
    assert compiled == written


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="reading the sources needs gettext")
def test_every_sentence_of_the_sources_is_in_the_catalogue(catalogue, tmp_path):
    """`make messages` collects what is missing."""
    for name in (*source.OURS, "templates"):
        shutil.copytree(
            BASE_DIR / name,
            tmp_path / name,
            ignore=shutil.ignore_patterns("tests", "testing", "__pycache__", "*.mo"),
        )
    subprocess.run(
        [
            *(sys.executable, "-m", "django", "makemessages", "--locale", "es"),
            *("--no-obsolete", "--no-location", "--no-wrap", "--settings", "retaildelivery.settings_test"),
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        check=True,
        capture_output=True,
    )

    found = polib.pofile(str(tmp_path / LOCALE.relative_to(BASE_DIR) / "django.po"))

    known = {(entry.msgctxt, entry.msgid) for entry in catalogue}
    assert [entry.msgid for entry in found if (entry.msgctxt, entry.msgid) not in known] == []


# Spanish has two ways to say "you": drivers are colleagues, a shop's staff and operations are addressed formally.
DRIVERS = ("drivers/*.html", "offers/driver_*.html", "offers/_driver_*.html", "deliveries/*driver_*.html")
STAFF = ("stores/*.html", "deliveries/store_*.html", "offers/store_*.html", "offers/ops_*.html")
ADDRESSED = {"tú": (DRIVERS, r"usted(es)?"), "usted": (STAFF, r"tú|tus?|ti|te|contigo")}


@pytest.mark.parametrize("form", ADDRESSED)
def test_pages_say_you_in_one_form_to_one_reader(catalogue, form):
    patterns, other_form = ADDRESSED[form]
    pages = [page.read_text() for pattern in patterns for page in (BASE_DIR / "templates").glob(pattern)]
    assert len(pages) > 5
    # As gettext sees it: variables by name, a block's lines joined.
    said = " ".join(re.sub(r"{{ *(\w+)[^}]*}}", r"%(\1)s", " ".join(pages)).split())
    said = said.replace("%} ", "%}").replace(" {%", "{%")

    wrong = [
        entry.msgstr
        for entry in catalogue
        if entry.msgstr
        and re.search(rf"(?i)\b({other_form})\b", entry.msgstr)
        and any(f"{before}{entry.msgid}{after}" in said for before, after in ('""', "''", ("%}", "{%")))
    ]

    assert wrong == []
