"""A quick look at a source: enough to choose a recipe by, in under a second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from figment.data import decode, noticed, opening, packed, sources, square
from figment.data.order import evenly_spaced
from figment.errors import UserError

if TYPE_CHECKING:
    from PIL import Image

SAMPLE = 500  # files whose headers are opened
HEAD = 1 << 16  # bytes of a file that nearly always hold its header
GREYS = ("1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L", "I;16N")


@dataclass(frozen=True)
class Look:
    """What a glance at a source tells."""

    name: str
    source: str
    kind: str  # "images" or "points"
    count: int  # picture files, readable or not
    classes: tuple[str, ...]
    side: int  # median of the short sides in pixels; 0: any resolution can be had
    grey: bool  # all pictures looked at are grey: a guess, which packing decides from all of them
    square: bool
    structure: tuple[str, ...] = ()  # what was decided about folders and labels, and why
    extremes: tuple[int, int] = (0, 0)  # the smallest and the largest short side; 0: any


def look(source: str, folders: str = "auto") -> Look:
    """Return what a source holds, by the headers of at most 500 of its files, evenly spread.

    Built-in sets are not drawn for it. ``UserError`` where there is nothing, or where none of the
    files looked at is a picture. ``folders``: see ``sources.find_pictures``.
    """
    from figment.data.builtin import builtin

    built = builtin(source)
    if built:
        name, count = built
        if name != "flowers":
            return Look(name, source, "points", count, (), 0, False, False)
        from figment.data.flowers import CLASSES

        classes = () if folders == "none" else CLASSES
        return Look(name, source, "images", count, classes, 0, False, True)
    name = sources.name_of(source)
    with opening.quiet():
        if packed.is_packed(source):
            return _look_packed(name, packed.read_packed(source, folders))
        return _look_pictures(name, sources.find_pictures(source, folders))


def advise(side: int, grey: bool, *, most: int = 64) -> tuple[int, int]:
    """Return the resolution and channels to train at: a power of two that the pictures can fill.

    At least 32 and at most ``most`` px; 64 where any resolution can be had (``side`` 0).
    """
    fitting = 2 ** int(np.log2(side)) if side else 64
    return min(most, max(32, fitting)), 1 if grey else 3


def is_grey(image: Image.Image) -> bool:
    """Return whether a picture of mode ``L`` or ``RGB`` has no colour, as far as 32 px show it."""
    if image.mode == "L":
        return True
    row = square.squared(image, square.Form(32, 3, "stretch"))
    return bool(noticed.tints(np.ascontiguousarray(row)[None])[0] <= noticed.TINT)


def _look_pictures(name: str, pictures: sources.Pictures) -> Look:
    sides, square, coloured, broken = [], True, [], []
    for index in sources.sample(pictures, SAMPLE):
        try:
            mode, size = _header(pictures, index)
        except Exception as error:  # of any kind: see packing
            broken.append((sources.readable(pictures.files[index]), _why(error, pictures, index)))
            continue
        sides.append(min(size))
        square = square and size[0] == size[1]
        if mode not in GREYS:
            coloured.append(index)
    if not sides:
        tried = f"none of the {len(broken):,} pictures tried of {pictures.source} can be read"
        raise UserError(f"{tried} ({sources.reasons(broken)})")
    grey = all(
        _shows_grey(pictures, coloured[i]) for i in evenly_spaced(np.arange(len(coloured)), 16)
    )
    side = int(np.median(sides))
    return Look(
        name,
        pictures.source,
        "images",
        len(pictures),
        pictures.classes,
        side,
        grey,
        square,
        pictures.structure,
        (min(sides), max(sides)),
    )


def _look_packed(name: str, file: packed.Packed) -> Look:
    from PIL import Image

    height, width = file.size
    samples = packed.in_colour(packed.some(file, 32), file.layout)
    grey = all(
        is_grey(decode.plain(Image.fromarray(np.ascontiguousarray(sample)))) for sample in samples
    )
    side, square = min(height, width), height == width
    extremes = (side, side)
    return Look(
        name, file.source, "images", len(file), file.classes, side, grey, square, extremes=extremes
    )


def _header(pictures: sources.Pictures, index: int) -> tuple[str, tuple[int, int]]:
    """Return mode and size of a picture."""
    try:
        return decode.header(sources.read(pictures, index, most=HEAD))
    except Exception:  # a long header, or a format that opens only as a whole
        return decode.header(sources.read(pictures, index))


def _shows_grey(pictures: sources.Pictures, index: int) -> bool:
    try:
        seen = decode.see(sources.read(pictures, index), enough=32)
    except Exception:  # a broken picture is no evidence of colour
        return True
    if seen.deep is not None:
        return seen.deep.pixels.ndim == 2
    assert seen.image is not None
    return is_grey(seen.image)


def _why(error: Exception, pictures: sources.Pictures, index: int) -> str:
    try:
        return opening.why(error, sources.read(pictures, index, most=HEAD))
    except Exception as unreadable:
        return opening.why(unreadable, b"")
