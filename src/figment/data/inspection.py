"""What is in a source, every file opened, and what figment would do with it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from figment.data import glance, packed, sources
from figment.data.building import NothingUsable
from figment.data.builtin import builtin, flower_labels
from figment.data.noticed import Noticed
from figment.data.packing import open_dataset
from figment.errors import UserError

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
    coloured: int = 0  # pictures that have a colour
    ranges: tuple[str, ...] = ()  # what numbers of more than 8 bits were taken for
    darkness: tuple[
        str, ...
    ] = ()  # a sentence where hardly anything is to be seen in most pictures
    repeats: int = 0  # pictures that show the same as an earlier one, byte for byte or nearly
    likenesses: tuple[tuple[str, ...], ...] = ()  # the first few such pairs

    def to_json(self) -> str:
        """Return everything as a JSON object, indented."""
        return json.dumps(dataclasses.asdict(self), indent=2)


def inspect(source: str, progress: bool = True, *, folders: str = "auto") -> Inspection:
    """Return what a source holds, every picture opened, and what figment would do with it.

    It is packed as training would pack it, and the answer is read from what packing noticed: a
    training, or a second inspection, decodes nothing again. ``UserError`` where there is nothing to
    open; broken files are part of the answer. A built-in set is described without drawing it.
    ``folders``: see ``sources.find_pictures``.
    """
    built = builtin(source)
    if built:
        return _built_in(source, *built, folders)
    if packed.is_packed(source):
        file = packed.read_packed(source, folders)
        digits = len(str(len(file) - 1))
        whole = _Whole(
            len(file), file.labels, file.classes, lambda place: f"picture {place:0{digits}d}"
        )
    else:
        found = sources.find_pictures(source, folders)
        whole = _Whole(
            len(found) + len(found.skipped),
            found.labels,
            found.classes,
            lambda place: sources.readable(found.files[place]),
            found.others,
            found.structure,
        )
    try:
        dataset = open_dataset(
            source, resolution=_resolution(source, folders), folders=folders, progress=progress
        )
    except NothingUsable as error:
        return _summary(source, whole, Noticed(), error.skipped, (0, 0))
    channels, side, _ = dataset.shape
    return _summary(source, whole, dataset.notice(), dataset.skipped, (side, channels))


@dataclass(frozen=True)
class _Whole:
    """What was found before any picture was opened."""

    files: int
    labels: np.ndarray  # [N] of those that may be pictures
    classes: tuple[str, ...]
    name: Callable[[int], str]  # of one of them
    others: dict[str, int] = field(default_factory=dict)
    structure: tuple[str, ...] = ()


def _resolution(source: str, folders: str) -> int:
    """Return the resolution that training would choose."""
    try:
        side = glance.look(source, folders).side
    except UserError:  # none of those that were looked at can be read: packing tries them all
        side = 0
    return glance.advise(side, grey=False)[0]


def _summary(
    source: str,
    whole: _Whole,
    record: Noticed,
    skipped: tuple[tuple[str, str], ...],
    form: tuple[int, int],
) -> Inspection:
    """Return the answer; ``form`` is the resolution and the channels that were chosen."""
    facts = record.facts
    labels = whole.labels[facts["place"]]
    width, height = facts["width"], facts["height"]
    side = np.minimum(width, height)
    duplicates, groups, quarrels = _duplicates(facts["digest"], labels)
    per_class = np.bincount(labels, minlength=len(whole.classes)).tolist()
    counts = dict(zip(whole.classes, per_class, strict=False))
    odd = {
        what: (int(which.sum()), tuple(whole.name(i) for i in facts["place"][which][:SHOWN]))
        for what, which in _odd_pictures(record, quarrels).items()
        if which.any()
    }
    return Inspection(
        name=sources.name_of(source),
        source=source,
        kind="images",
        files=whole.files,
        usable=len(facts),
        others=whole.others,
        classes=counts,
        width=_spread(width),
        height=_spread(height),
        side=_spread(side),
        aspect=_spread(np.round(width / np.maximum(1, height), 3)),
        square=_mean(width == height),
        modes=record.modes,
        notes=record.notes,
        skipped=skipped,
        duplicates=duplicates,
        groups=tuple(tuple(whole.name(i) for i in facts["place"][group]) for group in groups),
        odd=odd | _odd_classes(counts),
        resolution=form[0],
        channels=form[1],
        crop_loss=record.crop_loss,
        structure=whole.structure,
        coloured=int(record.coloured.sum()),
        ranges=record.ranges,
        darkness=record.darkness,
        repeats=len(record.repeats),
        likenesses=record.likenesses,
    )


def _mean(values: np.ndarray) -> float:
    return float(np.mean(values)) if len(values) else 0.0


def _spread(values: np.ndarray) -> tuple:
    """Return the smallest, the median and the largest of some values."""
    ordered = np.sort(values) if len(values) else np.zeros(1, values.dtype)
    return tuple(ordered[[0, len(ordered) // 2, -1]].tolist())


def _odd_pictures(record: Noticed, quarrels: np.ndarray) -> dict[str, np.ndarray]:
    """Return which pictures are out of the ordinary in which way, each [N] bool."""
    facts = record.facts
    side, longer = (
        np.minimum(facts["width"], facts["height"]),
        np.maximum(facts["width"], facts["height"]),
    )
    coloured = record.coloured
    mostly_grey = _mean(coloured) < 0.5
    return {
        "tiny, a side under 16 px": side < 16,
        "longer than 3 to 1": longer > 3 * side,
        "of one flat colour": facts["flat"],
        "in colour among grey" if mostly_grey else "grey among colour": coloured == mostly_grey,
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
        odd[f"class{'es' * (len(small) > 1)} of fewer than 5 pictures"] = (
            len(small),
            tuple(small[:SHOWN]),
        )
    return odd


def _built_in(source: str, name: str, count: int, folders: str) -> Inspection:
    drawn = name == "flowers"
    look = glance.look(source, folders)
    sizes = np.bincount(flower_labels(count, 0), minlength=len(look.classes)).tolist()
    numbers = sizes if look.classes else []
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
