"""Diagnosis: from a run's log to what is wrong with it. Pure: no files, no networks, no clock.

Each rule reads a ``History`` and returns a ``Finding`` or None. Their order is that from cause to
symptom; what a cause explains is not said again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from figment.doctor import balance, copying, rates, samples
from figment.doctor.finding import Finding
from figment.doctor.history import FEW, History
from figment.doctor.progress import progress

Rule = Callable[[History], Finding | None]

RULES: tuple[Rule, ...] = (
    samples.constant_data,
    balance.divergence,
    rates.too_high,
    rates.too_low,
    samples.normalisation,
    balance.generator_too_strong,
    balance.discriminator_too_strong,
    balance.oscillation,
    samples.collapse,
    copying.memorisation,
    samples.partial_collapse,
    copying.overfitting,
    samples.checkerboard,
)

ALL = frozenset({"everything"})
EXPLAINS: dict[str, frozenset[str]] = {
    "constant data": ALL,
    "divergence": ALL,
    "learning rate too low": ALL,
}
"""What needs no name of its own where a cause has been found."""
SEVERITIES = ("fault", "warning", "good")

KEPT = 0.5
"""A moment is healthy while this share of the best diversity so far is left."""


def diagnose(
    log: Sequence[dict[str, Any]], fields: dict[str, Any], data: dict[str, Any]
) -> list[Finding]:
    """Return the findings about a run, the worst first; at least one.

    ``log``: the lines of log.jsonl, any of whose columns may be missing; ``fields``: the recipe's;
    ``data``: machine.json's "data".
    """
    history = History(log, fields, data)
    if not history.log:
        return [progress(history)]
    found: list[Finding] = []
    for rule in RULES:
        finding = rule(history)
        if finding is None:
            continue
        found.append(finding)
        if EXPLAINS.get(finding.name) is ALL:
            break
    if not any(finding.severity == "fault" for finding in found):
        found.append(progress(history))
    return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))


def collapsed(log: Sequence[dict[str, Any]], fields: dict[str, Any]) -> Finding | None:
    """Return the divergence or collapse that ``--on-collapse`` acts upon, or None.

    Only full collapse, seen in FEW measurements in a row, after the generator had drawn
    more than one thing or had had long enough to.
    """
    history = History(log, fields, _shape_of(log))
    blown_up = balance.divergence(history)
    if blown_up:
        return blown_up
    return samples.collapse(history) if history.measured() >= FEW else None


def healthy(log: Sequence[dict[str, Any]], fields: dict[str, Any]) -> bool:
    """Return whether the log's last line is a moment worth rolling back to."""
    history = History(log, fields, _shape_of(log))
    diversity = history.series("watch/diversity")
    if not diversity or balance.divergence(history) or samples.collapse(history):
        return False
    kept = diversity[-1] >= max(balance.RISEN, KEPT * max(diversity))
    losses = history.latest("loss/discriminator")
    return kept and not (history.classifies and losses and losses[-1] > balance.BLOWN_UP)


def _shape_of(log: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what the log itself tells of the data: points have no brightness."""
    measured = [line for line in log if "watch/diversity" in line]
    return {"shape": [2]} if measured and "watch/brightness" not in measured[-1] else {}
