"""The proof of an order as one signed PDF: what happened, the pictures, and their hashes."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from django.db.models import TextChoices
from django.db.models.fields.files import FieldFile
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from PIL import Image as Picture
from PIL import UnidentifiedImageError
from reportlab.lib.units import inch
from reportlab.platypus import Flowable, Image, Spacer

from deliveries import bundle, signing, timeline
from deliveries.models import Incident, Order, Parcel, ProofOfDelivery, Scan, Stop
from deliveries.models.proof import Evidence
from retaildelivery.lib.pdf import HEAD, SMALL, TITLE, WIDTH, document
from retaildelivery.lib.pdf import table as _table
from retaildelivery.lib.pdf import text as _text
from retaildelivery.outbox.models import Fact

PICTURE_HEIGHT = 3.2 * inch
PICTURE_PIXELS = 1_600  # enough to read a door number; the original stays in storage, under its hash


def signed_pdf(order: Order, *, verify_url: str, at: dt.datetime) -> bytes:
    """The document of this order as it stands at that moment, whatever its ending, with our signature."""
    story = [*_head(order, at), *_ending(order), *_custody(order), *_story(order), *_foot(verify_url)]
    return signing.signed(document(_("Proof of order %(code)s") % {"code": order.code}, story))


def _clock(order: Order, moment: dt.datetime | None) -> str:
    return f"{moment.astimezone(order.store.mall.zone):%Y-%m-%d %H:%M:%S %Z}" if moment else "–"


def _told(order: Order, row: dict[str, Any]) -> str:
    """The time of a row of the bundle, by the clock that the whole document goes by."""
    return _clock(order, dt.datetime.fromisoformat(row["at"]))


def _spot(row: dict[str, Any]) -> str:
    if row["latitude"] is None:
        return ""
    return f"({row['latitude']}, {row['longitude']} ± {row['accuracy_m'] or '?'} m)"


def _head(order: Order, at: dt.datetime) -> Iterator[Flowable]:
    yield _text(_("Proof of order %(code)s") % {"code": order.code}, TITLE)
    rows: list[list[object]] = [
        [_("State"), order.get_status_display()],
        [_("Store"), f"{order.store.name}, {order.store.mall.name}"],
        [_("Your order number"), order.external_id or "–"],
        [_("Recipient"), order.recipient_name],
        [_("Door"), order.address],
        [_("Promised"), f"{_clock(order, order.window.lower)} – {_clock(order, order.window.upper)}"],
        [_("Written"), _clock(order, at)],
    ]
    yield _table(rows, [0.25, 0.75])


def _ending(order: Order) -> Iterator[Flowable]:
    proof = bundle.proof_of(order)
    if proof is not None:
        yield _text(_("Delivered"), HEAD)
        rows: list[list[object]] = [
            [_("When"), _clock(order, proof.at)],
            [_("Where"), f"{proof.get_left_at_display()} {_place(proof)}"],
            [_("Signed by"), _signer(proof)],
            [_("PIN"), _("matched") if proof.pin_matched else _("not asked for")],
            [_("ID"), _("checked") if proof.age_checked else _("not asked for")],
            [_("Driver's note"), proof.note or "–"],
        ]
        yield _table(rows, [0.25, 0.75])
        yield from _picture(_("Photo"), proof.photo)
        yield from _picture(_("Signature"), proof.signature)
    for attempt in bundle.attempts_of(order):
        yield _text(_("Could not be delivered"), HEAD)
        said = f"{attempt.get_reason_display()}. {attempt.note}"
        yield _table([[_clock(order, attempt.at), f"{said} {_place(attempt)}"]], [0.25, 0.75])
        yield from _picture(_("Photo"), attempt.photo)
    if order.cancelled_at is not None:
        yield _text(_("Cancelled"), HEAD)
        said = f"{order.get_cancel_reason_display()}. {order.cancel_note} ({_word(Fact.Actor, order.cancelled_by)})"
        yield _table([[_clock(order, order.cancelled_at), said]], [0.25, 0.75])


def _word(choices: type[TextChoices], value: str) -> str:
    """The choice as the reader's language calls it."""
    return str(choices(value).label) if value else "–"


def _signer(proof: ProofOfDelivery) -> str:
    if not proof.signer_relationship:
        return proof.signed_by or "–"
    return f"{proof.signed_by} ({proof.get_signer_relationship_display()})"


def _place(found: Evidence) -> str:
    if found.latitude is None:
        return ""
    return f"({found.latitude}, {found.longitude} ± {found.accuracy_m or '?'} m)"


def _picture(name: str, file: FieldFile) -> Iterator[Flowable]:
    """The picture, small, and the SHA-256 of the original; a file that is gone leaves a line that says so."""
    if not file:
        return
    yield Spacer(1, 6)
    try:
        with file.open("rb") as opened:
            content = opened.read()
        picture = Picture.open(BytesIO(content))
        picture.thumbnail((PICTURE_PIXELS, PICTURE_PIXELS))
        small = BytesIO()
        picture.convert("RGB").save(small, "JPEG", quality=80)
    except (OSError, UnidentifiedImageError):
        yield _text(f"{name}: " + _("the file is no longer kept."), SMALL)
        return
    scale = min(WIDTH / picture.width, PICTURE_HEIGHT / picture.height, 1)
    small.seek(0)
    yield Image(small, width=picture.width * scale, height=picture.height * scale, hAlign="LEFT")
    yield _text(f"{name}, SHA-256 {hashlib.sha256(content).hexdigest()}", SMALL)


def _custody(order: Order) -> Iterator[Flowable]:
    told = bundle.custody(order)
    yield _text(_("Parcels"), HEAD)
    yield _table(
        [
            [
                " · ".join([row["code"], *row["barcodes"]]),
                _word(Parcel.Status, row["status"]),
                _word(Parcel.Custodian, row["custodian"]),
            ]
            for row in told["parcels"]
        ],
        [0.4, 0.3, 0.3],
    )
    if told["scans"]:
        yield _text(_("Labels read"), HEAD)
        rows = [
            [
                _told(order, row),
                row["entered"],
                _word(Stop.Kind, row["stop"]),
                f"{_word(Scan.Outcome, row['outcome'])} {_spot(row)}",
                _word(Fact.Actor, row["by"]),
            ]
            for row in told["scans"]
        ]
        yield _table(rows, [0.3, 0.18, 0.12, 0.28, 0.12])
    if told["handovers"]:
        yield _text(_("Handed over at the counter"), HEAD)
        yield _table(
            [
                [
                    _told(order, row),
                    _word(Stop.Kind, row["stop"]),
                    _word(Fact.Actor, "seller" if row["confirmed_by"] == "key" else "staff"),
                ]
                for row in told["handovers"]
            ],
            [0.34, 0.33, 0.33],
        )
    for proof in bundle.counter_proofs_of(order):
        yield _text(_("At the counter"), HEAD)
        rows = [
            [_clock(order, proof.at), f"{proof.stop.get_kind_display()} {proof.signed_by} {_place(proof)}"]
        ]
        yield _table(rows, [0.25, 0.75])
        yield from _picture(_("Photo"), proof.photo)
        yield from _picture(_("Signature"), proof.signature)
    if told["pin_tries"]:
        yield _text(_("Wrong PINs"), HEAD)
        yield _table(
            [[_told(order, row), _tries_left(row["tries_left"])] for row in told["pin_tries"]], [0.34, 0.66]
        )
    if told["incidents"]:
        yield _text(_("Incidents"), HEAD)
        yield _table(
            [
                [_told(order, row), _word(Incident.Kind, row["kind"]), row["note"]]
                for row in told["incidents"]
            ],
            [0.34, 0.2, 0.46],
        )


def _tries_left(left: int) -> str:
    return ngettext("one try left", "%(left)d tries left", left) % {"left": left}


def _story(order: Order) -> Iterator[Flowable]:
    yield _text(_("What happened"), HEAD)
    rows: list[list[object]] = [
        [_clock(order, entry.at), entry.sentence, entry.detail] for entry in timeline.entries(order)
    ]
    yield _table(rows or [["–", "", ""]], [0.34, 0.33, 0.33])


def _foot(verify_url: str) -> Iterator[Flowable]:
    yield Spacer(1, 12)
    said = _("The last line of this file is our signature (Ed25519, key %(key)s). Check the file at %(url)s.")
    yield _text(said % {"key": signing.public_key(), "url": verify_url}, SMALL)
