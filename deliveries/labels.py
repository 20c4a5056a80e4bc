"""Labels of parcels, 4 by 6 inches: as PDF for any printer, as ZPL for a label printer."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import segno
from django.utils.translation import gettext as _
from reportlab.graphics.barcode.code128 import Code128
from reportlab.lib.units import inch
from reportlab.lib.utils import simpleSplit
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfgen.canvas import Canvas

from deliveries.models import Order, Parcel
from deliveries.snapshots import parcels_of
from retaildelivery.lib.pdf import BOLD, PLAIN

WIDTH, HEIGHT, MARGIN = 4 * inch, 6 * inch, 0.2 * inch
DOTS = 203  # per inch, the usual label printer
POUND_G = 453.59237


def labels_pdf(parcels: Sequence[Parcel]) -> bytes:
    """One page a parcel: where from, to whom, what the door asks for, and the code as QR and Code 128."""
    out = BytesIO()
    canvas = Canvas(out, pagesize=(WIDTH, HEIGHT), pageCompression=1, invariant=1)
    canvas.setTitle(_("Labels"))
    totals = _totals(parcels)
    for parcel in parcels:
        _page(canvas, parcel, total=totals[parcel.order_id])
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def _totals(parcels: Sequence[Parcel]) -> dict[int, int]:
    """Of how many parcels each order consists."""
    orders = {parcel.order_id: parcel.order for parcel in parcels}
    return {pk: len(parcels_of(order)) for pk, order in orders.items()}


def wants(order: Order) -> str:
    """What the door asks for, in a word each."""
    words = [
        (order.requires_pin, _("PIN")),
        (order.requires_signature, _("SIGNATURE")),
        (order.minimum_age is not None, _("ID %(age)s+") % {"age": order.minimum_age}),
        (order.requires_photo, _("PHOTO")),
    ]
    return " · ".join(word for wanted, word in words if wanted)


def _address(order: Order) -> list[str]:
    lines = [order.address_line1, order.address_line2, f"{order.city}, {order.region} {order.postal_code}"]
    return [line for line in lines if line]


def _promise(order: Order) -> str:
    zone = order.store.mall.zone
    start, end = order.window.lower.astimezone(zone), order.window.upper.astimezone(zone)
    return f"{start:%a %b %d, %H:%M}–{end:%H:%M}"


def printable(text: str, face: str = PLAIN) -> str:
    """The text with a box for each sign that the printed font lacks; the codes say the rest."""
    known = pdfmetrics.getFont(face).face.charToGlyph
    return "".join(sign if ord(sign) in known else "□" for sign in text)


def _line(canvas: Canvas, y: float, text: str, *, face: str = PLAIN, size: float = 9) -> float:
    """Write one line, smaller or cut when it is too wide; the y of the next."""
    text, room = printable(text, face), WIDTH - 2 * MARGIN
    while size > 6 and pdfmetrics.stringWidth(text, face, size) > room:
        size -= 0.5
    while pdfmetrics.stringWidth(text, face, size) > room:
        text = text[:-2] + "…"
    canvas.setFont(face, size)
    canvas.drawString(MARGIN, y, text)
    return y - size * 1.35


def _page(canvas: Canvas, parcel: Parcel, *, total: int) -> None:
    order = parcel.order
    store = order.store
    y = HEIGHT - MARGIN - 10
    y = _line(canvas, y, store.name, face=BOLD, size=12)
    y = _line(canvas, y, " · ".join(part for part in (store.mall.name, store.unit) if part), size=8)
    canvas.line(MARGIN, y + 4, WIDTH - MARGIN, y + 4)
    y = _line(canvas, y - 12, order.recipient_name, face=BOLD, size=15)
    for line in _address(order):
        y = _line(canvas, y, line, size=11)
    y = _line(canvas, y - 2, _promise(order), face=BOLD, size=11)
    y = _line(canvas, y, wants(order), face=BOLD, size=12)
    for line in simpleSplit(printable(order.instructions), PLAIN, 8, WIDTH - 2 * MARGIN)[:3]:
        y = _line(canvas, y, line, size=8)
    _codes(canvas, parcel)
    weight = f"{parcel.grams / 1000:.1f} kg ({parcel.grams / POUND_G:.1f} lb)"
    # Not what it is worth: a label is read by everybody on the way.
    about = (parcel.get_size_display(), weight, parcel.description, *parcel.barcodes)
    _line(canvas, 2.92 * inch, " · ".join(part for part in about if part), size=8)
    _line(canvas, 0.62 * inch, _("Order"), size=9)
    _line(canvas, 0.4 * inch, order.code, face=BOLD, size=15)
    _line(canvas, 1.05 * inch, f"{parcel.number}/{total}", face=BOLD, size=26)


def _codes(canvas: Canvas, parcel: Parcel) -> None:
    """Code 128 over the whole width, for hand scanners; a QR below, for phones. Each with its quiet zone."""
    bars = Code128(parcel.code, barWidth=1.45, barHeight=0.7 * inch, quiet=0)
    bars.drawOn(canvas, (WIDTH - bars.width) / 2, 2.1 * inch)
    canvas.setFont(BOLD, 13)
    canvas.drawCentredString(WIDTH / 2, 1.87 * inch, parcel.code)
    side, bottom = 1.4 * inch, 0.32 * inch
    left = WIDTH - MARGIN - side
    matrix = segno.make_qr(parcel.code, error="m").matrix
    dot = side / len(matrix)
    for row, line in enumerate(matrix):
        for column, dark in enumerate(line):
            if dark:
                canvas.rect(left + column * dot, bottom + side - (row + 1) * dot, dot, dot, stroke=0, fill=1)


def labels_zpl(parcels: Sequence[Parcel]) -> str:
    """The same labels for a 203 dpi label printer (ZPL II, texts in UTF-8)."""
    totals = _totals(parcels)
    return "".join(_zpl(parcel, total=totals[parcel.order_id]) for parcel in parcels)


def escaped(text: str) -> str:
    """A text for a ^FH field: what would end the field or begin a command, as hex."""
    clean = " ".join(text.split())[:60]
    return "".join(f"_{ord(sign):02X}" if sign in "^~_\\" else sign for sign in clean)


def _zpl(parcel: Parcel, *, total: int) -> str:
    order = parcel.order
    lines = [
        (40, 36, order.store.name),
        (90, 24, order.store.mall.name),
        (150, 46, order.recipient_name),
        *((210 + 42 * number, 34, line) for number, line in enumerate(_address(order))),
        (350, 32, _promise(order)),
        (395, 32, wants(order)),
        (440, 24, order.instructions),
    ]
    texts = "".join(f"^FO40,{y}^A0N,{size}^FH^FD{escaped(text)}^FS\n" for y, size, text in lines if text)
    return (
        f"^XA^CI28^PW{4 * DOTS}^LL{6 * DOTS}\n{texts}"
        f"^FO40,700^BY2^BCN,160,Y,N,N^FD{parcel.code}^FS\n"
        f"^FO560,660^BQN,2,7^FDMA,{parcel.code}^FS\n"
        f"^FO40,1130^A0N,40^FD{order.code}^FS\n"
        f"^FO640,1110^A0N,70^FD{parcel.number}/{total}^FS\n^XZ\n"
    )
