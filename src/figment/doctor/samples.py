"""Collapse, whole or in part; and data that are all the same."""

from __future__ import annotations

from statistics import median

from figment.doctor import remedies
from figment.doctor.balance import EARLY_ROUNDS, HOPELESS_ROUNDS, RISEN_ROUNDS, unrisen
from figment.doctor.finding import Finding
from figment.doctor.history import FEW, MANY, YOUNG_ROUNDS, History

ONE = 0.2
"""watch/diversity or watch/spacing below this, all samples are one or a few: C1 and C2, collapsed, had
spacings under .07; a healthy DCGAN passed .3 in its first 500 rounds and stays above .85."""
TWINS = 0.8
"""watch/look_alikes from this on, nearly every sample has a near-duplicate; healthy runs have 0 to .05."""
SOME_TWINS = 0.25
MISSING = 0.25
"""watch/missing from this on is partial collapse: healthy runs end at 0 to .13, collapsed ones at .4 to
.9."""

LOST = 0.3
"""By so much look-alikes or missing parts must have grown since they were fewest for a picture generator to
have lost variety; one that never had more is given RISEN_ROUNDS. From one measurement of
a young run to the next, few-shot on 900 flowers went from 0.2 to 0.35 missing and back."""

DIFFERENT = 16
"""Pictures that differ, fewer than which are one and its like, however often each is repeated."""

UNMOVED, MOVED = 0.004, 0.05
"""watch/diversity up to which all samples are the same whatever their latents, and watch/movement from
which they have begun to learn."""
EXACT = 0.0005
"""watch/spacing up to which a sample has its exact like among 256: those of collapsed generators differ."""
SAME = 0.004
"""Reals whose spread is less than one level of 256 are one picture."""


def constant_data(history: History) -> Finding | None:
    """The reals are one picture."""
    spread = history.now("watch/real_diversity")
    repeated = int(history.data.get("duplicates") or 0)
    if spread is not None and spread < SAME:
        return Finding(
            "constant data",
            "fault",
            0.99,
            f"The training examples differ by only {spread:.2g} of the range from black to white: they are "
            "all the same.",
            "Give other data; `figment doctor DATA` says what is in these.",
        )
    if history.count and repeated > 0.5 * history.count:
        few = history.count - repeated < DIFFERENT
        return Finding(
            "constant data" if few else "duplicates",
            "fault" if few else "warning",
            0.9,
            f"{repeated:,} of {history.count:,} pictures repeat another one byte for byte.",
            "Remove the repeats; `figment doctor DATA` names them.",
        )
    return None


def collapse(history: History) -> Finding | None:
    """All samples are one, or a few."""
    if history.rounds < EARLY_ROUNDS or not few_samples(history) or unrisen(history):
        return None
    diversity = history.value("watch/diversity", 1.0)
    measured = min(FEW, history.measured())
    best = max(history.series("watch/diversity"))
    evidence = (
        f"The samples have {diversity:.2g} of the reals' diversity (last {measured} measurements)"
    )
    if best > 2 * diversity:
        evidence += f"; it has been {best:.2g}"
    if not history.points():
        twins = history.value("watch/look_alikes", 0.0)
        evidence += f". {twins:.0%} of the samples have a near-duplicate among 256"
    advice, found = remedies.against_collapse(history)
    return Finding(
        "mode collapse",
        "fault",
        0.95 if measured == FEW else 0.7,
        evidence + ".",
        advice,
        found,
    )


def unheard_latents(history: History) -> Finding | None:
    """All samples are the very same picture, another one every time, or a few exactly."""
    moved = history.series("watch/movement")
    if history.points() or history.rounds < HOPELESS_ROUNDS or not moved:
        return None
    never = max(history.series("watch/diversity"), default=1.0) <= UNMOVED
    # what has never varied may have come to a stop since, under a sure discriminator
    learns = max(moved) if never else median(moved[-MANY:])
    one = history.stays("watch/diversity", high=UNMOVED) and learns >= MOVED
    few = history.stays("watch/spacing", high=EXACT) and history.stays(
        "watch/diversity", low=UNMOVED
    )
    if not one and not few:
        return None
    varied = max(history.latest("watch/diversity", MANY))
    seen = (
        f"all samples were one and the same picture (diversity {varied:.2g}), though another one each "
        "time: whatever the latents, the generator draws the same"
        if one
        else f"samples were few, and repeated each other exactly (diversity {varied:.2g}), which those of "
        "latents that differ do not: not all of a latent reaches the generator"
    )
    return Finding(
        "mode collapse",
        "fault",
        0.95,
        f"In the last {MANY} measurements {seen}.",
        "Look at how the latents reach the picture: a mapping that is not called, a norm that levels them, "
        "a weight of 0, numbers that are rounded.",
    )


def partial_collapse(history: History) -> Finding | None:
    """Parts of the data are never drawn, or some samples come again and again."""
    if history.rounds < EARLY_ROUNDS or history.measured() < FEW or few_samples(history):
        return None
    missing = history.value("watch/missing", 0.0)
    if history.rounds < YOUNG_ROUNDS and not history.stays("watch/missing", low=MISSING):
        missing = 0.0  # of a young run's clusters now these are reached and now those
    twins = history.value("watch/look_alikes", 0.0)
    twins = 0.0 if history.points() else twins  # generators on a curve repeat themselves there
    if (missing < MISSING and twins < SOME_TWINS) or _spreading(history):
        return None
    parts = []
    if missing >= MISSING:
        parts.append(f"few samples lie in the clusters that hold {missing:.0%} of the reals")
    if twins >= SOME_TWINS:
        parts.append(f"{twins:.0%} of the samples have a near-duplicate among 256")
    worst = max(missing / MISSING, twins / SOME_TWINS)
    advice, found = remedies.against_collapse(history)
    return Finding(
        "partial mode collapse",
        "fault",
        min(0.95, 0.5 + 0.2 * worst),
        f"In the last {FEW} measurements " + " and ".join(parts) + ".",
        advice,
        found,
    )


def _spreading(history: History) -> bool:
    """Whether samples are still reaching more of the data, or nobody can tell yet."""
    keys = ("watch/missing",) if history.points() else ("watch/missing", "watch/look_alikes")
    high = [key for key in keys if history.value(key, 0.0) >= MISSING]
    if history.untold() or any(history.falls(key) for key in high):
        return True
    if history.rounds < YOUNG_ROUNDS and history.falls("watch/distance"):
        return True
    if history.points() or history.rounds >= RISEN_ROUNDS:
        return False
    return all(history.value(key, 0.0) < min(history.series(key)) + LOST for key in high)


def few_samples(history: History) -> bool:
    """Whether the samples are one or a few, at the last few measurements each."""
    diversity, spacing = history.latest("watch/diversity"), history.latest("watch/spacing")
    twins = history.latest("watch/look_alikes")
    if not diversity:
        return False
    if history.points():
        return max(diversity) < ONE
    return min([1.0, *twins]) > TWINS and (max(diversity) < ONE or max([0.0, *spacing]) < ONE)
