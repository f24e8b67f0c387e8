"""An inspection as text for the terminal: short, aligned lines."""

from __future__ import annotations

from figment.data.inspection import Inspection

COLUMN = 12
MOST_CLASSES = 12


def describe(found: Inspection) -> str:
    """Return an inspection as a few aligned lines, without a final newline."""
    if found.kind == "points":
        return (
            f"{found.name}: {found.usable:,} points in the plane, drawn by figment itself\n"
            "figment would: learn them as they are, without classes"
        )
    classes = f"{len(found.classes)} classes" if found.classes else "no classes"
    lines = [f"{found.name}: {found.files:,} pictures, {classes}"]
    for label, entries in _rows(found):
        for entry in entries:
            lines.append(f"  {label:<{COLUMN}}{entry}")
            label = ""
    return "\n".join([*lines, f"figment would: {_plan(found)}"])


def _rows(found: Inspection) -> list[tuple[str, list[str]]]:
    others = ", ".join(f"{count:,} {suffix}" for suffix, count in found.others.items())
    modes = ", ".join(f"{mode} {count:,}" for mode, count in found.modes.items())
    notes = [f"{count:,} {note}" for note, count in found.notes.items()]
    broken = [f"{file}: {reason}" for file, reason in found.skipped]
    if len(broken) > 5:
        broken = [*broken[:5], f"… and {len(broken) - 5:,} more"]
    groups = [" = ".join(group) for group in found.groups]
    odd = [f"{count:,} {what}: {_some(files, count)}" for what, (count, files) in found.odd.items()]
    return [
        ("classes", _classes(found.classes)),
        ("folders", list(found.structure)),
        ("size", _sizes(found)),
        ("modes", [modes] if modes else []),
        ("handled", notes),
        ("broken", [f"{len(found.skipped):,}", *broken] if broken else []),
        ("duplicates", [f"{found.duplicates:,} repeat another file", *groups] if groups else []),
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
        plan += f"; the centre crop drops {found.crop_loss:.0%} of the area"
        plan += " (--fit pad keeps it)" if found.crop_loss >= 0.25 else ""
    return plan


def _some(files: tuple[str, ...], count: int) -> str:
    return ", ".join(files[:3]) + (", …" if count > 3 else "")
