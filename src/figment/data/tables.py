"""Pictures in Parquet files: which column holds them, their labels, and their bytes, streamed.

Read are a binary column and Hugging Face's image feature (a struct of bytes and path); a label is a
``ClassLabel`` of the schema's metadata, or a column called so. pyarrow comes with
``figment-gan[datasets]``.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from figment.data import kinds, parquet, structure
from figment.data.order import evenly_spaced
from figment.data.parquet import Shard
from figment.data.printing import listed, natural, readable
from figment.data.structure import Structure
from figment.errors import UserError

PICTURES = ("image", "img", "picture", "photo", "jpg", "jpeg", "png", "webp")
"""Names of a column that is taken where several hold pictures."""
LABELS = ("label", "labels", "class", "class_label", "category", "target", "y", "fine_label")
FIRST = 32  # rows of a row group that are looked at
MOST_ROWS = 5_000_000
MOST_HELD = 1 << 27  # bytes of the pictures that are held at once
MOST_NAMES = 100_000  # different labels: more are no classes


@dataclass
class Cursor:
    """A place in the rows, read on from where the last reader stopped."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    row: int = 0  # the next that the stream yields
    stop: int = 0  # where the stream ends
    stream: Iterator[bytes | None] = field(default_factory=lambda: iter(()))


@dataclass(frozen=True)
class Table:
    """The pictures of one or more Parquet files with the same columns."""

    shards: tuple[Shard, ...]
    leaf: str  # the column of pictures, or the field of it that has the bytes
    chosen: np.ndarray  # [N] int64: the rows, over all files, that are pictures of the set
    cursor: Cursor = field(default_factory=Cursor, compare=False)

    @cached_property
    def groups(self) -> list[tuple[Shard, int]]:
        """Every row group, as its file and its number there."""
        return [(shard, group) for shard in self.shards for group in range(len(shard.groups))]

    @cached_property
    def starts(self) -> np.ndarray:
        """The first row of each of them, over all files."""
        counts = [shard.groups[group] for shard, group in self.groups]
        return np.cumsum([0, *counts])[:-1]


def is_table(path: str) -> bool:
    """Return whether a file is Parquet."""
    return kinds.head(path)[:4] == b"PAR1" or path.lower().endswith(".parquet")


def find(
    source: str, root: Path, names: list[str], folders: str
) -> tuple[Table, Structure, tuple[str, ...]]:
    """Return the table in some files below a folder, its pictures with their classes, and notes."""
    names = sorted(sorted(names), key=natural)
    opened = [(name, parquet.opened(name, root / name)) for name in names]
    shards = tuple(parquet.shard(name, root / name, file) for name, file in opened)
    count = sum(shard.rows for shard in shards)
    if not count:
        raise UserError(f"{readable(source)} holds no rows: give a file with pictures")
    if count > MOST_ROWS:
        raise UserError(
            f"{source} claims {count:,} rows, more than the {MOST_ROWS:,} that figment reads"
        )
    schema = opened[0][1].schema_arrow
    for name, file in opened:
        _refuse_twins(name, file.schema_arrow.names)
    column, notes = _picture_column(source, shards[0], opened[0][1])
    for name, file in opened:
        if column not in file.schema_arrow.names:
            raise UserError(f"{readable(name)} has no column {column}, as {opened[0][0]} has")
        parquet.refuse_bombs(name, file, _leaf(schema, column))
    files = [f"{shard.name}/{row}" for shard in shards for row in range(shard.rows)]
    arranged, named = _by_label(schema, shards, files, folders)
    chosen = np.arange(count)
    if arranged.left_out:
        chosen = np.flatnonzero([name is not None for name in named])
    return Table(shards, _leaf(schema, column), chosen), arranged, notes


def rows(table: Table, start: int, stop: int) -> list[bytes | None]:
    """Return the bytes of some pictures, None for one whose bytes are elsewhere.

    Reads on from the last ones, so that a pass in order decodes everything once. Raises UserError
    where the file is damaged or its pictures cannot be held.
    """
    wanted = table.chosen[start:stop].tolist()
    found: list[bytes | None] = []
    held = 0
    with table.cursor.lock:
        for row in wanted:
            value = _at(table, row)
            held += len(value or b"")
            if held > MOST_HELD:
                where = readable(table.shards[0].name)
                raise UserError(
                    f"{stop - start} pictures in a row of {where} are too large: reduce them"
                )
            found.append(value)
    return found


def quick(table: Table, most: int) -> np.ndarray:
    """Return the indices of the first pictures of some row groups, at most ``most``, in order."""
    starts = evenly_spaced(table.starts, 8)
    each = max(1, min(most // len(starts), FIRST))
    found = [np.searchsorted(table.chosen, np.arange(start, start + each)) for start in starts]
    indices = np.unique(np.concatenate(found))
    return indices[indices < len(table.chosen)][:most]


def stretch(table: Table, most: int) -> int:
    """Return how many pictures to hold at once, so that they take 32 MB or so."""
    size = sum(shard.path.stat().st_size for shard in table.shards)
    mean = max(1, size // max(1, sum(shard.rows for shard in table.shards)))
    return int(min(most, max(1, (32 << 20) // mean)))


def _refuse_twins(name: str, columns: list[str]) -> None:
    """Raise UserError where two columns have one name, by which neither can be asked for."""
    twice = [column for column, count in Counter(columns).items() if count > 1]
    if twice:
        raise UserError(
            f"{readable(name)} has several columns called {readable(twice[0])}: rename or remove all but "
            "one of them"
        )


def _picture_column(source: str, shard: Shard, file: Any) -> tuple[str, tuple[str, ...]]:
    """Return the column of pictures, and what is to be said of others."""
    schema = file.schema_arrow
    possible = [name for name in schema.names if _is_bytes(schema.field(name).type)]
    found = [name for name in possible if _are_pictures(shard, file, _leaf(schema, name))]
    if not found:
        columns = ", ".join(
            f"{readable(name)} ({_kind(schema, name)})" for name in schema.names[:6]
        )
        raise UserError(
            f"{readable(source)} has no column of pictures as files (it has {columns}): give one whose"
            " values are the bytes of JPEG or PNG files"
        )
    if len(found) == 1:
        return found[0], ()
    usual = [name for name in PICTURES if name in found]
    names = listed([readable(name) for name in found], 6)
    if not usual:
        raise UserError(
            f"{readable(source)} has several columns of pictures, {names}: keep one of them"
        )
    return usual[0], (f"of the columns of pictures {names}, {usual[0]} is taken",)


def _are_pictures(shard: Shard, file: Any, leaf: str) -> bool:
    """Return whether any of the first values of a column is a picture."""
    if not shard.rows:
        return False
    parquet.refuse_bombs(shard.name, file, leaf)
    file = parquet.opened(shard.name, shard.path, leaf)
    first = islice(parquet.values(shard.name, file, leaf), FIRST)
    return any(kinds.is_picture((value or b"")[: kinds.HEAD]) for value in first)


def _leaf(schema: Any, column: str) -> str:
    """Return the column, or the field of it, that has the bytes."""
    from pyarrow import types

    return f"{column}.bytes" if types.is_struct(schema.field(column).type) else column


def _at(table: Table, row: int) -> bytes | None:
    """Return the value of a row, reading on where the cursor stands before it in its row group."""
    cursor = table.cursor
    number = int(np.searchsorted(table.starts, row, "right")) - 1
    start = int(table.starts[number])
    if not start <= cursor.row <= row < cursor.stop:
        shard, group = table.groups[number]
        file = parquet.opened(shard.name, shard.path, table.leaf)
        groups = list(range(group, len(shard.groups)))
        cursor.stream = parquet.values(shard.name, file, table.leaf, groups)
        cursor.row, cursor.stop = start, start + sum(shard.groups[group:])
    for value in cursor.stream:
        cursor.row += 1
        if cursor.row > row:
            return value
    raise UserError(f"{readable(table.groups[number][0].name)} is cut short: fetch it again")


def _by_label(
    schema: Any, shards: tuple[Shard, ...], names: list[str], folders: str
) -> tuple[Structure, list[str | None]]:
    """Return the pictures with their classes, and the class of each row."""
    column, known = _label_column(schema)
    if column is None or folders == "none":
        why = ("no classes: the labels are left out, as --folders none says",) if column else ()
        return Structure(names, np.zeros(len(names), np.int64), (), (), why), []
    given: list[str | None] = []
    seen: set[str] = set()
    for shard in shards:
        texts = _kind(schema, column) == "text"
        file = parquet.opened(shard.name, shard.path, column if texts else "")
        parquet.refuse_bombs(shard.name, file, column)
        for cell in parquet.labels(shard.name, file, column):
            given.append(_name(cell, known))
            seen.add(given[-1] or "")
            if len(seen) > MOST_NAMES:
                why = f"no classes: each row has a text of its own in the column {readable(column)}"
                return Structure(names, np.zeros(len(names), np.int64), (), (), (why,)), []
    order = list(dict.fromkeys(known)) if known else None
    said = f"by the column {readable(column)}"
    return structure.labelled(names, given, said, order=order, insist=folders == "classes"), given


def _label_column(schema: Any) -> tuple[str | None, list[str]]:
    """Return the column of labels, if there is one, and the names of the classes that the file gives."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        labels = {
            name: [readable(str(one)) for one in feature.get("names") or []]
            for name, feature in features.items()
            if feature.get("_type") == "ClassLabel" and name in schema.names
        }
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError):
        labels = {}
    usual = [name for name in LABELS if name in labels] or list(labels)
    if usual:
        names = labels[usual[0]]
        twice = {name for name in names if names.count(name) > 1} if len(names) < 5_000 else set()
        return usual[0], [
            f"{name} ({i})" if name in twice else name for i, name in enumerate(names)
        ]
    for name in LABELS:
        if name in schema.names and _kind(schema, name) in ("number", "text", "yes or no"):
            return name, []
    return None, []


def _name(cell: Any, known: list[str]) -> str | None:
    """Return the name of a class; None where a label means that there is none."""
    if cell is None or (isinstance(cell, int) and cell < 0):
        return None
    if known:
        return known[cell] if isinstance(cell, int) and cell < len(known) else None
    return readable(str(cell))


def _is_bytes(kind: Any) -> bool:
    from pyarrow import types

    if types.is_struct(kind):
        place = kind.get_field_index("bytes")
        return place >= 0 and _is_bytes(kind.field(place).type)
    return types.is_binary(kind) or types.is_large_binary(kind)


def _kind(schema: Any, name: str) -> str:
    from pyarrow import types

    kind = schema.field(name).type
    kind = kind.value_type if types.is_dictionary(kind) else kind
    if types.is_integer(kind):
        return "number"
    if types.is_string(kind) or types.is_large_string(kind):
        return "text"
    return "yes or no" if types.is_boolean(kind) else str(kind)[:30]
