"""The events that endpoints hear of, each with a body as it is sent; for anybody to read."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from retaildelivery.web.error_codes import prose
from stores.webhooks import events, samples


@require_safe
def all_of_them(request: HttpRequest) -> HttpResponse:
    """Every event with its sentence."""
    told = [(name, prose(str(sentence))) for name, sentence in events.EVENTS.items()]
    return render(request, "stores/events.html", {"events": told})


@require_safe
def one(request: HttpRequest, name: str) -> HttpResponse:
    """One event: when it is sent, and a sample body."""
    if name not in events.EVENTS:
        raise Http404
    names = list(events.EVENTS)
    here = names.index(name)
    context = {
        "name": name,
        "sentence": prose(str(events.EVENTS[name])),
        "sample": samples.text_of(name),
        "before": names[here - 1] if here else None,
        "after": names[here + 1] if here + 1 < len(names) else None,
    }
    return render(request, "stores/event.html", context)
