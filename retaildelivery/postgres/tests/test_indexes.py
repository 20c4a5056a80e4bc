"""What each written row pays for: no index that another one of the same table already is."""

import pytest
from django.db import connection

pytestmark = pytest.mark.django_db

# Plain indexes, not unique, whose columns are those another one begins with. Tables of libraries are theirs.
NEEDLESS = """
SELECT t.relname || ': ' || needless.relname || ' is the beginning of ' || other.relname
FROM pg_index a
JOIN pg_index b ON b.indrelid = a.indrelid AND b.indexrelid <> a.indexrelid
JOIN pg_class t ON t.oid = a.indrelid
JOIN pg_namespace n ON n.oid = t.relnamespace AND n.nspname = 'public'
JOIN pg_class needless ON needless.oid = a.indexrelid
JOIN pg_class other ON other.oid = b.indexrelid AND other.relam = needless.relam
WHERE NOT a.indisunique AND a.indpred IS NULL AND b.indpred IS NULL AND a.indexprs IS NULL
  AND b.indkey::text || ' ' LIKE a.indkey::text || ' %%'
  AND split_part(t.relname, '_', 1) = ANY (%s)
  AND t.relname NOT IN (SELECT unnest(%s))
"""
OURS = ["deliveries", "drivers", "offers", "outbox", "stores"]


def test_no_table_has_an_index_that_another_index_begins_with():
    # Django makes these for the two sides of a many-to-many relation; nobody can tell it not to.
    between = ["offers_jurisdiction_malls", "offers_reliefrequest_stops"]
    with connection.cursor() as cursor:
        cursor.execute(NEEDLESS, [OURS, between])
        needless = [row[0] for row in cursor.fetchall()]

    assert needless == []
