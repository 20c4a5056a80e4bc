"""Each account is a chain: every line carries its number and a hash over itself and the line before. PostgreSQL
makes them, so that there is no way to add a line beside the chain."""

import django.db.models.deletion
from django.db import migrations, models

DIGEST = """
CREATE FUNCTION stores_sellerposting_digest(line stores_sellerposting) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT encode(sha256(convert_to(json_build_array(
        line.previous, line.sequence, line.key, line.kind, line.cents, line.text, line.rule, line.subject,
        to_char(line.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        coalesce((SELECT json_agg(json_build_array(name, value) ORDER BY name COLLATE "C")
            FROM jsonb_each_text(line.params) AS given(name, value)), '[]'), coalesce((SELECT code FROM stores_store WHERE id = line.store_id), '')
    )::text, 'UTF8')), 'hex')
$$;
"""
# The account's row is the last lock of a transaction: whoever adds a line waits for the line before. A row, not
# an advisory lock, since a batch of payouts takes twenty thousand of them.
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
EXISTING = """
ALTER TABLE stores_sellerposting DISABLE TRIGGER append_only;
DO $$
DECLARE
    line stores_sellerposting;
    before stores_sellerposting;
BEGIN
    FOR line IN SELECT * FROM stores_sellerposting ORDER BY seller_id, id LOOP
        IF before.seller_id IS DISTINCT FROM line.seller_id THEN
            line.sequence := 1;
            line.previous := (SELECT encode(sha256(convert_to('seller:' || code, 'UTF8')), 'hex')
                FROM stores_seller WHERE id = line.seller_id);
        ELSE
            line.sequence := before.sequence + 1;
            line.previous := before.digest;
        END IF;
        line.digest := stores_sellerposting_digest(line);
        UPDATE stores_sellerposting SET sequence = line.sequence, previous = line.previous, digest = line.digest
            WHERE id = line.id;
        before := line;
    END LOOP;
END $$;
ALTER TABLE stores_sellerposting ENABLE TRIGGER append_only;
"""
# A runner of tests empties tables between them and says so in its connection; nobody else may.
NEVER_EMPTIED = """
CREATE FUNCTION stores_sellerposting_is_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('retaildelivery.throwaway', true) = 'on' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'stores_sellerposting is append-only: it cannot be emptied' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON stores_sellerposting
    FOR EACH STATEMENT EXECUTE FUNCTION stores_sellerposting_is_never_emptied();
"""
FORWARDS = DIGEST + EXISTING + CHAIN + NEVER_EMPTIED
BACKWARDS = """
DROP TRIGGER never_emptied ON stores_sellerposting;
DROP TRIGGER joins_the_chain ON stores_sellerposting;
DROP FUNCTION stores_sellerposting_is_never_emptied();
DROP FUNCTION stores_sellerposting_joins_the_chain();
DROP FUNCTION stores_sellerposting_digest(stores_sellerposting);
"""


class Migration(migrations.Migration):
    dependencies = [("stores", "0003_webhook_endpoint_verified")]
    operations = [
        migrations.CreateModel(
            name="SellerAccount",
            fields=[
                (
                    "seller",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="stores.seller",
                    ),
                ),
            ],
            options={"verbose_name": "seller's account", "verbose_name_plural": "sellers' accounts"},
        ),
        migrations.AddField(
            model_name="sellerposting",
            name="params",
            field=models.JSONField(
                blank=True,
                db_default={},
                default=dict,
                help_text="What the amount was computed from: words and numbers as text.",
            ),
        ),
        migrations.AddField(
            model_name="sellerposting",
            name="sequence",
            field=models.PositiveIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddField(
            model_name="sellerposting",
            name="previous",
            field=models.CharField(db_default="", default="", editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name="sellerposting",
            name="digest",
            field=models.CharField(db_default="", default="", editable=False, max_length=64),
        ),
        migrations.RunSQL(FORWARDS, BACKWARDS),
        migrations.AddConstraint(
            model_name="sellerposting",
            constraint=models.UniqueConstraint(
                fields=("seller", "sequence"), name="one_line_of_a_seller_per_number"
            ),
        ),
    ]
