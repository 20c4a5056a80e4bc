"""Operations of migrations for tables whose rows are kept: PostgreSQL itself refuses to rewrite them, whoever asks."""

from django.db.migrations import RunSQL

_APPEND_ONLY = """
CREATE OR REPLACE FUNCTION refuse_for_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: %, do not % one', TG_TABLE_NAME, TG_ARGV[0], lower(TG_OP)
        USING ERRCODE = 'restrict_violation';
END $$;
"""
# A runner of tests empties tables between them and says so in its connection; nobody else may.
_NEVER_EMPTIED = """
CREATE OR REPLACE FUNCTION refuse_to_empty() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('retaildelivery.throwaway', true) = 'on' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '% is append-only: it cannot be emptied', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
"""


def append_only(
    table: str, *, events: str = "UPDATE OR DELETE", when: str = "", name: str = "append_only", mend: str = ""
) -> RunSQL:
    """Refuse these events on the table's rows, or on those that `when` says; `mend` is what to do instead."""
    mend = mend or "add a row that corrects"
    where = f"WHEN ({when}) " if when else ""
    return RunSQL(
        _APPEND_ONLY
        + f"CREATE TRIGGER {name} BEFORE {events} ON {table} FOR EACH ROW {where}"
        + f"EXECUTE FUNCTION refuse_for_append_only('{mend}')",
        f"DROP TRIGGER {name} ON {table}",
    )


def never_emptied(table: str) -> RunSQL:
    """Refuse to empty the table at a stroke, which no trigger on its rows would see."""
    return RunSQL(
        _NEVER_EMPTIED
        + f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table} FOR EACH STATEMENT "
        + "EXECUTE FUNCTION refuse_to_empty()",
        f"DROP TRIGGER never_emptied ON {table}",
    )
