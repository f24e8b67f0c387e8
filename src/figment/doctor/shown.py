"""What the discriminator is shown in place of the pictures, as ``figment.training.shown`` saw it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import median
from typing import Any

from figment.doctor.balance import HOPELESS_ROUNDS
from figment.doctor.finding import Finding
from figment.doctor.history import FEW, MANY, History, is_number

SCALED = (0.75, 1.33)
SHIFTED = 0.2
A_LINE, NEARLY_A_LINE = 0.95, 0.85
"""shown/likeness from which what is shown is the pictures in other levels, and nothing else; and the same
where values were cut off as well, for which a shown/scale must be outside"""
SCALED_WIDELY = (0.4, 2.5)
FLAT = 0.05
"""shown/spread below which there are no pictures."""
UNLIKE, AS_FINE, AS_WIDE = 0.6, (0.6, 1.4), (0.8, 1.25)
"""shown/structure below which, with a shown/detail outside the first range and a shown/spread within the
second, pixels are in other places: rows taken for columns of channels. A picture that is only turned or
moved keeps its detail, and noise widens the spread."""
"""shown/scale outside the first or shown/shift beyond the second, levels are not the pictures'. All systems
show exactly 1 and 0; a recipe of one's own may add a little noise."""
GREYED, GREY_SCALE = 0.3, 0.5
"""shown/saturation up to which colours have been lost on the way, and shown/scale below which all has."""
OWN_CLASSES, ONE_CLASS = 0.8, 0.95
"""shown/classes below which pictures are told with other classes than theirs, exactly 1 in all systems: a
tenth may be left without for a purpose; and shown/classes_as_one from which those of a class are all told
with the same."""
BLURRED = 0.6
"""shown/detail up to which a picture has lost what is fine in it."""
ALL, MOST = 0.5, 0.75
"""shown/kept up to which a batch has lost too much to be the data, in the middle and at all looks: drawn
with repeats it has .63, and a small batch may be strange once."""
FAINT = 0.02
"""shown/difference up to which nothing is looked at."""


def as_they_are(history: History) -> bool:
    """Whether the discriminator is known to be shown the pictures as they were loaded."""
    looks = _looks(history, 1)
    return bool(looks) and all(
        one("whole", 0.0) == 1 and one("difference", 1.0) <= FAINT for one in looks
    )


def built_in(history: History) -> bool:
    """Whether it is a system of figment's own, whose code is known: at such there is no look."""
    return as_they_are(history) and not history.series("shown/kept")


def changed(history: History) -> bool:
    """Whether the discriminator is known to be shown something else."""
    looks = _looks(history, 1)
    return bool(looks) and all(one("difference", 0.0) > FAINT for one in looks)


def levels(history: History) -> Finding | None:
    """Reals are scaled, inverted or have their channels in another order before they are judged."""
    seen = [_levels(look) for look in _looks(history)]
    if not seen or not all(seen):
        return None
    return Finding(
        "wrong normalisation",
        "fault",
        0.98,
        seen[-1],
        "Look at what the recipe does to the reals: they come in [-1, 1], red first, and are to stay so.",
    )


def colours(history: History) -> Finding | None:
    """Reals are grey before they are judged."""
    looks = _looks(history)
    kept = [one("saturation", 1.0) for one in looks]
    if not looks or max(kept) > GREYED or min(one("scale", 1.0) for one in looks) < GREY_SCALE:
        return None
    return Finding(
        "colours missing",
        "fault",
        0.95,
        f"The discriminator is shown the pictures with {max(kept):.0%} of their colour.",
        "Look at what the recipe does to the reals: something makes them grey on the way.",
    )


def detail(history: History) -> Finding | None:
    """Reals are blurred before they are judged."""
    looks = _looks(history)
    kept = [one("detail", 1.0) for one in looks]
    if not looks or max(kept) > BLURRED or min(one("structure", 1.0) for one in looks) < UNLIKE:
        return None
    return Finding(
        "blurred samples",
        "warning",
        0.9,
        f"The discriminator is shown the pictures with {max(kept):.0%} of their fine detail: it can teach "
        "no more, and sees no grid over the samples.",
        "Show it pictures at their full size; look at what the recipe does to them on the way.",
    )


def left_out(history: History) -> Finding | None:
    """Some of the reals never reach the discriminator, others come twice."""
    kept = history.latest("shown/kept", MANY)
    if history.rounds < HOPELESS_ROUNDS or len(kept) < MANY or median(kept) > ALL:
        return None
    if not all(0 <= share <= MOST for share in kept):
        return None
    return Finding(
        "partial mode collapse",
        "fault",
        0.9,
        f"Of the pictures of a batch {1 - median(kept):.0%} never reach the discriminator (median of the "
        f"last {MANY} measurements); others come in their place. What it is not shown will not be drawn.",
        "Look at what the recipe does to the batch on its way: a filter, or an index that repeats.",
    )


def classes(history: History) -> Finding | None:
    """Reals are told with other classes than theirs."""
    looks = _looks(history)
    own = [one("classes", 1.0) for one in looks]
    if not looks or max(own) >= OWN_CLASSES:
        return None
    one_each = min(one("classes_as_one", 0.0) for one in looks) >= ONE_CLASS
    how = "all pictures of a class with the same other one" if one_each else "without any order"
    return Finding(
        "classes swapped" if one_each else "classes not obeyed",
        "fault",
        0.98,
        f"The discriminator is told the right class of {max(own):.0%} of the pictures, {how}.",
        "Look at what the recipe does to the classes on their way.",
    )


def _looks(history: History, least: int = FEW) -> list[Callable[[str, float], float]]:
    """Return what gives a column of each of the last FEW looks; [] with fewer than ``least``.

    One look at a small batch may meet a strange one; what is wrong is wrong each time.
    """
    lines = [line for line in history.log if is_number(line.get("shown/difference"))][-FEW:]

    def column(line: Mapping[str, Any]) -> Callable[[str, float], float]:
        def value(name: str, default: float) -> float:
            found = line.get(f"shown/{name}")
            return float(found) if is_number(found) else default

        return value

    return [column(line) for line in lines] if len(lines) >= least else []


def _levels(look: Callable[[str, float], float]) -> str:
    """Return what is wrong with the levels at one look, "" where nothing is."""
    scale, shift, fine = look("scale", 1.0), look("shift", 0.0), look("detail", 1.0)
    like, within, spread = look("likeness", 1.0), look("structure", 1.0), look("spread", 1.0)
    mild = SCALED[0] <= scale <= SCALED[1] and abs(shift) <= SHIFTED
    wide = SCALED_WIDELY[0] <= scale <= SCALED_WIDELY[1]
    if look("difference", 0.0) <= FAINT:
        return ""
    if look("channels", 0.0) > 0.5:
        return "The discriminator is shown the pictures with their channels in another order."
    if spread < FLAT:
        return f"What the discriminator is shown of the pictures is one value, {shift:.2g}."
    if (like >= A_LINE and not mild) or (like >= NEARLY_A_LINE and not wide):
        return (
            f"The discriminator is shown the pictures times {scale:.2g}, {shift:+.2g} "
            "(black is -1, white 1)."
        )
    as_wide, as_fine = (low <= x <= high for x, (low, high) in ((spread, AS_WIDE), (fine, AS_FINE)))
    if within < UNLIKE and as_wide and not as_fine:
        return (
            f"What the discriminator is shown does not look like the pictures (correlation {within:.2f}): "
            f"neighbouring pixels differ {fine:.1f} times as much."
        )
    return ""
