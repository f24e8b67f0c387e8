"""What the samples show: collapse, wrong levels, checkerboards; and data that are all the same."""

from __future__ import annotations

from figment.doctor import flags
from figment.doctor.balance import EARLY_ROUNDS, unrisen
from figment.doctor.finding import Finding
from figment.doctor.history import FEW, History

ONE = 0.2
"""watch/diversity or watch/spacing below this, all samples are one or a few: C1 and C2, collapsed, had
spacings under .07; a healthy DCGAN passed .3 in its first 500 rounds and stays above .85."""
TWINS = 0.8
"""watch/look_alikes from this on, nearly every sample has a near-duplicate; healthy runs have 0 to .05."""
SOME_TWINS = 0.25
MISSING = 0.25
"""watch/missing from this on is partial collapse: healthy runs end at 0 to .13, collapsed ones at .4 to
.9."""

SAME = 0.004
"""Reals whose spread is less than one level of 256 are one picture."""

OFF_LEVEL = 0.2
"""watch/brightness beyond this, and"""
NARROW = 0.65
WIDE = 1.5
"""watch/range outside these, or"""
BRIGHT_ONLY = 0.02
"""watch/dark below which samples never leave the bright half, which is [0, 1] of the range [-1, 1]; or"""
CLIPPED = 0.3
"""watch/clipped beyond this, are no matter of taste: a healthy DCGAN is within .03, .95 to 1.02 and .03."""

GRID = 5.0
"""watch/checkerboard from this on can be seen: a generator with 3x3 layers was at 7 to 9. Healthy DCGANs
start at 5 to 36 and are at 1.4 to 4 after 1,000 rounds, the most on the smoothest pictures."""
GRID_ROUNDS = 1_000


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
        return Finding(
            "constant data",
            "fault",
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
    return Finding(
        "mode collapse",
        "fault",
        0.95 if measured == FEW else 0.7,
        evidence + ".",
        "Go back to a snapshot from before the collapse, with lower learning rates; larger batches and "
        "smoothed labels make it rarer.",
        _more_modes(history),
    )


def partial_collapse(history: History) -> Finding | None:
    """Parts of the data are never drawn, or some samples come again and again."""
    if history.rounds < EARLY_ROUNDS or history.measured() < FEW or few_samples(history):
        return None
    missing = history.value("watch/missing", 0.0)
    twins = history.value("watch/look_alikes", 0.0)
    twins = 0.0 if history.points() else twins  # generators on a curve repeat themselves there
    if missing < MISSING and twins < SOME_TWINS:
        return None
    parts = []
    if missing >= MISSING:
        parts.append(f"few samples lie in the clusters that hold {missing:.0%} of the reals")
    if twins >= SOME_TWINS:
        parts.append(f"{twins:.0%} of the samples have a near-duplicate among 256")
    worst = max(missing / MISSING, twins / SOME_TWINS)
    return Finding(
        "partial mode collapse",
        "fault",
        min(0.95, 0.5 + 0.2 * worst),
        f"In the last {FEW} measurements " + " and ".join(parts) + ".",
        "Lower the generator's learning rate or raise the discriminator's; in larger batches the "
        "discriminator sees more easily what is missing.",
        _more_modes(history),
    )


def normalisation(history: History) -> Finding | None:
    """The samples' levels are not the reals': washed out, too dark, saturated."""
    if history.rounds < EARLY_ROUNDS or history.measured() < FEW:
        return None
    offset, width = history.value("watch/brightness", 0.0), history.value("watch/range", 1.0)
    clipped = history.value("watch/clipped", 0.0)
    half = _bright_half_only(history)
    if not half and abs(offset) < OFF_LEVEL and NARROW <= width <= WIDE and clipped < CLIPPED:
        return None
    if not half and few_samples(history):  # one picture may be pale, or all black and white
        return None
    return Finding(
        "wrong normalisation",
        "fault",
        0.95 if half else min(0.95, 0.5 + abs(offset) + abs(width - 1) / 2 + clipped / 2),
        f"Samples are {abs(offset):.0%} {'brighter' if offset > 0 else 'darker'} than the reals, their "
        f"levels span {width:.0%} of the reals' range, and {clipped:.0%} more of them are black or white "
        "than of the reals'" + ("; none is ever darker than middle grey." if half else "."),
        "Reals and the generator's output must both lie in [-1, 1]: check the generator's last layer "
        "(tanh) and how the recipe scales the pictures.",
    )


def _bright_half_only(history: History) -> bool:
    """Whether no sample has ever been darker than middle grey, where the reals are."""
    dark = history.series("watch/dark")
    return bool(dark) and max(dark) < BRIGHT_ONLY


def checkerboard(history: History) -> Finding | None:
    """A grid lies over the samples."""
    if history.rounds < GRID_ROUNDS or history.measured() < FEW:
        return None
    grid = min(history.latest("watch/checkerboard") or [1.0])
    if grid < GRID:
        return None
    return Finding(
        "checkerboard",
        "warning",
        min(0.95, 0.5 + grid / 20),
        f"A grid with a period of 2 or 4 pixels is {grid:.1f} times as strong in the samples as in the "
        "reals.",
        "It may fade with more training; else use a generator that enlarges by interpolation, or whose "
        "transposed convolutions have a kernel divisible by their stride.",
    )


def few_samples(history: History) -> bool:
    """Whether the samples are one or a few, at the last few measurements each."""
    diversity, spacing = history.latest("watch/diversity"), history.latest("watch/spacing")
    twins = history.latest("watch/look_alikes")
    if not diversity:
        return False
    if history.points():
        return max(diversity) < ONE
    return min([1.0, *twins]) > TWINS and (max(diversity) < ONE or max([0.0, *spacing]) < ONE)


def _more_modes(history: History) -> tuple[str, ...]:
    batch = int(history.get("batch", 64))
    smooth = ("--real-target 0.9",) if history.get("real_target", 1.0) == 1.0 else ()
    return (flags.slower(history, "generator"), *smooth, f"--batch {2 * batch}")
