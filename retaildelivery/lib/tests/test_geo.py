import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retaildelivery.lib import geo
from retaildelivery.lib.geo import Point

points = st.builds(Point, st.floats(-90, 90), st.floats(-180, 180))

FASHION_SHOW = Point(36.1277, -115.1723)
TYSONS_CORNER = Point(38.9170, -77.2223)


def test_a_degree_of_latitude_is_111_km():
    assert geo.crow_m(Point(0, 0), Point(1, 0)) == 111195


def test_las_vegas_to_tysons_corner():
    assert geo.crow_m(FASHION_SHOW, TYSONS_CORNER) == pytest.approx(3_340_000, rel=0.01)


def test_across_the_date_line_is_next_door():
    assert geo.crow_m(Point(0, 179.999), Point(0, -179.999)) == 222


def test_half_way_round_does_not_leave_the_domain_of_the_arc_sine():
    assert geo.crow_m(Point(0, 0), Point(0, 180)) == round(math.pi * 6371008.8)


def test_the_road_is_longer_than_the_flight():
    assert geo.road_m(Point(0, 0), Point(1, 0)) == 155673


@given(points, points)
def test_distance_is_symmetric_and_never_negative(a, b):
    assert geo.crow_m(a, b) == geo.crow_m(b, a)
    assert geo.crow_m(a, b) >= 0
    assert geo.crow_m(a, a) == 0


def test_the_edge_of_a_geofence_is_inside():
    north = Point(1, 0)

    assert geo.within(Point(0, 0), 1000 * geo.crow_km(Point(0, 0), north), north)
    assert not geo.within(Point(0, 0), 111_194, north)


@pytest.mark.parametrize("lat_lng", [(90.1, 0), (0, 180.5), (math.nan, 0), (0, math.inf)])
def test_a_place_off_the_earth_is_refused(lat_lng):
    with pytest.raises(ValueError, match="is not between"):
        Point(*lat_lng)


def test_doors_a_metre_apart_are_told_apart_and_closer_ones_are_not():
    assert Point(36.123456, -115.1).rounded() == Point(36.12346, -115.1)
