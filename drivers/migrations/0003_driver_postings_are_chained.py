"""Each account is a chain: every line carries its number and a hash over itself and the line before. PostgreSQL
makes them, so that there is no way to add a line beside the chain."""

import django.db.models.deletion
from django.db import migrations, models

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
EXISTING = """
ALTER TABLE drivers_driverposting DISABLE TRIGGER append_only;
DO $$
DECLARE
    line drivers_driverposting;
    before drivers_driverposting;
BEGIN
    FOR line IN SELECT * FROM drivers_driverposting ORDER BY driver_id, id LOOP
        IF before.driver_id IS DISTINCT FROM line.driver_id THEN
            line.sequence := 1;
            line.previous := (SELECT encode(sha256(convert_to('driver:' || code, 'UTF8')), 'hex')
                FROM drivers_driver WHERE id = line.driver_id);
        ELSE
            line.sequence := before.sequence + 1;
            line.previous := before.digest;
        END IF;
        line.digest := drivers_driverposting_digest(line);
        UPDATE drivers_driverposting SET sequence = line.sequence, previous = line.previous, digest = line.digest
            WHERE id = line.id;
        before := line;
    END LOOP;
END $$;
ALTER TABLE drivers_driverposting ENABLE TRIGGER append_only;
"""
# A runner of tests empties tables between them and says so in its connection; nobody else may.
NEVER_EMPTIED = """
CREATE FUNCTION drivers_driverposting_is_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('retaildelivery.throwaway', true) = 'on' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'drivers_driverposting is append-only: it cannot be emptied' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON drivers_driverposting
    FOR EACH STATEMENT EXECUTE FUNCTION drivers_driverposting_is_never_emptied();
"""
FORWARDS = DIGEST + EXISTING + CHAIN + NEVER_EMPTIED
BACKWARDS = """
DROP TRIGGER never_emptied ON drivers_driverposting;
DROP TRIGGER joins_the_chain ON drivers_driverposting;
DROP FUNCTION drivers_driverposting_is_never_emptied();
DROP FUNCTION drivers_driverposting_joins_the_chain();
DROP FUNCTION drivers_driverposting_digest(drivers_driverposting);
"""


class Migration(migrations.Migration):
    dependencies = [("drivers", "0002_driver_postings_never_change")]
    operations = [
        migrations.CreateModel(
            name="DriverAccount",
            fields=[
                (
                    "driver",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="drivers.driver",
                    ),
                ),
            ],
            options={"verbose_name": "driver's account", "verbose_name_plural": "drivers' accounts"},
        ),
        migrations.AddField(
            model_name="driverposting",
            name="params",
            field=models.JSONField(
                blank=True,
                db_default={},
                default=dict,
                help_text="What the amount was computed from: words and numbers as text.",
            ),
        ),
        migrations.AddField(
            model_name="driverposting",
            name="sequence",
            field=models.PositiveIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddField(
            model_name="driverposting",
            name="previous",
            field=models.CharField(db_default="", default="", editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name="driverposting",
            name="digest",
            field=models.CharField(db_default="", default="", editable=False, max_length=64),
        ),
        migrations.RunSQL(FORWARDS, BACKWARDS),
        migrations.AddConstraint(
            model_name="driverposting",
            constraint=models.UniqueConstraint(
                fields=("driver", "sequence"), name="one_line_of_a_driver_per_number"
            ),
        ),
    ]
