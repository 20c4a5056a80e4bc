"""The content security policy, with the one place where it is looser."""

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware
from django.http import HttpRequest, HttpResponseBase

_ADMIN = {"script-src": [SELF, UNSAFE_INLINE, UNSAFE_EVAL], "style-src": [SELF, UNSAFE_INLINE]}


class ContentSecurityPolicy(CSPMiddleware):
    """The strict policy everywhere; on `/admin/` what the admin theme needs.

    The theme's Alpine.js compiles its attributes with `new Function` and its templates carry inline styles
    and scripts. Only signed-in operators see those pages, and every other page keeps the strict policy.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if request.path.startswith("/admin/"):
            response._csp_replace = _ADMIN  # type: ignore[attr-defined]  # noqa: SLF001
        return super().process_response(request, response)
