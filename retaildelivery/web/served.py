"""The OpenAPI document as it is served: written once per process, format and language, since it does not change while
the process lives and takes seconds to make."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils import translation
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request

from retaildelivery.web import documents

_written: dict[tuple[str, str], dict[str, Any]] = {}


@extend_schema(exclude=True)
class DocumentView(SpectacularAPIView):
    """OpenAPI 3.1 as YAML; as JSON with `?format=json` or an `Accept` that says so. Nothing else that is asked makes
    another document: it would be seconds of work for each, and of what may be asked there is no end."""

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        key = (request.accepted_renderer.media_type, translation.get_language() or "")
        if key in _written:
            return HttpResponse(**_written[key])
        with documents.MAKING:
            response = self._get_schema_response(request)
        response.add_post_render_callback(lambda done: _keep(key, done))
        return response

    def _get_version_parameter(self, request: Request) -> None:
        """There is one version."""


def _keep(key: tuple[str, str], response: Any) -> None:
    kept = {"content": response.content, "content_type": response["Content-Type"]}
    disposition = response.get("Content-Disposition")
    _written[key] = kept | {"headers": {"Content-Disposition": disposition} if disposition else {}}
