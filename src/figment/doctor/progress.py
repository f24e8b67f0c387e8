"""The verdict where no fault is found: too early, still far from the data, converged, or healthy."""

from __future__ import annotations

from statistics import median

from figment.data.printing import counted
from figment.doctor import appearance, classes, samples
from figment.doctor.balance import EARLY_ROUNDS, RISEN_ROUNDS, unrisen
from figment.doctor.finding import Finding
from figment.doctor.history import History
from figment.doctor.scores import UNTRUSTED, called, figure, standing
from figment.rounds import ENOUGH_ROUNDS
from figment.units import duration

ENOUGH = 12
"""Measurements that a plateau is read from."""
BETTER = 0.9
"""A run still learns while its last third is better than the third before by this factor."""
GOOD = 0.2
"""watch/distance from which a run may be called converged: reals are at 0.08 of themselves."""
ON_MODES, ALL_MODES = 0.8, 0.95
"""Share of points on a mode, and of the modes reached, from which points are near the data's: points of
figment's own default setting get 0.8 to 0.95 and all modes, shapeless clouds 0.003 to 0.1."""
TOLD, OBEYED = 0.6, 0.6
"""Where so many reals' classes can be told, the share of samples told as asked, over theirs, from which
classes are obeyed: C5 by class on MNIST is at 0.2 after 400 rounds and at 0.9 after 1,000."""
HOURS = 90
"""Minutes from which hours are said."""
SLOWEST = 1e-6
"""Images a second below which a log tells nothing."""


def progress(history: History, *, alone: bool = True) -> Finding:
    """Return the verdict on a run without faults. ``alone``: there is no warning above it either."""
    verdict = _scored_far(history) or _too_early(history) or _still_far(history)
    if alone:
        verdict = verdict or _almost(history)
    verdict = verdict or _plateau(history) or _healthy(history)
    if alone:
        return verdict
    if verdict.severity == "good":  # under a warning nothing is praised
        return verdict._replace(name="nothing else found", severity="note", advice="")
    return verdict._replace(advice="")


def _too_early(history: History) -> Finding | None:
    """Nothing can be said yet."""
    advice = "Keep training, and run the doctor again later."
    if unrisen(history) and history.rounds >= EARLY_ROUNDS:
        return Finding(
            "too early to tell",
            "note",
            0.7,
            f"Too early: after {history.rounds:,} rounds the samples hardly vary yet, at most "
            f"{max(history.series('watch/diversity')):.0%} as much as your pictures. Some recipes take "
            f"{RISEN_ROUNDS:,} rounds.",
            advice,
        )
    if history.rounds >= EARLY_ROUNDS and len(history.log) >= 3:
        return None
    why = "even a good run looks collapsed"
    if not history.adversarial:
        why = "even a good run draws blurs" if history.codes else "even a good run draws noise"
    return Finding(
        "too early to tell",
        "note",
        0.9,
        f"Too early: {counted(history.rounds, 'round')} so far. Before {EARLY_ROUNDS:,} {why}.",
        advice,
    )


def _still_far(history: History) -> Finding | None:
    """The samples are not like the data yet, though nothing is known to be wrong."""
    evidence = _points_far(history) if history.points() else _pictures_far(history)
    return _far(history, evidence) if evidence else None


def _scored_far(history: History) -> Finding | None:
    """The score says that samples are far, at whatever age."""
    score = standing(history) if history.log else None  # measured before the first tick
    return _still_far(history) if score is not None and score.far else None


def _almost(history: History) -> Finding | None:
    """The samples are near on the whole, with the sign of a fault that may not be called one yet."""
    evidence = "" if history.points() else _unlike(history)
    return _far(history, evidence) if evidence else None


def _far(history: History, evidence: str) -> Finding:
    what = "points" if history.points() else "pictures"
    return Finding(
        f"still far from your {what}",
        "note",
        0.9,
        f"No fault found, but {evidence}.",
        _what_more(history),
    )


def _pictures_far(history: History) -> str:
    """Return the figures that show how far pictures are from the data, "" where they are near."""
    score, distance = standing(history), history.now("watch/distance")
    obeyed, told = (history.now(f"watch/classes_{what}") for what in ("obeyed", "told"))
    if obeyed is not None and told is not None and told >= TOLD and obeyed < OBEYED:
        return (
            f"{obeyed * told:.0%} of the samples are told as the class that was asked for, of real ones "
            f"{told:.0%}"
        )
    if score is not None:
        doubt = " (random features cannot tell how near)" if score.features == UNTRUSTED else ""
        return f"{score.said()}{doubt}" if score.far else ""
    if distance is None or distance <= GOOD:
        return ""
    return f"the samples differ from them by {distance:.2g} standard deviations (other real ones by 0.08)"


def _unlike(history: History) -> str:
    """Return what is unlike the data in samples that are near them on the whole, "" where nothing is."""
    grid, colours, detail, alike, missing = (
        history.now(f"watch/{name}")
        for name in ("checkerboard", "saturation", "detail", "look_alikes", "missing")
    )
    if behind := classes.lagging(history):
        return behind
    if grid is not None and grid >= appearance.GRID:
        return f"a grid lies over the samples, {grid:.1f} times as strong as in them"
    if colours is not None and colours < appearance.COLOURLESS:
        return f"the samples' colours are {colours:.0%} as strong"
    if detail is not None and detail < appearance.BLURRED:
        return f"the samples have {detail:.0%} of the fine detail"
    if alike is not None and alike >= samples.SOME_TWINS:
        return f"{alike:.0%} of the samples have a near-duplicate among 256"
    if missing is not None and missing >= samples.MISSING:
        return f"few samples lie in the clusters that hold {missing:.0%} of them"
    return ""


def _points_far(history: History) -> str:
    """Return the figures that show how far points are from the data, "" where they are near."""
    on, found, known, stray = (
        history.now(f"watch/{name}") for name in ("on_modes", "modes", "modes_of", "stray")
    )
    if on is None or found is None or known is None:
        far = stray is not None and stray > 1 - ON_MODES
        return f"{stray:.0%} of the samples lie far from any real point" if far else ""
    if on >= ON_MODES and found >= ALL_MODES * known:
        return ""
    return (
        f"{on:.0%} of the samples lie on a mode (of real points 99%), and {found:.0f} of {known:.0f} modes "
        "are reached"
    )


def _what_more(history: History) -> str:
    """Return what to do about samples that are far: so many minutes more, or something else."""
    speeds = history.series("speed/images_per_second")
    # of rounds alone; 0 is of an earlier version, where a line was written and nothing played
    usual = median([speed for speed in speeds if speed > 0] or [0.0])
    if usual < SLOWEST or not history.rounds:
        return "Train longer: `figment resume RUN --minutes 30` goes on from here."
    least = 0 if history.points() else ENOUGH_ROUNDS
    goal = max(least, 2 * history.rounds)
    images = (goal - history.rounds) * history.images / history.rounds
    minutes = max(1, round(images / usual / 60))
    told = counted(minutes, "minute") if minutes < HOURS else duration(60 * minutes)
    why = "before which pictures hardly take shape" if goal == least else "twice as many as so far"
    return (
        f"Train about {told} more, to {goal:,} rounds, {why}: "
        f"`figment resume RUN --minutes {minutes}` goes on from here."
    )


def _healthy(history: History) -> Finding:
    score = standing(history)
    distance, diversity = history.now("watch/distance"), history.now("watch/diversity")
    if distance is None or diversity is None:
        evidence = (
            f"Losses and scores are within the bounds of healthy runs at {history.images:,} images."
        )
        return Finding("healthy", "good", 0.6, evidence, "Keep training.")
    near = f" {score.said()}." if score is not None else ""
    what = "points" if history.points() else "pictures"
    return Finding(
        "healthy",
        "good",
        0.9,
        f"No fault found: the samples differ from your {what} by {distance:.2g} standard deviations (other "
        f"real ones by 0.08) and vary {diversity:.0%} as much.{near}",
        "Keep training for as long as the score gets better.",
    )


def _plateau(history: History) -> Finding | None:
    """Return the finding for a run whose score has stopped getting better, where there is a fine one."""
    key, name = _score(history)
    column, values = key.rpartition("/")[2], history.series(key)
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
        f"The best {name} in the last third of the run is {figure(column, last)}; before that it was "
        f"{figure(column, before)}.",
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
            return f"metric/{name}", called(name)
    return "watch/stray", "share of stray points"
