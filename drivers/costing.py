"""What driving costs a driver: read with the tax office's rates in one query, and kept."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import JSONObject
from django.utils.translation import gettext as _

from drivers import limits
from drivers.models import CostProfile, Driver, MileageRate
from retaildelivery.lib.geo import Point, road_m
from retaildelivery.prepared import call_of

# The rate of 2026, for as long as nobody has put a row there.
LAST_KNOWN = Decimal("72.5")


@dataclass(frozen=True, slots=True)
class IrsRate:
    """A rate of the tax office, in cents a mile, from a day on."""

    valid_from: dt.date
    cents: Decimal


@dataclass(frozen=True, slots=True)
class Costs:
    """A driver's profile with the rates of the tax office, newest first."""

    profile: CostProfile
    rates: tuple[IrsRate, ...]

    def irs(self, day: dt.date) -> Decimal:
        """The rate of that day. Until a year's own is announced the one before goes on."""
        oldest = self.rates[-1].cents if self.rates else LAST_KNOWN
        return next((rate.cents for rate in self.rates if rate.valid_from <= day), oldest)

    def cents_a_mile(self, day: dt.date) -> Decimal:
        return self.profile.cents_a_mile(self.irs(day))

    def way_m(self, mall: Point) -> int | None:
        """From home to the mall and back, in metres by the estimate of roads; None where no home is known."""
        home = self.profile.home
        return None if home is None else 2 * road_m(home, mall)


def with_costs(drivers: QuerySet[Driver]) -> QuerySet[Driver]:
    """These drivers with all that `of` reads of them."""
    rates = MileageRate.objects.order_by("-valid_from").values(
        row=JSONObject(valid_from="valid_from", cents="cents_per_mile")
    )
    return drivers.select_related("cost_profile").annotate(rates=ArraySubquery(rates))


# What `read` takes, as one value of a statement that knows the driver's key as %(driver)s.
AS_TEXT = """json_build_object(
    'profile', (SELECT to_json(p) FROM drivers_costprofile p WHERE p.driver_id = %(driver)s),
    'rates', (SELECT coalesce(json_agg(json_build_object('valid_from', valid_from, 'cents', cents_per_mile)
                                       ORDER BY valid_from DESC), '[]') FROM drivers_mileagerate)
)::text"""


def of(driver: Driver) -> Costs:
    """One query, none for a driver read by `with_costs`. Who has set nothing reckons with the tax office's rate."""
    if hasattr(driver, "rates"):
        return Costs(
            getattr(driver, "cost_profile", None) or CostProfile(driver=driver), _rates(driver.rates)
        )
    with connection.cursor() as cursor:
        cursor.execute(call_of(f"SELECT {AS_TEXT}"), {"driver": driver.pk})
        return read(driver.pk, cursor.fetchone()[0])


def read(driver_id: int, text: str) -> Costs:
    """The costs of this driver from what the database gives for `AS_TEXT`."""
    row = json.loads(text, parse_float=Decimal)
    given = row["profile"] or {"driver_id": driver_id}
    fields = [field for field in CostProfile._meta.concrete_fields if field.attname in given]
    profile = CostProfile(**{field.attname: field.to_python(given[field.attname]) for field in fields})
    return Costs(profile, _rates(row["rates"]))


def _rates(rows: list[dict[str, Any]]) -> tuple[IrsRate, ...]:
    return tuple(
        IrsRate(dt.date.fromisoformat(row["valid_from"]), Decimal(str(row["cents"]))) for row in rows
    )


def keep(*, driver: Driver, at: dt.datetime, home: Point | None, **given: Any) -> CostProfile:
    """Set all of it anew, inside the caller's transaction. Of the home nothing finer is kept than about 100 m."""
    assert connection.in_atomic_block, "The driver's feed is told in the same transaction."
    place = home.rounded(limits.HOME_PLACES) if home else None
    made, _new = CostProfile.objects.update_or_create(
        driver=driver,
        defaults={
            **given,
            "home_latitude": Decimal(str(place.lat)) if place else None,
            "home_longitude": Decimal(str(place.lng)) if place else None,
            "changed_at": at,
        },
    )
    return made


def faults(given: dict[str, Any]) -> dict[str, str]:
    """What is missing for the chosen basis, by field, each with how to mend it."""
    found: dict[str, str] = {}
    if given.get("basis") == CostProfile.Basis.FLAT and given.get("cents_per_mile") is None:
        found["cents_per_mile"] = _("Say what a mile costs you in cents, or choose the rate of the IRS.")
    if given.get("basis") == CostProfile.Basis.CAR:
        if not given.get("use"):
            found["use"] = _("Say what your car uses, above zero, such as 32 miles per gallon.")
        if not given.get("unit"):
            found["unit"] = _("Choose what the figure of your car counts, such as miles per gallon.")
        if given.get("price_cents") is None:
            found["price_cents"] = _("Say what you pay in cents, such as 349.9 for a gallon or 16 for a kWh.")
    return found
