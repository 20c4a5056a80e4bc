"""A statement that was issued and a payout that was sent stay what they were: the database refuses to change them. Of a
payout that was sent only what becomes of it is written: what carries it, and that the bank sent it back."""

from django.db import migrations

from retaildelivery.postgres import guards

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
DROP TRIGGER kept_once_sent ON drivers_payout;
DROP FUNCTION drivers_payout_is_kept();
"""


class Migration(migrations.Migration):
    dependencies = [("drivers", "0004_drivers_certify_their_tax_details")]
    operations = [
        guards.append_only("drivers_statement", mend="put it right with a line on the next statement"),
        guards.never_emptied("drivers_statement"),
        migrations.RunSQL(PAYOUTS, BACKWARDS),
        guards.never_emptied("drivers_payout"),
    ]
