"""A statement that was issued and a payout that was sent stay what they were: the database refuses to change them. Of a
payout that was sent only what becomes of it is written: what carries it, and that the bank sent it back."""

from django.db import migrations

# A runner of tests empties tables between them and says so in its connection; nobody else may.
NEVER_EMPTIED = """
CREATE FUNCTION {table}_is_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('retaildelivery.throwaway', true) = 'on' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '{table} is append-only: it cannot be emptied' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION {table}_is_never_emptied();
"""
STATEMENTS = """
CREATE FUNCTION drivers_statement_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'drivers_statement is append-only: put it right with a line on the next statement' USING
        ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON drivers_statement
    FOR EACH ROW EXECUTE FUNCTION drivers_statement_is_append_only();
"""
PAYOUTS = """
CREATE FUNCTION drivers_payout_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.status IN ('sent', 'returned') THEN
            RAISE EXCEPTION 'payout % of batch % was sent: it is kept', OLD.number, OLD.batch_id
                USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN OLD;
    END IF;
    IF (NEW.batch_id, NEW.number, NEW.driver_id, NEW.account_id, NEW.cents)
        IS DISTINCT FROM (OLD.batch_id, OLD.number, OLD.driver_id, OLD.account_id, OLD.cents)
        AND OLD.status IN ('sent', 'returned') THEN
        RAISE EXCEPTION 'payout % of batch % was sent: whom and what it paid is kept', OLD.number, OLD.batch_id
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (
        ('waiting', 'sent'), ('waiting', 'dropped'), ('sent', 'returned')
    ) THEN
        RAISE EXCEPTION 'payout % of batch % goes from % to nothing but what comes after it', OLD.number,
            OLD.batch_id, OLD.status USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER kept_once_sent BEFORE UPDATE OR DELETE ON drivers_payout
    FOR EACH ROW EXECUTE FUNCTION drivers_payout_is_kept();
"""
BACKWARDS = """
DROP TRIGGER never_emptied ON drivers_payout;
DROP FUNCTION drivers_payout_is_never_emptied();
DROP TRIGGER kept_once_sent ON drivers_payout;
DROP FUNCTION drivers_payout_is_kept();
DROP TRIGGER never_emptied ON drivers_statement;
DROP FUNCTION drivers_statement_is_never_emptied();
DROP TRIGGER append_only ON drivers_statement;
DROP FUNCTION drivers_statement_is_append_only();
"""
FORWARDS = (
    STATEMENTS
    + NEVER_EMPTIED.format(table="drivers_statement")
    + PAYOUTS
    + NEVER_EMPTIED.format(table="drivers_payout")
)


class Migration(migrations.Migration):
    dependencies = [("drivers", "0004_drivers_certify_their_tax_details")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
