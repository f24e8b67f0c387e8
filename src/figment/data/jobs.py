"""The work of packing a source, in stretches that threads or processes do: each gives a batch of rows."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from functools import partial

import numpy as np

from figment.data import builtin, decode, noticed, opening, packed, sources, square
from figment.data.cache import key_of
from figment.data.depth import Extent
from figment.data.square import Form
from figment.errors import UserError

PIECE = 16 << 20  # bytes of stored pictures in one piece of work: several wait at once


@dataclass(frozen=True)
class DeepRow:
    """A row whose numbers become bytes when the whole set has been seen."""

    place: int  # among the batch's rows
    kind: str
    inverted: bool
    extent: Extent  # of the whole picture
    values: np.ndarray  # [C, R, R] float32; NaN is padding


@dataclass(frozen=True)
class Batch:
    """The rows that a stretch of a source gave."""

    rows: np.ndarray  # [K, C, R, R] uint8, those that could be made; 0 where a deep row belongs
    kept: np.ndarray  # [B] bool, which these were
    facts: np.ndarray  # [K] noticed.FACTS
    skipped: list[tuple[str, str]] = field(default_factory=list)
    deep: list[DeepRow] = field(default_factory=list)
    modes: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Job:
    """All that packing one source takes."""

    key: Callable[[Form], str]  # of the pack in a form; of 0 channels: as the pictures need
    count: int
    labels: Callable[[], np.ndarray]  # [N] int64, asked for only where a pack is made
    classes: tuple[str, ...]
    piece: Callable[[int, int, Form], Callable[[], Batch]]  # the work on a stretch; it pickles
    name: Callable[[int], str] = str  # of the picture in a place
    skipped: tuple[tuple[str, str], ...] = ()
    others: dict[str, int] = field(default_factory=dict)  # files that are no pictures, by kind
    most: int = 64  # pictures in one stretch


def of_pictures(pictures: sources.Pictures) -> Job:
    """Return the job of a folder's or a zip's pictures."""
    stamp = sources.stamp(pictures)

    def key(form: Form) -> str:
        return key_of(decode.VERSION, stamp, pictures.classes, asdict(form))

    def piece(start: int, stop: int, form: Form) -> Callable[[], Batch]:
        return partial(_decoded, sources.part(pictures, start, stop), form)

    return Job(
        key,
        len(pictures),
        lambda: pictures.labels,
        pictures.classes,
        piece,
        lambda place: sources.readable(pictures.files[place]),
        pictures.skipped,
        pictures.others,
        sources.most_at_once(pictures),
    )


def of_packed(file: packed.Packed) -> Job:
    """Return the job of a packed file's pictures."""
    pixels = packed.stored(file)
    state = packed.state(file)

    def key(form: Form) -> str:
        return key_of(decode.VERSION, state, file.classes, asdict(form))

    def piece(start: int, stop: int, form: Form) -> Callable[[], Batch]:
        return partial(_fitted, packed.part(pixels, start, stop), file.layout, form)

    most = max(1, min(64, PIECE // math.prod(file.shape[1:])))
    return Job(key, len(file), lambda: file.labels, file.classes, piece, most=most)


def of_flowers(count: int, seed: int, folders: str) -> Job:
    """Return the job of drawing the built-in flowers."""
    classes = () if folders == "none" else builtin.flowers.CLASSES

    def key(form: Form) -> str:
        return key_of(
            "flowers", decode.VERSION, builtin.drawing_code(), count, seed, form.shape, classes
        )

    def piece(start: int, stop: int, form: Form) -> Callable[[], Batch]:
        return partial(_drawn, start, stop, form, seed)

    labels = (
        partial(builtin.flower_labels, count, seed)
        if classes
        else partial(np.zeros, count, np.int64)
    )
    return Job(key, count, labels, classes, piece)


def _decoded(pictures: sources.Pictures, form: Form) -> Batch:
    rows = np.zeros((len(pictures), *form.shape), np.uint8)
    facts = np.zeros(len(pictures), noticed.FACTS)
    kept = np.zeros(len(pictures), bool)
    batch = Batch(rows, kept, facts)
    for index, name in enumerate(pictures.files):
        file, data = sources.readable(name), b""
        try:
            data = sources.read(pictures, index)
            seen = decode.see(data, enough=2 * form.resolution)
            if seen.deep is None:
                assert seen.image is not None
                rows[index] = square.squared(seen.image, form)
            else:
                values = square.squared_deep(seen.deep, form)
        except FileNotFoundError:  # listed a moment ago: not to be remembered as broken
            gone = f"{file} vanished while {pictures.source} was being packed"
            raise UserError(f"{gone}: try again when nothing else changes the files") from None
        except Exception as error:  # Pillow raises many kinds; one file is at stake, not all
            batch.skipped.append((file, opening.why(error, data)))
            continue
        if seen.deep is not None:
            deep = seen.deep
            row = DeepRow(int(kept.sum()), deep.kind, deep.inverted, deep.extent, values)
            batch.deep.append(row)
        batch.modes[seen.mode] += 1
        batch.notes.update(seen.notes)
        facts[index]["width"], facts[index]["height"] = seen.width, seen.height
        facts[index]["digest"] = hashlib.sha256(data).digest()
        kept[index] = True
    rows, facts = rows[kept], facts[kept]
    noticed.look_at(rows, facts)
    return replace(batch, rows=rows, facts=facts)


def _fitted(pixels: np.ndarray, layout: str, form: Form) -> Batch:
    from PIL import Image

    pictures = packed.in_colour(pixels, layout)
    images = [Image.fromarray(np.ascontiguousarray(picture)) for picture in pictures]
    rows = np.stack([square.squared(decode.plain(image), form) for image in images])
    batch = _whole(np.ascontiguousarray(rows), pictures, images[0].mode)
    batch.facts["height"], batch.facts["width"] = pictures.shape[1:3]
    if images[0].mode == "RGBA":
        clear = sum(image.getextrema()[3][0] < 255 for image in images)  # ty: ignore
        batch.notes[decode.CLEAR] += clear
    return batch


def _drawn(start: int, stop: int, form: Form, seed: int) -> Batch:
    rows = builtin.drawn(start, stop, form, seed)
    return _whole(rows, rows, "RGB")


def _whole(rows: np.ndarray, origins: np.ndarray, mode: str) -> Batch:
    """Return a batch of which nothing was skipped."""
    facts: np.ndarray = np.zeros(len(rows), noticed.FACTS)
    facts["width"] = facts["height"] = rows.shape[-1]
    for fact, origin in zip(facts, origins, strict=True):
        fact["digest"] = hashlib.sha256(origin.tobytes()).digest()
    noticed.look_at(rows, facts)
    return Batch(rows, np.ones(len(rows), bool), facts, modes=Counter({mode: len(rows)}))


def as_it_is(pixels: np.ndarray, layout: str) -> Batch:
    """Return what is to be noticed of a stretch of a packed file that holds rows already."""
    return _whole(np.ascontiguousarray(pixels), pixels, {1: "L", 3: "RGB"}[pixels.shape[1]])
