"""What the examples of a data set are called."""

from __future__ import annotations

from figment.data import builtin, packed, sources
from figment.data.dataset import Dataset


def names_of(dataset: Dataset) -> list[str]:
    """Return the name of each row: the path of its picture below the source.

    Packed files and built-in sets keep no names: there it is the row's number.
    """
    if builtin.builtin(dataset.source) or packed.is_packed(dataset.source):
        return [str(row) for row in range(len(dataset))]
    skipped = {file for file, _ in dataset.skipped}
    files = map(sources.readable, sources.find_pictures(dataset.source).files)
    return [file for file in files if file not in skipped]
