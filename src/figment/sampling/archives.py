"""A shard of samples as a file, a WebDataset tar or Parquet: written from a stream, and read again.

The bytes of a file are a function of the samples in it: no times, no owners, nothing of the machine.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from PIL import Image

from figment.errors import UserError
from figment.files import MARK
from figment.sampling.drawn import Sample

GROUP = 256
"""Pictures of a row group, which are held in memory together."""
FEATURES = {
    "image": {"_type": "Image"},
    "seed": {"_type": "Value", "dtype": "int64"},
    "class": {"_type": "Value", "dtype": "string"},
}
"""Columns of a Parquet shard, as Hugging Face's ``datasets`` calls them."""


class Archive(NamedTuple):
    """A form of shards."""

    ending: str
    write: Callable[[Path, Iterable[Sample]], None]
    read: Callable[[Path], Iterator[Sample]]
    """Yields the samples of a file. What is damaged raises an exception of the library that reads it."""


def write_tar(path: Path, samples: Iterable[Sample]) -> None:
    """Write SEED.png and SEED.json, {"seed", "class"}, of every sample into a tar (USTAR)."""
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
        for sample in samples:
            for ending, content in (("png", sample.png), ("json", _note(sample))):
                member = tarfile.TarInfo(f"{sample.seed:06d}.{ending}")  # of 1970, of nobody
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
            archive.members = []  # ty: ignore[missing-attribute]  # else it lists all it wrote


def read_tar(path: Path) -> Iterator[Sample]:
    """Yield the samples of a tar that ``write_tar`` wrote.

    Raises ValueError or tarfile.TarError where it is cut off or anything in it is not as written.
    """
    with tarfile.open(path, "r:") as archive:
        while (member := archive.next()) is not None:
            png, note = _content(archive, member), archive.next()
            found = json.loads(_content(archive, note)) if note else None
            sample = Sample(found["seed"], found["class"], png) if found else None
            if sample is None or note is None or _note(sample) != _content(archive, note):
                raise ValueError("a picture without its note")
            archive.members = []  # ty: ignore[missing-attribute]
            yield sample
        records = -(-(archive.offset + tarfile.BLOCKSIZE) // tarfile.RECORDSIZE)
        if path.stat().st_size != records * tarfile.RECORDSIZE:
            raise ValueError("it is cut off")


def write_parquet(path: Path, samples: Iterable[Sample]) -> None:
    """Write rows of image (a struct of bytes and path, as in ``datasets``), seed and class.

    Raises UserError where pyarrow is not installed.
    """
    pa = _pyarrow()
    from pyarrow import parquet

    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    about = {"software": MARK, "huggingface": json.dumps({"info": {"features": FEATURES}})}
    schema = pa.schema([("image", image), ("seed", pa.int64()), ("class", pa.string())], about)
    stream = iter(samples)
    how = {"compression": "none", "use_dictionary": ["class"], "write_page_checksum": True}
    with parquet.ParquetWriter(path, schema, **how) as writer:
        while rows := list(islice(stream, GROUP)):
            images = [{"bytes": row.png, "path": f"{row.seed:06d}.png"} for row in rows]
            seeds, labels = [row.seed for row in rows], [row.label for row in rows]
            writer.write_table(pa.table([images, seeds, labels], schema))


def read_parquet(path: Path) -> Iterator[Sample]:
    """Yield the samples of a file that ``write_parquet`` wrote, its checksums compared.

    Raises OSError or pyarrow.ArrowException where it is damaged, UserError without pyarrow.
    """
    _pyarrow()
    from pyarrow import parquet

    with parquet.ParquetFile(path, page_checksum_verification=True) as file:
        for batch in file.iter_batches(GROUP):
            for row in batch.to_pylist():
                yield Sample(row["seed"], row["class"], row["image"]["bytes"])


ARCHIVES = {
    "wds": Archive(".tar", write_tar, read_tar),
    "parquet": Archive(".parquet", write_parquet, read_parquet),
}


def is_whole(path: Path, archive: Archive, seeds: range) -> bool:
    """Return whether a file holds sound pictures of exactly these seeds, in their order."""
    if not path.is_file():
        return False
    wanted = iter(seeds)
    with suppress(OSError, ValueError, KeyError, TypeError, SyntaxError, tarfile.TarError):
        for sample in archive.read(path):
            if sample.seed != next(wanted, None):
                return False
            Image.open(io.BytesIO(sample.png)).verify()  # by the checksums of its parts
        return next(wanted, None) is None
    return False


def _note(sample: Sample) -> bytes:
    return json.dumps({"seed": sample.seed, "class": sample.label}).encode()


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    if file is None:
        raise ValueError("a member that is no file")
    return file.read()


def _pyarrow() -> ModuleType:
    try:
        import pyarrow
    except ImportError:
        raise UserError(
            "Parquet needs pyarrow: pip install 'figment-gan[datasets]', or use --format wds"
        ) from None
    return pyarrow
