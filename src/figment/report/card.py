"""The model card: README.md in the run folder, for whoever finds the folder alone."""

from __future__ import annotations

from pathlib import Path

from figment.files import MARK, made_by_figment, write_text
from figment.metrics.score import Score
from figment.report import labels
from figment.report.judgement import standing
from figment.report.record import Record, read_run
from figment.training import folder


def write_card(run: Path) -> Path:
    """Write the run's model card, unless somebody has written another; return its path."""
    path = run / "README.md"
    if path.exists() and not made_by_figment(path) and not _of_before(path):
        return path
    name, fields, machine = folder.read(run)
    data = machine["data"]
    called, version = labels.markdown(data["name"]), labels.markdown(machine.get("figment", ""))
    record = read_run(run)
    images = record.samples[-1][0] if record.samples else 0
    what = (
        "points" if len(data["shape"]) == 1 else f"{data['shape'][1]}x{data['shape'][2]} pictures"
    )
    shown = record.best_picture or (record.samples[-1][1] if record.samples else None)
    picture = f"![samples](samples/{shown.name})\n\n" if shown else ""
    kept = record.weights
    weights = "the latest file in `snapshots/`"
    if kept and kept.best:
        after = f"after {labels.count(kept.images)} images"
        weights = f"`best.safetensors`, {after}, which scored best; the latest lie in `snapshots/`"
    began = f"- began from {labels.markdown(record.begun_from)}\n" if record.begun_from else ""
    write_text(
        path,
        f"<!-- {MARK} -->\n\n# {called} by {labels.markdown(name)}\n\n{picture}"
        f"A generator of {what}, trained with figment {version} on {data['count']:,} "
        f"examples of {called} (fingerprint `{data['fingerprint'][:16].replace('`', '')}`), "
        f"{images:,} real images shown.\n\n"
        f"{began}"
        f"- {_drawn_by(record)} parameters, from latents of {fields.get('latent')} standard normal "
        "numbers\n"
        f"- weights: {weights}; safetensors, with the recipe in its metadata\n"
        "- new samples: `figment sample .`; in Python `figment.load('.').generator.sample(16)`\n"
        "- `recipe.json` says all that decided the training, `report.html` shows it\n\n"
        f"{_scores(record)}{_health(record)}"
        "What it can make is bounded by what it was shown. The terms of the training data apply to what "
        "one does with the samples; samples may resemble single training examples.\n",
    )
    return path


def _drawn_by(record: Record) -> str:
    """Return the size of the network that draws, and of the encoder beside it where there is one."""
    drawing = {name: size for name, size in record.sizes.items() if name != "discriminator"}
    return (
        ", ".join(f"{labels.markdown(name)}: {size:,.0f}" for name, size in drawing.items())
        or "generator: 0"
    )


def _of_before(path: Path) -> bool:
    """Whether a card is of a version of figment that did not sign it."""
    with open(path, encoding="utf-8", errors="replace") as file:
        return "trained with figment 0." in file.read(2_000)


def _scores(record: Record) -> str:
    """Return the scores of the weights that samples are drawn from, or else the nearest, with protocols."""
    at = record.weights.images if record.weights else None
    found, when = standing(record.measurements, record.evaluation, at)
    if not found:
        return ""
    after = "" if when is None else f" after {labels.count(when)} images"
    protocols = {score.protocol for score in found}
    how = f" by the protocol {labels.markdown(protocols.pop())}" if len(protocols) == 1 else ""
    about = f"Measured{after}{how}; figures of other protocols do not compare."
    lines = "".join(f"- {_score(score, score.protocol if protocols else '')}\n" for score in found)
    return f"## How good it is\n\n{about}\n\n{lines}\n"


def _score(score: Score, protocol: str) -> str:
    between = labels.interval(score.low, score.high)
    floor = "" if score.floor is None else f"{labels.FLOOR} {labels.significant(score.floor)}"
    facts = filter(
        None, (between and f"95 % interval {between}", floor, labels.BETTER[score.better])
    )
    name = labels.markdown(labels.score(score))
    text = f"{name} **{labels.significant(score.value)}** ({'; '.join(facts)})"
    told = (protocol, labels.sentence_case(score.note))
    return ". ".join(filter(None, (text, *map(labels.sentences, told))))


def _health(record: Record) -> str:
    """Return what the doctor found, "" where it has not looked."""
    if not record.findings:
        return ""
    after = "" if record.examined is None else f" after {labels.count(record.examined)} images"
    lines = "".join(
        f"- {one.severity}, {one.sure:.0%} sure: **{labels.markdown(one.name)}**. "
        f"{labels.sentences(one.evidence)} {labels.sentences(one.advice)}".rstrip()
        + "\n"
        for one in (found.of(".") for found in record.findings)
    )
    return f"## Health\n\nWhat `figment doctor` saw{after}:\n\n{lines}\n"
