"""Barcodes that others have printed: when two readings are of the same one."""

from __future__ import annotations

import re

# What some readers put before a code to say its kind (ISO/IEC 15424), such as ]C1 for GS1-128.
_SYMBOLOGY = re.compile(r"^\][A-Za-z][0-9A-Za-z]")
# A UPC-A, which half of all readers tell as the EAN-13 that it also is.
_UPC = re.compile(r"[0-9]{12}")


def spelled(text: str) -> str:
    """The code in one spelling: without what readers add, what people group it with, and the case of its letters."""
    bare = _SYMBOLOGY.sub("", text.strip())
    bare = "".join(sign for sign in bare if sign.isprintable() and sign not in " ()").casefold()
    return f"0{bare}" if _UPC.fullmatch(bare) else bare
