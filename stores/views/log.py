"""The log of a seller, for its managers: who changed what, when and from where; also as a file."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from retaildelivery.outbox.models import Fact
from stores import audit, limits
from stores.models import Seller
from stores.views.settings import manager_required


@manager_required
@require_safe
def log(request: HttpRequest, seller: Seller) -> HttpResponse:
    """Newest first; `about` narrows it to one subject, such as an order's code."""
    about = request.GET.get("about", "").strip()[:60]
    found = audit.of(seller)
    if about:
        found = found.filter(
            subjects__overlap=[f"{kind}:{about}" for kind in ("order", "store", "key", "stop")]
        )
    pages = Paginator(found.order_by("-id"), limits.AUDIT_PAGE)
    # Counting a log of millions would take longer than reading a page of it.
    pages.count = found[: limits.AUDIT_PAGE * 200].count()
    page = pages.get_page(request.GET.get("page"))
    context = {
        "seller": seller,
        "page": page,
        "entries": [audit.entry(fact) for fact in page],
        "about": about,
    }
    return render(request, "stores/log.html", context)


class _Echo:
    """What a csv writer writes to: gives the line back."""

    def write(self, line: str) -> str:
        return line


@manager_required
@require_safe
def log_csv(request: HttpRequest, seller: Seller) -> StreamingHttpResponse:
    """The newest entries as a file, row by row."""
    newest = audit.of(seller).order_by("-id")[: limits.AUDIT_EXPORT]
    answer = StreamingHttpResponse(
        _lines(newest.iterator(chunk_size=500)), content_type="text/csv; charset=utf-8"
    )
    answer["Content-Disposition"] = f'attachment; filename="log-{seller.code}.csv"'
    return answer


def _lines(facts: Iterator[Fact]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow(["id", "at", "what", "subjects", "actor_kind", "actor", "source", "details"])
    for fact in facts:
        found = audit.entry(fact)
        yield writer.writerow(
            [
                found["id"],
                found["at"].isoformat(),
                found["what"],
                " ".join(found["subjects"]),
                found["actor_kind"],
                _harmless(found["actor"]),
                _harmless(found["source"]),
                json.dumps(found["details"], ensure_ascii=False),
            ]
        )


def _harmless(text: Any) -> str:
    """A name that begins like a formula is text to a spreadsheet too."""
    return f"'{text}" if str(text)[:1] in "=+-@\t\r" else str(text)
