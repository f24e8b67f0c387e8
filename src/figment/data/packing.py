"""Sources made into data sets: decoded once, on all cores, into a memory-mapped uint8 pack."""

from __future__ import annotations

import contextlib
import errno
import functools
import math
import os
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from figment.data import building, builtin, decode, jobs, noticed, packed, sources
from figment.data.cache import finished, folder_for, key_of, read_card, write_card
from figment.data.dataset import Dataset
from figment.data.noticed import Noticed
from figment.data.square import Form
from figment.errors import UserError

ABOUT = noticed.FACTS.itemsize + 8  # bytes that a pack says of a picture


def open_dataset(
    source: str,
    *,
    resolution: int,
    channels: int | None = None,
    fit: str = "crop",
    folders: str = "auto",
    seed: int = 0,
    progress: bool = True,
) -> Dataset:
    """Return a source as square uint8 pictures of ``resolution`` px, memory-mapped.

    ``source`` is a folder, a .zip, Parquet, an .npy or .npz, ``hf:owner/name``, or ``flowers``, ``ring``,
    ``grid`` (a count may follow: ``flowers:5000``); ``channels`` 1 (luma), 3, or None: 3 if any
    picture has a colour, 1 if none has; ``fit`` crop, pad or stretch; ``folders`` auto, classes or
    none (see ``sources.find_pictures``); ``seed`` decides the built-in sets only. The first call
    decodes on all cores and writes to the cache (``cache_root``), with a record of what it noticed
    (``Dataset.notice``); later ones map what lies there. A packed file of this form already is
    mapped where it lies. ``ring`` and ``grid`` have rows [N, 2] float32 and no form.

    The cache is keyed by the options and a cheap stamp of the source (``sources.stamp``: names,
    sizes and times for a folder, checksums for a zip), so changed files are noticed. The
    ``fingerprint`` is stricter: sha256 over the options, the class names, and in order the sha256
    and the label of every file used, whatever the files are called and wherever they lie. (Packed
    files: see ``packed.fingerprint_of``.)

    Files that cannot be read are in ``skipped`` with the reason. ``UserError`` where nothing is
    left, the options make no sense, or the disk is full.
    """
    form = Form(resolution, channels or 0, fit)
    form.check()
    built = builtin.builtin(source)
    if built and built[0] != "flowers":
        return builtin.point_set(source, seed)
    if built:
        form = replace(form, channels=channels or 3)
        job = jobs.of_flowers(built[1], seed, folders)
    elif packed.is_packed(source):
        file = packed.read_packed(source, folders)
        mapped = _mapped(file, form, progress)
        if mapped is not None:
            return mapped
        job = jobs.of_packed(file)
    else:
        job = jobs.of_pictures(sources.find_pictures(source, folders))
    folder = _made(job, form)
    if folder is None:
        needed = job.count * (math.prod(replace(form, channels=channels or 3).shape) + ABOUT)
        folder = folder_for(
            job.key(form), partial(_build, source, job, form, progress), needed=needed
        )
    found = _finished(folder, built[0] if built else sources.name_of(source), source)
    skipped = tuple(dict.fromkeys((*job.skipped, *found.skipped)))
    return replace(found, folders=folders, skipped=skipped)


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


def _build(source: str, job: jobs.Job, form: Form, progress: bool, folder: Path) -> None:
    building.build(folder, source, job, form, progress=progress)


def _made(job: jobs.Job, form: Form) -> Path | None:
    """Return a pack that is there already and is what is asked for, whatever it was made for.

    One that was made as the pictures need is the same as one of the channels that they turned out to
    need, and the other way about.
    """
    if form.channels:
        found = finished(job.key(replace(form, channels=0)))
        return found if found and read_card(found)["channels"] == form.channels else None
    for channels in (3, 1):
        found = finished(job.key(replace(form, channels=channels)))
        if found and _suits(found, channels):
            return found
    return None


def _suits(folder: Path, channels: int) -> bool:
    try:
        seen = noticed.read(folder)
    except (OSError, ValueError, EOFError):  # damaged: whoever opens it will say so
        return False
    return seen.in_colour and seen.grey == (channels == 1)


def _finished(folder: Path, name: str, source: str) -> Dataset:
    try:
        card = read_card(folder)
        rows = np.load(folder / "images.npy", mmap_mode="r")
        labels = np.load(folder / "labels.npy")
        record = noticed.read(folder)
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"the pack {folder} is damaged ({error}): delete that folder") from None
    skipped = tuple((file, reason) for file, reason in card["skipped"])
    return Dataset(
        name,
        source,
        rows,
        labels,
        tuple(card["classes"]),
        card["fingerprint"],
        skipped,
        card["duplicates"],
        notice=lambda: record,
    )


def _mapped(file: packed.Packed, form: Form, progress: bool) -> Dataset | None:
    """Return a packed file as it lies if it holds just what is asked for, else None."""
    channels = form.channels or (1 if file.channels == 1 else 3)
    rows = packed.as_they_are(file, replace(form, channels=channels))
    if rows is None:
        return None
    record = functools.cache(partial(_record, file, rows, progress))
    if not form.channels and channels == 3 and record().grey:
        return None
    name = sources.name_of(file.source)
    duplicates = int((file.card or {}).get("duplicates", 0))
    fingerprint = packed.fingerprint_of(file)
    return Dataset(
        name,
        file.source,
        rows,
        file.labels,
        file.classes,
        fingerprint,
        duplicates=duplicates,
        notice=record,
    )


def _record(file: packed.Packed, rows: np.ndarray, progress: bool) -> Noticed:
    """Return what there is to notice of a packed file, looked at once."""

    def build(folder: Path) -> None:
        noticed.write(folder, building.notice(rows, file.source, progress=progress))
        write_card(folder, {"source": file.source})

    key = key_of("noticed", decode.VERSION, packed.state(file))
    return noticed.read(folder_for(key, build, needed=len(rows) * ABOUT))


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
