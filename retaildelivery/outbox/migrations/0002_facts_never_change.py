"""History is added to, never rewritten: PostgreSQL itself refuses to change or delete a row, or to empty the table at a
stroke. A sandbox may be emptied; what happened in the live world stays for ever."""

from django.db import migrations

from retaildelivery.postgres import guards


class Migration(migrations.Migration):
    dependencies = [("outbox", "0001_initial")]
    operations = [
        guards.append_only("outbox_fact", events="UPDATE"),
        guards.append_only("outbox_fact", events="DELETE", when="OLD.world = 0", name="append_only_of_live"),
        guards.never_emptied("outbox_fact"),
    ]
