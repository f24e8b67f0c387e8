"""How the two players stand to each other: one too strong, both going in circles, or losses blown up."""

from __future__ import annotations

import math
from statistics import median

from figment.doctor import flags
from figment.doctor.finding import Finding
from figment.doctor.history import FEW, MANY, YOUNG_ROUNDS, History, falling

EARLY_ROUNDS = 500
"""Until here nothing is called collapsed or overpowered: a DCGAN on cats had .98 look-alikes at 317
rounds and .13 at 475."""

RISEN = 0.3
"""watch/diversity that a generator has had before it can be said to have lost it."""
RISEN_ROUNDS = 2_000
"""After so many rounds without it, a generator that draws one picture has collapsed all the same. C1, whose
rates are a tenth of the usual, has not begun to vary after 600."""

SURE_ACCURACY = 0.985
SURE_FAKE = 0.03
"""Where the discriminator is right this often and gives fakes at most this, it teaches little. Healthy
DCGANs stayed under .94 and above .11; C1 and C2, collapsed, were beyond both from 30,000 images on."""
OVERDRIVEN = 30.0
"""Times as much as in the system itself that the discriminator learns for each move of the generator's, by
moves and rates, from which one that is always right is too strong even while samples still come nearer: at
80 times an FCC-GAN crept on for 500 rounds and drew one picture."""
HOPELESS_ROUNDS, HOPELESS, AS_FAR = 150, 0.001, 0.98
"""Rounds from which that is said; and, where it is said of a generator that has got nowhere, the
probability with which samples are taken for real, as the median of all lines but the first, and the part of
the first distances that is left at least."""
FAR = 0.35
"""watch/distance beyond this is far from the data: healthy runs end below .2, untrained ones are at .8."""

EVEN_ACCURACY = 0.62
EVEN_JSD = 0.03
"""Where the discriminator is right no more often and tells no more, it sees no difference. That is the
goal if the samples are near the reals; if they are far, the generator has escaped it."""

BLOWN_UP = 5.0
"""A classifying discriminator's loss: 1.39 is guessing, healthy runs stayed below 1.4."""
BLOWN_AWAY = 100.0
"""A non-saturating generator's loss: 10 against a discriminator that is always right, millions after too
large steps."""
BLOWN_OUT = 1e4
"""A discriminator's loss that has a least value, as hinge and relativistic losses have: R3GAN at 20 times
its rates was at 1e4 to 1e10, healthy ones are below 10."""
FOOLED = 0.9
"""score/fake beyond which the discriminator takes nearly every sample for real: a discriminator whose rate
was divided by 1000 was at .99 and a loss of 9."""

WANDERING = 0.35
PAST_ITSELF = 2.0
CIRCLES = 6
"""watch/movement where the game goes in circles: beyond the first, and so many times watch/diversity, as
the median of so many measurements. Points that rotated from mode to mode moved by .4 to 2 with
diversities of .05 to .3; settled ones by .05 with 1; a healthy DCGAN by .3 to .7 with 1. Or, past the first
bound alone, where watch/distance is far and does not fall: points with a diversity of .7 moved by .5 at a
time and stayed at .45."""

ADVICE = (
    "Lower the generator's learning rate and keep the discriminator's higher; Adam without momentum (a "
    "first beta of 0) may help too."
)
ONE_KIND = 0.8
"""watch/look_alikes from which samples that move are a few that change places: collapsed, not at sea."""
CHASING = 10.0
"""Times watch/diversity that a generator moves which draws one thing at a time and has never drawn more:
points that were shown one mode after another moved 7 to 60 times as far; WGAN-GP on flowers, young, 5."""
NARROWER = 0.7
HAS_VARIED = 0.1
"""A generator that has had the second of watch/diversity and stays below the first of its best has lost
what little it had, and is not merely slow to begin: one with a tenth of the usual rates never had it."""


def divergence(history: History) -> Finding | None:
    """A loss or gradient is not finite, or far larger than in runs that learn."""
    broken = [line for line in history.log[-FEW:] if _not_finite(line)]
    slower = flags.rates(history, 1 / 10)
    if broken:
        at, what = _first_bad(broken)
        return Finding(
            "divergence",
            "fault",
            1.0,
            f"{what} was not finite at {at:,} images.",
            "Train again with lower learning rates; nothing can be learned from here on.",
            slower,
        )
    deceived = history.level("score/fake", 0.0) > FOOLED  # that is dear as well
    told = (BLOWN_AWAY if deceived else BLOWN_UP), (math.inf if deceived else BLOWN_AWAY)
    bounds = told if history.classifies else (BLOWN_OUT, math.inf)
    for player, bound in zip(("discriminator", "generator"), bounds, strict=True):
        losses = history.latest(f"loss/{player}")
        if history.bounded and len(losses) == FEW and min(losses) > bound:
            return Finding(
                "divergence",
                "fault",
                0.9,
                f"The {player}'s loss has been {min(losses):.3g} or more in the last {FEW} lines of the "
                f"log; it stays below {bound:g} in runs that learn.",
                "Train again with lower learning rates.",
                slower,
            )
    return None


def fooled(history: History) -> Finding | None:
    """The discriminator takes nearly every sample for real, whatever else they look like."""
    if not history.classifies or history.rounds < EARLY_ROUNDS or history.untold():
        return None
    fakes, right = history.recent("score/fake"), history.recent("score/accuracy")
    if not fakes or not right or min(fakes) < FOOLED or max(right) > EVEN_ACCURACY:
        return None
    distance = history.now("watch/distance")
    if distance is None or distance < FAR or history.falls("watch/distance"):
        return None
    return _too_weak(history, distance)


def discriminator_too_strong(history: History) -> Finding | None:
    """The discriminator is always right, so the generator learns nothing from it."""
    overdriven = flags.times_pace(history) >= OVERDRIVEN
    hopeless = overdriven or _nothing_learned(history)
    soon = history.rounds < (HOPELESS_ROUNDS if hopeless else EARLY_ROUNDS)
    if not history.classifies or soon or _unmeasured(history):
        return None
    accuracy, fake = history.level("score/accuracy", 0.5), history.level("score/fake", 0.5)
    if accuracy < SURE_ACCURACY or fake > SURE_FAKE:
        return None
    distance = history.now("watch/distance")
    if distance is not None and (distance <= FAR or (_learns(history) and not hopeless)):
        return None  # it is still being learned from
    evidence = (
        f"The discriminator is right about {accuracy:.1%} of the pictures and takes samples for "
        f"real with a probability of {fake:.2g} on average "
        f"(loss {history.level('loss/discriminator', 0):.2g})"
    )
    gradients = history.series("gradient/generator")
    vanished = len(gradients) >= FEW and history.level("gradient/generator", 1) < 0.01 * max(
        gradients
    )
    if vanished:
        evidence += f"; the generator's gradient has fallen to {gradients[-1]:.2g}"
    if distance is not None:
        evidence += f"; samples are {distance:.2g} standard deviations from the reals"
    if overdriven:
        evidence += (
            f"; by moves and rates it learns {flags.times_pace(history):.0f} times as much for each of the "
            "generator's moves as in this system"
        )
    return Finding(
        "discriminator too strong",
        "fault",
        0.95 if distance is not None else 0.7,
        evidence + ".",
        "Hold the discriminator back: a lower learning rate, dropout, smoothed labels.",
        flags.calmer(history),
    )


def generator_too_strong(history: History) -> Finding | None:
    """The discriminator sees no difference although there is one."""
    if not history.classifies or history.rounds < EARLY_ROUNDS or history.untold():
        return None
    accuracy, jsd = history.level("score/accuracy", 1.0), history.level("jsd", 0.0)
    distance = history.now("watch/distance")
    if distance is None or distance < FAR or accuracy > EVEN_ACCURACY or jsd > EVEN_JSD:
        return None
    if history.falls("watch/distance"):
        return None  # it is getting there all the same
    return _too_weak(history, distance)


def _too_weak(history: History, distance: float) -> Finding:
    accuracy = history.level("score/accuracy", 0.5)
    more = int(history.get("discriminator_moves", 1)) + 2
    return Finding(
        "generator too strong",
        "fault",
        0.9,
        f"The discriminator is right about {accuracy:.0%} of the pictures, no better than guessing, "
        f"and takes samples for real with a probability of {history.level('score/fake', 0.5):.2f} on "
        f"average, yet they are {distance:.2g} standard deviations from the reals.",
        "Let the discriminator learn faster or take more steps, or the generator learn more slowly.",
        (
            flags.faster(history, "discriminator"),
            flags.slower(history, "generator"),
            f"--discriminator-moves {more}",
        ),
    )


def oscillation(history: History) -> Finding | None:
    """The players chase each other in circles."""
    moved = history.latest("watch/movement", CIRCLES)
    spread = history.latest("watch/diversity", CIRCLES)
    if min(len(moved), len(spread)) < FEW or history.rounds < EARLY_ROUNDS or history.untold():
        return None
    if history.grows(CIRCLES):
        return None
    far, wide = median(moved), median(spread)
    lost = (
        history.value("watch/distance", 0.0) > FAR
        and history.measured() >= 2 * CIRCLES
        and not history.falls("watch/distance", CIRCLES)
        and not history.stays(
            "watch/look_alikes", low=ONE_KIND
        )  # a few pictures, each always the same
    )
    if far < WANDERING or (far < PAST_ITSELF * wide and not lost):
        return None
    if history.rounds < YOUNG_ROUNDS and _widens(history):
        return None
    if unrisen(history):
        return None  # WGAN-GP on flowers moved by 0.6 to 1 with a diversity of 0.2 for 750 rounds
    return Finding(
        "oscillation",
        "fault",
        min(0.95, 0.6 + far / 4),
        f"From one measurement to the next, samples of the same latents move by {far:.2g} times the data's "
        f"spread, while the samples themselves are spread {wide:.2g} times as wide as the data (last "
        f"{len(moved)} measurements): the generator moves about instead of settling.",
        ADVICE,
        _steadier(history),
    )


def chase(history: History) -> Finding | None:
    """The generator runs from one thing to another, drawing one at a time and never more."""
    moved = history.latest("watch/movement", 2 * CIRCLES)
    spread = history.latest("watch/diversity", 2 * CIRCLES)
    if min(len(moved), len(spread)) < MANY or history.rounds < EARLY_ROUNDS:
        return None
    if history.grows(2 * CIRCLES):
        return None
    far, wide = median(moved), max(median(spread), 1e-6)
    if far < WANDERING or far < CHASING * wide or history.value("watch/distance", 0.0) < FAR:
        return None
    if history.falls("watch/distance", CIRCLES) or max(history.series("watch/diversity")) >= RISEN:
        return None
    return Finding(
        "oscillation",
        "fault",
        0.9,
        f"From one measurement to the next, samples of the same latents move by {far:.2g} times the data's "
        f"spread, while they are spread {wide:.2g} times as wide as the data (last {len(moved)} "
        "measurements): the generator draws one thing at a time.",
        ADVICE,
        _steadier(history),
    )


def _steadier(history: History) -> tuple[str, ...]:
    return (
        flags.slower(history, "generator"),
        flags.rate(history, "discriminator", 2),
        "--betas 0 0.999",
    )


def _learns(history: History) -> bool:
    """Whether samples come nearer to the reals, or those of a young run spread while none are there yet."""
    young = history.rounds < YOUNG_ROUNDS and max([0.0, *history.latest("watch/diversity")]) < RISEN
    return history.falls("watch/distance") or (young and _widens(history))


def _nothing_learned(history: History) -> bool:
    """Whether a sure discriminator has left samples as far from the reals as they were, and as alike."""
    distance, fakes = history.series("watch/distance"), history.series("score/fake")[1:]
    if len(distance) < MANY + FEW or not fakes or median(fakes) > HOPELESS:
        return False
    alike = history.stays("watch/diversity", high=HAS_VARIED)
    return alike and min(distance[-MANY:]) >= AS_FAR * min(distance[:FEW])


def _widens(history: History) -> bool:
    """Whether the samples have become clearly more different from each other lately."""
    return falling([1 / max(value, 1e-3) for value in history.series("watch/diversity")])


def _unmeasured(history: History) -> bool:
    """Whether samples are measured, but not often enough yet to tell."""
    return history.measured() > 0 and history.untold()


def unrisen(history: History) -> bool:
    """Whether the generator has not begun to vary, and need not have by now."""
    before = history.series("watch/diversity")
    if not before or max(before) >= RISEN or history.rounds >= RISEN_ROUNDS:
        return False
    best = max(before)
    lost = best >= HAS_VARIED and history.stays("watch/diversity", high=NARROWER * best)
    return not lost or history.falls("watch/distance")


def _not_finite(line: dict) -> bool:
    return any(_bad(key, value) for key, value in line.items())


def _first_bad(lines: list[dict]) -> tuple[int, str]:
    """Return the images seen by the first such line with a column that is not finite, and that column.

    A training that broke off may have left no such column: its sums hold finished rounds alone.
    """
    for line in lines:
        for key, value in line.items():
            if key != "not_finite" and _bad(key, value):
                return int(line["images"]), key
    return int(lines[0]["images"]), "A loss or a gradient"


def _bad(key: str, value: object) -> bool:
    """A column that is infinite or no number; "not_finite" is what a training that broke off leaves."""
    return (key == "not_finite" and bool(value)) or (
        isinstance(value, float) and not math.isfinite(value)
    )
