"""Lines of accounts are added to, never rewritten, and each account is a chain: every line carries its number and a hash
over itself and the line before. PostgreSQL makes them, so that there is no way to add a line beside the chain.
Invoices stay as they were made."""

from django.db import migrations

from retaildelivery.postgres import guards

DIGEST = """
CREATE FUNCTION stores_sellerposting_digest(line stores_sellerposting) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT encode(sha256(convert_to(json_build_array(
        line.previous, line.sequence, line.key, line.kind, line.cents, line.text, line.rule, line.subject,
        to_char(line.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        coalesce((SELECT json_agg(json_build_array(name, value) ORDER BY name COLLATE "C")
            FROM jsonb_each_text(line.params) AS given(name, value)), '[]'),
        coalesce((SELECT code FROM stores_store WHERE id = line.store_id),
            (SELECT code FROM stores_market WHERE id = line.market_id), '')
    )::text, 'UTF8')), 'hex')
$$;
"""
# The account's row is the last lock of a transaction: whoever adds a line waits for the line before.
CHAIN = """
CREATE FUNCTION stores_sellerposting_joins_the_chain() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    owner text;
BEGIN
    PERFORM 1 FROM stores_selleraccount WHERE seller_id = NEW.seller_id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        INSERT INTO stores_selleraccount (seller_id) VALUES (NEW.seller_id) ON CONFLICT DO NOTHING;
        PERFORM 1 FROM stores_selleraccount WHERE seller_id = NEW.seller_id FOR NO KEY UPDATE;
    END IF;
    SELECT sequence + 1, digest INTO NEW.sequence, NEW.previous FROM stores_sellerposting
        WHERE seller_id = NEW.seller_id ORDER BY sequence DESC LIMIT 1;
    IF NOT FOUND THEN
        SELECT code INTO owner FROM stores_seller WHERE id = NEW.seller_id;
        NEW.sequence := 1;
        NEW.previous := encode(sha256(convert_to('seller:' || coalesce(owner, ''), 'UTF8')), 'hex');
    END IF;
    NEW.digest := stores_sellerposting_digest(NEW);
    RETURN NEW;
END $$;
CREATE TRIGGER joins_the_chain BEFORE INSERT ON stores_sellerposting
    FOR EACH ROW EXECUTE FUNCTION stores_sellerposting_joins_the_chain();
"""
FORWARDS = DIGEST + CHAIN
BACKWARDS = """
DROP TRIGGER joins_the_chain ON stores_sellerposting;
DROP FUNCTION stores_sellerposting_joins_the_chain();
DROP FUNCTION stores_sellerposting_digest(stores_sellerposting);
"""
NEXT = "put it right with a line on the next invoice"


class Migration(migrations.Migration):
    dependencies = [("stores", "0001_initial")]
    operations = [
        guards.append_only("stores_sellerposting"),
        migrations.RunSQL(FORWARDS, BACKWARDS),
        guards.never_emptied("stores_sellerposting"),
        guards.append_only("stores_invoice", mend=NEXT),
        guards.never_emptied("stores_invoice"),
        guards.append_only("stores_invoiceline", mend=NEXT),
        guards.never_emptied("stores_invoiceline"),
    ]
