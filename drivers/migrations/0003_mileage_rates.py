"""The standard mileage rates for business use of a car, as the Internal Revenue Service set them."""

from django.db import migrations

IRS = [
    # From, until, cents a mile, source.
    ("2024-01-01", "2025-01-01", "67", "IRS Notice 2024-08"),
    ("2025-01-01", "2026-01-01", "70", "IRS Notice 2025-5"),
    ("2026-01-01", None, "72.5", "IRS Notice 2026-10"),
]


def fill(apps, _editor):
    rate = apps.get_model("drivers", "MileageRate")
    rate.objects.bulk_create(
        rate(valid_from=since, valid_to=until, cents_per_mile=cents, source=source)
        for since, until, cents, source in IRS
    )


class Migration(migrations.Migration):
    dependencies = [("drivers", "0002_accounts_are_chains")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
