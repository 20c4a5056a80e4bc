"""A page that asks again and again: what has not changed costs no bytes."""

from __future__ import annotations

import hashlib
import re

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified

# Written anew into each answer, and good for as long as the session whichever of them a page holds.
_TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="[^"]*"')


def answer(request: HttpRequest, page: HttpResponse) -> HttpResponse:
    """What to answer a request that may be a poll: nothing but 304 when it has seen this page, else the page with its
    ETag. Other requests get the page as it is."""
    if not request.htmx or page.status_code != 200:
        return page
    etag = '"' + hashlib.sha256(_TOKEN.sub(b"", page.content)).hexdigest()[:24] + '"'
    if request.headers.get("If-None-Match") == etag:
        return HttpResponseNotModified(headers={"ETag": etag})
    page["ETag"] = etag
    return page
