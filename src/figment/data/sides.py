"""Which folders hold sides of the same pictures: masks beside them, their edges, another size.

Names that can mean nothing else decide alone. Others (``before`` and ``after``) might be classes, too:
these are sides only where the files of one folder are called as those of the other.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping

WHOLE = frozenset(
    {"image", "images", "img", "imgs", "picture", "pictures", "photo", "photos", "jpegimages"}
    | {"jpg", "jpeg", "jpgs", "png", "pngs", "full", "original", "originals", "leftimg8bit"}
)
"""Names of the pictures themselves."""
DERIVED = frozenset(
    {"mask", "masks", "label", "labels", "annotation", "annotations", "segmentation", "trimap"}
    | {"segmentations", "segmentationclass", "segmentationobject", "trimaps", "gtfine", "gtcoarse"}
    | {"gt", "gts", "groundtruth", "depth", "edge", "edges", "thumbnail", "thumbnails", "thumb"}
    | {"thumbs", "input", "inputs", "target", "targets", "hr", "lr", "augmented", "augmentations"}
)
"""Names of what was made from pictures, or is to be made."""
PERHAPS = frozenset(
    {"clean", "noisy", "sharp", "blur", "blurred", "blurry", "hazy", "rainy", "before"}
    | {"after", "rgb", "nir", "ir", "infrared", "thermal", "visible", "left", "right"}
    | {"low", "high"}
    | {"lowres", "highres", "small", "large", "resized", "cropped", "raw", "processed", "sketch"}
    | {"sketches", "colour", "color", "gray", "grey", "grayscale", "greyscale", "output", "outputs"}
    | {"32", "64", "128", "256", "512", "1024", "2048", "x1", "x2", "x3", "x4", "x8", "bicubic"}
)
"""Names that are sides where the files agree: they may be classes as well."""
SIZE = re.compile(r"(\d{2,5}[x×]\d{2,5}|\d{2,5} ?px)", re.IGNORECASE)
ALIKE = 0.95  # share of the files that the folders have in common
RUN = 0.9  # of a run of numbers: any folder numbered anew has these
FEWEST = 3  # files that can show anything


def are_sides(names: Mapping[str, str], files: Mapping[str, Iterable[str]]) -> bool:
    """Return whether folders hold sides of the same pictures.

    ``names``: what is left of each folder's name without the word for a part of a split; ``files``:
    their files.
    """
    left = _apart({_bare(name) for name in names.values()})
    if len(left) > 1 and all(_sure(name) for name in left):
        return "" not in left or any(name.split(" ")[0] in DERIVED for name in left)
    if _sized(names):
        return True
    known = WHOLE | DERIVED | PERHAPS
    if len(names) < 2 or len(left) < len(names) or not all(set(x.split()) <= known for x in left):
        return False
    return _agree([{os.path.splitext(file)[0] for file in files[name]} for name in names])


def _sure(name: str) -> bool:
    """Return whether a name can mean nothing else: ``gt fine``, ``lr bicubic``, nothing at all."""
    words = name.split(" ")
    whole = "".join(words) in WHOLE | DERIVED | {""}
    return whole or (words[0] in WHOLE | DERIVED and set(words[1:]) <= PERHAPS | DERIVED | WHOLE)


def _sized(names: Mapping[str, str]) -> bool:
    """Return whether names differ by sizes, such as 256x256, with nothing or a word for pictures."""
    left = {_bare(name) for name in names.values()}
    sizes = {size[0].lower() if (size := SIZE.search(name)) else "" for name in names.values()}
    return len(sizes) > 1 and (len(left) == 1 or left <= WHOLE | DERIVED | {""})


def _bare(name: str) -> str:
    """Return the words of a name in lower case, without sizes."""
    words = re.findall(r"[^\W_]+", SIZE.sub(" ", name).lower())
    return " ".join(words)


def _apart(names: set[str]) -> set[str]:
    """Return names without the words that all begin or end with: ``road images``, ``road masks``."""
    if all(_sure(name) for name in names):
        return names
    split = [name.split() for name in names]
    shortest = min(map(len, split), default=0)
    before = _shared(split, shortest)
    after = _shared([words[::-1] for words in split], shortest - before)
    return {" ".join(words[before : len(words) - after]) for words in split}


def _shared(lists: list[list[str]], most: int) -> int:
    """Return with how many equal words all begin."""
    columns = list(zip(*lists, strict=False))[:most]
    return next((i for i, column in enumerate(columns) if len(set(column)) > 1), len(columns))


def _agree(stems: list[set[str]]) -> bool:
    """Return whether folders hold files of the same names, which are more than numbers in a row."""
    common, largest = set.intersection(*stems), max(map(len, stems))
    if len(common) < FEWEST or len(common) < ALIKE * largest:
        return False
    last = [re.findall(r"\d+", stem)[-1:] for stem in common]
    numbers = {int(found[0][-18:]) for found in last if found}
    if 2 * len(numbers) < len(common):  # names, or numbers of something else
        return True
    return len(numbers) < RUN * (max(numbers) - min(numbers) + 1)
