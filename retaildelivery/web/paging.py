"""Pages by cursor: the code of the last row seen, so that a page stays right while rows are added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from retaildelivery.lib.refusals import Refused
from retaildelivery.web import fields, limits

T = TypeVar("T", bound=Model)


class UnknownCursor(Refused):
    code = "unknown_cursor"
    sentence = _("This cursor is not from a page of this list.")


class PageQuery(fields.Input):
    """`?cursor=&limit=`, for every list."""

    cursor = fields.Text(required=False, max_length=60, help_text="`next` of the page before.")
    limit = fields.QueryNumber(required=False, min_value=1, max_value=limits.PAGE_MOST, default=limits.PAGE)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Rows in order, and the cursor of what follows, or None."""

    rows: list[T]
    next: str | None


def newest_first(rows: QuerySet[T], query: dict[str, Any], *, field: str = "code", by: str = "pk") -> Page[T]:
    """One page of `rows`, newest first: by key, or by a time that never changes and then by key. Raises UnknownCursor
    for a cursor that is not of these rows."""
    cursor = query.get("cursor")
    if cursor:
        last = rows.filter(**{field: cursor}).values_list(by, "pk").first()
        if last is None:
            raise UnknownCursor(field="cursor")
        # The first is what an index can begin at.
        rows = rows.filter(**{f"{by}__lte": last[0]}).filter(Q(**{f"{by}__lt": last[0]}) | Q(pk__lt=last[1]))
    size = query["limit"]
    found = list(rows.order_by(f"-{by}", "-pk")[: size + 1])
    more = len(found) > size
    return Page(found[:size], getattr(found[size - 1], field) if more else None)
