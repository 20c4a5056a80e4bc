"""Documents as PDF: one face, one set of styles, tables that break over pages. Plain Python over reportlab."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape

import reportlab
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import letter
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import inch
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Table, TableStyle

PLAIN, BOLD = "Vera", "VeraBd"
WIDTH = 6.9 * inch
SIDE, TOP = 0.8 * inch, 0.7 * inch
INK, FAINT, RULE = "#111827", "#6b7280", "#d1d5db"

for _face in (PLAIN, BOLD):
    pdfmetrics.registerFont(TTFont(_face, f"{reportlab.__path__[0]}/fonts/{_face}.ttf"))

BODY = ParagraphStyle("body", fontName=PLAIN, fontSize=9, leading=12)
SMALL = ParagraphStyle("small", parent=BODY, fontSize=7, leading=9, wordWrap="CJK")
NOTE = ParagraphStyle("note", parent=BODY, fontSize=7.5, leading=10, textColor=FAINT)
STRONG = ParagraphStyle("strong", parent=BODY, fontName=BOLD)
AMOUNT = ParagraphStyle("amount", parent=BODY, alignment=TA_RIGHT)
AMOUNT_STRONG = ParagraphStyle("amount_strong", parent=STRONG, alignment=TA_RIGHT)
HEAD = ParagraphStyle("head", parent=BODY, fontName=BOLD, fontSize=11, leading=15, spaceBefore=10)
TITLE = ParagraphStyle("title", parent=HEAD, fontSize=16, leading=22)


def text(words: object, style: ParagraphStyle = BODY) -> Paragraph:
    """Words as they stand: nothing in them is taken for markup. A line break in them is kept."""
    return Paragraph(escape(str(words)).replace("\n", "<br/>"), style)


def table(rows: Sequence[Sequence[object]], widths: Sequence[float]) -> Table:
    """Rows of words, the first column in full size; widths are shares of the page's."""
    cells = [[text(cell, SMALL if place else BODY) for place, cell in enumerate(row)] for row in rows]
    made = Table(cells, colWidths=[share * WIDTH for share in widths], hAlign="LEFT")
    made.setStyle(
        TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LINEBELOW", (0, 0), (-1, -1), 0.25, "#999999")])
    )
    return made


def sheet(
    head: Sequence[object],
    rows: Sequence[Sequence[object]],
    widths: Sequence[float],
    *,
    amounts: Iterable[int] = (-1,),
    totals: int = 0,
) -> Table:
    """A table with a head that each page repeats, columns of amounts to the right, and the last `totals` rows in
    bold under a line."""
    right = {number % len(widths) for number in amounts}
    said = [_row(head, right, strong=True)]
    for number, row in enumerate(rows, 1):
        said.append(_row(row, right, strong=number > len(rows) - totals))
    made = Table(said, colWidths=[share * WIDTH for share in widths], hAlign="LEFT", repeatRows=1)
    styles: list[Any] = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, 0), 0.8, INK),
        ("LINEBELOW", (0, 1), (-1, -1), 0.25, RULE),
        ("LEFTPADDING", (0, 0), (0, -1), 0),
        ("RIGHTPADDING", (-1, 0), (-1, -1), 0),
    ]
    if totals:
        styles.append(("LINEABOVE", (0, -totals), (-1, -totals), 0.8, INK))
    made.setStyle(TableStyle(styles))
    return made


def _row(cells: Sequence[object], right: set[int], *, strong: bool) -> list[Paragraph]:
    plain, amount = (STRONG, AMOUNT_STRONG) if strong else (BODY, AMOUNT)
    return [text(cell, amount if place in right else plain) for place, cell in enumerate(cells)]


def document(title: str, story: Sequence[Flowable], *, foot: str = "") -> bytes:
    """The file: US letter, the same bytes for the same story, `foot` and the page's number below each page."""
    out = BytesIO()
    made = SimpleDocTemplate(
        out, pagesize=letter, leftMargin=SIDE, rightMargin=SIDE, topMargin=TOP, bottomMargin=TOP, title=title,
        invariant=1,
    )  # fmt: skip

    def below(canvas: Canvas, _document: object) -> None:
        if foot:
            canvas.setFont(PLAIN, 7)
            canvas.setFillColor(FAINT)
            canvas.drawString(SIDE, 0.45 * inch, foot)
            canvas.drawRightString(letter[0] - SIDE, 0.45 * inch, str(canvas.getPageNumber()))

    made.build(list(story), onFirstPage=below, onLaterPages=below)
    return out.getvalue()
