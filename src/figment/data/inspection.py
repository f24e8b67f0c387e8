"""What is in a source, every file opened, and what figment would do with it."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from figment.data import decode, glance, packed, sources
from figment.data.builtin import builtin, flower_labels
from figment.data.workers import in_order
from figment.progress import progress_bar

if TYPE_CHECKING:
    from PIL import Image

FACTS = np.dtype(
    [("width", "i4"), ("height", "i4"), ("grey", "?"), ("flat", "?"), ("digest", "V32")]
)
SHOWN = 5  # names given as examples


@dataclass(frozen=True)
class Inspection:
    """What a full pass over a source found. ``to_json`` is for programs, ``describe`` for people."""

    name: str
    source: str
    kind: str  # "images" or "points"
    files: int  # pictures found, readable or not
    usable: int
    others: dict[str, int]  # files that are no pictures, by suffix
    classes: dict[str, int]  # usable pictures of each
    width: tuple[int, int, int]  # smallest, median, largest, in pixels, as seen upright
    height: tuple[int, int, int]
    side: tuple[int, int, int]  # the shorter of the two
    aspect: tuple[float, float, float]  # width / height
    square: float  # share of the pictures
    modes: dict[str, int]
    notes: dict[str, int]  # what is handled on the way, and how often
    skipped: tuple[tuple[str, str], ...]  # (file, reason)
    duplicates: int  # files that repeat an earlier one byte for byte
    groups: tuple[tuple[str, ...], ...]  # the first few groups of such files
    odd: dict[str, tuple[int, tuple[str, ...]]]  # what: how many, the first few
    resolution: int  # what figment would choose, from here on; 0 where nothing is usable
    channels: int
    crop_loss: float  # mean share of a picture's area that the centre crop cuts off
    structure: tuple[str, ...] = ()  # what was decided about folders and labels, and why

    def to_json(self) -> str:
        """Return everything as a JSON object, indented."""
        return json.dumps(dataclasses.asdict(self), indent=2)


def inspect(source: str, progress: bool = True, *, folders: str = "auto") -> Inspection:
    """Return what a source holds after opening and decoding every picture, on all cores.

    ``UserError`` where there is nothing to open; broken files are part of the answer. A built-in
    set is described without drawing it. ``folders``: see ``sources.find_pictures``. Costs about 150
    bytes a picture beside the names.
    """
    name = sources.name_of(source)
    built = builtin(source)
    if built:
        return _built_in(source, *built, folders)
    if packed.is_packed(source):
        file = packed.read_packed(source, folders)
        digits = len(str(len(file) - 1))
        found = _pass(_packed_work(file), len(file), source, progress)
        return _summary(
            name, source, found, file.labels, file.classes, lambda i: f"picture {i:0{digits}d}"
        )
    pictures = sources.find_pictures(source, folders)
    found = _pass(_pictures_work(pictures), len(pictures), source, progress)
    found.skipped[:0] = pictures.skipped
    return _summary(
        name,
        source,
        found,
        pictures.labels,
        pictures.classes,
        lambda i: sources.readable(pictures.files[i]),
        others=pictures.others,
        beside=len(pictures.skipped),
        structure=pictures.structure,
    )


@dataclass
class _Found:
    """What the pass has seen so far."""

    facts: np.ndarray  # [N] FACTS
    usable: np.ndarray  # [N] bool
    modes: Counter[str]
    notes: Counter[str]
    skipped: list[tuple[str, str]]


Work = Callable[[], _Found]


def _pass(piece: Callable[[int, int], Work], count: int, source: str, progress: bool) -> _Found:
    whole = _Found(np.zeros(count, FACTS), np.zeros(count, bool), Counter(), Counter(), [])
    pieces = (piece(start, min(start + 16, count)) for start in range(0, count, 16))
    seen = 0
    with (
        decode.quiet(),
        progress_bar(
            total=count, desc=f"inspecting {source}", unit=" img", shown=progress, leave=False
        ) as bar,
        contextlib.closing(in_order(pieces)) as parts,
    ):
        for part in parts:
            stop = seen + len(part.facts)
            whole.facts[seen:stop], whole.usable[seen:stop] = part.facts, part.usable
            whole.modes += part.modes
            whole.notes += part.notes
            whole.skipped += part.skipped
            bar.update(stop - seen)
            seen = stop
    return whole


def _pictures_work(pictures: sources.Pictures) -> Callable[[int, int], Work]:
    def piece(start: int, stop: int) -> Work:
        return partial(_examined, sources.part(pictures, start, stop))

    return piece


def _examined(pictures: sources.Pictures) -> _Found:
    part = _part(len(pictures))
    for place, name in enumerate(pictures.files):
        data = b""
        try:
            data = sources.read(pictures, place)
            part.facts[place] = _examine(data, part)
        except Exception as error:  # of any kind: see packing
            part.skipped.append((sources.readable(name), decode.why(error, data)))
        else:
            part.usable[place] = True
    return part


def _packed_work(file: packed.Packed) -> Callable[[int, int], Work]:
    from PIL import Image

    pixels = packed.stored(file)
    height, width = file.size
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[file.channels]

    def work(start: int, stop: int) -> _Found:
        part = _part(stop - start)
        for place, picture in enumerate(packed.in_colour(pixels[start:stop], file.layout)):
            image = decode.plain(Image.fromarray(np.ascontiguousarray(picture)))
            digest = hashlib.sha256(picture.tobytes()).digest()
            part.facts[place] = width, height, glance.is_grey(image), _is_flat(image), digest
        part.usable[:] = True
        part.modes[mode] += stop - start
        return part

    return lambda start, stop: partial(work, start, stop)


def _part(count: int) -> _Found:
    return _Found(np.zeros(count, FACTS), np.zeros(count, bool), Counter(), Counter(), [])


def _examine(data: bytes, part: _Found) -> tuple:
    """Return the facts of one picture; count its mode and notes only once it has been decoded."""
    image = decode.opened(data)
    mode, (width, height) = image.mode, image.size
    animated = getattr(image, "is_animated", False)
    turned = decode.orientation(image)
    seen = decode.upright(image, enough=64)
    clear = seen.has_transparency_data
    seen = decode.plain(seen)
    part.modes[mode] += 1
    part.notes["animated: the first frame is used"] += bool(animated)
    part.notes["turned upright by EXIF"] += turned > 1
    part.notes["transparent: laid over white"] += clear
    if turned > 4:
        width, height = height, width
    digest = hashlib.sha256(data).digest()
    return width, height, glance.is_grey(seen), _is_flat(seen), digest


def _is_flat(image: Image.Image) -> bool:
    extremes = np.reshape(image.getextrema(), (-1, 2))  # [C, 2]: lowest and highest of each channel
    return bool((extremes[:, 1] - extremes[:, 0] <= 2).all())


def _summary(
    name: str,
    source: str,
    found: _Found,
    labels: np.ndarray,
    classes: tuple[str, ...],
    file: Callable[[int], str],
    *,
    others: dict[str, int] | None = None,
    beside: int = 0,
    structure: tuple[str, ...] = (),
) -> Inspection:
    """Return the answer; ``file`` names a picture by its index."""
    chosen = np.flatnonzero(found.usable)
    facts, labels = found.facts[chosen], labels[chosen]
    width, height = facts["width"], facts["height"]
    side, longer = np.minimum(width, height), np.maximum(width, height)
    duplicates, groups, quarrels = _duplicates(facts["digest"], labels)
    per_class = np.bincount(labels, minlength=len(classes)).tolist()
    counts = dict(zip(classes, per_class, strict=False))
    odd = {
        what: (int(which.sum()), tuple(file(i) for i in chosen[which][:SHOWN]))
        for what, which in _odd_pictures(facts, quarrels).items()
        if which.any()
    }
    grey = bool(facts["grey"].all())
    resolution, channels = glance.advise(int(np.median(side)), grey) if len(side) else (0, 0)
    return Inspection(
        name=name,
        source=source,
        kind="images",
        files=len(found.usable) + beside,
        usable=len(chosen),
        others=others or {},
        classes=counts,
        width=_spread(width),
        height=_spread(height),
        side=_spread(side),
        aspect=_spread(np.round(width / height, 3)),
        square=_mean(width == height),
        modes=dict(found.modes.most_common()),
        notes=dict(+found.notes),
        skipped=tuple(found.skipped),
        duplicates=duplicates,
        groups=tuple(tuple(file(i) for i in chosen[group]) for group in groups),
        odd=odd | _odd_classes(counts),
        resolution=resolution,
        channels=channels,
        crop_loss=_mean(1 - side / longer),
        structure=structure,
    )


def _mean(values: np.ndarray) -> float:
    return float(np.mean(values)) if len(values) else 0.0


def _spread(values: np.ndarray) -> tuple:
    """Return the smallest, the median and the largest of some values."""
    ordered = np.sort(values) if len(values) else np.zeros(1, values.dtype)
    return tuple(ordered[[0, len(ordered) // 2, -1]].tolist())


def _odd_pictures(facts: np.ndarray, quarrels: np.ndarray) -> dict[str, np.ndarray]:
    """Return which pictures are out of the ordinary in which way, each [N] bool."""
    side = np.minimum(facts["width"], facts["height"])
    mostly_grey = _mean(facts["grey"]) > 0.5
    stray = facts["grey"] != mostly_grey
    return {
        "tiny, a side under 16 px": side < 16,
        "longer than 3 to 1": np.maximum(facts["width"], facts["height"]) > 3 * side,
        "of one flat colour": facts["flat"],
        "in colour among grey" if mostly_grey else "grey among colour": stray,
        "the same picture in two classes": quarrels,
    }


def _duplicates(
    digests: np.ndarray, labels: np.ndarray
) -> tuple[int, list[np.ndarray], np.ndarray]:
    """Return how many repeat an earlier one, the first groups, and which lie in two classes."""
    _, number, counts = np.unique(digests, return_inverse=True, return_counts=True)
    order = np.argsort(number, kind="stable")
    starts = np.cumsum(counts) - counts
    first = order[starts]
    repeated = np.flatnonzero(counts > 1)
    repeated = repeated[np.argsort(first[repeated])][:SHOWN]
    groups = [order[starts[g] : starts[g] + min(counts[g], SHOWN)] for g in repeated]
    quarrels = labels != labels[first][number]
    return int(len(digests) - len(counts)), groups, quarrels


def _odd_classes(counts: dict[str, int]) -> dict[str, tuple[int, tuple[str, ...]]]:
    odd = {}
    small = [f"{name} ({count})" for name, count in counts.items() if count < 5]
    if small:
        odd["classes of fewer than 5 pictures"] = len(small), tuple(small[:SHOWN])
    return odd


def _built_in(source: str, name: str, count: int, folders: str) -> Inspection:
    drawn = name == "flowers"
    look = glance.look(source, folders)
    numbers = np.bincount(flower_labels(count, 0)).tolist() if look.classes else []
    resolution, channels = glance.advise(look.side, look.grey) if drawn else (0, 0)
    return Inspection(
        name=name,
        source=source,
        kind=look.kind,
        files=count,
        usable=count,
        others={},
        classes=dict(zip(look.classes, numbers, strict=True)),
        width=(0, 0, 0),
        height=(0, 0, 0),
        side=(0, 0, 0),
        aspect=(1.0, 1.0, 1.0),
        square=1.0,
        modes={"RGB": count} if drawn else {},
        notes={},
        skipped=(),
        duplicates=0,
        groups=(),
        odd={},
        resolution=resolution,
        channels=channels,
        crop_loss=0.0,
    )
