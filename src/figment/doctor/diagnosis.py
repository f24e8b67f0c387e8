"""Diagnosis: from a run's log to what is wrong with it. Pure: no files, no networks, no clock.

Each rule reads a ``History`` and returns a ``Finding`` or None. Their order is that from cause to
symptom; what a cause explains is not said again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from figment.data.printing import clean
from figment.doctor import (
    appearance,
    balance,
    causes,
    classes,
    copying,
    rates,
    samples,
    sets,
    shown,
)
from figment.doctor.evaluated import evaluated
from figment.doctor.finding import SEVERITIES, Finding
from figment.doctor.history import FEW, History
from figment.doctor.progress import progress
from figment.doctor.scores import relapsed

Rule = Callable[[History], Finding | None]

RULES: tuple[Rule, ...] = (
    samples.constant_data,
    shown.levels,
    shown.colours,
    shown.classes,
    shown.left_out,
    causes.turned_round,
    causes.unbounded_critic,
    causes.class_unheard,
    causes.extreme_dropout,
    causes.tiny_batch,
    balance.divergence,
    rates.too_high,
    rates.too_low,
    rates.far_off,
    rates.scheduled,
    rates.momentum,
    rates.of_another_optimizer,
    causes.unheld_critic,
    causes.unreached,
    causes.stands_still,
    samples.unheard_latents,
    appearance.colourless,
    balance.fooled,
    appearance.normalisation,
    copying.reals_changed,
    appearance.colours_swapped,
    appearance.settled_elsewhere,
    classes.disobeyed,
    balance.chase,
    balance.generator_too_strong,
    copying.known_by_heart,
    balance.discriminator_too_strong,
    balance.oscillation,
    classes.in_turn,
    samples.collapse,
    classes.never_drawn,
    copying.memorisation,
    samples.partial_collapse,
    copying.overfitting,
    relapsed,
    classes.missing,
    appearance.checkerboard,
    shown.detail,
    appearance.colours_missing,
    appearance.blurred,
)

EXPLAIN_ALL = frozenset(
    {
        "near-empty data",
        "noise for data",
        "constant data",
        "near-identical pictures",
        "divergence",
        "learning rate too low",
    }
)
"""Where one of these has been found, nothing that is seen beside it needs a name of its own."""

KEPT = 0.5
"""A moment is healthy while this share of the best diversity so far is left."""


def diagnose(
    log: Sequence[dict[str, Any]],
    fields: Mapping[str, Any],
    data: Mapping[str, Any],
    scores: Sequence[Mapping[str, Any]] = (),
    own: Mapping[str, Any] | None = None,
    evaluation: Mapping[str, Any] | None = None,
    *,
    begun: bool = False,
) -> list[Finding]:
    """Return the findings about a run, the worst first; at least one.

    ``log``: the lines of log.jsonl, any of whose columns may be missing; ``fields``: the recipe's;
    ``data``: machine.json's "data"; ``scores``: the lines of metrics.jsonl; ``own``: the fields of the
    system itself, before the user changed any; ``evaluation``: evaluation.json, where it is of the weights
    that samples are drawn from; ``begun``: the run began from another training's weights.
    """
    history = History(log, fields, data, scores, own, evaluation, begun=begun)
    of_data = _of_data(history)
    found = [finding for finding in of_data if finding.severity == "fault"]
    for rule in RULES if history.log else ():
        if any(finding.name in EXPLAIN_ALL for finding in found):
            break
        finding = rule(history)
        if finding is not None and finding.name not in {one.name for one in found}:
            found.append(finding)
    known = {finding.name for finding in found}
    if history.log and not known & EXPLAIN_ALL:
        found += evaluated(history, known)
    found += [one for one in of_data if one.severity == "warning" and one.name not in known]
    if not any(finding.severity == "fault" for finding in found):
        found.append(progress(history, alone=not found))
    found += [one for one in of_data if one.severity == "note"]  # after the run's own verdict
    # names in a log may be anybody's: none of them steers a terminal
    told = [one._replace(evidence=clean(one.evidence)) for one in found]
    return sorted(told, key=lambda finding: SEVERITIES.index(finding.severity))


def _of_data(history: History) -> list[Finding]:
    """Return what is wrong with the data, as it was found when the run began; of earlier runs, how few."""
    kept = history.data.get("findings")
    if isinstance(kept, list):
        return sets.recorded(kept)
    if history.points() or not history.count:
        return []
    return sets.amount(history.count, history.count)


def collapsed(log: Sequence[dict[str, Any]], fields: Mapping[str, Any]) -> Finding | None:
    """Return the divergence or collapse that ``--on-collapse`` acts upon, or None.

    Only full collapse, seen in FEW measurements in a row, after the generator had drawn
    more than one thing or had had long enough to.
    """
    history = History(log, fields, _shape_of(log))
    blown_up = balance.divergence(history)
    if blown_up:
        return blown_up
    return samples.collapse(history) if history.measured() >= FEW else None


def healthy(log: Sequence[dict[str, Any]], fields: Mapping[str, Any]) -> bool:
    """Return whether the log's last line is a moment worth rolling back to."""
    history = History(log, fields, _shape_of(log))
    diversity = history.series("watch/diversity")
    if not diversity or balance.divergence(history) or samples.collapse(history):
        return False
    kept = diversity[-1] >= max(balance.RISEN, KEPT * max(diversity))
    losses = history.latest("loss/discriminator")
    bound = balance.BLOWN_UP if history.classifies else balance.BLOWN_OUT
    return kept and not (history.bounded and losses and losses[-1] > bound)


def _shape_of(log: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what the log itself tells of the data: points have no brightness."""
    measured = [line for line in log if "watch/diversity" in line]
    return {"shape": [2]} if measured and "watch/brightness" not in measured[-1] else {}
