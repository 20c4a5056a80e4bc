"""Lines of accounts are added to, never rewritten, and each account is a chain: every line carries its number and a hash
over itself and the line before. PostgreSQL makes them, so that there is no way to add a line beside the chain."""

from django.db import migrations

from retaildelivery.postgres import guards

DIGEST = """
CREATE FUNCTION drivers_driverposting_digest(line drivers_driverposting) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT encode(sha256(convert_to(json_build_array(
        line.previous, line.sequence, line.key, line.kind, line.cents, line.text, line.rule, line.subject,
        to_char(line.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        coalesce((SELECT json_agg(json_build_array(name, value) ORDER BY name COLLATE "C")
            FROM jsonb_each_text(line.params) AS given(name, value)), '[]')
    )::text, 'UTF8')), 'hex')
$$;
"""
# The account's row is the last lock of a transaction: whoever adds a line waits for the line before. A row, not
# an advisory lock, since a batch of payouts takes twenty thousand of them.
CHAIN = """
CREATE FUNCTION drivers_driverposting_joins_the_chain() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    owner text;
BEGIN
    PERFORM 1 FROM drivers_driveraccount WHERE driver_id = NEW.driver_id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        INSERT INTO drivers_driveraccount (driver_id) VALUES (NEW.driver_id) ON CONFLICT DO NOTHING;
        PERFORM 1 FROM drivers_driveraccount WHERE driver_id = NEW.driver_id FOR NO KEY UPDATE;
    END IF;
    SELECT sequence + 1, digest INTO NEW.sequence, NEW.previous FROM drivers_driverposting
        WHERE driver_id = NEW.driver_id ORDER BY sequence DESC LIMIT 1;
    IF NOT FOUND THEN
        SELECT code INTO owner FROM drivers_driver WHERE id = NEW.driver_id;
        NEW.sequence := 1;
        NEW.previous := encode(sha256(convert_to('driver:' || coalesce(owner, ''), 'UTF8')), 'hex');
    END IF;
    NEW.digest := drivers_driverposting_digest(NEW);
    RETURN NEW;
END $$;
CREATE TRIGGER joins_the_chain BEFORE INSERT ON drivers_driverposting
    FOR EACH ROW EXECUTE FUNCTION drivers_driverposting_joins_the_chain();
"""
FORWARDS = DIGEST + CHAIN
BACKWARDS = """
DROP TRIGGER joins_the_chain ON drivers_driverposting;
DROP FUNCTION drivers_driverposting_joins_the_chain();
DROP FUNCTION drivers_driverposting_digest(drivers_driverposting);
"""


class Migration(migrations.Migration):
    dependencies = [("drivers", "0001_initial")]
    operations = [
        guards.append_only("drivers_driverposting"),
        migrations.RunSQL(FORWARDS, BACKWARDS),
        guards.never_emptied("drivers_driverposting"),
    ]
