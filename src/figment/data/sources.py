"""Which pictures a source holds, what their classes are, and their bytes: folders, zips, Parquet, hf:."""

from __future__ import annotations

import hashlib
import os
import stat
import struct
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO

import numpy as np

from figment.data import dataset_json, folders, hub, kinds, structure, tables, zips
from figment.data.order import evenly_spaced
from figment.data.printing import counted, natural, readable
from figment.data.structure import Structure
from figment.data.zips import LARGEST
from figment.errors import UserError, nearest

__all__ = ["LARGEST", "Pictures", "find_pictures", "natural", "readable"]

MOST_FILES = 5_000_000
TWICE = "another file of the zip has the same name, and the last counts"


@dataclass(frozen=True)
class Pictures:
    """The pictures of a source, in natural order of their names, none opened yet.

    A million files cost about 0.15 GB while this is held (names, labels, places in the zip).
    """

    source: str
    root: Path
    files: list[str]  # below root, as the file system or the zip spells them
    labels: np.ndarray  # [N] int64, all 0 where there are no classes
    classes: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]  # known to be unusable without opening them
    others: dict[str, int]  # files that are no pictures, by suffix or reason
    structure: tuple[str, ...] = ()  # what was decided about folders and labels, and why
    members: np.ndarray | None = None  # [N] MEMBER, zips only
    table: tables.Table | None = None  # Parquet only
    held: list[bytes | None] | None = None  # the bytes themselves, in a part of a Parquet source

    def __len__(self) -> int:
        return len(self.files)


def existing(source: str) -> Path:
    """Return the path of a source; raise ``UserError`` with the nearest thing that exists.

    What is neither a file nor a folder (a pipe, a device) is refused: reading it might never end.
    """
    if not source.strip():
        raise UserError("no source of pictures is given: name a folder, a zip, or flowers")
    if hub.is_remote(source):
        return hub.fetched(source)
    path = Path(source).expanduser()
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):  # nothing there, a circle of links, a NUL in the name
        raise UserError(_missing(source, path)) from None
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        kind = (
            "a pipe" if stat.S_ISFIFO(mode) else "a socket" if stat.S_ISSOCK(mode) else "a device"
        )
        raise UserError(
            f"{readable(source)} is {kind}, not a file: save what it gives, or name a folder"
        )
    return path


def name_of(source: str) -> str:
    """Return the short name of a source: ``cats64`` for ``data/cats64.zip`` or ``hf:me/cats64``."""
    if hub.is_remote(source):
        return hub.parts_of(source).name
    path = Path(source).expanduser()
    path = path if path.name not in ("", "..") else path.resolve()
    return readable((path.name if path.is_dir() else path.stem) or "data")


def find_pictures(source: str, folders: str = "auto") -> Pictures:
    """Return the pictures of a folder, zip or Parquet source, classes included, without opening them.

    Files are pictures by their first bytes, whatever they are called. What the folders mean is
    decided by ``structure.arrange``, unless a StyleGAN ``dataset.json`` says it; ``folders`` "classes"
    or "none" overrides both.
    """
    structure.check_folders(folders)
    path = existing(source)
    if path.is_dir():
        listing = _listed(path)
        if listing.tables and not listing.files:
            return _from_table(source, path, listing.tables, folders)
    elif tables.is_table(str(path)):
        return _from_table(source, path.parent, [path.name], folders)
    elif kinds.is_zip(kinds.head(str(path))) or path.suffix.lower() == ".zip":
        listing = _zipped(path)
    else:
        raise UserError(_unusable(source, path))
    arranged = _arranged(listing, folders)
    skipped = (*listing.skipped, *arranged.left_out)
    if not arranged.files:
        raise UserError(_nothing(source, skipped, listing.others))
    members = None
    if listing.places is not None:
        members = np.array([listing.places[file] for file in arranged.files], zips.MEMBER)
    return Pictures(
        source,
        path,
        arranged.files,
        arranged.labels,
        arranged.classes,
        skipped,
        dict(listing.others),
        (*listing.notes, *arranged.notes),
        members,
    )


def read(pictures: Pictures, index: int, *, most: int = LARGEST) -> bytes:
    """Return the bytes of one file, or some of its first ``most``.

    Opens its own handle, so any number of threads may read at once. Raises ``OSError``,
    ``ValueError`` or ``zlib.error``.
    """
    if pictures.table is not None or pictures.held is not None:
        table, held = pictures.table, pictures.held or []
        data = held[index] if table is None else tables.rows(table, index, index + 1)[0]
        if data is None:
            raise ValueError("only the name of a file elsewhere: its bytes are not in the table")
        return data[:most]
    if pictures.members is not None:
        with open(pictures.root, "rb") as file:
            return zips.read_member(file, pictures.members[index].item(), most)
    with open(os.path.join(pictures.root, pictures.files[index]), "rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        if size > LARGEST:
            raise ValueError(f"{size / 1e9:.1f} GB: too large for a picture")
        if not size:  # reading some such files of /proc would never end
            return b""
        return file.read(most) if most < size else file.read()


def part(pictures: Pictures, start: int, stop: int) -> Pictures:
    """Return a stretch of the pictures, which needs memory for itself alone.

    That of a Parquet source holds the bytes: taken in order, they are streamed.
    """
    members = None if pictures.members is None else pictures.members[start:stop].copy()
    held = None if pictures.table is None else tables.rows(pictures.table, start, stop)
    return replace(
        pictures,
        files=pictures.files[start:stop],
        labels=pictures.labels[start:stop].copy(),
        skipped=(),
        others={},
        members=members,
        table=None,
        held=held,
    )


def most_at_once(pictures: Pictures) -> int:
    """Return how many pictures a part may have: few where it holds the bytes of large ones."""
    return 64 if pictures.table is None else tables.stretch(pictures.table, 64)


def sample(pictures: Pictures, most: int) -> np.ndarray:
    """Return the indices of at most ``most`` pictures from all over the source that are quick to read."""
    everything = np.arange(len(pictures))
    if pictures.table is None:
        return evenly_spaced(everything, most)
    return everything[tables.quick(pictures.table, most)]


def stamp(pictures: Pictures) -> str:
    """Return a cheap digest that changes with the files, without reading them.

    For a zip: names, sizes and the checksums of its directory, so it is about content alone. For a
    folder: its path, and every file's name, size, and times of last change. The time of the inode's
    change is among them, so a file replaced with one of equal size and a restored date is noticed.
    A Parquet source is stamped by its files.
    """
    digest = hashlib.sha256(pictures.labels.tobytes())
    for file in pictures.files:
        digest.update(os.fsencode(file) + b"\0")
    if pictures.members is not None:
        digest.update(pictures.members["size"].tobytes() + pictures.members["crc"].tobytes())
        return digest.hexdigest()
    paths = [os.path.join(pictures.root, file) for file in pictures.files]
    if pictures.table is not None:
        paths = [str(shard.path) for shard in pictures.table.shards]
    digest.update(os.fsencode(pictures.root.resolve()))
    for path in paths:
        digest.update(struct.pack("<3q", *_state(path)))
    return digest.hexdigest()


def reasons(skipped: Iterable[tuple[str, str]]) -> str:
    """Return the commonest reasons as one phrase: ``3 x empty file, e.g. a.png; …``."""
    skipped = list(skipped)
    first = {reason: file for file, reason in reversed(skipped)}
    counts = Counter(reason for _, reason in skipped).most_common(3)
    return "; ".join(f"{count:,} x {reason}, e.g. {first[reason]}" for reason, count in counts)


@dataclass
class _Listing:
    """The files of a folder or a zip, as they are found."""

    files: list[str] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    labels: list[dataset_json.Labels] = field(default_factory=list)  # one of each dataset.json
    places: dict[str, zips.Place] | None = None  # of a zip's members
    tables: list[str] = field(default_factory=list)  # Parquet files

    def consider(
        self, file: str, reason: str, start: partial[bytes], whole: partial[bytes]
    ) -> None:
        """Count a file in where it belongs; ``start`` and ``whole`` read it."""
        name = file.rpartition("/")[2]
        suffix = os.path.splitext(name)[1].lower()
        if len(self.files) + len(self.skipped) > MOST_FILES:
            raise UserError(f"more than {MOST_FILES:,} pictures: pack them in parts")
        if reason and (suffix in kinds.SUFFIXES or not suffix):
            self.skipped.append((readable(file), reason))
        elif not reason and suffix in kinds.RAW:
            self.skipped.append((readable(file), "a camera's raw data: export it as JPEG"))
        elif not reason and (suffix in kinds.SUFFIXES or kinds.is_picture(start())):
            self.files.append(file)
        else:
            if name == dataset_json.NAME and not reason and self._takes_labels(file, whole):
                return
            if suffix == ".parquet" and not reason:
                self.tables.append(file)
            kind = kinds.kind_of(name)
            known = kind in self.others or len(self.others) < kinds.MOST_KINDS
            self.others[kind if known else "of other kinds"] += 1

    def _takes_labels(self, file: str, whole: partial[bytes]) -> bool:
        try:
            written = whole()
            if len(written) > dataset_json.LARGEST:
                raise ValueError(f"{file} is too large")
            labels = dataset_json.labels_in(written, file)
        except (OSError, ValueError, zips.zlib.error) as error:
            self.notes.append(f"no labels are taken: {readable(str(error))}")
            return False
        self.labels += [labels] if labels else []
        return labels is not None


def _listed(root: Path) -> _Listing:
    found, outside = _Listing(), 0
    for entry in folders.below(root):
        if entry.passed_over:
            found.others[entry.passed_over] += 1
            continue
        path, before = os.path.join(root, entry.name), len(found.files)
        whole = partial(_whole_file, path)
        found.consider(entry.name, entry.reason, partial(kinds.head, path), whole)
        outside += entry.outside and len(found.files) > before
    if outside:
        found.notes.append(f"{counted(outside, 'picture')} by links that lead out of the folder")
    return found


def _zipped(path: Path) -> _Listing:
    """Return what lies in a zip; of two equal names the last counts, as for every unzip tool."""
    found = _Listing(places={})
    places = found.places or {}
    members: dict[str, zips.Member] = {}
    for member in zips.members(path):
        if member.name in members and _is_named_so(member.name):
            found.skipped.append((readable(member.name), TWICE))
        members[member.name] = member
    runs = _runs(members)
    with open(path, "rb") as file:
        for name, reason, place in members.values():
            if kinds.in_clutter(name):
                found.others[kinds.HIDDEN] += 1
            elif any(name.startswith(run) for run in runs):
                found.others[kinds.RUNS] += 1
            else:
                start = partial(_start, file, place)
                whole = partial(zips.read_member, file, place, dataset_json.LARGEST + 1)
                places[name] = place
                found.consider(name, reason, start, whole)
    found.places = places
    return found


def _is_named_so(name: str) -> bool:
    """Whether a name is a picture's."""
    return os.path.splitext(name)[1].lower() in kinds.SUFFIXES and not kinds.in_clutter(name)


def _runs(names: Iterable[str]) -> tuple[str, ...]:
    """Return the folders, with a final "/", that are runs of figment by what lies in them."""
    within: dict[str, set[str]] = {}
    names = list(names)
    for folder in {name.rpartition("/")[0] for name in names if name.endswith("/recipe.json")}:
        rest = (name[len(folder) + 1 :] for name in names if name.startswith(f"{folder}/"))
        within[folder] = {name.partition("/")[0] for name in rest}
    return tuple(f"{folder}/" for folder, held in within.items() if kinds.is_run(held))


def _start(file: IO[bytes], place: zips.Place) -> bytes:
    try:
        return zips.read_member(file, place, kinds.HEAD)
    except (OSError, ValueError, zips.zlib.error):
        return b""


def _whole_file(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read(dataset_json.LARGEST + 1)


def _arranged(listing: _Listing, folders: str) -> Structure:
    if folders == "auto" and listing.labels:
        return structure.by_table(listing.files, *dataset_json.joined(listing.labels))
    return structure.arrange(listing.files, folders)


def _from_table(source: str, root: Path, names: list[str], folders: str) -> Pictures:
    table, arranged, notes = tables.find(source, root, names, folders)
    return Pictures(
        source,
        root,
        arranged.files,
        arranged.labels,
        arranged.classes,
        arranged.left_out,
        {},
        (*notes, *arranged.notes),
        table=table,
    )


def _state(path: str) -> tuple[int, int, int]:
    try:
        status = os.stat(path)
    except OSError:
        return 0, 0, 0
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _missing(source: str, path: Path) -> str:
    if "://" in source:
        return f"{readable(source)} is an address: download what is there, then give that folder or file"
    try:
        if path.is_symlink():
            return (
                f"{readable(source)} is a link that leads nowhere: name the folder or file itself"
            )
        siblings = sorted(entry.name for entry in islice(path.parent.iterdir(), 10_000))
    except (OSError, ValueError):  # an unreadable parent, a NUL in the name, a name too long
        siblings = []
    own = ["flowers", "ring", "grid"] if path.name == source else []
    hint = nearest(path.name, [*map(readable, siblings), *own])
    hint = hint or " Give a folder, a .zip, .npy or .npz file, or flowers, ring or grid."
    return f"there is no {readable(source)!r}.{hint}"


def _unusable(source: str, path: Path) -> str:
    suffix, source = path.suffix.lower(), readable(source)
    if suffix in kinds.SUFFIXES or kinds.is_picture(kinds.head(str(path))):
        return f"{source} is a single picture: give the folder that holds it and its like"
    if suffix in (".tar", ".gz", ".tgz", ".7z", ".rar", ".bz2", ".xz"):
        return f"{source} is an archive that figment does not read: unpack it and give the folder"
    return (
        f"{source} is neither a folder nor a .zip, .npy, .npz or .parquet file: give one of these"
    )


def _nothing(source: str, skipped: tuple[tuple[str, str], ...], others: dict[str, int]) -> str:
    if skipped:
        return f"{source} holds no picture that can be read ({reasons(skipped)})"
    held = ", ".join(f"{count:,} {suffix}" for suffix, count in list(others.items())[:5])
    cure = " unpack what is in it and" if ".zip" in others else ""
    return (
        f"{source} holds no pictures ({f'only {held}' if held else 'it is empty'}):{cure}"
        " give a folder or zip of .jpg, .png, .webp, .gif, .bmp, .tif or .avif files"
    )
