"""Which folders are parts of a split (train, test, fold1), and which folders lie below these."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from figment.data.printing import counted, listed, readable

TRAIN = "training|trainval|train"  # the longest first, as they are taken out of names
HELD = "testing|test|validation|valid|val|dev|evaluation|eval|holdout|held[ _-]?out"
WORDS = f"{TRAIN}|{HELD}|unlabell?ed"
DOMAIN = re.compile(rf"({WORDS})[ _-]?([AB])", re.IGNORECASE)  # CycleGAN's trainA, testB
FOLD = re.compile(r"(cross[ _-]?)?(k[ _-]?)?folds?[ _-]?\(?\d{1,3}\)?", re.IGNORECASE)
MORE = "extra|unseen|seen|additional|predictions?|predict|preds?|query|gallery"
MORE += "|examples?|samples?|demo|minival|challenge"
WORD = re.compile(rf"({WORDS}|{MORE})", re.IGNORECASE)
DEEPER = 2  # parts that lie in parts, at most: names from anywhere may go on without end
FILLER = frozenset({"set", "data", "images", "image", "imgs", "pictures", "photos", "split"})
"""Words that say nothing of a part: ``train_images`` and ``test`` are of one split."""


_shown = lru_cache(maxsize=10_000)(readable)  # a million files lie in few folders


class Name(NamedTuple):
    """The name of a part, taken apart."""

    kind: str  # train, held, more, fold, A or B
    frame: tuple[str, ...]  # the other words: those of DIV2K_train_HR are div2k and hr
    sure: bool = True  # whether the word is one that hardly means anything else


@dataclass(frozen=True)
class Below:
    """What lies below the parts of a split, file by file."""

    names: tuple[str, ...]  # the parts
    parts: list[str | None]  # the part of each file; None: beside the parts
    tops: list[str | None]  # the folder of each file below its part, through what wraps it
    trained: set[str]  # parts to train on
    domain: bool = False  # whether the tops are A and B, by the names of the parts


def first_folders(files: list[str]) -> tuple[list[str | None], int]:
    """Return for each file the first folder below those that wrap everything, and how many wrap.

    None where a file lies beside these folders.
    """
    tops: list[str | None] = []
    depth = 0
    while files:
        tops = [_folder(file, depth) for file in files]
        if None in tops or len(set(tops)) > 1:
            break
        depth += 1
    return tops, depth


def below_parts(files: list[str], deeper: int = DEEPER) -> Below | None:
    """Return what lies below the parts of a split; None where the folders are no such parts.

    Parts may lie in parts (``fold1/train``). A folder that wraps all of one part is looked through,
    as ``train/train/cat``, unless it bears a class's name: ``test/cat`` alone.
    """
    tops, depth = first_folders(files)
    names = tuple(dict.fromkeys(top for top in tops if top is not None))
    kinds = _kinds(files, tops, depth)
    if not kinds:
        return None
    if all(kind in "AB" for kind in kinds.values()):
        sides = [kinds[top] if top else None for top in tops]
        return Below(names, tops, sides, set(names), domain=True)
    places: dict[str, list[int]] = defaultdict(list)
    for place, top in enumerate(tops):
        if top is not None:
            places[top].append(place)
    rest = {top: [files[i].split("/", depth + 1)[-1] for i in places[top]] for top in places}
    within, wraps, trained = {}, {}, set()
    parts = list(tops)
    for top, own in rest.items():
        inner = below_parts(own, deeper - 1) if deeper else None
        first, wrapped = first_folders(own)
        wraps[top] = [readable(word) for word in own[0].split("/")[:wrapped]]
        within[top] = inner.tops if inner else first
        trained |= {f"{top}/{part}" for part in inner.trained} if inner else set()
        trained |= {top} if kinds[top] in ("train", "fold") and not inner else set()
        for place, part in zip(places[top], inner.parts if inner else [], strict=False):
            parts[place] = f"{top}/{part}" if part else top
    known = _known(within, kinds)
    if not known:  # one folder a part: train/cat and test/dog, or train/images and test/images
        within = _through(rest, wraps)
    found: list[str | None] = [None] * len(files)
    for top, own in within.items():
        bearing = [word for word in wraps[top] if word in known]
        waiting = [word for word in wraps[top] if known and word != top and not _named(word)]
        wrap = (bearing or waiting or [None])[0]
        for i, inner in zip(places[top], own, strict=True):
            found[i] = wrap if bearing else inner or wrap
    return Below(names, parts, found, trained)


def without_word(name: str) -> str:
    """Return a folder's name without the word by which it is a part: ``images`` of ``train_images``."""
    return WORD.sub("", name) if FOLD.fullmatch(name) is None and _named(name) else name


def settled(below: Below, insist: bool) -> tuple[list[str | None], list[bool], list[str]]:
    """Return the class of each picture, which say nothing against these having none, and sentences.

    A folder of another part than the training's, and of no name that this has, is no class:
    ``test/unknown`` is where pictures wait for theirs. Nor do all of ``test``, where it holds no folders.
    However many these are, nobody left them beside the classes by mistake. ``insist``: several
    folders of such a part are classes.
    """
    both = list(zip(below.parts, below.tops, strict=True))
    known = {top for part, top in both if part in below.trained} - {None}
    strays: dict[str, set[str]] = defaultdict(set)
    if len(known) > 1:
        for part, top in both:
            if part and top and top not in known:
                strays[part].add(top)
    taken = {part for part, found in strays.items() if insist and len(found) > 1}
    tops = [top if len(known) < 2 or top in known or part in taken else None for part, top in both]
    having = {part for part, top in zip(below.parts, tops, strict=True) if top} | below.trained
    several = {part for part, found in strays.items() if len(found) > 1}
    classed = having | several
    apart = [part is not None and part not in classed for part in below.parts]
    said = []
    names = sorted(f"{part}/{top}" for part in strays.keys() - taken for top in strays[part])
    if names:
        why = "no class, as there is none of that name among those to train on"
        said.append(f"{listed(names)}: {why}")
    waiting = [part for part, out in zip(below.parts, apart, strict=True) if out and part]
    flat = [part for part in waiting if part not in strays]
    if flat:
        have = "has" if len(flat) == 1 else "have"
        what = f"the {counted(len(flat), 'picture')} of {listed(sorted(set(flat)))} {have} no class"
        said.append(f"{what}: left out (--folders none takes all)")
    return tops, apart, said


def _folder(file: str, depth: int) -> str | None:
    parts = file.split("/", depth + 1)
    return _shown(parts[depth]) if len(parts) > depth + 1 else None


def _named(name: str) -> Name | None:
    """Return what a name says of a part; None where it bears no word for one."""
    if FOLD.fullmatch(name):
        return Name("fold", ())
    spelled = re.sub(r"held[ _-]out", "heldout", re.sub(r"([a-z])([A-Z])", r"\1_\2", name))
    words = [re.sub(r"\d+$", "", word) for word in re.findall(r"[^\W_]+", spelled.lower())]
    words = [word for word in words if word]
    which = [word for word in words if WORD.fullmatch(word)]
    if len(which) != 1:
        glued = re.fullmatch(rf"({WORDS})({'|'.join(FILLER)})", name, re.IGNORECASE)
        return Name(_kind(glued[1].lower()), ()) if glued else None
    frame = tuple(word for word in words if word not in (*which, *FILLER))
    return Name(_kind(which[0]), frame, re.fullmatch(WORDS, which[0]) is not None)


def _kind(word: str) -> str:
    if re.fullmatch(TRAIN, word):
        return "train"
    return "held" if re.fullmatch(HELD, word) else "more"


def _kinds(files: list[str], tops: list[str | None], depth: int) -> dict[str, str]:
    """Return what part of a split each folder is; {} where they are none.

    Without others, words like train are enough. With words around them (``DIV2K_train_HR``) or folders
    of other names beside them, one to train on and one held out must be there: a class may be called
    train, but hardly another one test. Others are parts where they are fewer than these, or
    hold folders of the same names.
    """
    names = list(dict.fromkeys(top for top in tops if top is not None))
    if len(names) < 2:
        return {}
    domains = [DOMAIN.fullmatch(name) for name in names]
    if all(domains):
        return {name: match[2].upper() for name, match in zip(names, domains, strict=True) if match}
    named = {name: found for name in names if (found := _named(name))}
    whole = len(named) == len(names)
    if whole and all(one == Name("fold", ()) for one in named.values()):
        return dict.fromkeys(names, "fold")
    if whole and all(one.sure and not one.frame for one in named.values()):
        return {name: one.kind for name, one in named.items()}
    frames = {one.frame for one in named.values() if one.kind == "train"}
    frames &= {one.frame for one in named.values() if one.kind == "held"}
    plain = {name: one for name, one in named.items() if one.frame in frames or one.kind == "more"}
    if whole and not frames:  # Market-1501 holds out what it calls query and gallery
        return _of_one_frame(named)
    others = [name for name in names if name not in plain]
    if not frames or not (len(others) < len(plain) or _same_inside(files, tops, depth, plain)):
        return {}
    return {name: plain[name].kind if name in plain else "more" for name in names}


def _of_one_frame(named: dict[str, Name]) -> dict[str, str]:
    kinds = {name: one.kind for name, one in named.items()}
    frames, found = {one.frame for one in named.values()}, set(kinds.values())
    return kinds if len(frames) == 1 and "train" in found and len(found) > 1 else {}


def _same_inside(
    files: list[str], tops: list[str | None], depth: int, plain: Mapping[str, Name]
) -> bool:
    """Return whether every folder that is no plain part holds folders of which the training has some."""
    inside: dict[str, set[str | None]] = defaultdict(set)
    for file, top in zip(files, tops, strict=True):
        if top is not None:
            inside[top].add(_folder(file, depth + 1))
    of_training = set().union(*(inside[name] for name in plain if plain[name].kind == "train"))
    shared = [(inside[top] & of_training) - {None} for top in inside if top not in plain]
    return all(len(one) > 1 for one in shared)


def _known(within: Mapping[str, list[str | None]], kinds: Mapping[str, str]) -> set[str]:
    """Return the names of folders that several lie below one part, those to train on first."""
    of_training = {top for part in within if kinds[part] == "train" for top in within[part] if top}
    return of_training or {top for tops in within.values() for top in tops if top}


def _through(
    rest: Mapping[str, list[str]], wraps: Mapping[str, list[str]]
) -> dict[str, list[str | None]]:
    """Return the folders below parts of one folder each, without those that repeat the part's word."""
    joined, counts = [], []
    for part, own in rest.items():
        words = [_named(word) is None and word != part for word in wraps[part]]
        for file in own:
            path = file.split("/")
            kept = [word for word, keep in zip(path[: len(words)], words, strict=True) if keep]
            joined.append("/".join([*kept, *path[len(words) :]]))
        counts.append(len(own))
    tops, _ = first_folders(joined)
    if len(set(tops) - {None}) < 2:  # what wraps the pictures of a part, or of some of the parts
        tops = [None] * len(joined)
    found, start = {}, 0
    for part, count in zip(rest, counts, strict=True):
        found[part] = tops[start : start + count]
        start += count
    return found
