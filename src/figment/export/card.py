"""What is said of an exported generator: its data, scores with their protocol, copies, health, terms."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from figment.export.subject import Subject
from figment.metrics.score import Score
from figment.report import labels
from figment.report.judgement import standing

UNKNOWN = "unknown: the terms of the training data apply to what is done with the pictures"
USE = (
    "To look at, to learn from and to play with. Pictures may resemble single training pictures, show what "
    "those show, and are no evidence of anything."
)


class KeptScore(msgspec.Struct):
    """A score of a card that anybody may have written."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None
    floor: float | None = None
    better: Literal["lower", "higher", "floor"] = "lower"
    protocol: str = ""
    note: str = ""


class KeptFinding(msgspec.Struct):
    """A finding of such a card."""

    severity: str
    name: str
    evidence: str


class Kept(msgspec.Struct):
    """Such a card, as ``card_of`` makes it."""

    sentence: str
    data: str
    copies: str
    licence: str
    use: str
    parameters: int
    scores: list[KeptScore]
    doctor: list[KeptFinding]
    examples: int | None = None
    images: int | None = None
    scored_at: float | None = None


def card_of(subject: Subject, *, licence: str = "", use: str = "") -> dict[str, Any]:
    """Return the card of model.json: sentences, figures, and the doctor's findings."""
    generator, record = subject.generator, subject.record
    data = record.data if record else {}
    count = data.get("count")
    scores, when = (
        standing(record.measurements, record.evaluation, subject.images) if record else ([], None)
    )
    findings = record.findings if record else []
    if record is None and (kept := _kept(subject)):
        terms = {"licence": licence, "use": use}
        return {**kept, **{key: value for key, value in terms.items() if value}}
    return {
        "sentence": sentence(subject),
        "data": subject.data,
        "examples": count,
        "images": subject.images,
        "parameters": sum(weight.numel() for weight in generator.net.parameters()),
        "scores": [_score(one) for one in scores],
        "scored_at": when,
        "copies": copies(scores),
        "doctor": [
            {"severity": one.severity, "name": one.name, "evidence": one.evidence}
            for one in findings
        ],
        "licence": licence or UNKNOWN,
        "use": use or USE,
    }


def sentence(subject: Subject) -> str:
    """Return in a sentence what it is."""
    recipe = subject.generator.recipe
    kind = "points" if recipe.kind == "points" else "pictures"
    what = (
        "points in the plane"
        if kind == "points"
        else f"{recipe.resolution} x {recipe.resolution} {'grey ' * (recipe.channels == 1)}pictures"
    )
    said = f"A generator of {what} by the recipe {subject.recipe}"
    count = subject.record.data.get("count") if subject.record else None
    begun = subject.record.begun_from if subject.record else ""
    said += f", begun from {begun}" if begun else ""
    many = f"{count:,} {kind}" if isinstance(count, int) else kind
    named = f" ({subject.data})" if subject.data else ""
    if not (named or subject.images):
        return f"{said}."
    shown = f", shown {subject.images:,} in all" if subject.images else ""
    again = shown and isinstance(count, int) and subject.images and subject.images > count
    return f"{said}, learned from {many}{named}{shown}{', repeats counted' if again else ''}."


def copies(scores: list[Score]) -> str:
    """Return what is known of copies of training pictures among its samples, as a sentence."""
    found = next((one for one in scores if one.name == "copied"), None)
    if found is None:
        return "Nobody has looked for copies of training pictures: figment evaluate does."
    between = labels.interval(found.low, found.high)
    sure = f" (95 % interval {between})" if between else ""
    said = labels.sentence_case(found.note) + ". " if found.note else ""
    share = labels.significant(found.value)
    return f"{said}Share of samples that repeat a training picture: {share}{sure}."


def carried(subject: Subject) -> list[str]:
    """Return, a sentence each, what of the training data whoever gets the export gets with it."""
    said = ["weights, which were learned from the training data and may reproduce parts of them"]
    if subject.data:
        said.append(f"the name of the data: {subject.data}")
    if subject.generator.classes and subject.note.get("classes"):
        said.append(f"class names: {', '.join(subject.generator.classes)}")
    return said


def _kept(subject: Subject) -> dict[str, Any] | None:
    """Return the card that weights without a run came with, None where it is none of figment's."""
    try:
        kept = msgspec.convert(subject.note["model"]["card"], Kept)
    except (KeyError, TypeError, msgspec.ValidationError):
        return None
    if kept.scored_at == 0:  # by an earlier version: those of the untrained network
        kept.scores, kept.scored_at, kept.copies = [], None, copies([])
    return msgspec.to_builtins(kept)


def _score(score: Score) -> dict[str, Any]:
    found = score._asdict()
    found["label"] = labels.score(score)
    return {
        key: value for key, value in found.items() if key not in ("name", "group") and value != ""
    }
