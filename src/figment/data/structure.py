"""What the folders of pictures are: classes, sides of the same pictures, or mere storage.

Every choice is made from all names, and said in a sentence. ``--folders`` decides otherwise.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from figment.data.parts import Below, below_parts, first_folders, settled, without_word
from figment.data.printing import counted, listed, natural, readable
from figment.data.sides import are_sides
from figment.errors import UserError, nearest

Folders = Literal["auto", "classes", "none"]
LOOSE = 0.25
"""Share of pictures beside the class folders up to which these are left out, and the classes kept."""
SIDES = "seem to be sides of the same pictures: give one of them"
INSIST = " (--folders classes if they are)"
BESIDE = "lies beside the class folders: no class"
APART = "lies in a part without classes: no class"
UNLABELLED = "has no label"
MOST_SIDES = 12
"""Folders that may be sides of the same pictures: those of three parts, four each."""
MANY, FEWEST = 10, 5
"""So many folders with fewer pictures than this (the median) are no classes to learn from."""
MONTH = r"(jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]{0,6}"
DATE = re.compile(
    r"((photos from )?(19|20)\d\d([ ._-]?(0[1-9]|1[0-2])([ ._-]?([0-2]\d|3[01]))?)?"
    r"|[0-3]?\d[._-][0-3]?\d[._-](19|20)\d\d"  # 24.12.2020, 12-24-2020
    rf"|([0-3]?\d\.?[ ._-])?{MONTH}\.?([ ._-][0-3]?\d)?[ ,._-]{{1,2}}(19|20)\d\d)"  # 3 May 2020
    r"([ ,._-].*)?",
    re.IGNORECASE,
)
CAMERA = re.compile(r"\d{3}[A-Z_][A-Z0-9_]{4}")  # DCF: 100APPLE, 101CANON, 102_PANA
PHONE = frozenset(
    {"dcim", "camera", "camera roll", "screenshots", "download", "downloads", "pictures", "photos"}
    | {
        "whatsapp images",
        "instagram",
        "telegram",
        "bluetooth",
        "saved pictures",
        "misc",
        "unsorted",
    }
)
BATCH = re.compile(
    r"(img|imgs|image|images|dsc|dscn|dscf|pic|pics|picture|pictures|photo|photos|scan|scans|batch|part"
    r"|chunk|shard|bucket|dir|folder|new folder|untitled folder|album|roll|archive|data)"
    r"([ _-]*\(?\d[\d _-]*\)?)?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Structure:
    """Pictures in natural order, and what they are classes of."""

    files: list[str]
    labels: np.ndarray  # [N] int64, all 0 where there are no classes
    classes: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]  # (file, reason)
    notes: tuple[str, ...]  # what was decided and why


def arrange(files: list[str], folders: str = "auto") -> Structure:
    """Return the pictures with the classes that their folders are, where that is plausible.

    ``folders``: auto decides by their names and sizes; classes: they are; none: they are not. Folders
    that wrap everything are looked through, and so are parts of a split: only where no classes lie
    below these can they be classes themselves. Pictures beside class folders are left out where they
    are few; otherwise there are no classes.
    """
    check_folders(folders)
    files = sorted(files)
    files.sort(key=natural)  # stable: names that differ only in leading zeros keep a fixed order
    tops, _ = first_folders(files)
    bare = {top: without_word(top) for top in tops if top is not None}
    if folders == "auto" and any(bare[top] != top for top in bare) and _sides(files, tops, bare):
        return _together(files, (f"no classes: the folders {listed(list(bare))} {SIDES}{INSIST}",))
    split = None if folders == "none" else below_parts(files)
    if split is None:
        return _decided(files, tops, folders)
    return _of_split(files, split, folders) or _decided(files, tops, folders)


def _of_split(files: list[str], split: Below, folders: str) -> Structure | None:
    """Return the pictures with the classes below parts of a split; None where one insists on others."""
    names = listed(split.names, 4)
    if split.domain:
        return _decided(
            files, split.tops, folders, (f"{names} are parts of a split in the classes A and B",)
        )
    tops, apart, said = settled(split, folders == "classes")
    if folders == "classes" and len(set(tops) - {None}) < 2:
        return None
    parts = f"{names} are parts of a split, not classes"
    found = _decided(files, tops, folders, (parts, *said), apart)
    if found.classes and found.left_out:
        return found
    together = f"{parts}: all are used together"
    return replace(found, notes=(together, *(n for n in found.notes if n not in (parts, *said))))


def _decided(
    files: list[str],
    tops: list[str | None],
    folders: str,
    notes: tuple[str, ...] = (),
    apart: list[bool] | None = None,
) -> Structure:
    """Return the pictures with the classes that folders are, or without; ``apart``: these wait for one."""
    sizes = Counter(top for top in tops if top is not None)
    waiting = apart or [False] * len(files)
    counted_in = [file for file, waits in zip(files, waiting, strict=True) if not waits]
    theirs = [top for top, waits in zip(tops, waiting, strict=True) if not waits]
    why = _why_not(counted_in, theirs, sizes, folders, split=apart is not None)
    if why is not None:
        return _together(files, (*notes, why) if why else notes)
    which = f"the {len(sizes):,} folders {listed(sorted(sizes, key=natural))} are classes"
    beside = counted(theirs.count(None), "picture")
    if None in theirs:
        which += f"; {beside} beside them left out (--folders none takes all)"
    reasons = [APART if waits else BESIDE for waits in waiting]
    return _by_class(files, tops, (*notes, which), reasons)


def _sides(files: list[str], tops: list[str | None], names: Mapping[str, str]) -> bool:
    """Return whether folders are sides of the same pictures; ``names``: what counts of their names."""
    if not 1 < len(names) <= MOST_SIDES:
        return False
    inside: dict[str, list[str]] = {name: [] for name in names}
    for file, top in _both(files, tops):
        if top is not None:
            inside[top].append(file.partition(f"{top}/")[2])
    return are_sides(names, inside)


def by_table(files: list[str], table: Mapping[str, int | None], said: str) -> Structure:
    """Return the pictures with the classes that a table gives them by name; ``said`` describes it."""
    files = sorted(files)
    files.sort(key=natural)
    given = [table.get(file) for file in files]
    return labelled(files, [None if label is None else str(label) for label in given], said)


def labelled(
    files: list[str],
    given: list[str | None],
    said: str,
    *,
    order: list[str] | None = None,
    insist: bool = False,
) -> Structure:
    """Return the pictures, in their order, with the classes given to them.

    Those without are left out where they are few; otherwise there are no classes, as there are none
    where each has too few pictures, unless one insists. ``order``: the classes in theirs.
    """
    sizes = Counter(label for label in given if label is not None)
    missing = given.count(None)
    why = ""
    if len(sizes) < 2:
        why = "there is only one" if sizes else "there are none"
    elif missing > LOOSE * len(files) and not insist:
        why = f"{missing:,} of {len(files):,} pictures have none"
    elif too_many(sizes) and not insist:
        each = sorted(sizes.values())[len(sizes) // 2]
        why = f"the {len(sizes):,} have {each} pictures or so each (--folders classes if they are)"
    if why:
        return _together(files, (f"no classes {said}: {why}",))
    notes = (f"{len(sizes):,} classes {said}",)
    if missing:
        notes += (
            f"{counted(missing, 'picture')} without a label left out (--folders none takes all)",
        )
    return _by_class(files, given, notes, [UNLABELLED] * len(files), order=order)


def broken(left_out: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return those files (name, reason) of what is left out that cannot be read: others have no class."""
    return [entry for entry in left_out if entry[1] not in (BESIDE, APART, UNLABELLED)]


def check_folders(folders: str) -> None:
    """Raise UserError unless this is a way to take folders."""
    if folders not in get_args(Folders):
        hint = nearest(folders, get_args(Folders))
        raise UserError(f"folders must be auto, classes or none, not {folders!r}.{hint}")


def too_many(sizes: Mapping[str, int]) -> bool:
    """Return whether classes of these sizes are too many for their pictures to be learned from."""
    return len(sizes) >= MANY and sorted(sizes.values())[len(sizes) // 2] < FEWEST


def _by_class(
    files: list[str],
    tops: list[str | None],
    notes: tuple[str, ...],
    reasons: list[str],
    *,
    order: list[str] | None = None,
) -> Structure:
    present = {top for top in tops if top is not None}
    names = [name for name in order if name in present] if order else sorted(present, key=natural)
    number = {name: label for label, name in enumerate(names)}
    kept = [file for file, top in _both(files, tops) if top is not None]
    labels = np.array([number[top] for top in tops if top is not None], np.int64)
    each = zip(files, tops, reasons, strict=True)
    left_out = tuple((readable(file), why) for file, top, why in each if top is None)
    return Structure(kept, labels, tuple(names), left_out, notes)


def _together(files: list[str], notes: tuple[str, ...]) -> Structure:
    return Structure(files, np.zeros(len(files), np.int64), (), (), notes)


def _why_not(
    files: list[str], tops: list[str | None], sizes: Mapping[str, int], folders: str, *, split: bool
) -> str | None:
    """Return why the folders are no classes, "" if there is nothing to say; None where they are."""
    loose, names = tops.count(None), list(sizes)
    if len(names) < 2:
        one = bool(names) and loose > 0
        return (
            f"no classes: one folder, {names[0]}, beside {counted(loose, 'picture')}" if one else ""
        )
    if folders == "none":
        return f"no classes: the {len(names):,} folders are taken together, as --folders none says"
    if folders == "classes":
        return None
    if too_many(sizes):
        each = sorted(sizes.values())[len(sizes) // 2]
        return (
            f"no classes: {len(names):,} folders of {each} pictures or so hold too few each{INSIST}"
        )
    storage = _storage(files, tops, sizes)
    if storage:
        return f"no classes: the folders {listed(names)} {storage}{INSIST}"
    if loose > LOOSE * len(files) and split:
        return (
            f"no classes: {loose:,} of {len(files):,} pictures lie outside the folders {listed(names)}"
            " (--folders classes decides otherwise)"
        )
    if loose > LOOSE * len(files):
        return (
            f"no classes: {loose:,} of {len(files):,} pictures lie beside the folders {listed(names)}"
            " (--folders classes leaves these out)"
        )
    return None


def _storage(files: list[str], tops: list[str | None], sizes: Mapping[str, int]) -> str:
    """Return in a few words what folders are that only store, or ""."""
    names = list(sizes)
    if 2 * sum(DATE.fullmatch(name) is not None for name in names) > len(names):
        return "are named by dates"
    if all(CAMERA.fullmatch(name) or name.lower() in PHONE for name in names):
        return "are named by a camera or a phone"
    if _sides(files, tops, {name: name for name in names}):
        return SIDES
    if all(BATCH.fullmatch(name) for name in names):
        return "are batches by their names"
    return "are numbered chunks" if _chunks(files, tops, sizes) else ""


def _chunks(files: list[str], tops: list[str | None], sizes: Mapping[str, int]) -> bool:
    """Return whether folders hold so many files each: 00000, 00001, or the hexadecimal 00 to ff.

    Classes may be numbered with zeros in front, too (GTSRB): their sizes differ, and the pictures of
    each are numbered anew.
    """
    names = list(sizes)
    wide = len({len(name) for name in names}) == 1
    numbered = wide and len(names[0]) >= 3 and all(map(str.isdecimal, names)) and names[0][0] == "0"
    hexadecimal = wide and all(re.fullmatch("[0-9a-f]{1,4}", name) for name in names)
    if not numbered and not (hexadecimal and len(names) >= 16 and any(map(str.isalpha, names))):
        return False
    stems = Counter(file.rpartition("/")[2] for file, top in _both(files, tops) if top)
    counts = sorted(sizes.values())
    even = counts[1] == counts[-1] or 2 * counts[-1] < 3 * counts[0]
    return (even and (not numbered or len(names[0]) > 3)) or stems.most_common(1)[0][1] == 1


def _both(files: list[str], tops: list[str | None]) -> list[tuple[str, str | None]]:
    return list(zip(files, tops, strict=True))
