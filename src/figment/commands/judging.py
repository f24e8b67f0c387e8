"""Judging: ``figment evaluate``, ``doctor``, ``report`` and ``compare``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from figment.errors import UserError
from figment.runs import LATEST, named


def evaluate(
    what: str = LATEST,
    /,
    *,
    against: str | None = None,
    metrics: tuple[str, ...] = (),
    features: str = "auto",
    count: int | None = None,
    protocol: str = "",
    resolution: int | None = None,
    seed: int = 0,
    truncation: float | None = None,
    out: Path | None = None,
    device: str = "auto",
    trust: bool = False,
    overwrite: bool = False,
    json_: bool = False,
) -> int:
    """Score a run's samples, or a folder or zip of pictures, against real ones.

    Args:
        what: The run folder, or a folder or zip of pictures; the latest run without it.
        against: The real pictures; a run's own data without it.
        metrics: Which scores (kid, fid, precision_recall, ...); all that can be had without it.
        features: What is compared: auto, efficientnet, mobilenet, patches, inception, dinov2, NAME:FILE
            or file:FILE.
        count: How many samples to draw (5 for each real picture, 1,000 to 5,000), or pictures to use
            (all).
        protocol: Scores as papers print them: fid50k, kid50k or cleanfid50k.
        resolution: Px at which two folders are compared; the larger of theirs, to 256, without it.
        seed: Seed of the first sample.
        truncation: As that of `figment sample`.
        out: Folder for evaluation.json and pictures of copies, look-alikes and nearest neighbours; a run's
            own without it.
        device: cpu, cuda, mps, or auto.
        trust: Open a recipe of your own, which the run only names: its module is imported.
        overwrite: Replace files that figment did not write, too.
        json_: Print JSON for other programs.
    """
    from figment.actions.judging import evaluation

    given: dict[str, Any] = {"count": count, "out": out, "resolution": resolution}
    how = {name: value for name, value in given.items() if value is not None}
    said = evaluation(
        what or named(what),
        as_json=json_,
        against=against,
        metrics=metrics,
        features=features,
        protocol=protocol,
        seed=seed,
        truncation=truncation,
        device=device,
        trust=trust,
        overwrite=overwrite,
        **how,
    )
    if said:
        print(said)
    return 0


def doctor(what: str = LATEST, /, *, json_: bool = False) -> int:
    """Say what is wrong with a run or with data, how sure that is, and what to do.

    Args:
        what: The run folder, or a folder, zip, packed file or built-in set; the latest run without it.
        json_: Print JSON for other programs.
    """
    from figment.actions.judging import doctor

    print(doctor(what or named(what), as_json=json_))
    return 0


def compare(runs: list[str], /, *, out: Path | None = None, overwrite: bool = False) -> int:
    """Set runs side by side: a table, and one HTML page with curves, grids, scores, differences.

    Args:
        runs: Two or more run folders.
        out: The HTML file to write; comparison.html without it.
        overwrite: Replace files that figment did not write, too.
    """
    from figment.actions.judging import compare

    if len(runs) < 2:
        raise UserError("compare needs at least two run folders: name another")
    print(compare([named(run) for run in runs], out, overwrite=overwrite))
    return 0


def report(run: str = LATEST, /) -> int:
    """Write a run's report, one HTML page that needs nothing else.

    Args:
        run: The run folder; the latest run without it.
    """
    from figment.actions.judging import report

    print(report(named(run)))
    return 0
