"""The doctor for data: what is wrong with a set of pictures before anything is trained on it."""

from __future__ import annotations

from figment.data import Dataset, Inspection, inspect, open_dataset
from figment.data.printing import counted
from figment.data.structure import broken
from figment.doctor import sets
from figment.doctor.finding import SEVERITIES, Finding

BROKEN = 0.05
FLAT = 0.05
"""Share of the pictures from which broken or flat ones are worth a warning."""
CROPPED = 0.25
"""Mean share of the area that a centre crop may cut off."""
MIXED = 0.1
"""Share of grey pictures among coloured ones, or the other way about, that samples will show too: photo
collections hold about 3 % of either kind."""
ENLARGED = 0.8
"""The usual shorter side may be so much of the resolution before enlarging shows."""

SMALL = frozenset({"few pictures", "small pictures"})
"""Notes beside which data are not praised."""


def examine(source: str, *, progress: bool = True) -> list[Finding]:
    """Return the findings about a data set (a folder, zip, packed file or built-in), the worst first.

    Opens every picture once, and packs the set as training would to look at its pixels. Raises
    UserError where there is nothing to open.
    """
    found = inspect(source, progress)
    dataset = None
    if found.kind == "images" and found.usable >= sets.FEWEST and found.side[2]:
        dataset = open_dataset(
            source, resolution=found.resolution, channels=found.channels, progress=progress
        )
    return diagnose_data(found, dataset)


def diagnose_data(found: Inspection, dataset: Dataset | None = None) -> list[Finding]:
    """Return the findings about an inspected set, the worst first; at least one.

    ``dataset``: the set as training sees it, where it can be packed.
    """
    of_set = sets.findings_of(dataset) if dataset is not None else _without_pixels(found)
    findings = [
        *(_with_names(finding, found) for finding in of_set),
        *_flat(found),
        *_files(found),
        *_classes(found),
        *_shapes(found),
        *_stored_in_colour(found),
    ]
    if any(
        "parts of a split" in what for what in found.odd
    ):  # what is said of them as classes is void
        findings = [one for one in findings if one.name not in ("tiny classes", "doubtful classes")]
    if any(
        one.name == "pale data" for one in findings
    ):  # so dark or so bright, nothing has a colour
        findings = [one for one in findings if one.name != "grey pictures in colour"]
    if _flat_set(found) and not any(one.name == "constant data" for one in findings):
        number = _number(found, "flat")
        are = "is" if number == 1 else "are"
        evidence = f"Of {counted(found.usable, 'picture')} {number:,} {are} of one flat colour."
        findings = [sets.constant(evidence), *findings]
    if not any(one.severity in ("fault", "warning") or one.name in SMALL for one in findings):
        classes = f" in {len(found.classes)} classes" if found.classes else ""
        what = "points" if found.kind == "points" else "pictures"
        evidence = f"{found.usable:,} {what}{classes}; hardly any are broken, flat or repeated."
        findings.append(Finding("healthy data", "good", 0.9, evidence, "Train on them."))
    few = "few pictures"  # says nothing of what the pictures are, and so comes after what does
    return sorted(findings, key=lambda one: (SEVERITIES.index(one.severity), one.name == few))


def _without_pixels(found: Inspection) -> list[Finding]:
    return sets.amount(found.usable, found.files) if found.kind == "images" else []


def _with_names(finding: Finding, found: Inspection) -> Finding:
    """Return a finding with the files that it is about, which a packed set does not know."""
    if finding.name == "near-empty data":
        return sets.amount(found.usable, found.files)[0]
    if finding.name != "duplicates" or not found.groups:
        return finding
    groups = "; ".join(" = ".join(group) for group in found.groups[:2])
    return finding._replace(evidence=f"{finding.evidence.rstrip('.')}: {groups}.")


def _number(found: Inspection, word: str) -> int:
    """Return how many pictures are odd in the way that a word names."""
    return next((number for what, (number, _) in found.odd.items() if word in what), 0)


def _flat_set(found: Inspection) -> bool:
    return _number(found, "flat") > sets.MOSTLY * max(1, found.usable)


def _flat(found: Inspection) -> list[Finding]:
    flat = _number(found, "flat")
    if not FLAT * max(1, found.usable) < flat or _flat_set(found):
        return []
    are = "is" if flat == 1 else "are"
    evidence = f"{flat:,} of {counted(found.usable, 'picture')} {are} of one flat colour."
    return [Finding("flat pictures", "warning", 0.95, evidence, "Remove them.")]


def _stored_in_colour(found: Inspection) -> list[Finding]:
    """Return that files are of a colour mode although every picture is grey."""
    coloured = sum(
        count for mode, count in found.modes.items() if mode[:3] in ("RGB", "CMY", "YCb")
    )
    if found.kind != "images" or found.channels != 1 or not coloured:
        return []
    return [
        Finding(
            "grey pictures in colour",
            "note",
            0.95,
            f"{coloured:,} of {found.usable:,} files are stored in colour, but none has any.",
            "They are learned in grey.",
            ("--channels 1",),
        )
    ]


def _files(found: Inspection) -> list[Finding]:
    unread = broken(found.skipped)
    if len(unread) <= BROKEN * max(1, found.files):
        return []
    file, reason = unread[0]
    return [
        Finding(
            "broken pictures",
            "fault" if len(unread) > sets.MOSTLY * found.files else "warning",
            0.99,
            f"{len(unread):,} of {counted(found.files, 'picture')} cannot be read, such as {file}: "
            f"{reason}.",
            "Copy or export them again; training goes on without them.",
        )
    ]


def _classes(found: Inspection) -> list[Finding]:
    findings = []
    for what, (number, files) in found.odd.items():
        if "two classes" in what:
            lie = "1 picture lies" if number == 1 else f"{number:,} pictures lie"
            evidence = f"{lie} in two classes, such as {', '.join(files[:2])}."
            advice = "Leave each in one class: a conditional generator learns both from them."
            findings.append(Finding("quarrelling classes", "warning", 0.95, evidence, advice))
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
        findings.append(Finding("small pictures", "note", 0.8, evidence, advice, flags))
    for what, (number, files) in found.odd.items():
        if what in ("grey among colour", "in colour among grey") and number > MIXED * found.usable:
            are = "is" if number == 1 else "are"
            evidence = f"{number:,} of {found.usable:,} pictures {are} {what}, such as {files[0]}."
            advice = "Remove them, or train in grey: otherwise the same share of samples will be like them."
            flags = ("--channels 1",)
            findings.append(Finding("mixed colours", "warning", 0.7, evidence, advice, flags))
    return findings
