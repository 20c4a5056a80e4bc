"""What every one of these doors shares: it is there only when its setting says so, and refuses in its own shape."""

from __future__ import annotations

import dataclasses
import datetime as dt
import mimetypes
from collections.abc import Iterable
from typing import Any, ClassVar

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from rest_framework import serializers
from rest_framework.response import Response

from deliveries import drafts, filling, promising
from deliveries.dialects import pictures
from deliveries.drafts import AddressDraft, OrderDraft
from deliveries.models import Order
from deliveries.models.order import OrderQuerySet
from retaildelivery.web import errors, fields
from stores.api import SellerView
from stores.models import Store

Json = dict[str, Any]
NOTE_LENGTH = 280  # as the services have it


class Foreign(serializers.Serializer[Any]):
    """A body in another service's shape. What we have no use for is passed over: it has many fields, and a newer
    client more of them."""


class Said(fields.Text):
    """A text that may be left out, empty or null: all three say nothing."""

    def __init__(self, **given: Any) -> None:
        given = {"required": False, "allow_null": True, "allow_blank": True} | given
        super().__init__(**given)


class Note(Said):
    """A text that is kept as it is and shown to people."""

    def to_internal_value(self, data: Any) -> str:
        text = str(super().to_internal_value(data))
        error = drafts.text_error("", text, most=NOTE_LENGTH)
        if error is not None:
            raise serializers.ValidationError(error.message, code=error.code)
        return text


def maybe(field: type[serializers.Field[Any, Any, Any, Any]], *, many: bool = False, **given: Any) -> Any:
    """A field that may be left out or null; of a list of them, none may."""
    if many:
        return serializers.ListSerializer(child=field(), required=False, allow_null=True, **given)
    return field(required=False, allow_null=True, **given)


class DoorView(SellerView):
    """Subclasses name their `door`, the setting that opens it, and say a refusal of ours in their words."""

    door: ClassVar[str] = ""
    # Their documents describe these; ours describes our own API.
    schema: Any = None

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not getattr(settings, self.door):
            return errors.not_found(request, Http404())
        request.broken = self.translated
        return super().dispatch(request, *args, **kwargs)

    def translated(self, problem: Json) -> tuple[int, Json]:
        """Status and body of a refusal, from ours."""
        raise NotImplementedError

    def handle_exception(self, exc: Exception) -> Response:
        response = super().handle_exception(exc)
        response.status_code, response.data = self.translated(response.data)
        response.content_type = "application/json"
        return response


def timed(draft: OrderDraft, orders: OrderQuerySet, store: Store, *, at: dt.datetime) -> OrderDraft:
    """The draft with a window: where none was asked for, that of the order under this number, so that a repeat is
    one; and when there is none, the first that a driver can keep."""
    if draft.window_start is not None:
        return draft
    before = orders.filter(external_id=draft.external_id).values_list("window", flat=True).first()
    if before is not None:
        return dataclasses.replace(draft, window_start=before.lower, window_end=before.upper)
    return promising.soonest(draft, store=store, at=at)


def refuse_fixed(given: Json, names: Iterable[str], *, known: Json) -> None:
    """Raises ValidationError for each field of these that says otherwise than what is `known` of the delivery: what
    an update cannot change, and would else pass over."""
    fault = serializers.ErrorDetail(str(_("This cannot be changed.")), code="not_changeable")
    said = {name: given[name] for name in names if given.get(name) not in (None, "")}
    wrong = {name: [fault] for name, value in said.items() if name not in known or known[name] != value}
    if wrong:
        raise serializers.ValidationError(wrong)


def known_door(address: AddressDraft, before: AddressDraft) -> AddressDraft:
    """The address; where only its lines are repeated, with the place that is known of it."""
    same = dataclasses.replace(before, point=None, located_by=address.located_by)
    return before if drafts.tidy_address(address) == same else address


def new_of(changes: Json, order: Order) -> Json:
    """Of these changes, the ones that are any: clients repeat all they know in every update."""
    before = filling.draft_of(order)
    return {name: value for name, value in changes.items() if getattr(before, name) != value}


def locale_of(text: str) -> str:
    """The language of ours for one of theirs: `es-US`, `es`, `en_US`."""
    language = text.replace("_", "-").split("-")[0].lower()
    return language if language in dict(settings.LANGUAGES) else "en"


def sentence_of(problem: Json, names: dict[str, str]) -> str:
    """The message of a refusal, with their name of the field where it begins with ours."""
    faults = problem["field_errors"]
    message = str(problem["message"])
    if not faults or not message.startswith(f"{faults[0]['field']}: "):
        return message
    return named(faults[0]["field"], names) + message.removeprefix(faults[0]["field"])


def named(path: str, names: dict[str, str]) -> str:
    """The field of theirs for a path of ours: by its longest known beginning."""
    known = [ours for ours in names if path == ours or path.startswith((f"{ours}.", f"{ours}["))]
    return names[max(known, key=len)] if known else path


@require_safe
def picture(request: HttpRequest, token: str) -> HttpResponse | FileResponse:
    """A picture of a proof, for whoever has the link."""
    file = pictures.behind(token) if settings.DOOR_DRIVE or settings.DOOR_DIRECT else None
    if not file:
        return errors.not_found(request, Http404())
    kind, _encoding = mimetypes.guess_type(file.name or "")
    return FileResponse(file.open("rb"), content_type=kind or "application/octet-stream")
