"""The floor that a pay policy had in two columns of its own becomes a row of PayFloor."""

from typing import Any

from django.db import migrations
from django.db.models import Q


def copy(apps: Any, _schema: Any) -> None:
    policies = apps.get_model("offers", "PayPolicy").objects
    had = policies.filter(Q(floor_hourly_cents__gt=0) | Q(floor_mile_cents__gt=0)).order_by("market", "valid_from")
    for policy in had:
        # Where rows overlapped the newest held, so each ends where the next begins.
        after = policies.filter(market=policy.market, valid_from__gt=policy.valid_from)
        ends = [day for day in (policy.valid_to, *after.values_list("valid_from", flat=True)) if day]
        apps.get_model("offers", "PayFloor").objects.create(
            code=f"{policy.code[:54]}-floor",
            law=f"floor-{policy.market_id}",
            market=policy.market,
            hour_cents=policy.floor_hourly_cents,
            distance_cents=policy.floor_mile_cents,
            valid_from=policy.valid_from,
            valid_to=min(ends, default=None),
        )


class Migration(migrations.Migration):
    dependencies = [("offers", "0014_floors_and_wages")]
    operations = [
        migrations.RunPython(copy, migrations.RunPython.noop),
        migrations.RemoveField(model_name="paypolicy", name="floor_hourly_cents"),
        migrations.RemoveField(model_name="paypolicy", name="floor_mile_cents"),
    ]
