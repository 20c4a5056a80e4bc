"""How values look on a page."""

import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.template import engines
from django.test import RequestFactory
from django.utils import translation

from retaildelivery.web import navigation, words
from retaildelivery.web.templatetags import ui

NOON = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
VEGAS = "America/Los_Angeles"


def shown(source, **context):
    return engines["django"].from_string("{% load ui %}" + source).render(context)


@pytest.mark.parametrize(
    ("cents", "text"), [(1850, "$18.50"), (0, "$0.00"), (-5, "−$0.05"), (123456, "$1,234.56"), (None, "–")]
)
def test_money_is_written_with_its_sign_and_both_digits(cents, text):
    assert ui.money(cents) == text


def test_a_gain_has_a_plus_and_nothing_has_none():
    assert [ui.money_signed(c) for c in (200, -200, 0)] == ["+$2.00", "−$2.00", "$0.00"]


def test_a_figure_is_read_out_as_one_amount():
    assert shown("{% figure 7250 note='a day' %}") == (
        '<span class="figure"><b><span aria-hidden="true">$72<small>.50</small></span>'
        '<span class="sr-only">$72.50</span></b><span>a day</span></span>'
    )


@pytest.mark.parametrize(("metres", "text"), [(5150, "3.2 mi"), (0, "0.0 mi"), (200_000, "124 mi")])
def test_metres_are_shown_as_miles(metres, text):
    assert ui.miles(metres) == text


def test_grams_are_shown_as_pounds():
    assert ui.pounds(2000) == "4.4 lb"


def test_codes_are_grouped_as_people_read_them():
    assert ui.spaced("K7QX92MD") == "K7QX 92MD"


def test_times_are_told_in_the_zone_of_the_mall():
    assert (ui.clock(NOON, VEGAS), ui.clock(NOON, "America/New_York")) == ("12:00 PM", "3:00 PM")
    assert ui.moment(NOON, VEGAS) == "Mon, Nov 23, 12:00 PM"


@pytest.mark.parametrize(
    ("hours", "text"), [(2, "12:00–2:00 PM"), (13, "12:00 PM–1:00 AM"), (-1, "11:00 AM–12:00 PM")]
)
def test_a_window_says_the_half_of_the_day_once_when_both_ends_share_it(hours, text):
    start, end = sorted((NOON, NOON + timedelta(hours=hours)))

    assert ui.window(SimpleNamespace(start=start, end=end), VEGAS) == text
    assert ui.window(SimpleNamespace(lower=start, upper=end), VEGAS) == text


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(hours=2, minutes=15), "2 h 15 min"),
        (timedelta(hours=3), "3 h"),
        (timedelta(seconds=42), "42 s"),
        (timedelta(minutes=-7), "−7 min"),
    ],
)
def test_durations_are_hours_and_minutes(span, text):
    assert ui.duration(span) == text


def test_every_status_of_every_noun_has_a_word_and_a_drawn_icon(settings):
    statuses = {
        value
        for model in apps.get_models()
        if model.__module__.split(".")[0] in {"stores", "drivers", "deliveries", "offers", "retaildelivery"}
        for field in model._meta.fields
        if field.name == "status" and field.choices
        for value, _label in field.choices
    }
    sprite = (settings.BASE_DIR / "static" / "icons.svg").read_text()

    assert statuses - set(words.WORDS) == set()
    assert [w.icon for w in words.WORDS.values() if f'id="{w.icon}"' not in sprite] == []


def test_a_badge_carries_the_word_and_not_only_a_colour():
    badge = shown("{% status 'en_route' %}")

    assert 'class="badge is-info" data-status="en_route"' in badge
    assert "<span>on its way</span>" in badge


def test_a_status_nobody_named_is_shown_as_it_is_and_escaped():
    assert "<span>&lt;b&gt;odd one</span>" in shown("{% status s %}", s="<b>odd_one")


def test_an_icon_alone_has_a_name_and_a_decoration_has_none():
    assert 'role="img" aria-label="Parcel"' in shown("{% icon 'box' label='Parcel' %}")
    assert 'aria-hidden="true"' in shown("{% icon 'box' %}")


def test_the_settings_in_the_page_cannot_close_their_element():
    with translation.override("en"):
        body = str(ui.script_settings())

    assert body.count("</script>") == 1


def test_the_place_with_the_longest_path_is_the_current_one():
    places = {
        path: [link.key for link in navigation.links("store", path=path) if link.current]
        for path in ("/store/", "/store/orders/", "/store/orders/K7QX92MD/", "/store/orders/new/")
    }

    assert places == {
        "/store/": ["home"],
        "/store/orders/": ["orders"],
        "/store/orders/K7QX92MD/": ["orders"],
        "/store/orders/new/": ["new"],
    }


@pytest.mark.parametrize("path", ["/ops/disputes/", "/ops/waits/SQ7/34/", "/ops/money/", "/ops/tax/"])
def test_pages_of_pay_belong_to_the_disputes(path):
    nav = shown('{% nav "ops" %}', request=RequestFactory().get(path))

    assert re.findall(r'href="([^"]+)" aria-current="page"', nav) == ["/ops/disputes/"]


@pytest.mark.parametrize(
    ("door", "path", "place"),
    [
        ("drive", "/drive/badge/", "/drive/block/"),
        ("drive", "/drive/hand-overs/H7K2M/", "/drive/offers/"),
        ("drive", "/drive/stand-by/", "/drive/offers/"),
        ("ops", "/ops/drivers/", "/ops/refusals/"),
        ("store", "/store/promises/", "/store/orders/"),
        ("store", "/store/stores/SQ7/drivers/", "/store/settings/"),
    ],
)
def test_a_page_outside_of_every_place_belongs_to_one(door, path, place):
    nav = shown(f'{{% nav "{door}" %}}', request=RequestFactory().get(path))

    assert re.findall(r'href="([^"]+)" aria-current="page"', nav) == [place]


@pytest.mark.parametrize(
    ("days", "said"), [(0, "2:00–4:00 PM"), (1, "Tue 24, 2:00–4:00 PM"), (-1, "Sun 22, 2:00–4:00 PM")]
)
def test_a_window_of_another_day_says_which(time_machine, days, said):
    # In Las Vegas it is still Monday.
    time_machine.move_to(datetime(2026, 11, 24, 7, 30, tzinfo=UTC), tick=False)
    start = datetime(2026, 11, 23, 22, tzinfo=UTC) + timedelta(days=days)

    assert ui.dated_window(SimpleNamespace(start=start, end=start + timedelta(hours=2)), VEGAS) == said


def test_spanish_numbers_and_times_read_like_its_prices():
    with translation.override("es"):
        assert shown("{{ n|floatformat:1 }}", n=6.04) == "6.0"
        assert shown("{{ n|floatformat:'0g' }}", n=12345) == "12,345"
        assert shown("{{ at|date:'DATETIME_FORMAT' }}", at=NOON) == "23 de noviembre de 2026, 8:00 PM"
        assert ui.day(NOON, VEGAS) == "lun, 23 nov"
