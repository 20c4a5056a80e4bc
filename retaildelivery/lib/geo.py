"""Places on the earth and the distances between them. Metres are whole; degrees are WGS 84."""

import math
from dataclasses import dataclass

# Mean earth radius 6371.0088 km (IUGG), doubled.
EARTH_DIAMETER_KM = 12742.0176
# Metres driven for a metre flown, as fitted on road tables of American suburbs (1.37 to 1.44).
ROAD_FACTOR = 1.4
METRES_A_MILE = 1609.344


@dataclass(frozen=True, slots=True)
class Point:
    """A place in decimal degrees. Raises ValueError outside -90..90 and -180..180 and for nan."""

    lat: float
    lng: float

    def __post_init__(self) -> None:
        # Written so that nan, for which every comparison is false, is refused as well.
        if not -90 <= self.lat <= 90:
            raise ValueError(f"latitude {self.lat} is not between -90 and 90")
        if not -180 <= self.lng <= 180:
            raise ValueError(f"longitude {self.lng} is not between -180 and 180")

    def rounded(self, places: int = 5) -> "Point":
        """The same place to about a metre (5 decimals), for caches and for telling doors apart."""
        return Point(round(self.lat, places), round(self.lng, places))


def crow_km(a: Point, b: Point) -> float:
    """Great-circle kilometres (haversine), not rounded. Right across the date line and at the poles."""
    lat_a, lat_b = math.radians(a.lat), math.radians(b.lat)
    h = (
        math.sin((lat_b - lat_a) / 2) ** 2
        + math.cos(lat_a) * math.cos(lat_b) * math.sin(math.radians(b.lng - a.lng) / 2) ** 2
    )
    return EARTH_DIAMETER_KM * math.asin(math.sqrt(min(1.0, h)))


def crow_m(a: Point, b: Point) -> int:
    """Great-circle metres, rounded."""
    return round(1000 * crow_km(a, b))


def road_m(a: Point, b: Point) -> int:
    """Metres a car would drive, estimated: the great circle times ROAD_FACTOR, rounded."""
    return round(1000 * ROAD_FACTOR * crow_km(a, b))


def within(centre: Point, radius_m: float, point: Point) -> bool:
    """Whether `point` lies in the circle (a geofence); the edge counts as inside."""
    return 1000 * crow_km(centre, point) <= radius_m


def miles(metres: float) -> float:
    """Statute miles, for showing."""
    return metres / METRES_A_MILE
