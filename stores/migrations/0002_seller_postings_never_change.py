"""History is added to, never rewritten: PostgreSQL itself refuses to change or delete a row."""

from django.db import migrations

FORWARDS = """
CREATE FUNCTION stores_sellerposting_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'stores_sellerposting is append-only: add a row that corrects, do not % one', lower(TG_OP)
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON stores_sellerposting
    FOR EACH ROW EXECUTE FUNCTION stores_sellerposting_is_append_only();
"""
BACKWARDS = """
DROP TRIGGER append_only ON stores_sellerposting;
DROP FUNCTION stores_sellerposting_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("stores", "0001_initial")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
