"""Pictures as evidence: looked at before they are kept, kept before the transaction that names them."""

from __future__ import annotations

import base64
import binascii
import contextlib
import datetime as dt
import hashlib
import warnings
from collections.abc import Generator
from dataclasses import dataclass
from io import BytesIO
from typing import ClassVar

from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.utils.translation import gettext_lazy as _
from PIL import Image, UnidentifiedImageError

from deliveries import limits
from retaildelivery.lib import codes
from retaildelivery.lib.refusals import Refused

ENDINGS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp"}


class PictureRefused(Refused):
    """The file is too large or is not a picture that we take."""

    code: ClassVar[str] = "picture_refused"
    sentence: ClassVar[object] = _("A JPEG, PNG or WebP picture of at most %(megabytes)s MB, please.")


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a picture is in storage, and the SHA-256 of its bytes."""

    name: str
    sha256: str


def keep(file: File[bytes] | None, *, field: str, most: int, at: dt.datetime) -> Kept | None:
    """Look at the picture and store it; None for none. Raises PictureRefused. I/O: outside any transaction."""
    if file is None:
        return None
    file.seek(0)
    content = file.read(most + 1)
    kind = _kind(content) if len(content) <= most else None
    if kind is None:
        raise PictureRefused(field=field, megabytes=f"{most / 1024 / 1024:g}")
    name = f"proofs/{at:%Y/%m/%d}/{codes.new_token(16)}.{ENDINGS[kind]}"
    return Kept(default_storage.save(name, ContentFile(content)), hashlib.sha256(content).hexdigest())


@contextlib.contextmanager
def keeping(
    file: File[bytes] | None, *, field: str, most: int, at: dt.datetime
) -> Generator[Kept | None, None, None]:
    """`keep` for the length of a verb, and forget it when the verb refuses. Whatever else goes wrong leaves the
    file: the transaction may have been committed, and evidence is worth more than room."""
    kept = keep(file, field=field, most=most, at=at)
    try:
        yield kept
    except Refused:
        forget(kept)
        raise


def _kind(content: bytes) -> str | None:
    """The format by its bytes, or None when it is not one of ours, broken, or a bomb of pixels."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(BytesIO(content), formats=list(ENDINGS)) as picture:
                picture.verify()
                return picture.format
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombWarning):
        return None


def forget(kept: Kept | None) -> None:
    """Remove what was stored for something that was then refused."""
    if kept is not None:
        default_storage.delete(kept.name)


def from_data_url(text: str) -> ContentFile[bytes] | None:
    """The picture in ``data:image/png;base64,…``, as a signature pad gives it; None for none.

    Raises PictureRefused.
    """
    if not text:
        return None
    head, comma, body = text.partition(",")
    try:
        if not comma or not head.startswith("data:image/") or not head.endswith(";base64"):
            raise ValueError(head)
        return ContentFile(base64.b64decode(body, validate=True), name="signature.png")
    except (binascii.Error, ValueError) as failure:
        megabytes = f"{limits.SIGNATURE_BYTES / 1024 / 1024:g}"
        raise PictureRefused(field="signature", megabytes=megabytes) from failure
