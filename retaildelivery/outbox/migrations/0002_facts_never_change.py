"""History is added to, never rewritten: PostgreSQL itself refuses to change or delete a row. A sandbox may be emptied;
what happened in the live world stays for ever."""

from django.db import migrations

FORWARDS = """
CREATE FUNCTION outbox_fact_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'outbox_fact is append-only: add a row that corrects, do not % one', lower(TG_OP)
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE ON outbox_fact
    FOR EACH ROW EXECUTE FUNCTION outbox_fact_is_append_only();
CREATE TRIGGER append_only_of_live BEFORE DELETE ON outbox_fact
    FOR EACH ROW WHEN (OLD.world = 0) EXECUTE FUNCTION outbox_fact_is_append_only();
"""
BACKWARDS = """
DROP TRIGGER append_only ON outbox_fact;
DROP TRIGGER append_only_of_live ON outbox_fact;
DROP FUNCTION outbox_fact_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("outbox", "0001_initial")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
