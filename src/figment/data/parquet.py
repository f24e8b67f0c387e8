"""Parquet files: opened, their row groups counted, and a column's values streamed in little memory.

pyarrow comes with ``figment-gan[datasets]``. A stranger's file may be made to do harm: what it unpacks
to is compared with what it takes before anything is read, and repeated values are never laid out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from figment.data.printing import readable
from figment.data.zips import FREE, RATIO
from figment.errors import UserError

BATCH = 16  # rows that are decoded at once
MOST_VALUE = 1 << 26  # bytes of a picture in a table
THRIFT = 1 << 26  # bytes of a footer's strings and lists
MOST_TEXTS = 1 << 24  # bytes of the different labels


@dataclass(frozen=True)
class Shard:
    """One Parquet file."""

    path: Path
    name: str
    groups: tuple[int, ...]  # rows of each row group

    @property
    def rows(self) -> int:
        return sum(self.groups)


def opened(name: str, path: Path, leaf: str = "") -> Any:
    """Return an opened Parquet file, ``leaf`` the column that will be read: repeats stay references."""
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        raise UserError(
            f"{readable(name)} is in Parquet: pip install 'figment-gan[datasets]' reads it"
        ) from None
    try:
        return parquet.ParquetFile(
            path,
            read_dictionary=[leaf] if leaf else None,
            pre_buffer=False,
            buffer_size=1 << 20,
            thrift_string_size_limit=THRIFT,
            thrift_container_size_limit=THRIFT,
        )
    except (ArrowException, OSError, ValueError, MemoryError) as error:
        raise _damaged(name, error) from None


def shard(name: str, path: Path, file: Any) -> Shard:
    """Return what an opened file holds. UserError where its counts are impossible."""
    about = file.metadata
    groups = tuple(about.row_group(number).num_rows for number in range(about.num_row_groups))
    if min(groups, default=0) < 0 or sum(groups) != about.num_rows:
        raise UserError(
            f"{readable(name)} is damaged Parquet: its rows do not add up. Fetch it again"
        )
    return Shard(path, name, groups)


def refuse_bombs(name: str, file: Any, leaf: str) -> None:
    """Raise UserError where a column unpacks to far more than pictures and labels do."""
    about = file.metadata
    for number in range(about.num_row_groups):
        group = about.row_group(number)
        for place in range(group.num_columns):
            column = group.column(place)
            if column.path_in_schema != leaf:
                continue
            size, packed = column.total_uncompressed_size, max(1, column.total_compressed_size)
            if size > FREE and size > RATIO * packed:
                raise UserError(
                    f"{readable(name)} is refused: {readable(leaf)} unpacks to {size // packed:,} times its"
                    " size, which pictures do not. Write it without compression if it is your own"
                )
            if size > MOST_VALUE * max(1, group.num_rows):
                raise UserError(
                    f"{readable(name)} is refused: its pictures have over {MOST_VALUE >> 20} MB each"
                )


def values(
    name: str, file: Any, leaf: str, groups: list[int] | None = None
) -> Iterator[bytes | None]:
    """Yield the values of a column of bytes, row by row; b"" for one that is too large."""
    for batch in _batches(name, file, leaf, BATCH, groups):
        cells = _cells(batch)
        if _is_dictionary(cells):
            seen, indices = cells.dictionary, cells.indices.to_pylist()
            yield from (None if at is None else _value(seen[at]) for at in indices)
        else:
            yield from (_value(cell) for cell in cells)


def labels(name: str, file: Any, column: str) -> Iterator[Any]:
    """Yield the values of a column of labels, row by row. UserError where they are whole books."""
    for batch in _batches(name, file, column, 1 << 14, None):
        cells = _cells(batch)
        if not _is_dictionary(cells):
            yield from cells.to_pylist()
            continue
        if cells.dictionary.nbytes > MOST_TEXTS:
            raise UserError(
                f"{readable(name)}: {readable(column)} holds long texts: rename or remove it"
            )
        seen = cells.dictionary.to_pylist()
        yield from (None if at is None else seen[at] for at in cells.indices.to_pylist())


def _batches(name: str, file: Any, leaf: str, size: int, groups: list[int] | None) -> Iterator[Any]:
    """Yield batches of rows, group by group: pyarrow joins no references of several groups in a struct."""
    from pyarrow import ArrowException

    every = range(file.metadata.num_row_groups) if groups is None else groups
    try:
        for group in every:
            yield from file.iter_batches(
                batch_size=size, row_groups=[group], columns=[leaf], use_threads=False
            )
    except (ArrowException, OSError, MemoryError) as error:
        raise _damaged(name, error) from None


def _cells(batch: Any) -> Any:
    """Return the only column of a batch, or the only field of the struct that it is."""
    from pyarrow import types

    cells = batch.column(0)
    return cells.flatten()[0] if types.is_struct(cells.type) else cells


def _is_dictionary(cells: Any) -> bool:
    from pyarrow import types

    return types.is_dictionary(cells.type)


def _value(cell: Any) -> bytes | None:
    buffer = cell.as_buffer()
    if buffer is None:
        return None
    return b"" if buffer.size > MOST_VALUE else buffer.to_pybytes()


def _damaged(name: str, error: BaseException) -> UserError:
    reason = readable(
        (" ".join(str(error).split()) or type(error).__name__).partition(". ")[0][:120]
    )
    return UserError(f"{readable(name)} cannot be read as Parquet ({reason}): fetch it again")
