"""What the discriminator is shown in place of the pictures, as ``figment.training.shown`` saw it."""

from __future__ import annotations

from figment.doctor.balance import HOPELESS_ROUNDS
from figment.doctor.finding import Finding
from figment.doctor.history import MANY, History

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
GREYED = 0.3
"""shown/saturation up to which colours have been lost on the way."""
OWN_CLASSES, ONE_CLASS = 0.8, 0.95
"""shown/classes below which pictures are told with other classes than theirs, exactly 1 in all systems: a
tenth may be left without for a purpose; and shown/classes_as_one from which those of a class are all told
with the same."""
BLURRED = 0.6
"""shown/detail up to which a picture has lost what is fine in it."""
ALL = 0.8
"""shown/kept up to which a batch has lost too many pictures to be the data; exactly 1 in all systems."""
FAINT = 0.02
"""shown/difference up to which nothing is looked at."""


def as_they_are(history: History) -> bool:
    """Whether the discriminator is known to be shown the pictures as they were loaded."""
    whole = history.value("shown/whole", 0.0) == 1
    return whole and history.value("shown/difference", 1.0) <= FAINT


def changed(history: History) -> bool:
    """Whether the discriminator is known to be shown something else."""
    return history.value("shown/difference", 0.0) > FAINT


def levels(history: History) -> Finding | None:
    """Reals are scaled, inverted or have their channels in another order before they are judged."""
    scale, shift = history.now("shown/scale"), history.value("shown/shift", 0.0)
    if scale is None or not changed(history):
        return None
    like, fine = history.value("shown/likeness", 1.0), history.value("shown/detail", 1.0)
    within = history.value("shown/structure", 1.0)
    wide_as_ever = AS_WIDE[0] <= history.value("shown/spread", 1.0) <= AS_WIDE[1]
    mild = SCALED[0] <= scale <= SCALED[1] and abs(shift) <= SHIFTED
    wide = SCALED_WIDELY[0] <= scale <= SCALED_WIDELY[1]
    if history.value("shown/channels", 0.0) > 0.5:
        seen = "The discriminator is shown the pictures with their channels in another order."
    elif history.value("shown/spread", 1.0) < FLAT:
        seen = f"What the discriminator is shown of the pictures is one value, {shift:.2g}."
    elif (like >= A_LINE and not mild) or (like >= NEARLY_A_LINE and not wide):
        seen = (
            f"The discriminator is shown the pictures times {scale:.2g}, {shift:+.2g} "
            "(black is -1, white 1)."
        )
    elif within < UNLIKE and wide_as_ever and not AS_FINE[0] <= fine <= AS_FINE[1]:
        seen = (
            f"What the discriminator is shown does not look like the pictures (correlation {within:.2f}): "
            f"neighbouring pixels differ {fine:.1f} times as much."
        )
    else:
        return None
    return Finding(
        "wrong normalisation",
        "fault",
        0.98,
        seen,
        "Look at what the recipe does to the reals: they come in [-1, 1], red first, and are to stay so.",
    )


def colours(history: History) -> Finding | None:
    """Reals are grey before they are judged."""
    kept = history.now("shown/saturation")
    if kept is None or kept > GREYED:
        return None
    scale = history.value("shown/scale", 1.0)
    if scale < 0.5:
        return None  # all else is gone as well
    return Finding(
        "colours missing",
        "fault",
        0.95,
        f"The discriminator is shown the pictures with {kept:.0%} of their colour.",
        "Look at what the recipe does to the reals: something makes them grey on the way.",
    )


def detail(history: History) -> Finding | None:
    """Reals are blurred before they are judged."""
    kept = history.now("shown/detail")
    if kept is None or kept > BLURRED or abs(history.value("shown/scale", 1.0)) < SCALED[0]:
        return None
    return Finding(
        "blurred samples",
        "warning",
        0.9,
        f"The discriminator is shown the pictures with {kept:.0%} of their fine detail: it can teach no "
        "more, and sees no grid over the samples.",
        "Show it pictures at their full size; look at what the recipe does to them on the way.",
    )


def left_out(history: History) -> Finding | None:
    """Some of the reals never reach the discriminator, others come twice."""
    kept = history.latest("shown/kept", MANY)
    if len(kept) < MANY or max(kept) > ALL or history.rounds < HOPELESS_ROUNDS:
        return None
    return Finding(
        "partial mode collapse",
        "fault",
        0.9,
        f"Of the pictures of a batch {1 - max(kept):.0%} or more never reach the discriminator, in the "
        f"last {MANY} measurements; others come in their place. What it is not shown will not be drawn.",
        "Look at what the recipe does to the batch on its way: a filter, or an index that repeats.",
    )


def classes(history: History) -> Finding | None:
    """Reals are told with other classes than theirs."""
    own = history.now("shown/classes")
    if own is None or own >= OWN_CLASSES:
        return None
    one = history.value("shown/classes_as_one", 0.0) >= ONE_CLASS
    how = "all pictures of a class with the same other one" if one else "without any order"
    return Finding(
        "classes swapped" if one else "classes not obeyed",
        "fault",
        0.98,
        f"The discriminator is told the right class of {own:.0%} of the pictures, {how}.",
        "Look at what the recipe does to the classes on their way.",
    )
