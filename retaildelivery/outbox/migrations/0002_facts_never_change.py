"""History is added to, never rewritten: PostgreSQL itself refuses to change or delete a row."""

from django.db import migrations

FORWARDS = """
CREATE FUNCTION outbox_fact_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'outbox_fact is append-only: add a row that corrects, do not % one', lower(TG_OP)
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON outbox_fact
    FOR EACH ROW EXECUTE FUNCTION outbox_fact_is_append_only();
"""
BACKWARDS = """
DROP TRIGGER append_only ON outbox_fact;
DROP FUNCTION outbox_fact_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("outbox", "0001_initial")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
