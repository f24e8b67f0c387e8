"""Whether a file is a picture: by its first bytes, whatever it is called."""

from __future__ import annotations

import os
import re

HEAD = 64  # bytes that tell
SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".webp", ".bmp", ".dib", ".tif", ".tiff"}
    | {
        ".ppm",
        ".pgm",
        ".pbm",
        ".pnm",
        ".pfm",
        ".tga",
        ".avif",
        ".jp2",
        ".j2k",
        ".heic",
        ".heif",
        ".jxl",
    }
)
"""Of pictures: such a file that is none is broken, not of another kind."""
RAW = frozenset(
    {".nef", ".nrw", ".cr2", ".cr3", ".arw", ".dng", ".orf", ".rw2", ".pef", ".raf", ".srw"}
)
"""Of a camera's raw data, which look like a TIFF with a thumbnail in it."""
CLUTTER = frozenset({"__macosx", "thumbs.db", "desktop.ini", "@eadir", "$recycle.bin"})
"""What operating systems leave; names that begin with a dot likewise."""
HIDDEN_PART = re.compile(
    rf"(?:^|/)(?:\.|(?:{'|'.join(map(re.escape, sorted(CLUTTER)))})(?:/|$))", re.IGNORECASE
)
HIDDEN = "hidden or of the system"
RUNS = "runs of figment"
MOST_KINDS = 40  # that are counted apart
SIGNATURES = (
    (0, b"\xff\xd8\xff"),
    (0, b"\x89PNG\r\n\x1a\n"),
    (0, b"GIF87a"),
    (0, b"GIF89a"),
    (0, b"II*\0"),
    (0, b"MM\0*"),
    (0, b"II+\0"),
    (0, b"MM\0+"),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n"),
    (0, b"\xff\x4f\xff\x51"),
    (0, b"\0\0\0\x0cJXL \r\n\x87\n"),
    (8, b"WEBPVP8"),
    (0, b"Pf\n"),
)
FIRST = frozenset({b"R"} | {mark[:1] for place, mark in SIGNATURES if not place})  # bytes of these
BRANDS = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis"}
)
NETPBM = re.compile(rb"P[1-6fF]\s*(#[^\n]*\n\s*)*\d+\s")


def is_picture(head: bytes) -> bool:
    """Return whether the first 64 bytes of a file are those of a picture that figment may read.

    TGA has no signature: such a file is known by its suffix alone.
    """
    if head[:1] in FIRST and any(head.startswith(mark, place) for place, mark in SIGNATURES):
        return True
    if head[4:8] == b"ftyp":
        return head[8:12] in BRANDS
    if (
        head[:2] == b"BM"
    ):  # so do sentences about cars: the reserved bytes and the header's size tell
        return head[6:10] == bytes(4) and head[14:18] in _bmp_headers()
    if head[:2] == b"\xff\x0a":  # a bare JPEG XL stream
        return len(head) > 2 and b"\0" in head
    return NETPBM.match(head) is not None


def kind_of(name: str) -> str:
    """Return how a file that is no picture is counted: its suffix, if that is an ordinary one."""
    suffix = os.path.splitext(name)[1].lower()
    if not suffix:
        return "without suffix"
    return suffix if re.fullmatch(r"\.[a-z0-9_]{1,10}", suffix) else "of other kinds"


def is_clutter(name: str) -> bool:
    """Return whether a file or folder of this name is the system's or hidden."""
    return name.startswith(".") or name.lower() in CLUTTER


def in_clutter(path: str) -> bool:
    """Return whether a path leads through the system's or hidden files or folders."""
    return HIDDEN_PART.search(path) is not None


def is_run(names: set[str]) -> bool:
    """Return whether a folder that holds files and folders of these names is a run of figment."""
    return "recipe.json" in names and bool(names & {"machine.json", "log.jsonl", "snapshots"})


def _bmp_headers() -> tuple[bytes, ...]:
    return tuple(size.to_bytes(4, "little") for size in (12, 40, 52, 56, 64, 108, 124))


def is_zip(head: bytes) -> bool:
    """Return whether a file that begins so is a zip."""
    return head[:4] in (b"PK\x03\x04", b"PK\x05\x06")


def head(path: str) -> bytes:
    """Return the first bytes of a file, b"" where it cannot be read."""
    try:
        with open(path, "rb", buffering=0) as file:
            sized = os.fstat(file.fileno()).st_size > 0  # some of /proc would keep a reader waiting
            return (file.read(HEAD) or b"") if sized else b""
    except OSError:
        return b""
