"""From where our pages may take what: the strict content security policy. `policy` says where it is looser."""

from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF

_BLOB, _DATA = "blob:", "data:"


def policy(*, tiles: str) -> dict[str, Any]:
    """For django-csp; `tiles` is the address of the map's tiles, with `{s}` in place of a server's letter."""
    at = urlsplit(tiles)
    return {
        "EXCLUDE_URL_PREFIXES": (),
        "DIRECTIVES": {
            "default-src": [SELF],
            "script-src": [SELF],
            "style-src": [SELF],
            "img-src": [SELF, _DATA, _BLOB, f"{at.scheme}://{at.netloc.replace('{s}', '*')}"],
            "worker-src": [SELF, _BLOB],
            "connect-src": [SELF],
            "object-src": [NONE],
            "base-uri": [NONE],
            "frame-ancestors": [NONE],
            "form-action": [SELF],
        },
    }
