"""StyleGAN's ``dataset.json``: the class of each picture of a data set in numbered folders."""

from __future__ import annotations

import json
import posixpath
from typing import Any, NamedTuple

from figment.data.printing import listed, natural, readable
from figment.errors import UserError

NAME = "dataset.json"
LARGEST = 64 << 20  # bytes: a million pictures take 40 MB
MOST = 1 << 31  # the highest number that a class may have


class Labels(NamedTuple):
    """What one such file says."""

    place: str  # of the file, as the file system or the zip spells it
    table: dict[str, int | None]  # the class of each picture by its path; None: it has none
    attributes: bool  # whether it gives several attributes a picture, of which no class follows


def labels_in(written: bytes, place: str) -> Labels | None:
    """Return the class of each picture by its path; None where the file says nothing of labels.

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
    attributes = any(isinstance(label, list) for label in pairs.values())
    return Labels(place, table, attributes and all(label is None for label in table.values()))


def joined(files: list[Labels]) -> tuple[dict[str, int | None], str]:
    """Return the class of each picture by all of a source's files, and what is to be said of them.

    A class of one file is that of the same number in the others. Raises UserError where two say
    different things of a picture: neither may be taken, as numbers of one may mean others' classes.
    """
    files = sorted(files, key=lambda one: natural(one.place))
    table: dict[str, int | None] = {}
    for one in files:
        for name, label in one.table.items():
            known = table.get(name)
            if None not in (known, label) and known != label:
                raise UserError(_contradiction(files, name))
            table[name] = known if label is None else label
    with_classes = [readable(one.place) for one in files if not one.attributes]
    if with_classes:
        return table, f"by {listed(with_classes)}"
    places = listed([readable(one.place) for one in files])
    gives = "gives" if len(files) == 1 else "give"
    return table, f"in {places}, which {gives} several attributes a picture"


def _contradiction(files: list[Labels], name: str) -> str:
    given = [(one.place, one.table[name]) for one in files if one.table.get(name) is not None]
    first, other = given[0], next(pair for pair in given if pair[1] != given[0][1])
    return (
        f"{readable(name)} is of class {first[1]} by {readable(first[0])} and of class {other[1]} by "
        f"{readable(other[0])}: take one of these files away, or train with --folders none"
    )


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
