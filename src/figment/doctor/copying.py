"""Learning by heart: the discriminator knows its training pictures, or the generator copies them."""

from __future__ import annotations

from math import isfinite
from statistics import median
from typing import NamedTuple

from figment.doctor import balance, flags, shown
from figment.doctor.balance import EARLY_ROUNDS
from figment.doctor.finding import Finding
from figment.doctor.history import FEW, History
from figment.doctor.samples import few_samples

GAP = 0.35
"""(D(train) - D(held out)) / (D(train) - D(fake)) from which the discriminator knows pictures by heart."""
ADA_TARGET = 0.6
"""score/sign from which Karras et al. 2020a call a discriminator overfitting; a DCGAN's is beyond it in
health too, so that it only counts beside the gap, or where few pictures have been seen very often."""
SIGN_GAP = 0.3
OFTEN = 50
PLAIN_SIGN, VERY_OFTEN, SOON = 0.8, 100, 150
"""Before EARLY_ROUNDS, from the third on: the same of pictures of which none were held out and each has
been seen so often. With 45 cats the sign is at .96 to 1 after 100 passes, and 53 % of other cats are taken
for real instead of 98 %."""
FEW_PICTURES = 1_000
KNOWN, HASTY = 0.9, 5.0
"""score/sign from which a discriminator that is always right of pictures seen VERY_OFTEN knows them by
heart; and times of the system's own pace from which it may be right for other reasons."""
ADVICE = (
    "More, or more varied, pictures cure it; mirroring and dropout help, and so does stopping at the best "
    "score."
)

SEEN_BEFORE = 2
"""Passes before which a discriminator has met no picture often enough to know it by heart."""

BACKWARDS, AT_LEAST, LINES = 0.8, 0.6, 4
"""Gap from which held-out pictures are hardly more real than samples. Where the median of the lines of the
first SEEN_BEFORE passes is so much, none less than the second, and there are so many or more, the reals are
changed: sound runs begin at -1 to 0.4."""

COPIED, COPIED_LEAST = 0.25, 0.1
"""watch/copies from which samples are copies, where all training pictures are compared with or only some:
healthy runs have 0 to .02 (.05 in their first minutes), held-out reals .01."""
NEAR = 0.7
"""watch/nearest below which samples are nearer to training examples than new ones would be; an averaged
picture is near to all, so it only counts beside the copies."""
REFERENCE = 1_000
"""Training pictures that copies are looked for among (``signs.REALS``)."""


def overfitting(history: History) -> Finding | None:
    """The discriminator tells training pictures from new ones."""
    soon = history.rounds < EARLY_ROUNDS
    if history.rounds < SOON or 0 < history.passes < SEEN_BEFORE:
        return None
    if history.points() and history.count > FEW_PICTURES:
        return None  # nobody knows so many points of a plane by heart
    if shown.changed(history) or reals_changed(history):
        return None  # held-out pictures are told from what they have become, not by heart
    seen = _scores(history)
    if seen is None:
        return _suspected(history, history.mean("score/sign"), soon)
    if soon:
        return None
    gap, real, new, fake, sign, held = seen
    if not _apart(seen) or (gap <= 2 * GAP and _nearing(history)):
        return None
    return Finding(
        "discriminator overfitting",
        "fault" if gap > 2 * GAP else "warning",
        min(0.95, 0.5 + gap / 2),
        f"The discriminator's mean score is {real:.2f} on training pictures, {new:.2f} on held-out ones "
        f"and {fake:.2f} on samples (mean signs of its logits on reals: {sign:.2f} and {held:.2f}): "
        f"{gap:.0%} of the difference that it sees is memorised.",
        ADVICE,
        against(history),
    )


def known_by_heart(history: History) -> Finding | None:
    """A discriminator that is always right has few pictures, and has seen each very often."""
    few = 0 < history.count < FEW_PICTURES and history.passes > VERY_OFTEN
    sign = history.level("score/sign", 0.0)
    if not few or sign < KNOWN or flags.times_pace(history) >= HASTY or shown.changed(history):
        return None
    held_out = _scores(history)
    if held_out is not None and not _apart(held_out):
        return None  # new pictures are taken for real as well
    sure = balance.discriminator_too_strong(history)
    if sure is None:
        return None
    return Finding(
        "discriminator overfitting",
        "fault",
        0.75,
        f"Of {history.count:,} pictures, each seen {history.passes:,.0f} times, the discriminator takes "
        f"{(1 + sign) / 2:.0%} for real, and samples with a probability of "
        f"{history.level('score/fake', 0.0):.2g} on average: it knows them by heart, and nothing else "
        "passes.",
        ADVICE,
        against(history),
    )


def reals_changed(history: History) -> Finding | None:
    """Held-out pictures are told from training pictures that have hardly been seen: not by heart, then."""
    if history.points() or history.fields.get("augment") == "study" or not history.passes:
        return None  # that augmentation changes the reals, and is meant to
    if shown.as_they_are(history):
        return None
    seen, passes, sure = _backwards(history), min(history.passes, SEEN_BEFORE), 0.9
    if seen is None and history.rounds >= EARLY_ROUNDS and history.passes < SEEN_BEFORE:
        seen, sure = _scores(history), 0.75
        seen = seen if seen is not None and _apart(seen) else None
    if seen is None:
        return None
    return Finding(
        "wrong normalisation",
        "fault",
        sure,
        f"After {passes:.1f} passes, too few to know any picture by heart, the discriminator's "
        f"mean score is {seen.real:.2f} on training pictures and {seen.new:.2f} on held-out ones: "
        "something changes the pictures on their way to it.",
        "Look at how the recipe scales the reals: they must lie in [-1, 1], as what the "
        "generator draws does.",
    )


class _Scores(NamedTuple):
    """What the discriminator says of reals, held-out pictures and fakes, and how much is by heart."""

    gap: float
    real: float
    new: float
    fake: float
    sign: float
    held: float


def _scores(history: History) -> _Scores | None:
    names = ("real", "held_out", "fake", "sign", "held_out_sign")
    found = [history.mean(f"score/{name}") for name in names]
    real, new, fake, sign, held = found
    if real is None or new is None or fake is None or sign is None or held is None:
        return None
    return _Scores(_gap(real, new, fake), real, new, fake, sign, held)


def _gap(real: float, new: float, fake: float) -> float:
    return (real - new) / max(real - fake, 0.05)


def _backwards(history: History) -> _Scores | None:
    """Return the newest of the first scores, where held-out pictures are hardly more real than samples."""
    names = ("real", "held_out", "fake", "sign", "held_out_sign")
    found = []
    for line in history.log:
        numbers = [line.get(f"score/{name}") for name in names]
        values = [float(one) for one in numbers if isinstance(one, int | float) and isfinite(one)]
        if line["images"] > SEEN_BEFORE * history.count or len(found) == 3 * LINES:
            break
        if len(values) == len(names):
            real, new, fake, sign, held = values
            found.append(_Scores(_gap(real, new, fake), real, new, fake, sign, held))
    gaps = [seen.gap for seen in found]
    if len(found) < LINES or min(gaps) < AT_LEAST or median(gaps) < BACKWARDS:
        return None
    return found[-1]


def _apart(seen: _Scores) -> bool:
    """Whether training pictures are told from new ones."""
    return seen.gap >= GAP and seen.sign - seen.held >= SIGN_GAP and seen.sign >= ADA_TARGET


def _nearing(history: History) -> bool:
    """Whether samples come nearer to the pictures all the same, or nobody can tell yet."""
    return history.falls("watch/distance") or (history.measured() > 0 and history.untold())


def memorisation(history: History) -> Finding | None:
    """Samples are training pictures."""
    if history.rounds < EARLY_ROUNDS or history.measured() < FEW or few_samples(history):
        return None
    copies, nearest = (
        min(history.latest("watch/copies") or [0.0]),
        history.value("watch/nearest", 1.0),
    )
    seen = min(1.0, REFERENCE / history.count) if history.count else 1.0
    if copies < max(COPIED_LEAST, COPIED * seen) or nearest > NEAR:
        return None
    return Finding(
        "memorisation",
        "fault",
        min(0.95, 0.6 + copies / 2),
        f"{copies:.0%} of the samples are far nearer to one training picture than to any other, and their "
        f"median distance to the nearest is {nearest:.2g} times that of pictures held out "
        f"({history.count:,} pictures, {history.passes:,.0f} passes).",
        "The generator repeats its training pictures: train on more of them, or stop earlier.",
        against(history),
    )


def _suspected(history: History, sign: float | None, soon: bool) -> Finding | None:
    often, bound = (VERY_OFTEN, PLAIN_SIGN) if soon else (OFTEN, ADA_TARGET)
    few = 0 < history.count < FEW_PICTURES and history.passes > often
    if sign is None or sign < bound or not few:
        return None
    return Finding(
        "discriminator overfitting",
        "warning",
        0.5,
        f"Of {history.count:,} pictures, each seen {history.passes:,.0f} times, the discriminator takes "
        f"{(1 + sign) / 2:.0%} for real; none were held out to compare with.",
        ADVICE,
        against(history),
    )


def against(history: History) -> tuple[str, ...]:
    found = []
    if not history.fields.get("mirror") and not history.points():
        found.append("--mirror")
    if history.get("dropout") == 0:
        found.append("--dropout 0.3")
    return tuple(found)
