"""Pictures in Parquet files: which column holds them, their labels, and their bytes, streamed.

Read are a binary column and Hugging Face's image feature (a struct of bytes and path); a label is a
``ClassLabel`` of the schema's metadata, or a column called so. pyarrow comes with
``figment-gan[datasets]``.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from figment.data import kinds, structure
from figment.data.order import evenly_spaced
from figment.data.printing import listed, natural, readable
from figment.data.structure import Structure
from figment.errors import UserError

PICTURES = ("image", "img", "picture", "photo", "jpg", "jpeg", "png", "webp")
"""Names of a column that is taken where several hold pictures."""
LABELS = ("label", "labels", "class", "class_label", "category", "target", "y", "fine_label")
BATCH = 16  # rows that are decoded at once
MOST_ROWS = 5_000_000
MOST_HELD = 1 << 29  # bytes of the pictures that are held at once
THRIFT = 1 << 26  # bytes of a footer's strings and lists, where files are made to do harm
MOST_NAMES = 100_000  # different labels: more are no classes


@dataclass(frozen=True)
class Shard:
    """One Parquet file."""

    path: Path
    name: str
    groups: tuple[int, ...]  # rows of each row group

    @property
    def rows(self) -> int:
        return sum(self.groups)


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
    column: str
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
    opened = [(name, _open(source, root / name)) for name in sorted(sorted(names), key=natural)]
    shards = tuple(_shard(source, root, name, file) for name, file in opened)
    count = sum(shard.rows for shard in shards)
    if not count:
        raise UserError(f"{readable(source)} holds no rows: give a file with pictures")
    if count > MOST_ROWS:
        raise UserError(
            f"{source} claims {count:,} rows, more than the {MOST_ROWS:,} that figment reads"
        )
    schema = opened[0][1].schema_arrow
    column, notes = _picture_column(source, opened[0][1])
    for name, file in opened:
        if column not in file.schema_arrow.names:
            raise UserError(f"{readable(name)} has no column {column}, as {opened[0][0]} has")
    files = [f"{shard.name}/{row}" for shard in shards for row in range(shard.rows)]
    arranged, named = _by_label(schema, [file for _, file in opened], files, folders)
    chosen = np.arange(count)
    if arranged.left_out:
        chosen = np.flatnonzero([name is not None for name in named])
    return Table(shards, column, chosen), arranged, notes


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
                raise UserError(
                    f"{stop - start} pictures of {table.shards[0].name} take over 0.5 GB"
                )
            found.append(value)
    return found


def quick(table: Table, most: int) -> np.ndarray:
    """Return the indices of the first pictures of some row groups, at most ``most``, in order."""
    starts = evenly_spaced(table.starts, 8)
    each = max(1, min(most // len(starts), 2 * BATCH))
    found = [np.searchsorted(table.chosen, np.arange(start, start + each)) for start in starts]
    indices = np.unique(np.concatenate(found))
    return indices[indices < len(table.chosen)][:most]


def stretch(table: Table, most: int) -> int:
    """Return how many pictures to hold at once, so that they take 32 MB or so."""
    size = sum(shard.path.stat().st_size for shard in table.shards)
    mean = max(1, size // max(1, sum(shard.rows for shard in table.shards)))
    return int(min(most, max(1, (32 << 20) // mean)))


def _open(source: str, path: Path) -> Any:
    """Return an opened Parquet file."""
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        raise UserError(
            f"{readable(source)} is in Parquet: pip install 'figment-gan[datasets]' reads it"
        ) from None
    try:
        return parquet.ParquetFile(
            path,
            pre_buffer=False,
            buffer_size=1 << 20,
            thrift_string_size_limit=THRIFT,
            thrift_container_size_limit=THRIFT,
        )
    except (ArrowException, OSError, ValueError, MemoryError) as error:
        raise UserError(
            f"{readable(str(path))} cannot be read as Parquet ({_short(error)}): fetch it again"
        ) from None


def _shard(source: str, root: Path, name: str, file: Any) -> Shard:
    about = file.metadata
    groups = tuple(about.row_group(number).num_rows for number in range(about.num_row_groups))
    if min(groups, default=0) < 0 or sum(groups) != about.num_rows:
        raise UserError(
            f"{readable(source)} is damaged Parquet: its rows do not add up. Fetch it again"
        )
    return Shard(root / name, name, groups)


def _picture_column(source: str, file: Any) -> tuple[str, tuple[str, ...]]:
    """Return the column of pictures, and what is to be said of others."""
    schema = file.schema_arrow
    possible = [name for name in schema.names if _is_bytes(schema.field(name).type)]
    first = _first_values(source, file, possible) if file.metadata.num_rows else {}
    found = [
        name for name in possible if any(kinds.is_picture(value) for value in first.get(name, []))
    ]
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


def _first_values(source: str, file: Any, columns: list[str]) -> dict[str, list[bytes]]:
    """Return the first bytes of the first rows' values, by column."""
    first: dict[str, list[bytes]] = {name: [] for name in columns}
    if not columns:
        return first
    for name in columns:
        for value in _values(source, file, name, None):
            first[name].append((value or b"")[: kinds.HEAD])
            if len(first[name]) == BATCH:
                break
    return first


def _values(
    source: str, file: Any, column: str, groups: list[int] | None
) -> Iterator[bytes | None]:
    """Yield a column's values, row by row, a few of them decoded at a time."""
    from pyarrow import ArrowException, compute, types

    try:
        batches = file.iter_batches(
            batch_size=BATCH, row_groups=groups, columns=[column], use_threads=False
        )
        for batch in batches:
            cells = batch.column(0)
            if types.is_struct(cells.type):
                cells = compute.call_function(
                    "struct_field", [cells], compute.StructFieldOptions(["bytes"])
                )
            lengths = compute.call_function("binary_length", [cells])
            for cell, length in zip(cells, lengths, strict=True):
                if (length.as_py() or 0) > MOST_HELD:
                    raise UserError(
                        f"{readable(source)} holds a picture of over 0.5 GB: leave it out"
                    )
                yield cell.as_py()
    except (ArrowException, OSError, MemoryError) as error:
        raise UserError(
            f"{readable(source)} is damaged Parquet ({_short(error)}): fetch it again"
        ) from None


def _at(table: Table, row: int) -> bytes | None:
    """Return the value of a row, reading on where the cursor stands before it in its row group."""
    cursor = table.cursor
    number = int(np.searchsorted(table.starts, row, "right")) - 1
    start = int(table.starts[number])
    if not start <= cursor.row <= row < cursor.stop:
        shard, group = table.groups[number]
        file = _open(shard.name, shard.path)
        groups = list(range(group, len(shard.groups)))
        cursor.stream = _values(shard.name, file, table.column, groups)
        cursor.row, cursor.stop = start, start + sum(shard.groups[group:])
    for value in cursor.stream:
        cursor.row += 1
        if cursor.row > row:
            return value
    raise UserError(f"{readable(table.groups[number][0].name)} is cut short: fetch it again")


def _by_label(
    schema: Any, files: list[Any], names: list[str], folders: str
) -> tuple[Structure, list[str | None]]:
    """Return the pictures with their classes, and the class of each row."""
    column, known = _label_column(schema)
    if column is None or folders == "none":
        why = ("no classes: the labels are left out, as --folders none says",) if column else ()
        return Structure(names, np.zeros(len(names), np.int64), (), (), why), []
    given: list[str | None] = []
    seen: set[str] = set()
    for file in files:
        for batch in file.iter_batches(batch_size=65_536, columns=[column], use_threads=False):
            for cell in batch.column(0).to_pylist():
                given.append(_name(cell, known))
                seen.add(given[-1] or "")
            if len(seen) > MOST_NAMES:
                why = (
                    f"no classes: the column {readable(column)} has a text of its own for each row"
                )
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


def _short(error: BaseException) -> str:
    return readable((" ".join(str(error).split()) or type(error).__name__)[:120])
