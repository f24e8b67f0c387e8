"""The doctor for data: what is wrong with a set of pictures before anything is trained on it."""

from __future__ import annotations

import numpy as np

from figment.data import Inspection, evenly_spaced, inspect, open_dataset
from figment.doctor.finding import Finding
from figment.doctor.samples import SAME
from figment.doctor.signs import REALS, reference

FEWEST = 16
"""Fewer pictures than this are no set: a discriminator knows them all within seconds."""
FEW_PICTURES = 200
"""Below this a GAN from scratch learns by heart (none are held out either, see figment.data.split)."""
BROKEN = 0.05
REPEATED = 0.05
FLAT = 0.05
"""Share of the pictures from which broken, repeated or flat ones are worth a warning."""
MOSTLY = 0.5
"""Share from which they are the set's fault, not an accident."""
UNEVEN = 20
"""Times the smallest class that the largest may have before the small ones are hardly learned."""
CROPPED = 0.25
"""Mean share of the area that a centre crop may cut off."""
DARK, BRIGHT = 0.05, 0.95
"""Mean levels outside these leave nothing to see."""
MIXED = 0.1
"""Share of grey pictures among coloured ones, or the other way about, that samples will show too: photo
collections hold about 3 % of either kind."""
ENLARGED = 0.8
"""The usual shorter side may be so much of the resolution before enlarging shows."""
PALE = 0.1
"""Range of levels (1 % to 99 %) below this: nearly one grey."""


def examine(source: str, *, progress: bool = True) -> list[Finding]:
    """Return the findings about a data set (a folder, zip, packed file or built-in), the worst first.

    Opens every picture once, and packs the set as training would to look at its pixels. Raises
    UserError where there is nothing to open.
    """
    found = inspect(source, progress)
    rows = None
    if found.kind == "images" and found.usable >= FEWEST and found.side[2]:
        dataset = open_dataset(
            source, resolution=found.resolution, channels=found.channels, progress=progress
        )
        chosen = evenly_spaced(np.arange(len(dataset)), REALS)
        rows = np.array(dataset.rows[chosen])
    return diagnose_data(found, rows)


def diagnose_data(found: Inspection, rows: np.ndarray | None = None) -> list[Finding]:
    """Return the findings about an inspected set, the worst first; at least one.

    ``rows``: some of its pictures as training sees them, uint8 [N, C, R, R], from all over the set.
    """
    findings = [
        *_amount(found),
        *_sameness(found, rows),
        *_files(found),
        *_classes(found),
        *_shapes(found),
    ]
    if not any(finding.severity != "good" for finding in findings):
        classes = f" in {len(found.classes)} classes" if found.classes else ""
        what = "points" if found.kind == "points" else "pictures"
        evidence = f"{found.usable:,} {what}{classes}; hardly any are broken, flat or repeated."
        findings.append(Finding("healthy data", "good", 0.9, evidence, "Train on them."))
    order = ("fault", "warning", "good")
    return sorted(findings, key=lambda finding: order.index(finding.severity))


def _amount(found: Inspection) -> list[Finding]:
    if found.usable < FEWEST:
        return [
            Finding(
                "near-empty data",
                "fault",
                1.0,
                f"{found.usable:,} of {found.files:,} pictures can be used.",
                "Add pictures: some hundreds are a start, thousands are better.",
            )
        ]
    if found.usable < FEW_PICTURES:
        return [
            Finding(
                "few pictures",
                "warning",
                0.9,
                f"{found.usable:,} pictures: a discriminator soon memorises so few, and scores against "
                "them are unreliable.",
                "Add pictures, mirror them at random where left and right do not matter, and stop early.",
                ("--mirror", "--dropout 0.3"),
            )
        ]
    return []


def _sameness(found: Inspection, rows: np.ndarray | None) -> list[Finding]:
    """Constant, repeated, and all but invisible pictures."""
    count = max(1, found.usable)
    flat = next((number for what, (number, _) in found.odd.items() if "flat" in what), 0)
    if rows is not None:
        real = reference(rows)
        levels, spread = real.levels, real.spread
        assert levels is not None
        if spread < SAME:
            what = f"{spread:.2g} of the range from black to white"
            return [_constant(f"{len(rows):,} pictures differ by only {what}.")]
        if not DARK < levels.mean < BRIGHT or levels.high - levels.low < PALE:
            evidence = (
                f"Levels are {levels.mean:.2f} on average and span {levels.low:.2f} to "
                f"{levels.high:.2f}, 0 being black and 1 white."
            )
            return [Finding("pale data", "warning", 0.9, evidence, "Check how they were exported.")]
    if found.duplicates > MOSTLY * count or flat > MOSTLY * count:
        what = f"{found.duplicates:,} repeat another one" if found.duplicates > flat else ""
        what = what or f"{flat:,} are of one flat colour"
        return [_constant(f"Of {found.usable:,} pictures {what}.")]
    findings = []
    if found.duplicates > REPEATED * count:
        groups = "; ".join(" = ".join(group) for group in found.groups[:2])
        evidence = (
            f"{found.duplicates:,} of {found.usable:,} pictures repeat another one: {groups}."
        )
        advice = "Remove the repeats: the model memorises them first."
        findings.append(Finding("duplicates", "warning", 0.95, evidence, advice))
    if flat > FLAT * count:
        evidence = f"{flat:,} of {found.usable:,} pictures are of one flat colour."
        findings.append(Finding("flat pictures", "warning", 0.95, evidence, "Remove them."))
    return findings


def _constant(evidence: str) -> Finding:
    return Finding(
        "constant data",
        "fault",
        0.99,
        evidence,
        "There is nothing to learn from pictures that are all the same: give others.",
    )


def _files(found: Inspection) -> list[Finding]:
    broken = len(found.skipped)
    if broken <= BROKEN * max(1, found.files):
        return []
    file, reason = found.skipped[0]
    return [
        Finding(
            "broken pictures",
            "fault" if broken > MOSTLY * found.files else "warning",
            0.99,
            f"{broken:,} of {found.files:,} pictures cannot be read, such as {file}: {reason}.",
            "Copy or export them again; training goes on without them.",
        )
    ]


def _classes(found: Inspection) -> list[Finding]:
    findings = []
    for what, (number, files) in found.odd.items():
        if "two classes" in what:
            evidence = f"{number:,} pictures lie in two classes, such as {', '.join(files[:2])}."
            advice = "Leave each in one class: a conditional generator learns both from them."
            findings.append(Finding("quarrelling classes", "warning", 0.95, evidence, advice))
    sizes = {name: size for name, size in found.classes.items() if size}
    if len(sizes) > 1 and max(sizes.values()) > UNEVEN * min(sizes.values()):
        small, large = min(sizes, key=lambda k: sizes[k]), max(sizes, key=lambda k: sizes[k])
        evidence = f"{small} has {sizes[small]:,} pictures, {large} has {sizes[large]:,}."
        advice = "Add to the small classes or leave them out: they will hardly be learned."
        findings.append(Finding("tiny classes", "warning", 0.9, evidence, advice))
    elif any("fewer than 5" in what for what in found.odd):
        number, files = next(v for what, v in found.odd.items() if "fewer than 5" in what)
        evidence = f"{number:,} classes have fewer than 5 pictures: {', '.join(files[:3])}."
        advice = "Add to them or leave them out."
        findings.append(Finding("tiny classes", "warning", 0.95, evidence, advice))
    return findings


def _shapes(found: Inspection) -> list[Finding]:
    findings = []
    if found.crop_loss > CROPPED:
        evidence = f"A centre crop cuts off {found.crop_loss:.0%} of a typical picture."
        advice = "Pad the pictures to squares instead, or crop them yourself to what matters."
        findings.append(Finding("cropped", "warning", 0.8, evidence, advice, ("--fit pad",)))
    if found.side[2] and found.side[1] < ENLARGED * found.resolution:
        evidence = (
            f"The shorter side of a typical picture is {found.side[1]} px, less than the "
            f"{found.resolution} px that training would use."
        )
        advice = "Train at their own size, or give larger pictures."
        flag = f"--resolution {max(32, 1 << (max(1, found.side[1]).bit_length() - 1))}"
        flags = (flag,) if found.side[1] >= 32 else ()
        findings.append(Finding("small pictures", "warning", 0.8, evidence, advice, flags))
    for what, (number, files) in found.odd.items():
        if what in ("grey among colour", "in colour among grey") and number > MIXED * found.usable:
            evidence = f"{number:,} of {found.usable:,} pictures are {what}, such as {files[0]}."
            advice = "Remove them, or train in grey: otherwise the same share of samples will be like them."
            flags = ("--channels 1",)
            findings.append(Finding("mixed colours", "warning", 0.7, evidence, advice, flags))
    return findings
