"""What was paid by a rule stays explained by it: a change of pay is a new row, and only the end of a row that was used may
be set, not before the last day it was used for."""

from django.db import migrations

POLICIES = """
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
FLOORS_AND_WAGES = """
CREATE FUNCTION offers_payfloor_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM offers_floorfinding WHERE rows @> ARRAY[OLD.id]) THEN
        RETURN coalesce(NEW, OLD);
    END IF;
    IF TG_OP = 'DELETE' OR to_jsonb(NEW) - 'valid_to' IS DISTINCT FROM to_jsonb(OLD) - 'valid_to' THEN
        RAISE EXCEPTION 'pay floor % was used: end it and add a row', OLD.code
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.valid_to < coalesce(OLD.valid_to, 'infinity') AND EXISTS (
        SELECT FROM offers_floorfinding WHERE rows @> ARRAY[OLD.id] AND last_on >= NEW.valid_to
    ) THEN
        RAISE EXCEPTION 'pay floor % was used for that day: end it later', OLD.code
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER kept_once_used BEFORE UPDATE OR DELETE ON offers_payfloor
    FOR EACH ROW EXECUTE FUNCTION offers_payfloor_is_kept();
CREATE FUNCTION offers_wage_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM offers_floorfinding WHERE wages @> ARRAY[OLD.id])
        AND (TG_OP = 'DELETE' OR to_jsonb(NEW) IS DISTINCT FROM to_jsonb(OLD)) THEN
        RAISE EXCEPTION 'wage % was used: add a row', OLD.code USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER kept_once_used BEFORE UPDATE OR DELETE ON offers_wage
    FOR EACH ROW EXECUTE FUNCTION offers_wage_is_kept();
"""
MISSIONS = """
CREATE FUNCTION offers_mission_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (TG_OP = 'DELETE' OR to_jsonb(NEW) - 'valid_to' IS DISTINCT FROM to_jsonb(OLD) - 'valid_to')
        AND EXISTS (SELECT FROM drivers_driverposting WHERE starts_with(key, 'mission:' || OLD.code || ':')) THEN
        RAISE EXCEPTION 'mission % was paid: end it and add a row', OLD.code USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER kept_once_used BEFORE UPDATE OR DELETE ON offers_mission
    FOR EACH ROW EXECUTE FUNCTION offers_mission_is_kept();
"""
BACKWARDS = """
DROP TRIGGER kept_once_used ON offers_mission;
DROP FUNCTION offers_mission_is_kept();
DROP TRIGGER kept_once_used ON offers_wage;
DROP FUNCTION offers_wage_is_kept();
DROP TRIGGER kept_once_used ON offers_payfloor;
DROP FUNCTION offers_payfloor_is_kept();
DROP TRIGGER kept_once_used ON offers_paypolicy;
DROP FUNCTION offers_paypolicy_is_kept();
"""
FORWARDS = POLICIES + FLOORS_AND_WAGES + MISSIONS


class Migration(migrations.Migration):
    dependencies = [("offers", "0001_initial"), ("drivers", "0002_accounts_are_chains")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
