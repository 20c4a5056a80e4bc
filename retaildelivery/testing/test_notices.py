"""Every notice, as it reads to somebody of whom no name is on file, in both languages."""

from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import render_to_string

FOLDER = Path(settings.BASE_DIR) / "templates" / "notices"
NOTICES = sorted(path.relative_to(FOLDER.parent).as_posix() for path in FOLDER.glob("*/*.txt"))
GREETINGS = {"en": ("Hello,", "Hello Ada,"), "es": ("Hola:", "Hola, Ada:")}


def test_each_language_has_every_notice():
    names = {language: {path.name for path in (FOLDER / language).glob("*.txt")} for language in GREETINGS}

    assert len(NOTICES) > 30
    assert names["en"] == names["es"]


@pytest.mark.parametrize("template", NOTICES)
def test_a_notice_greets_with_and_without_a_name(template):
    for name, greeting in zip(("", "Ada"), GREETINGS[template.split("/")[1]], strict=True):
        text = render_to_string(template, {"name": name, "driver": "", "store": "Loomstead"})
        assert text.strip().split("\n")[2] == greeting


@pytest.mark.parametrize(
    "template", [each for each in NOTICES if "{{ driver" in (FOLDER.parent / each).read_text()]
)
def test_who_waits_for_a_driver_without_a_name_reads_whom_they_wait_for(template):
    """Drivers and staff are told the code in its place: `Driver.called`."""
    called = {"en": "Your driver", "es": "Su repartidor"}[template.split("/")[1]]
    text = render_to_string(template, {"name": "Rosa", "driver": "", "store": "Loomstead"})

    assert (called in text) is ("/order_" in template)
