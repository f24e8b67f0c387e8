"""StyleGAN's ``dataset.json``: the class of each picture of a data set in numbered folders."""

from __future__ import annotations

import json
import posixpath
from typing import Any

NAME = "dataset.json"
LARGEST = 64 << 20  # bytes: a million pictures take 40 MB
MOST = 1 << 31  # the highest number that a class may have


def labels_in(written: bytes, place: str) -> tuple[dict[str, int | None], str] | None:
    """Return the class of each picture by its path, and what is to be said of them; None without labels.

    ``place`` is the path of the file, beside which its paths begin. Whole numbers are classes, and so
    are vectors with a single 1; other vectors are attributes, of which no class follows. Raises
    ValueError where it is no such file.
    """
    try:
        found: Any = json.loads(written)
        pairs = found.get("labels")
    except (ValueError, RecursionError, AttributeError):
        raise ValueError(f"{place} is no readable JSON object") from None
    if not pairs:
        return None
    try:
        pairs = dict(pairs.items() if isinstance(pairs, dict) else pairs)
        base = posixpath.dirname(place)
        table = {
            posixpath.join(base, str(name).replace("\\", "/")): _class(label)
            for name, label in pairs.items()
        }
    except (ValueError, TypeError, OverflowError):
        raise ValueError(f"{place} holds labels in an unknown form") from None
    attributes = sum(isinstance(label, list) for label in pairs.values())
    if attributes and all(label is None for label in table.values()):
        return table, f"in {place}, which gives several attributes a picture"
    return table, f"by {place}"


def _class(label: Any) -> int | None:
    """Return the class that a label means; None where it means that there is none, as -1 does."""
    if isinstance(label, list):
        ones = [place for place, value in enumerate(label) if value == 1]
        return ones[0] if len(ones) == 1 and label.count(0) == len(label) - 1 else None
    if label is None:
        return None
    if isinstance(label, bool) or int(label) != label or abs(label) > MOST:
        raise ValueError("no number of a class")
    return int(label) if label >= 0 else None
