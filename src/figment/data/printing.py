"""Names from data, which may be anybody's: as they are printed and compared, and their order."""

from __future__ import annotations

import hashlib
import re
import unicodedata

LONGEST = 200
"""Characters of a name that are shown: a longer one ends in a digest, so that it stays its own."""
UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What moves a cursor, starts a terminal's commands, ends a line, or turns the direction of a text."""
UNPAIRED = re.compile("[\ud800-\udc7f\udd00-\udfff]")
"""Halves of letters, which JSON can spell; the others stand for bytes of file names."""


def readable(name: str) -> str:
    """Return a name that can be printed and compared: composed Unicode without control characters.

    These, and bytes that are no UTF-8, are written out as in Python (``\\x1b``, ``\\xff``), so that
    different names stay different. Whatever comes from data is printed through this function; a text
    of several names through ``clean``.
    """
    name = clean(unicodedata.normalize("NFC", name))
    if len(name) > LONGEST:
        digest = hashlib.sha256(name.encode()).hexdigest()[:8]
        name = f"{name[: LONGEST - 10]}…{digest}"
    return name


def clean(text: str) -> str:
    """Return a text without what moves a cursor or starts a terminal's commands: these written out."""
    if text.isascii() and text.isprintable():
        return text
    text = UNPAIRED.sub(_written_out, text)
    if any("\udc80" <= character <= "\udcff" for character in text):  # bytes of a file name
        text = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return UNSAFE.sub(_written_out, text)


def natural(name: str) -> str:
    """Return a sorting key by which ``2.png`` comes before ``10.png``, folder by folder."""
    name = readable(name).replace("/", "\0")
    return re.sub("[0-9]+", lambda number: number[0].zfill(12), name)


def counted(number: int, what: str) -> str:
    """Return a number of things: ``1 picture``, ``2,000 pictures``."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def listed(names: tuple[str, ...] | list[str], most: int = 3) -> str:
    """Return names as a phrase: ``a, b and c``, ``a, b, c and 9 more``."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most:,} more"
    *others, last = names or [""]
    return f"{', '.join(others)} and {last}" if others else last


def _written_out(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
