"""Building a pack: every row made and written at once, with a record of what was noticed on the way."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np

from figment.data import colour, depth, jobs, noticed, opening, packed, sources
from figment.data.cache import write_card
from figment.data.families import first_of
from figment.data.noticed import Noticed
from figment.data.square import Form
from figment.data.workers import in_order
from figment.errors import UserError

STRETCH = 4 << 20  # bytes of rows that one piece of work makes, at most 64 pictures
READING = (
    2  # version of what most numbers mean: raise it when it changes, and runs refuse their old data
)
MANY = 1_000  # pictures that are worth the start of processes
LUMA = np.array(
    [19595, 38470, 7471], np.uint32
)  # of 65,536: Pillow's, so that grey stays what it is


class NothingUsable(UserError):
    """None of a source's pictures can be read."""

    def __init__(self, message: str, skipped: list[tuple[str, str]]) -> None:
        super().__init__(message)
        self.skipped = tuple(skipped)


@dataclass
class _Waiting:
    """Deep rows, which wait in a file for the end of the pass."""

    file: IO[bytes]
    rows: list[tuple[int, str, bool]] = field(
        default_factory=list
    )  # place in the pack, kind, inverted
    extents: dict[str, depth.Extent] = field(default_factory=dict)
    highs: dict[str, list[float]] = field(default_factory=dict)  # of each picture, by kind

    def add(self, deep: list[jobs.DeepRow], made: int) -> None:
        for row in deep:
            self.file.write(np.ascontiguousarray(row.values).data)
            self.rows.append((made + row.place, row.kind, row.inverted))
            known = self.extents.get(row.kind)
            self.extents[row.kind] = known.and_also(row.extent) if known else row.extent
            self.highs.setdefault(row.kind, []).append(row.extent.high)


def build(folder: Path, source: str, job: jobs.Job, form: Form, *, progress: bool) -> None:
    """Fill a folder with a pack; ``form.channels`` 0: as many as the pictures need.

    Memory holds only what is under way. The file is written, never mapped, meanwhile: a full disk is
    then an error and not a crash. Raises ``NothingUsable`` where no picture can be read.
    """
    wide = replace(form, channels=form.channels or 3)
    with open(folder / "deep.raw", "wb") as file:
        waiting = _Waiting(file)
        kept, record, skipped = _pass(folder, source, job, wide, waiting, progress)
    made = int(kept.sum())
    if not made:
        why = sources.reasons(skipped)
        sentence = f"none of the {job.count:,} pictures of {source} can be read ({why})"
        raise NothingUsable(sentence, skipped)
    ranges = _settle_ranges(folder, wide, waiting, record.facts)
    (folder / "deep.raw").unlink()
    facts = record.facts
    facts["place"] = np.flatnonzero(kept)
    facts["first"] = first_of(facts["digest"], facts["levels"])
    named = noticed.likenesses(facts, job.name)
    record = replace(record, ranges=ranges, others=job.others, likenesses=named)
    if not form.channels and record.grey:
        _make_grey(folder, wide, made)
        wide = replace(wide, channels=1)
    labels, classes = _still_there(job.labels()[kept], job.classes)
    np.save(folder / "labels.npy", labels)
    noticed.write(folder, record)
    card = asdict(wide) | {
        "classes": classes,
        "count": made,
        "fingerprint": _fingerprint(wide, classes, labels, record),
        "skipped": skipped[
            len(job.skipped) :
        ],  # of these pictures; what else lies there may change
        "duplicates": made - len(np.unique(facts["digest"])),
    }
    write_card(folder, card)


def notice(rows: np.ndarray, source: str, *, progress: bool) -> Noticed:
    """Return the record of a packed file whose rows [N, C, R, R] are used as they are."""

    def piece(start: int, stop: int) -> Callable[[], jobs.Batch]:
        return partial(jobs.as_it_is, rows[start:stop], "NCHW")

    count, stretch = len(rows), _stretch(rows.shape[1:])
    facts: np.ndarray = np.zeros(count, noticed.FACTS)
    seen = 0
    pieces = (piece(start, min(start + stretch, count)) for start in range(0, count, stretch))
    with (
        _bar(count, f"looking at {source}", progress) as bar,
        contextlib.closing(in_order(pieces)) as done,
    ):
        for batch in done:
            facts[seen : seen + len(batch.facts)] = batch.facts
            seen += len(batch.facts)
            bar.update(len(batch.facts))
    facts["place"] = np.arange(count)
    facts["first"] = first_of(facts["digest"], facts["levels"])
    mode = "RGB" if rows.shape[1] == 3 else "L"
    return Noticed(facts, True, {mode: count}, likenesses=noticed.likenesses(facts, str))


def _pass(
    folder: Path, source: str, job: jobs.Job, form: Form, waiting: _Waiting, progress: bool
) -> tuple[np.ndarray, Noticed, list[tuple[str, str]]]:
    """Write all rows; return which pictures gave one, what was noticed, and what was skipped."""
    count, stretch = job.count, min(job.most, _stretch(form.shape))
    pieces = (
        job.piece(start, min(start + stretch, count), form) for start in range(0, count, stretch)
    )
    kept, facts = np.zeros(count, bool), np.zeros(count, noticed.FACTS)
    modes, notes = Counter(), Counter()
    skipped, seen, made = list(job.skipped), 0, 0
    with (
        opening.quiet(),
        _bar(count, f"packing {source}", progress) as bar,
        contextlib.closing(in_order(pieces, processes=count >= MANY)) as batches,
        open(folder / "images.npy", "wb") as file,
    ):
        file.write(packed.npy_header((count, *form.shape)))
        for batch in batches:
            file.write(np.ascontiguousarray(batch.rows).data)
            kept[seen : seen + len(batch.kept)] = batch.kept
            facts[made : made + len(batch.rows)] = batch.facts
            waiting.add(batch.deep, made)
            seen, made = seen + len(batch.kept), made + len(batch.rows)
            skipped += batch.skipped
            modes += batch.modes
            notes += batch.notes
            bar.update(len(batch.kept))
        file.seek(0)
        file.write(packed.npy_header((made, *form.shape)))
    modes, notes = dict(modes.most_common()), dict(+notes)
    return kept, Noticed(facts[:made], form.channels == 3, modes, notes), skipped


def _settle_ranges(
    folder: Path, form: Form, waiting: _Waiting, facts: np.ndarray
) -> tuple[str, ...]:
    """Make bytes of the deep rows by the range that each kind of them uses; say which that is."""
    if not waiting.rows:
        return ()
    values = np.memmap(folder / "deep.raw", np.float32, "r", shape=(len(waiting.rows), *form.shape))
    kinds = np.array([kind for _, kind, _ in waiting.rows])
    ranges = {
        kind: depth.range_of(kind, extent, partial(_spread, values, np.flatnonzero(kinds == kind)))
        for kind, extent in waiting.extents.items()
    }
    size, head = math.prod(form.shape), len(packed.npy_header((len(facts), *form.shape)))
    with open(folder / "images.npy", "r+b") as file:
        for place, (row, kind, inverted) in enumerate(waiting.rows):
            pixels = ranges[kind].bytes_of(values[place], inverted=inverted)
            noticed.look_at(pixels[None], facts[row : row + 1])
            file.seek(head + row * size)
            file.write(pixels.data)
    return tuple(
        f"{len(waiting.highs[kind]):,} {kind}: {found.why}{found.mostly(waiting.highs[kind])}"
        for kind, found in ranges.items()
    )


def _spread(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return numbers of these rows, evenly spread, so many that they tell where most lie."""
    size = values[0].size
    step = max(1, len(rows) * size // depth.SAMPLED)
    parts = (
        values[row].reshape(-1)[-place * size % step :: step] for place, row in enumerate(rows)
    )
    return np.concatenate([*parts])


def _make_grey(folder: Path, form: Form, count: int) -> None:
    """Rewrite a pack of grey pictures with one channel."""
    rows = np.load(folder / "images.npy", mmap_mode="r")
    shape = (1, *form.shape[1:])
    with open(folder / "grey.npy", "wb") as file:
        file.write(packed.npy_header((count, *shape)))
        for start in range(0, count, _stretch(form.shape)):
            part = rows[start : start + _stretch(form.shape)].astype(np.uint32)
            luma = np.tensordot(LUMA, part, (0, 1)) + 0x8000 >> 16  # [n, R, R]
            file.write(luma.astype(np.uint8).data)
    del rows
    (folder / "grey.npy").replace(folder / "images.npy")


def _still_there(labels: np.ndarray, classes: tuple[str, ...]) -> tuple[np.ndarray, list[str]]:
    """Return labels and classes without the classes of which no file could be read."""
    present, renumbered = np.unique(labels, return_inverse=True)
    if len(present) < 2:
        return np.zeros(len(labels), np.int64), []
    return renumbered.astype(np.int64), [classes[label] for label in present]


def _fingerprint(form: Form, classes: list[str], labels: np.ndarray, record: Noticed) -> str:
    """Return the digest of options, labels and contents; see ``open_dataset``.

    Of pictures whose numbers were always read as they are now it is the same as ever, so that a run
    of an earlier version goes on with its data.
    """
    deep = any(mode[0] in "IFfiu" for mode in record.modes)
    version = READING if deep or colour.CONVERTED in record.notes else 1
    options = [version, asdict(form), classes]
    digest = hashlib.sha256(json.dumps(options).encode())
    digest.update(labels.astype("<i8").tobytes())
    digest.update(np.ascontiguousarray(record.facts["digest"]).tobytes())
    return digest.hexdigest()


def _stretch(shape: tuple[int, ...]) -> int:
    return min(64, max(1, STRETCH // math.prod(shape)))


def _bar(count: int, what: str, progress: bool) -> AbstractContextManager:
    from figment.progress import progress_bar  # which brings tqdm

    return progress_bar(total=count, desc=what, unit=" img", shown=progress, leave=False)
