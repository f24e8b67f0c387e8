"""Which pictures a folder or a zip holds, what their classes are, and their bytes.

Nothing is ever extracted: members of a zip are read where they lie, by any number of threads.
"""

from __future__ import annotations

import hashlib
import os
import re
import struct
import unicodedata
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from figment.errors import UserError, nearest

USUAL = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff")
RARE = (".dib", ".ppm", ".pgm", ".pbm", ".pnm", ".tga", ".avif", ".jp2")
FOREIGN = (".heic", ".heif")  # cannot be decoded, to be listed with that reason: see decode.why
SUFFIXES = frozenset({*USUAL, *RARE, *FOREIGN})
LARGEST = 1 << 30  # bytes of one file: more than any picture under the pixel limit needs
CLUTTER = frozenset({"__macosx", "thumbs.db", "desktop.ini", "@eadir", "$recycle.bin"})
MEMBER = np.dtype(
    [("offset", "i8"), ("packed", "i8"), ("size", "i8"), ("crc", "u4"), ("method", "u2")]
)


@dataclass(frozen=True)
class Pictures:
    """The picture files of a folder or a zip, in natural order of their names, none opened yet.

    A million files cost about 0.15 GB while this is held (names, labels, places in the zip), and
    0.8 GB for the moment of listing a zip (``zipfile``'s directory).
    """

    source: str
    root: Path
    files: list[str]  # below root, as the file system or the zip spells them
    labels: np.ndarray  # [N] int64, all 0 where there are no classes
    classes: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]  # known to be unusable without opening them
    others: dict[str, int]  # files that are no pictures, by suffix
    members: np.ndarray | None = None  # [N] MEMBER, zips only

    def __len__(self) -> int:
        return len(self.files)


def existing(source: str) -> Path:
    """Return the path of a source; raise ``UserError`` with the nearest thing that exists."""
    if not source.strip():
        raise UserError("no source of pictures is given: name a folder, a zip, or flowers")
    path = Path(source).expanduser()
    try:
        if path.exists():
            return path
        siblings = sorted(entry.name for entry in path.parent.iterdir())
    except (OSError, ValueError):  # an unreadable parent, a NUL in the name, a name too long
        siblings = []
    own = ["flowers", "ring", "grid"] if path.name == source else []
    hint = nearest(path.name, siblings + own)
    hint = hint or " Give a folder, a .zip, .npy or .npz file, or flowers, ring or grid."
    raise UserError(f"there is no {source!r}.{hint}")


def name_of(source: str) -> str:
    """Return the short name of a source: ``cats64`` for ``data/cats64.zip``."""
    path = Path(source).expanduser()
    path = path if path.name not in ("", "..") else path.resolve()
    return (path.name if path.is_dir() else path.stem) or "data"


def find_pictures(source: str) -> Pictures:
    """Return the pictures of a folder or a zip, classes included, without opening them.

    Sub-folders are classes where at least two hold pictures; a single folder that wraps everything
    is looked through. Pictures beside class folders have no class: they are skipped if they are the
    smaller part, otherwise there are no classes. Linked folders are followed, but never in a loop.
    """
    path = existing(source)
    zipped = not path.is_dir()
    if zipped and path.suffix.lower() != ".zip":
        raise UserError(_unusable(source, path))
    places: dict[str, tuple[int, ...]] = {}
    files: list[str] = []
    skipped: list[tuple[str, str]] = []
    others: Counter[str] = Counter()
    for file, reason in _directory(path, places) if zipped else _below(path):
        suffix = os.path.splitext(file)[1].lower()
        if reason and (suffix in SUFFIXES or not suffix):
            skipped.append((readable(file), reason))
        elif suffix not in SUFFIXES:
            others[suffix or "without suffix"] += 1
        else:
            files.append(file)
    files, labels, classes, loose = _by_class(files)
    skipped += [(readable(file), "lies beside the class folders: no class") for file in loose]
    if not files:
        raise UserError(_nothing(source, skipped, others))
    members = np.array([places[file] for file in files], MEMBER) if zipped else None
    return Pictures(source, path, files, labels, classes, tuple(skipped), dict(others), members)


def read(pictures: Pictures, index: int, *, most: int = LARGEST) -> bytes:
    """Return the bytes of one file, or some of its first ``most``.

    Opens its own handle, so any number of threads may read at once. Raises ``OSError``,
    ``ValueError`` or ``zlib.error``.
    """
    if pictures.members is not None:
        return _member(pictures.root, pictures.members[index], most)
    with open(os.path.join(pictures.root, pictures.files[index]), "rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        if size > LARGEST:
            raise ValueError(f"{size / 1e9:.1f} GB: too large for a picture")
        return file.read(most) if most < size else file.read()


def part(pictures: Pictures, start: int, stop: int) -> Pictures:
    """Return a stretch of the pictures, which needs memory for itself alone."""
    members = None if pictures.members is None else pictures.members[start:stop].copy()
    files, labels = pictures.files[start:stop], pictures.labels[start:stop].copy()
    return replace(pictures, files=files, labels=labels, skipped=(), others={}, members=members)


def stamp(pictures: Pictures) -> str:
    """Return a cheap digest that changes with the files, without reading them.

    For a zip: names, sizes and the checksums of its directory, so it is about content alone. For a
    folder: its path, and every file's name, size, and times of last change. The time of the inode's
    change is among them, so a file replaced with one of equal size and a restored date is noticed.
    """
    digest = hashlib.sha256()
    for file in pictures.files:
        digest.update(os.fsencode(file) + b"\0")
    if pictures.members is not None:
        digest.update(pictures.members["size"].tobytes() + pictures.members["crc"].tobytes())
        return digest.hexdigest()
    digest.update(os.fsencode(pictures.root.resolve()))
    for file in pictures.files:
        digest.update(struct.pack("<3q", *_state(os.path.join(pictures.root, file))))
    return digest.hexdigest()


def readable(file: str) -> str:
    """Return a file name that can be printed and compared: composed Unicode, no lone surrogates."""
    if file.isascii():
        return file
    return unicodedata.normalize("NFC", os.fsencode(file).decode("utf-8", "replace"))


def natural(file: str) -> str:
    """Return a sorting key by which ``2.png`` comes before ``10.png``, folder by folder."""
    name = readable(file).replace("/", "\0")
    return re.sub("[0-9]+", lambda number: number[0].zfill(12), name)


def _state(path: str) -> tuple[int, int, int]:
    try:
        status = os.stat(path)
    except OSError:
        return 0, 0, 0
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _by_class(files: list[str]) -> tuple[list[str], np.ndarray, tuple[str, ...], list[str]]:
    files.sort()
    files.sort(key=natural)  # stable: names that differ only in leading zeros keep a fixed order
    tops: list[str | None] = []
    depth = 0
    while files:
        tops = [_folder(file, depth) for file in files]
        if None in tops or len(set(tops)) > 1:
            break
        depth += 1
    loose = tops.count(None)
    classes = tuple(dict.fromkeys(top for top in tops if top is not None))
    if len(classes) < 2 or 2 * loose >= len(files):
        return files, np.zeros(len(files), np.int64), (), []
    number = {name: label for label, name in enumerate(classes)}
    labels = np.array([number[top] for top in tops if top is not None], np.int64)
    beside = [file for file, top in zip(files, tops, strict=True) if top is None] if loose else []
    kept = [file for file, top in zip(files, tops, strict=True) if top is not None]
    return kept, labels, classes, beside


def _folder(file: str, depth: int) -> str | None:
    parts = file.split("/", depth + 1)
    return readable(parts[depth]) if len(parts) > depth + 1 else None


def _clutter(name: str) -> bool:
    return name.startswith(".") or name.lower() in CLUTTER


def _below(root: Path) -> Iterator[tuple[str, str]]:
    """Yield (path below root, why it cannot be read or "") for every file under a folder."""
    top = os.path.realpath(root)
    seen: set[str] = set()
    folders, links = [""], []
    while folders or links:
        linked = not folders  # real folders first, so that a link never takes their place
        below = links.pop() if linked else folders.pop()
        real = os.path.realpath(os.path.join(root, below))
        if real in seen or (linked and Path(top).is_relative_to(real)):
            continue
        seen.add(real)
        try:
            with os.scandir(real) as scan:
                entries = sorted((e for e in scan if not _clutter(e.name)), key=lambda e: e.name)
        except OSError as error:
            if not below:
                raise UserError(f"{root} cannot be read: {error.strerror}") from None
            yield below, f"cannot be read: {error.strerror}"
            continue
        for entry in entries:
            if _is(entry.is_dir):
                (links if entry.is_symlink() else folders).append(f"{below}{entry.name}/")
            else:
                yield below + entry.name, "" if _is(entry.is_file) else "no file behind this name"


def _is(test: Callable[[], bool]) -> bool:
    try:
        return test()
    except OSError:  # a link that leads to itself
        return False


def _directory(path: Path, places: dict[str, tuple[int, ...]]) -> Iterator[tuple[str, str]]:
    """Yield (name, why it cannot be read or "") of a zip's files; note where each one lies."""
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error) as error:
        raise UserError(f"{path} is not a zip that can be read ({error}): fetch it again") from None
    for info in infos:
        spelled = info.filename.replace("\\", "/")  # some Windows tools write these
        parts = [part for part in spelled.split("/") if part not in ("", ".", "..")]
        if spelled.endswith("/") or any(map(_clutter, parts)):
            continue
        name = "/".join(parts)
        again = name in places  # the last of two equal names counts, as for every unzip tool
        places[name] = (
            info.header_offset,
            info.compress_size,
            info.file_size,
            info.CRC,
            info.compress_type,
        )
        reason = ""
        if info.flag_bits & 1:
            reason = "encrypted: unzip it with its password first"
        elif info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            reason = f"compression method {info.compress_type}: zip it again with deflate"
        elif info.file_size > LARGEST:
            reason = f"{info.file_size / 1e9:.1f} GB: too large for a picture"
        if not again:
            yield name, reason


def _member(path: Path, member: np.void, most: int) -> bytes:
    offset, packed, size, crc, method = member.item()
    with open(path, "rb") as file:
        file.seek(offset)
        head = file.read(30)
        if head[:4] != b"PK\x03\x04" or len(head) < 30:
            raise ValueError("damaged in the zip: no entry where the directory says")
        file.seek(sum(struct.unpack("<2H", head[26:30])), os.SEEK_CUR)
        data = file.read(min(packed, most))
    if method == zipfile.ZIP_DEFLATED:  # never unpack more than was promised
        data = zlib.decompressobj(-15).decompress(data, min(size + 1, most))
    if most < size:
        return data
    if len(data) != size or zlib.crc32(data) != crc:
        raise ValueError("damaged in the zip: wrong checksum")
    return data


def _unusable(source: str, path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix in SUFFIXES:
        return f"{source} is a single picture: give the folder that holds it and its like"
    if suffix in (".tar", ".gz", ".tgz", ".7z", ".rar", ".bz2", ".xz"):
        return f"{source} is an archive that figment does not read: unpack it and give the folder"
    return f"{source} is neither a folder nor a .zip, .npy or .npz file: give one of these"


def _nothing(source: str, skipped: list[tuple[str, str]], others: dict[str, int]) -> str:
    if skipped:
        return f"{source} holds no picture that can be read ({reasons(skipped)})"
    held = ", ".join(f"{count:,} {suffix}" for suffix, count in list(others.items())[:5])
    return (
        f"{source} holds no pictures ({f'only {held}' if held else 'it is empty'}):"
        " give a folder or zip of .jpg, .png, .webp, .gif, .bmp, .tif or .avif files"
    )


def reasons(skipped: list[tuple[str, str]] | tuple[tuple[str, str], ...]) -> str:
    """Return the commonest reasons as one phrase: ``3 x empty file, e.g. a.png; …``."""
    first = {reason: file for file, reason in reversed(skipped)}
    counts = Counter(reason for _, reason in skipped).most_common(3)
    return "; ".join(f"{count:,} x {reason}, e.g. {first[reason]}" for reason, count in counts)
