"""What a seller was charged by a row of prices stays explained by it: a change of prices is a new row, and of one that an
order or a quote names only the end may be set."""

from django.db import migrations

FORWARDS = """
CREATE FUNCTION deliveries_feepolicy_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(NEW) - 'valid_to' IS DISTINCT FROM to_jsonb(OLD) - 'valid_to' AND (
        EXISTS (SELECT FROM deliveries_order WHERE fee_policy_id = OLD.id)
        OR EXISTS (SELECT FROM deliveries_quote WHERE fee_policy_id = OLD.id)
    ) THEN
        RAISE EXCEPTION 'fee policy % was used: end it and add a row', OLD.code
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER kept_once_used BEFORE UPDATE ON deliveries_feepolicy
    FOR EACH ROW EXECUTE FUNCTION deliveries_feepolicy_is_kept();
"""
BACKWARDS = """
DROP TRIGGER kept_once_used ON deliveries_feepolicy;
DROP FUNCTION deliveries_feepolicy_is_kept();
"""


class Migration(migrations.Migration):
    dependencies = [("deliveries", "0004_what_clients_say_aside")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
