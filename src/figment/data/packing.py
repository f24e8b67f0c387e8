"""Sources made into data sets: decoded once, on all cores, into a memory-mapped uint8 pack."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import math
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from figment.data import builtin, decode, packed, sources
from figment.data.cache import folder_for, key_of, read_card, write_card
from figment.data.dataset import Dataset
from figment.data.decode import Form
from figment.data.workers import in_order
from figment.errors import UserError
from figment.progress import progress_bar

STRETCH = 4 << 20  # bytes of rows that one piece of work makes, at most 64 pictures
MANY = 1_000  # pictures that are worth the start of processes


@dataclass(frozen=True)
class Batch:
    """The rows that a stretch of a source gave."""

    rows: np.ndarray  # [K, C, R, R] uint8, those that could be made
    kept: np.ndarray  # [B] bool, which these were
    digests: np.ndarray  # [K, 32] uint8, sha256 of what each was made from
    skipped: list[tuple[str, str]]


@dataclass(frozen=True)
class Job:
    """All that packing one source takes."""

    key: str
    count: int
    labels: Callable[[], np.ndarray]  # [N] int64, asked for only where a pack is made
    classes: tuple[str, ...]
    piece: Callable[[int, int], Callable[[], Batch]]  # the work on a stretch; it pickles
    skipped: tuple[tuple[str, str], ...] = ()


def open_dataset(
    source: str,
    *,
    resolution: int,
    channels: int,
    fit: str = "crop",
    folders: str = "auto",
    seed: int = 0,
    progress: bool = True,
) -> Dataset:
    """Return a source as square uint8 pictures of ``resolution`` px, memory-mapped.

    ``source`` is a folder, a .zip, Parquet, an .npy or .npz, ``hf:owner/name``, or ``flowers``, ``ring``,
    ``grid`` (a count may follow: ``flowers:5000``); ``channels`` 1 (luma) or 3; ``fit`` crop, pad or
    stretch; ``folders`` auto, classes or none (see ``sources.find_pictures``); ``seed`` decides the
    built-in sets only. The first call decodes on all cores and writes to the cache (``cache_root``);
    later ones map what lies there. A packed file of this form already is mapped where it lies. ``ring``
    and ``grid`` have rows [N, 2] float32 and no form.

    The cache is keyed by the options and a cheap stamp of the source (``sources.stamp``: names,
    sizes and times for a folder, checksums for a zip), so changed files are noticed. The
    ``fingerprint`` is stricter: sha256 over the options, the class names, and in order the sha256
    and the label of every file used, whatever the files are called and wherever they lie. (Packed
    files: see ``packed.fingerprint_of``.)

    Files that cannot be read are in ``skipped`` with the reason. ``UserError`` where nothing is
    left, the options make no sense, or the disk is full.
    """
    form = Form(resolution, channels, fit)
    form.check()
    built = builtin.builtin(source)
    if built and built[0] != "flowers":
        return builtin.point_set(source, seed)
    if built:
        job = _flowers_job(built[1], form, seed, folders)
    elif packed.is_packed(source):
        file = packed.read_packed(source, folders)
        rows = packed.as_they_are(file, form)
        if rows is not None:
            return _mapped(file, rows)
        job = _packed_job(file, form)
    else:
        job = _pictures_job(sources.find_pictures(source, folders), form)
    needed = job.count * (math.prod(form.shape) + 8)
    folder = folder_for(job.key, lambda to: _build(to, source, job, form, progress), needed=needed)
    return _finished(folder, built[0] if built else sources.name_of(source), source)


def pack(
    source: str,
    out: Path,
    *,
    resolution: int,
    channels: int,
    fit: str = "crop",
    folders: str = "auto",
    progress: bool = True,
) -> Dataset:
    """Return a source as ``open_dataset`` does, from a file written to ``out``.

    ``out`` ends in .npz (pictures, labels, class names, uncompressed) or in .npy (pictures alone).
    It appears whole or not at all.
    """
    out = Path(out)
    suffix = out.suffix.lower()
    if suffix not in (".npy", ".npz"):
        raise UserError(f"a packed file ends in .npz (or .npy without labels), not {out.name!r}")
    given = open_dataset(
        source,
        resolution=resolution,
        channels=channels,
        fit=fit,
        folders=folders,
        progress=progress,
    )
    if given.rows.dtype != np.uint8:
        raise UserError(f"{source} is a set of points, drawn anew each time: nothing to pack")
    if suffix == ".npy" and given.classes:
        raise UserError(f"an .npy holds no labels and {source} has classes: name it {out.stem}.npz")
    draft = out.with_name(f".{out.name}.{os.getpid()}.partial")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        if suffix == ".npz":
            packed.write_npz(draft, given.rows, given.labels, _card(given, fit))
        else:
            with open(draft, "wb") as file:
                packed.write_rows(file, given.rows)
        os.replace(draft, out)
    except OSError as error:
        size = f": it takes {given.rows.nbytes / 1e6:,.0f} MB" if _is_full(error) else ""
        raise UserError(f"{out} cannot be written ({error.strerror}{size})") from None
    finally:
        with contextlib.suppress(OSError):
            draft.unlink()
    opened = open_dataset(str(out), resolution=resolution, channels=channels, fit=fit)
    return replace(opened, skipped=given.skipped, duplicates=given.duplicates)


def _pictures_job(pictures: sources.Pictures, form: Form) -> Job:
    def piece(start: int, stop: int) -> Callable[[], Batch]:
        return partial(_decoded, sources.part(pictures, start, stop), form)

    key = key_of(decode.VERSION, sources.stamp(pictures), pictures.classes, asdict(form))
    return Job(
        key, len(pictures), lambda: pictures.labels, pictures.classes, piece, pictures.skipped
    )


def _decoded(pictures: sources.Pictures, form: Form) -> Batch:
    rows = np.empty((len(pictures), *form.shape), np.uint8)
    digests = np.empty((len(pictures), 32), np.uint8)
    kept = np.zeros(len(pictures), bool)
    skipped = []
    for index, name in enumerate(pictures.files):
        file, data = sources.readable(name), b""
        try:
            data = sources.read(pictures, index)
            rows[index] = decode.decode(data, form)
        except FileNotFoundError:  # listed a moment ago: not to be remembered as broken
            gone = f"{file} vanished while {pictures.source} was being packed"
            raise UserError(f"{gone}: try again when nothing else changes the files") from None
        except Exception as error:  # Pillow raises many kinds; one file is at stake, not all
            skipped.append((file, decode.why(error, data)))
        else:
            digests[index] = np.frombuffer(hashlib.sha256(data).digest(), np.uint8)
            kept[index] = True
    return Batch(rows[kept], kept, digests[kept], skipped)


def _packed_job(file: packed.Packed, form: Form) -> Job:
    pixels = packed.stored(file)

    def piece(start: int, stop: int) -> Callable[[], Batch]:
        return partial(_fitted, np.ascontiguousarray(pixels[start:stop]), file.layout, form)

    key = key_of(decode.VERSION, packed.state(file), file.classes, asdict(form))
    return Job(key, len(file), lambda: file.labels, file.classes, piece)


def _fitted(pixels: np.ndarray, layout: str, form: Form) -> Batch:
    from PIL import Image

    pictures = packed.in_colour(pixels, layout)
    images = (Image.fromarray(np.ascontiguousarray(picture)) for picture in pictures)
    rows = np.stack([decode.squared(decode.plain(image), form) for image in images])
    return _whole(rows, pictures)


def _flowers_job(count: int, form: Form, seed: int, folders: str) -> Job:
    def piece(start: int, stop: int) -> Callable[[], Batch]:
        return partial(_drawn, start, stop, form, seed)

    classes = () if folders == "none" else builtin.flowers.CLASSES
    key = key_of("flowers", builtin.drawing_code(), count, seed, form.shape, classes)
    labels = partial(builtin.flower_labels, count, seed)
    if not classes:
        labels = partial(np.zeros, count, np.int64)
    return Job(key, count, labels, classes, piece)


def _drawn(start: int, stop: int, form: Form, seed: int) -> Batch:
    rows = builtin.drawn(start, stop, form, seed)
    return _whole(rows, rows)


def _whole(rows: np.ndarray, origins: np.ndarray) -> Batch:
    """Return a batch of which nothing was skipped."""
    digests = b"".join(hashlib.sha256(origin.tobytes()).digest() for origin in origins)
    kept = np.ones(len(rows), bool)
    return Batch(rows, kept, np.frombuffer(digests, np.uint8).reshape(-1, 32), [])


def _build(folder: Path, source: str, job: Job, form: Form, progress: bool) -> None:
    """Make every row and write it at once, so that memory holds only what is under way.

    The file is written, never mapped, meanwhile: a full disk is then an error and not a crash.
    """
    count = job.count
    stretch = min(64, max(1, STRETCH // math.prod(form.shape)))
    pieces = (job.piece(start, min(start + stretch, count)) for start in range(0, count, stretch))
    kept = np.zeros(count, bool)
    digests = np.empty((count, 32), np.uint8)
    skipped, seen, made = list(job.skipped), 0, 0
    with (
        decode.quiet(),
        progress_bar(
            total=count, desc=f"packing {source}", unit=" img", shown=progress, leave=False
        ) as bar,
        contextlib.closing(in_order(pieces, processes=count >= MANY)) as batches,
        open(folder / "images.npy", "wb") as file,
    ):
        file.write(packed.npy_header((count, *form.shape)))
        for batch in batches:
            file.write(np.ascontiguousarray(batch.rows).data)
            kept[seen : seen + len(batch.kept)] = batch.kept
            digests[made : made + len(batch.rows)] = batch.digests
            seen, made = seen + len(batch.kept), made + len(batch.rows)
            skipped += batch.skipped
            bar.update(len(batch.kept))
        file.seek(0)
        file.write(packed.npy_header((made, *form.shape)))
    if not made:
        why = sources.reasons(skipped)
        raise UserError(f"none of the {count:,} pictures of {source} can be read ({why})")
    labels, classes = _still_there(job.labels()[kept], job.classes)
    np.save(folder / "labels.npy", labels)
    digests = digests[:made]
    card = asdict(form) | {
        "classes": classes,
        "count": made,
        "fingerprint": _fingerprint(form, classes, labels, digests),
        "skipped": skipped,
        "duplicates": made - len(np.unique(digests.view("V32"))),
    }
    write_card(folder, card)


def _still_there(labels: np.ndarray, classes: tuple[str, ...]) -> tuple[np.ndarray, list[str]]:
    """Return labels and classes without the classes of which no file could be read."""
    present, renumbered = np.unique(labels, return_inverse=True)
    if len(present) < 2:
        return np.zeros(len(labels), np.int64), []
    return renumbered.astype(np.int64), [classes[label] for label in present]


def _fingerprint(form: Form, classes: list[str], labels: np.ndarray, digests: np.ndarray) -> str:
    options = [decode.VERSION, asdict(form), classes]
    digest = hashlib.sha256(json.dumps(options).encode())
    digest.update(labels.astype("<i8").tobytes())
    digest.update(digests.tobytes())
    return digest.hexdigest()


def _finished(folder: Path, name: str, source: str) -> Dataset:
    try:
        card = read_card(folder)
        rows = np.load(folder / "images.npy", mmap_mode="r")
        labels = np.load(folder / "labels.npy")
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"the pack {folder} is damaged ({error}): delete that folder") from None
    skipped = tuple((file, reason) for file, reason in card["skipped"])
    classes = tuple(card["classes"])
    return Dataset(
        name, source, rows, labels, classes, card["fingerprint"], skipped, card["duplicates"]
    )


def _mapped(file: packed.Packed, rows: np.ndarray) -> Dataset:
    name = sources.name_of(file.source)
    duplicates = int((file.card or {}).get("duplicates", 0))
    fingerprint = packed.fingerprint_of(file)
    return Dataset(name, file.source, rows, file.labels, file.classes, fingerprint, (), duplicates)


def _card(dataset: Dataset, fit: str) -> dict:
    return {
        "name": dataset.name,
        "fit": fit,
        "classes": list(dataset.classes),
        "fingerprint": dataset.fingerprint,
        "duplicates": dataset.duplicates,
    }


def _is_full(error: OSError) -> bool:
    return error.errno in (errno.ENOSPC, errno.EDQUOT)
