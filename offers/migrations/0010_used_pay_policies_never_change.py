"""What a block was priced with stays as it was: a change of pay is a new row, and only the end of a row that was used
may be set, not before the last day it was used for."""

from django.db import migrations

FORWARDS = """
CREATE FUNCTION offers_paypolicy_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM offers_block WHERE policy_id = OLD.id) THEN
        RETURN NEW;
    END IF;
    IF to_jsonb(NEW) - 'valid_to' IS DISTINCT FROM to_jsonb(OLD) - 'valid_to' THEN
        RAISE EXCEPTION 'pay policy % was used: end it and add a row', OLD.code
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF EXISTS (
        SELECT FROM offers_block b
        JOIN stores_mall m ON m.id = b.mall_id
        JOIN stores_market k ON k.id = m.market_id
        WHERE b.policy_id = OLD.id
          AND (lower(b."window") AT TIME ZONE k.time_zone)::date >= NEW.valid_to
    ) THEN
        RAISE EXCEPTION 'pay policy % was used for that day: end it later', OLD.code
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER kept_once_used BEFORE UPDATE ON offers_paypolicy
    FOR EACH ROW EXECUTE FUNCTION offers_paypolicy_is_kept();
"""
BACKWARDS = """
DROP TRIGGER kept_once_used ON offers_paypolicy;
DROP FUNCTION offers_paypolicy_is_kept();
"""


class Migration(migrations.Migration):
    dependencies = [("offers", "0009_wishes")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
