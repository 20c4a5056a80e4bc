"""History is added to, never rewritten: PostgreSQL itself refuses to change or delete a row."""

from django.db import migrations

FORWARDS = """
CREATE FUNCTION drivers_driverposting_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'drivers_driverposting is append-only: add a row that corrects, do not % one', lower(TG_OP)
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON drivers_driverposting
    FOR EACH ROW EXECUTE FUNCTION drivers_driverposting_is_append_only();
"""
BACKWARDS = """
DROP TRIGGER append_only ON drivers_driverposting;
DROP FUNCTION drivers_driverposting_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("drivers", "0001_initial")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
