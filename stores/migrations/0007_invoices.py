"""Invoices: a month of a seller in a market, counted without gaps, of lines that are on one invoice each. PostgreSQL
refuses to change or delete one. A line without a store names its market, and its hash covers that."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

# As before for a line with a store; a line without one ends in its market.
DIGEST = """
CREATE OR REPLACE FUNCTION stores_sellerposting_digest(line stores_sellerposting) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT encode(sha256(convert_to(json_build_array(
        line.previous, line.sequence, line.key, line.kind, line.cents, line.text, line.rule, line.subject,
        to_char(line.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        coalesce((SELECT json_agg(json_build_array(name, value) ORDER BY name COLLATE "C")
            FROM jsonb_each_text(line.params) AS given(name, value)), '[]'),
        coalesce((SELECT code FROM stores_store WHERE id = line.store_id){market}, '')
    )::text, 'UTF8')), 'hex')
$$;
"""
MARKET = ", (SELECT code FROM stores_market WHERE id = line.market_id)"
KEPT = """
CREATE FUNCTION {table}_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '{table} is append-only: put it right with a line on the next invoice' USING
        ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION {table}_is_append_only();
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
FREED = """
DROP TRIGGER never_emptied ON {table};
DROP TRIGGER append_only ON {table};
DROP FUNCTION {table}_is_never_emptied();
DROP FUNCTION {table}_is_append_only();
"""
TABLES = ("stores_invoice", "stores_invoiceline")
FORWARDS = DIGEST.format(market=MARKET) + "".join(KEPT.format(table=table) for table in TABLES)
BACKWARDS = "".join(FREED.format(table=table) for table in TABLES) + DIGEST.format(market="")


class Migration(migrations.Migration):

    dependencies = [
        ('stores', '0006_signing_secret'),
    ]

    operations = [
        migrations.CreateModel(
            name='Invoice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('serial', models.PositiveIntegerField(help_text='Without gaps within the market.')),
                ('number', models.CharField(help_text='Such as LAS-VEGAS-000042.', max_length=60, unique=True)),
                ('seller_name', models.CharField(max_length=120)),
                ('seller_email', models.EmailField(max_length=254)),
                ('month', models.DateField(help_text='Its first day.')),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField(help_text="The first moment after the month, in the market's time.")),
                ('currency', models.CharField(max_length=3)),
                ('net_cents', models.IntegerField()),
                ('tax_cents', models.IntegerField()),
                ('total_cents', models.IntegerField()),
                ('issued_at', models.DateTimeField()),
                ('due_on', models.DateField()),
            ],
            options={
                'verbose_name': 'invoice',
                'verbose_name_plural': 'invoices',
            },
        ),
        migrations.CreateModel(
            name='InvoiceCounter',
            fields=[
                ('market', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='+', serialize=False, to='stores.market')),
                ('last', models.PositiveIntegerField(db_default=0, default=0)),
            ],
            options={
                'verbose_name': 'invoice counter',
                'verbose_name_plural': 'invoice counters',
            },
        ),
        migrations.CreateModel(
            name='InvoiceLine',
            fields=[
                ('posting', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='invoice_line', serialize=False, to='stores.sellerposting')),
            ],
            options={
                'verbose_name': 'line of an invoice',
                'verbose_name_plural': 'lines of invoices',
            },
        ),
        migrations.AddField(
            model_name='sellerposting',
            name='market',
            field=models.ForeignKey(help_text='Of a line that is of no single store.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='stores.market'),
        ),
        migrations.AlterField(
            model_name='apikey',
            name='scopes',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('orders:read', 'read orders'), ('orders:write', 'post and change orders'), ('webhooks', 'webhook endpoints'), ('audit:read', 'read the log of changes'), ('billing:read', 'read invoices'), ('handover', 'hand parcels over at the counter')], max_length=20), size=None),
        ),
        migrations.AddField(
            model_name='invoice',
            name='market',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='stores.market'),
        ),
        migrations.AddField(
            model_name='invoice',
            name='seller',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='invoices', to='stores.seller'),
        ),
        migrations.AddField(
            model_name='invoiceline',
            name='invoice',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='stores.invoice'),
        ),
        migrations.AddIndex(
            model_name='invoice',
            index=models.Index(fields=['seller', '-month'], name='invoices_of_a_seller'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.UniqueConstraint(fields=('market', 'serial'), name='one_invoice_per_number_of_a_market'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.UniqueConstraint(fields=('seller', 'market', 'month'), name='one_invoice_of_a_seller_per_market_and_month'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.CheckConstraint(condition=models.Q(('total_cents', django.db.models.expressions.CombinedExpression(models.F('net_cents'), '+', models.F('tax_cents')))), name='an_invoice_adds_up'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.CheckConstraint(condition=models.Q(('month__day', 1)), name='an_invoice_is_of_a_month'),
        ),
        migrations.AddConstraint(
            model_name='invoice',
            constraint=models.CheckConstraint(condition=models.Q(('serial__gt', 0)), name='invoices_are_counted_from_one'),
        ),
        # Lines made before are kept as they are: they cannot be changed.
        AddConstraintNotValid(
            model_name='sellerposting',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('market__isnull', True), ('store__isnull', False)), models.Q(('market__isnull', False), ('store__isnull', True)), _connector='OR'), name='a_line_of_a_seller_has_a_store_or_a_market'),
        ),
        migrations.RunSQL(FORWARDS, BACKWARDS),
    ]
