"""Where nothing is wrong: too early to tell, healthy, or converged."""

from __future__ import annotations

from figment.doctor.balance import EARLY_ROUNDS, RISEN_ROUNDS, unrisen
from figment.doctor.finding import Finding
from figment.doctor.history import History

ENOUGH = 12
"""Measurements that a plateau is read from."""
BETTER = 0.9
"""A run still learns while its last third is better than the third before by this factor."""
GOOD = 0.2
"""watch/distance from which a run may be called converged: reals are at .08 of themselves."""


def too_early(history: History) -> Finding | None:
    """Nothing can be said yet."""
    if unrisen(history) and history.rounds >= EARLY_ROUNDS:
        return Finding(
            "too early to tell",
            "good",
            0.7,
            f"After {history.rounds:,} rounds the samples hardly vary yet: at most "
            f"{max(history.series('watch/diversity')):.2g} of the reals' diversity. Some recipes take "
            f"{RISEN_ROUNDS:,} rounds.",
            "Keep training, and run the doctor again later.",
        )
    if history.rounds >= EARLY_ROUNDS and len(history.log) >= 3:
        return None
    return Finding(
        "too early to tell",
        "good",
        0.9,
        f"The run is at round {history.rounds:,} (a round updates both networks). Before round "
        f"{EARLY_ROUNDS:,} even a good run looks collapsed.",
        "Keep training.",
    )


def progress(history: History) -> Finding:
    """Whether more training will help, for a run without faults."""
    early = too_early(history)
    if early:
        return early
    converged = _plateau(history)
    if converged:
        return converged
    distance, diversity = history.now("watch/distance"), history.now("watch/diversity")
    if distance is None or diversity is None:
        evidence = (
            f"Losses and scores are within the bounds of healthy runs at {history.images:,} images."
        )
        return Finding("healthy", "good", 0.6, evidence, "Keep training.")
    return Finding(
        "healthy",
        "good",
        0.9,
        f"The samples still differ from the real data (distance {distance:.2g}; other real data get about "
        f"0.08) and vary {diversity:.0%} as much.",
        "Keep training.",
    )


def _plateau(history: History) -> Finding | None:
    """Return the finding for a run whose score has stopped getting better, where there is a fine one."""
    key, name = _score(history)
    values = history.series(key)
    if len(values) < ENOUGH:
        return None
    third = len(values) // 3
    before, last = min(values[:-third]), min(values[-third:])
    if last < BETTER * before or history.value("watch/distance", 0.0) > GOOD:
        return None
    return Finding(
        "converged",
        "good",
        0.8,
        f"The best {name} in the last third of the run is {last:.3g}; before that it was {before:.3g}.",
        "More training with this recipe will hardly help: take the best weights, or change the recipe "
        "(width, more data).",
    )


def _score(history: History) -> tuple[str, str]:
    """Return the column that says how good the run is (lower is better) and its name.

    Thumbnails settle long before what they leave out, so that of pictures only a metric counts, and not one
    of the features ``small``: by those the flowers of the demo were at their best while still noisy.
    """
    for name in () if history.fields.get("features") == "small" else ("kid", "fid"):
        if history.series(f"metric/{name}"):
            return f"metric/{name}", name.upper()
    return "watch/stray", "share of stray points"
