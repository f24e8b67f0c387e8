"""What is known of data as text for the terminal: an inspection, and the block before a training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from figment.data.dataset import Dataset
from figment.data.inspection import Inspection
from figment.data.noticed import Noticed
from figment.data.printing import counted
from figment.data.sources import reasons
from figment.data.structure import broken

COLUMN = 12
MOST_CLASSES = 12
CROPPED = 0.25
"""Mean share of the area from which it is said what a crop cuts off."""
LISTS = "figment data inspect lists all"


def describe(found: Inspection) -> str:
    """Return an inspection as a few aligned lines, without a final newline."""
    if found.kind == "points":
        return (
            f"{found.name}: {found.usable:,} points in the plane, drawn by figment itself\n"
            "figment would: learn them as they are, without classes"
        )
    classes = f"{len(found.classes)} classes" if found.classes else "no classes"
    of = "" if found.files == found.usable else f" of {counted(found.files, 'file')}"
    lines = [f"{found.name}: {counted(found.usable, 'picture')}{of}, {classes}"]
    for label, entries in _rows(found):
        for entry in entries:
            lines.append(f"  {label:<{COLUMN}}{entry}")
            label = ""
    return "\n".join([*lines, f"figment would: {_plan(found)}"])


def foreword(
    dataset: Dataset, said: Sequence[str], *, fit: str, decided: bool, held_out: int
) -> str:
    """Return what is to be known of pictures before they are trained on, as a few aligned lines.

    ``said`` of their classes; ``fit`` how they were made square; ``decided`` whether grey or colour was
    decided from them; ``held_out`` how many are kept out of training. "" for points.
    """
    if dataset.rows.dtype != np.uint8:
        return ""
    record = dataset.notice()
    count, files = len(dataset), len(dataset) + len(dataset.skipped)
    found = f"{count:,} pictures" if count == files else f"{count:,} of {files:,} pictures"
    loss = record.crop_loss if fit == "crop" else 0.0
    tone, colours = _tone(record, dataset.shape[0], decided)
    lines = [f"{dataset.name}: {found}"]
    for label, entries in (
        ("left out", [f"{reasons(dataset.skipped)} ({LISTS})"] if dataset.skipped else []),
        ("ignored", [_kinds(record.others)] if record.others else []),
        ("classes", [sentence for sentence in said if sentence]),
        (tone, [colours]),
        ("levels", [*record.ranges, *record.darkness]),
        ("handled", [_noted(record)] if record.notes else []),
        ("crop", [f"{_cut(loss)} (--fit pad keeps it)"] if loss >= CROPPED else []),
        ("repeats", _repeats(record)),
        ("enlarged", _enlarged(record, dataset.shape[1])),
        ("held out", [f"{held_out:,} for scores" if held_out else "none: all are learned from"]),
    ):
        for entry in entries:
            lines.append(f"  {label:<{COLUMN}}{entry}")
            label = ""
    return "\n".join(lines)


def _tone(record: Noticed, channels: int, decided: bool) -> tuple[str, str]:
    """Return a label and why pictures are learned in grey or in colour."""
    coloured, count = int(record.coloured.sum()), len(record.facts)
    if channels == 3 and coloured == count:
        return "colour", "all pictures have a colour"
    if channels == 3 and not coloured:
        return "colour", "no picture has a colour (--channels 1 learns them in grey)"
    if channels == 3:
        grey = "the others are grey (--channels 1 learns all in grey)"
        return "colour", f"{coloured:,} of {count:,} pictures have a colour, {grey}"
    if decided:
        tint = int(record.facts["tint"].max(initial=0))
        faint = f" (a tint of at most {tint} of 255 levels is left out)" if tint else ""
        return "grey", f"all pictures are grey{faint}: learned in one channel"
    return "grey", "learned in one channel, as the recipe or --channels 1 says"


def _repeats(record: Noticed) -> list[str]:
    number = len(record.repeats)
    if not number:
        return []
    one, other = record.likenesses[0]
    return [f"{number:,} show the same as another picture, such as {other} and {one}"]


def _enlarged(record: Noticed, resolution: int) -> list[str]:
    sides = np.minimum(record.facts["width"], record.facts["height"])
    small = int((sides < resolution).sum())
    if 2 * small < len(sides):
        return []
    return [f"{small:,} are smaller than {resolution} px a side"]


def _cut(loss: float) -> str:
    return f"the centre crop drops {loss:.0%} of the area"


def _noted(record: Noticed) -> str:
    return "; ".join(f"{number:,} {note}" for note, number in record.notes.items())


def _kinds(others: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {kind}" for kind, count in list(others.items())[:5])


def _rows(found: Inspection) -> list[tuple[str, list[str]]]:
    others = ", ".join(f"{count:,} {kind}" for kind, count in found.others.items())
    modes = ", ".join(f"{mode} {count:,}" for mode, count in found.modes.items())
    notes = [f"{count:,} {note}" for note, count in found.notes.items()]
    unread = broken(found.skipped)
    named = [f"{file}: {reason}" for file, reason in unread]
    unclassed = len(found.skipped) - len(unread)
    groups = [" = ".join(group) for group in found.groups]
    near = found.repeats - found.duplicates
    pairs = [f"{other} shows the same as {one}" for one, other in found.likenesses]
    repeats = [f"{near:,} show nearly the same as another file", *pairs] if near > 0 else []
    odd = [f"{count:,} {what}: {_some(files, count)}" for what, (count, files) in found.odd.items()]
    return [
        ("classes", _classes(found.classes)),
        ("folders", list(found.structure)),
        ("size", _sizes(found)),
        ("modes", [modes] if modes else []),
        ("levels", [*found.ranges, *found.darkness]),
        ("handled", notes),
        ("no class", [f"{unclassed:,} left out"] if unclassed else []),
        ("broken", [f"{len(unread):,}", *named] if named else []),
        ("duplicates", [f"{found.duplicates:,} repeat another file", *groups] if groups else []),
        ("repeats", repeats),
        ("odd", odd),
        ("ignored", [others] if others else []),
    ]


def _classes(counts: dict[str, int]) -> list[str]:
    width = max((len(name) for name in counts), default=0)
    digits = max((len(f"{count:,}") for count in counts.values()), default=0)
    lines = [f"{name:<{width}}  {count:>{digits},}" for name, count in counts.items()]
    if len(lines) <= MOST_CLASSES:
        return lines
    ordered = sorted(counts.values())
    spread = f"{ordered[0]:,} / {ordered[len(ordered) // 2]:,} / {ordered[-1]:,} pictures each"
    return [f"{spread} (min / median / max)", *lines[: MOST_CLASSES - 2], "…"]


def _sizes(found: Inspection) -> list[str]:
    if not found.side[2]:
        return ["any: drawn at the size that is asked for"] if found.usable else []
    if found.width[0] == found.width[2] and found.height[0] == found.height[2]:
        return [f"{found.width[0]} x {found.height[0]} px, all of them"]
    spreads = [
        f"{label:<11}{low:>6,} {middle:>6,} {high:>6,} px"
        for label, (low, middle, high) in (
            ("width", found.width),
            ("height", found.height),
            ("short side", found.side),
        )
    ]
    low, middle, high = found.aspect
    aspect = f"{'aspect':<11}{low:>6.2f} {middle:>6.2f} {high:>6.2f} width / height"
    return [
        f"{'':<11}{'min':>6} {'median':>6} {'max':>6}",
        *spreads,
        f"{aspect}, {found.square:.0%} square",
    ]


def _plan(found: Inspection) -> str:
    if not found.usable:
        return "refuse: no picture can be read"
    colour = "in grey" if found.channels == 1 else "in colour"
    classes = f"with {len(found.classes)} classes" if found.classes else "without classes"
    size = f"{found.resolution} x {found.resolution} px"
    plan = f"learn {found.usable:,} pictures at {size}, {colour}, {classes}"
    if found.side[2] and found.side[1] < found.resolution:
        plan += "; most are enlarged for it"
    if found.crop_loss >= 0.005:
        plan += f"; {_cut(found.crop_loss)}"
        plan += " (--fit pad keeps it)" if found.crop_loss >= CROPPED else ""
    return plan


def _some(files: tuple[str, ...], count: int) -> str:
    return ", ".join(files[:3]) + (", …" if count > 3 else "")
