"""Tables as CSV for people who open them in a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Sequence


def harmless(text: str) -> str:
    """A spreadsheet takes what begins so for a formula: https://owasp.org/www-community/attacks/CSV_Injection"""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def csv_of(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The whole table; words are made harmless, numbers stay numbers."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(head)
    for row in rows:
        writer.writerow([harmless(cell) if isinstance(cell, str) else cell for cell in row])
    return out.getvalue()
