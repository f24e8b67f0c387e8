"""What the pictures of a set tell: too few, all alike, repeated, noise, grey, in wrong classes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from itertools import combinations
from typing import Any, NamedTuple

import msgspec
import numpy as np
import torch
from torch import Tensor

from figment.data import Dataset, evenly_spaced
from figment.data.printing import counted
from figment.doctor import pixels
from figment.doctor.finding import Finding
from figment.doctor.neighbours import distances
from figment.doctor.repeats import MOSTLY, repeats, variants
from figment.doctor.samples import SAME
from figment.doctor.signs import REALS

COMPARED = 2_000
"""Pictures whose nearest others are looked for."""

FEWEST = 16
"""Fewer pictures than this are no set: a discriminator knows them all within seconds."""
FEW_PICTURES = 200
"""Below this a GAN from scratch learns by heart (none are held out either, see figment.data.split)."""
NEARLY_SAME = 0.05
"""Spread of thumbnails below which all pictures are variants of one: cats are at 0.22, digits at 0.2."""
SEARCHED = 3_000
"""Pictures that repeats are looked for among."""
NOISE = 1.2
"""Differences of neighbouring pixels over the contrast: noise has 1.41, pictures 0.1 to 0.7."""
EVEN, ONE_KIND = 0.35, 3.0
"""Noise that was enlarged: ``pixels.evenness`` above and below these. Noise of three values from 16 to
32 px has .46 to .71 and 2.0 (and differences of .78); cats .05 and 3.1, lines .19 and 12, waves .14 and
31."""
GREY_LEVELS = 2
"""Levels of 256 by which the channels of a grey picture may differ."""
DARK, BRIGHT = 0.05, 0.95
"""Mean levels outside these leave nothing to see."""
PALE = 0.1
"""Range of levels (1 % to 99 %) below this: nearly one grey."""
FAINT, VARIED = 0.25, 0.1
"""The same of pictures whose spread is so much of that range: they differ as others do."""
ENOUGH = 40
"""Pictures of a class from which it may be said to lie among another: of twenty letters each, two did by
chance."""
UNEVEN, FEWEST_OF_A_CLASS = 20, 5
"""Times the smallest class that the largest may have before the small ones are hardly learned; and the
fewest pictures of a class."""
AGREEING = 5
"""Nearest pictures that must all be of one other class for a picture's own to be doubtful."""
DOUBTFUL, SURE_NEIGHBOURS = 0.08, 0.42
"""Share of doubtful classes, among pictures whose nearest agree, from which they are named, where so many
pictures have agreeing nearest ones: clean digits are at 0.007 of 0.73, clothes at 0.05 of 0.55, two kinds
of flowers at 0.11 of 0.32, CIFAR-10 at 0.25 of 0.02; digits with a tenth swapped in pairs at 0.11 of
0.43."""
GAP = 1.2
"""Times as many pictures have none of their class among their nearest as have one, where some were
swapped: digits with a tenth swapped 1.5. Of classes that thumbnails cannot tell well, as cars and planes,
the fewer of their own are near, the fewer there are: 0.9."""
MIXED, APART = 0.35, 0.45
"""Share of the nearest pictures of each of two classes that must be of the other one for them to be mixed,
where the nearest of every other class are of its own to so large a share. Clean digits are at 0.06 and
0.78, clothes at 0.19 and 0.49, CIFAR-10 at 0.22 and 0.1; half of two classes swapped: 0.41 to 0.47."""

EXCHANGED, EXCHANGED_EACH = 0.06, 0.04
"""Share of two classes' pictures of whose nearest ones all but one are of the other class, on average and
of each, from which pictures may have been exchanged, unless"""
MISFILED = 0.06
"""Share of a class's pictures, five at least, of whose nearest all but one or all are of one other class,
from which they may lie in the wrong folder, where at most half as many lie between the two: an eighth or
ninth of digits or drawn signs in another folder are at .064 to .1 with .024 to .035 between; clean clothes,
shoes and flowers at .09 to .13 with 1.5 to 3 times that between, drawn flags at .045 with .03."""
BETWEEN = 0.8
"""so many times that share lie between the two classes, beyond what exchanged neighbours make of it: those
of classes that look alike do. Clothes are at 1.1 to 2, digits and others below the shares; an eighth of
trousers and sandals exchanged: .08 of them, .5."""


def findings_of(dataset: Dataset) -> list[Finding]:
    """Return what is wrong with a packed set as such; [] where nothing is, or for points."""
    if len(dataset.shape) != 3:
        return []
    few = amount(len(dataset), len(dataset))
    if any(finding.severity == "fault" for finding in few):
        return few
    chosen = evenly_spaced(np.arange(len(dataset)), SEARCHED)
    rows = torch.from_numpy(np.array(dataset.rows[chosen]))
    alike = sameness(rows, len(dataset), dataset.duplicates)
    sizes = np.bincount(dataset.labels, minlength=len(dataset.classes)).tolist()
    found = [
        *few,
        *alike,
        *([] if any(one.name == "pale data" for one in alike) else _colours(rows)),
        *class_sizes(dict(zip(dataset.classes, sizes, strict=False))),
    ]
    if alike:  # nothing more can be seen in such pictures
        return found
    near = nearest(rows)
    found += repeats(rows, len(dataset), dataset.duplicates)
    if len(dataset.classes) > 1:
        labels = torch.from_numpy(np.array(dataset.labels[chosen]))
        found += doubtful(near, labels, dataset.classes)
    return found


def amount(usable: int, files: int) -> list[Finding]:
    """Return whether there are too few pictures."""
    if usable < FEWEST:
        return [
            Finding(
                "near-empty data",
                "fault",
                1.0,
                f"{usable:,} of {counted(files, 'picture')} can be used."
                if usable < files
                else f"There {'is' if usable == 1 else 'are'} {counted(usable, 'picture')}.",
                "Add pictures: some hundreds are a start, thousands are better.",
            )
        ]
    if usable < FEW_PICTURES:
        return [
            Finding(
                "few pictures",
                "note",
                0.9,
                f"{usable:,} pictures: a network soon memorises so few, and scores against "
                "them are unreliable.",
                "Add pictures; random mirroring, where left and right do not matter, puts memorising off, "
                "and so does dropout in a GAN's discriminator.",
                ("--mirror", "--dropout 0.3"),
            )
        ]
    return []


def sameness(rows: Tensor, count: int, duplicates: int) -> list[Finding]:
    """Return whether pictures [N, C, R, R] uint8 of a set of ``count`` are all alike, noise or pale."""
    some = rows[:: max(1, len(rows) // REALS)][:REALS]
    levels = pixels.levels(some)
    thumbs = pixels.thumbnails(some, 8)
    spread = float((thumbs - thumbs.mean(0)).square().sum(1).mean().sqrt())
    if spread < SAME:
        return [
            constant(
                f"{len(some):,} pictures differ by only {spread:.2g} of the range from black to white."
            )
        ]
    reach = levels.high - levels.low
    faint = reach < FAINT and spread > VARIED * reach
    if not DARK < levels.mean < BRIGHT or reach < PALE or faint:
        evidence = (
            f"Levels are {levels.mean:.2f} on average and span {levels.low:.2f} to "
            f"{levels.high:.2f}, 0 being black and 1 white."
        )
        return [Finding("pale data", "warning", 0.9, evidence, "Check how they were exported.")]
    even, peaked = pixels.evenness(some)
    if levels.detail > NOISE or (even > EVEN and peaked < ONE_KIND):
        evidence = (
            f"Neighbouring pixels differ {levels.detail:.2f} times as much as the pictures' contrast "
            "(noise 1.41, enlarged noise 0.8, pictures 0.1 to 0.7), and the weakest of their coarse "
            f"patterns are {even:.2f} times as strong as the strongest (noise 1, pictures 0.02 to 0.2)."
        )
        advice = "There is nothing to learn from noise: check how these files were made or read."
        return [Finding("noise for data", "fault", 0.95, evidence, advice)]
    if duplicates > MOSTLY * count and count - duplicates < FEWEST:
        return [constant(f"Of {count:,} pictures {duplicates:,} repeat another one.")]
    if spread < NEARLY_SAME:
        evidence = (
            f"The pictures differ by {spread:.2g} of the range from black to white; sets that a GAN is "
            "worth training on by 0.1 and more."
        )
        return [variants(evidence)]
    return []


class Nearest(NamedTuple):
    """Some pictures of a set, and those of the set that are most like each of them."""

    asked: Tensor
    """Numbers of the pictures [M]."""
    distances: Tensor
    """To the AGREEING nearest others [M, K], as root mean squares of thumbnails' differences."""
    numbers: Tensor
    """Which these are [M, K]."""


def nearest(rows: Tensor) -> Nearest:
    """Return the nearest others of at most COMPARED of the pictures [N, C, R, R], evenly spread."""
    grey = (part.float().mean(1, keepdim=True).round().to(torch.uint8) for part in rows.split(256))
    fine = torch.cat([pixels.thumbnails(part, 16) for part in grey])
    asked = torch.from_numpy(evenly_spaced(np.arange(len(fine)), COMPARED))
    apart = distances(fine[asked], fine)
    apart[torch.arange(len(asked)), asked] = torch.inf
    found = apart.topk(min(AGREEING, len(fine) - 1), largest=False)
    return Nearest(asked, found.values, found.indices)


def _colours(rows: Tensor) -> list[Finding]:
    """Return whether pictures that are learned in colour are all grey."""
    if rows.shape[1] != 3:
        return []
    small = rows[:: max(1, len(rows) // REALS)].short()
    if int((small.amax(1) - small.amin(1)).max()) > GREY_LEVELS:
        return []
    return [
        Finding(
            "grey pictures in colour",
            "warning",
            0.95,
            f"None of {len(small):,} pictures has any colour, but they are learned in three channels.",
            "Train in grey: a third of the numbers, and no false colours in the samples.",
            ("--channels 1",),
        )
    ]


def class_sizes(sizes: dict[str, int]) -> list[Finding]:
    """Return whether classes are too small beside others."""
    sizes = {name: size for name, size in sizes.items() if size}
    if len(sizes) < 2:
        return []
    small, large = min(sizes, key=lambda k: sizes[k]), max(sizes, key=lambda k: sizes[k])
    if sizes[large] > UNEVEN * sizes[small]:
        evidence = f"{small} has {counted(sizes[small], 'picture')}, {large} has {sizes[large]:,}."
        advice = "Add to the small classes or leave them out: they will hardly be learned."
        return [Finding("tiny classes", "warning", 0.9, evidence, advice)]
    tiny = [f"{name} ({size})" for name, size in sizes.items() if size < FEWEST_OF_A_CLASS]
    if tiny:
        have = "1 class has" if len(tiny) == 1 else f"{len(tiny):,} classes have"
        evidence = f"{have} fewer than 5 pictures: {', '.join(tiny[:3])}."
        return [
            Finding("tiny classes", "warning", 0.95, evidence, "Add to them or leave them out.")
        ]
    return []


def doubtful(near: Nearest, labels: Tensor, names: Sequence[str]) -> list[Finding]:
    """Return whether many pictures lie among those of one other class, as swapped labels make them."""
    others = labels[near.numbers]  # [M, K]
    agreed = (others == others[:, :1]).all(1)
    wrong = agreed & (others[:, 0] != labels[near.asked])
    share = float(wrong.double().sum() / agreed.double().sum().clamp(min=1))
    votes = torch.bincount((others == labels[near.asked][:, None]).sum(1), minlength=2)
    gap = int(votes[0]) >= GAP * int(votes[1])
    if float(agreed.double().mean()) >= SURE_NEIGHBOURS and share >= DOUBTFUL and gap:
        evidence = (
            f"{int(wrong.sum()):,} of {len(near.asked):,} pictures look like those of another class: the "
            f"{AGREEING} nearest to each are all of that one."
        )
    elif pair := _exchanged(others, labels[near.asked]):
        one, other = (names[k] for k in pair)
        evidence = (
            f"Some pictures of {one} lie wholly among those of {other}, and the other way round, and "
            "hardly any lie between the two."
        )
    elif pair := _misfiled(others, labels[near.asked]):
        one, other = (names[k] for k in pair)
        evidence = (
            f"Some pictures of {one} lie wholly among those of {other}, and hardly any lie between the "
            "two."
        )
    elif mixed := _mixed(others, labels[near.asked]):
        one, other = (names[k] for k in mixed)
        evidence = (
            f"The pictures most like those of {one} are as often of {other}, and the other way round; all "
            "other classes keep to themselves."
        )
    else:
        return []
    advice = "Look at some: classes may have been swapped, or pictures put into the wrong folder."
    return [Finding("doubtful classes", "warning", 0.7, evidence, advice)]


def _exchanged(others: Tensor, own: Tensor) -> tuple[int, int] | None:
    """Return two classes some of whose pictures lie wholly among the other's, and few between them."""
    count = int(max(others.max(), own.max())) + 1
    votes = torch.nn.functional.one_hot(others, count).sum(1)  # [M, classes]
    of = [votes[own == k] for k in range(count)]
    for one, other in combinations(range(count), 2):
        sides = of[one][:, other], of[other][:, one]
        if min(map(len, sides)) < FEWEST:
            continue
        wholly = [float((side >= AGREEING - 1).double().mean()) for side in sides]
        between = [float(((side > 1) & (side < AGREEING - 1)).double().mean()) for side in sides]
        share = sum(wholly) / 2
        if share < EXCHANGED or min(wholly) < EXCHANGED_EACH:
            continue
        if sum(between) / 2 - share < BETWEEN * share:
            return one, other
    return None


def _misfiled(others: Tensor, own: Tensor) -> tuple[int, int] | None:
    """Return a class some of whose pictures lie wholly among another's, and few between, and that one."""
    count = int(max(others.max(), own.max())) + 1
    votes = torch.nn.functional.one_hot(others, count).sum(1)  # [M, classes]
    for one in own.unique().tolist():
        sides = votes[own == one]  # [N, classes]
        wholly = (sides >= AGREEING - 1).sum(0)
        between = ((sides > 1) & (sides < AGREEING - 1)).sum(0)
        least = max(FEWEST_OF_A_CLASS, MISFILED * len(sides))
        lost = (wholly >= least) & (2 * between <= wholly)
        lost[one] = False
        if lost.any():
            return one, int(lost.nonzero()[0])
    return None


def _mixed(others: Tensor, own: Tensor) -> tuple[int, int] | None:
    """Return two classes whose pictures lie among each other's, where those of all others do not."""
    count = int(max(others.max(), own.max())) + 1
    votes = torch.nn.functional.one_hot(others, count).double().mean(1)  # [M, classes]
    shares = torch.stack(
        [votes[own == k].mean(0) for k in range(count)]
    )  # nan: none of it was asked
    mutual = torch.minimum(shares, shares.T).fill_diagonal_(0).nan_to_num(0)
    one, other = divmod(int(mutual.argmax()), count)
    rest = [float(shares[k, k]) for k in range(count) if k not in (one, other)]
    sizes = own.bincount(minlength=count)
    if not rest or not min(rest) > APART or float(mutual[one, other]) < MIXED:
        return None
    if min(int(sizes[one]), int(sizes[other])) < ENOUGH:
        return None
    return one, other


def constant(evidence: str) -> Finding:
    """Return the finding that all pictures are the same."""
    return Finding(
        "constant data",
        "fault",
        0.99,
        evidence,
        "There is nothing to learn from pictures that are all the same: give others.",
    )


def recorded(findings: list[Any]) -> list[Finding]:
    """Return the findings that machine.json holds of a run's data; what is none is left out."""
    kept = []
    for one in findings:
        with suppress(KeyError, TypeError, msgspec.ValidationError):
            kept.append(msgspec.convert([one[name] for name in Finding._fields], Finding))
    return kept
