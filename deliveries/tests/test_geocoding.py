"""Where a door is: what we know first, then whoever is configured, then a person."""

import dataclasses

import pytest
from geopy.exc import GeocoderTimedOut
from geopy.location import Location

from deliveries import geocoding
from deliveries.models import KnownAddress
from retaildelivery.lib.geo import Point
from retaildelivery.testing.afternoon import good_draft

pytestmark = pytest.mark.django_db

ADDRESS = good_draft().address


class Answering:
    """A geocoder that gives one answer and counts how often it was asked."""

    def __init__(self, answer):
        self.answer, self.asked = answer, []

    def geocode(self, query, exactly_one):
        self.asked.append(query)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def ask(monkeypatch, settings):
    def configure(answer):
        settings.GEOCODER = "nominatim"
        geocoder = Answering(answer)
        monkeypatch.setattr(geocoding, "_geocoder", lambda: geocoder)
        return geocoder

    return configure


def known(key="2212 alta dr|89107"):
    return KnownAddress.objects.create(key=key, latitude="36.2", longitude="-115.2", source="pin")


def test_a_known_door_is_not_asked_about(ask):
    known()
    geocoder = ask(None)

    assert geocoding.locate(ADDRESS) == geocoding.Located(Point(36.2, -115.2), "known")
    assert geocoder.asked == []


@pytest.mark.parametrize("line1", ["2212 ALTA DRIVE", "2212 Alta Dr.", " 2212  alta drive "])
def test_the_same_door_is_known_however_it_is_written(line1):
    known()

    assert geocoding.locate(dataclasses.replace(ADDRESS, line1=line1, postal_code="89107-1234"))


def test_without_a_geocoder_an_unknown_door_waits_for_a_pin():
    assert geocoding.locate(ADDRESS) is None


def test_a_door_that_was_posted_to_is_not_asked_about_again(ask, afternoon):
    geocoder = ask(Location("2212 Alta Drive", (36.16, -115.17), {}))

    first = geocoding.locate(ADDRESS)
    afternoon.place(address=dataclasses.replace(ADDRESS, point=first.point, located_by=first.source))
    second = geocoding.locate(ADDRESS)

    assert first == geocoding.Located(Point(36.16, -115.17), "geocoder")
    assert second == geocoding.Located(Point(36.16, -115.17), "known")
    assert geocoder.asked == ["2212 Alta Drive, Las Vegas, NV 89107, US"]


@pytest.mark.parametrize(
    "answer", [None, GeocoderTimedOut("2 s"), OSError("no route"), ValueError("not JSON")]
)
def test_a_geocoder_that_does_not_answer_costs_no_order(ask, answer):
    ask(answer)

    assert geocoding.locate(ADDRESS) is None


@pytest.mark.parametrize("service", ["nominatim", "photon", "arcgis"])
def test_the_setting_names_a_provider_of_geopy(settings, service):
    settings.GEOCODER = service

    assert geocoding._geocoder().__class__.__name__.lower().startswith(service[:6])
