"""What the examples of a data set are called, and what files may be called after its classes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from figment.data import builtin, packed, sources
from figment.data.dataset import Dataset
from figment.data.kinds import is_clutter
from figment.data.printing import UNSAFE
from figment.errors import UserError

FORBIDDEN = re.compile(rf'[/\\:*?"<>|]|{UNSAFE.pattern}')  # in a name, on one system or another
DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # of Windows
LONGEST = 120  # bytes, of 255 that file systems allow


def names_of(dataset: Dataset) -> list[str]:
    """Return the name of each row: the path of its picture below the source.

    Packed files and built-in sets keep no names: there it is the row's number. Raises UserError where the
    files are others by now.
    """
    if builtin.builtin(dataset.source) or packed.is_packed(dataset.source):
        return [str(row) for row in range(len(dataset))]
    pictures = sources.find_pictures(dataset.source, dataset.folders)
    unread = {file for file, _ in set(dataset.skipped) - set(pictures.skipped)}
    names = [file for file in map(sources.readable, pictures.files) if file not in unread]
    if len(names) != len(dataset):
        raise UserError(
            f"the pictures of {dataset.source} have changed since they were read: start again"
        )
    return names


def file_names(classes: Sequence[str]) -> list[str]:
    """Return a name for a file or folder of each class: whatever it is called, one part of a path.

    Ordinary names stay as they are. All are different, also where upper and lower case are one, none
    is hidden, and none leads elsewhere, on any system. This is the only way from a class to a path.
    """
    found: list[str] = []
    taken: set[str] = set()
    for name in classes:
        plain, number = _plain(name), 1
        one = plain
        while one.casefold() in taken:
            number += 1
            one = f"{plain}-{number}"
        taken.add(one.casefold())
        found.append(one)
    return found


def _plain(name: str) -> str:
    """Return a name without what a system forbids, or may take for something else."""
    plain = FORBIDDEN.sub("_", name).strip(" ").rstrip(". ").lstrip(".")
    if len(plain.encode()) > LONGEST:
        digest = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:8]
        plain = f"{plain.encode()[: LONGEST - 9].decode('utf-8', 'ignore')}-{digest}"
    if DEVICES.fullmatch(plain) or is_clutter(plain):
        plain += "_"
    return plain or "class"
