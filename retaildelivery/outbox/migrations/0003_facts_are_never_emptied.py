"""What happened cannot be emptied at a stroke either."""

from django.db import migrations

FORWARDS = """
CREATE FUNCTION outbox_fact_is_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('retaildelivery.throwaway', true) = 'on' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'outbox_fact is append-only: it cannot be emptied' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON outbox_fact
    FOR EACH STATEMENT EXECUTE FUNCTION outbox_fact_is_never_emptied();
"""
BACKWARDS = """
DROP TRIGGER never_emptied ON outbox_fact;
DROP FUNCTION outbox_fact_is_never_emptied();
"""


class Migration(migrations.Migration):
    dependencies = [("outbox", "0002_facts_never_change")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
