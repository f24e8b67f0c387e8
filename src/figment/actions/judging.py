"""What ``figment evaluate``, ``doctor``, ``report`` and ``compare`` do."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from figment import mesh
from figment.errors import UserError
from figment.files import keep_others
from figment.run import Run
from figment.training import folder
from figment.training.folder import holds_run

if TYPE_CHECKING:
    from figment.judging.evaluation import Evaluation


def refuse_missing(*sources: str | Path | None) -> None:
    """Raise UserError where one of these is no file, folder or built-in set, before torch is imported.

    Those on the Hub are looked up when they are opened.
    """
    from figment.data.builtin import builtin
    from figment.data.hub import is_remote
    from figment.data.sources import existing

    for source in map(str, filter(None, sources)):
        if not is_remote(source) and builtin(source) is None:
            existing(source)


def evaluate(
    path: str | Path,
    *,
    against: str | None = None,
    trust: bool = False,
    overwrite: bool = False,
    **how: Any,
) -> Evaluation:
    """Return the scores of a run or its weights, or of a folder or zip of pictures ``against`` another.

    A run also gets evaluation.json, its pictures, and a new report. Raises UserError where ``out`` holds
    such files that figment did not write, unless it is to ``overwrite``.
    """
    refuse_missing(path, against)
    from figment.judging.evaluate import evaluate_pictures, files_of
    from figment.sampling.generator import check_truncation
    from figment.training.devices import choose_device

    path = Path(path)
    if how.get("out") is not None:
        keep_others(files_of(Path(how["out"])), overwrite)
    device = choose_device(how.pop("device", "auto"))
    mesh.start(device)
    how["device"] = str(device)
    if _draws(path):
        if how.pop("resolution", None) is not None:
            raise UserError(
                f"{path} is a run, compared at the size that it has learned: leave --resolution out, or "
                "draw its samples to a folder and evaluate that"
            )
        check_truncation(how.get("truncation"))
        run = Run(path, trust=trust)
        found = run.evaluate(against, **how)
        if mesh.is_first() and run.alone is None:
            run.report()
        return found
    if against is None:
        raise UserError(
            f"{path} is not a run, so there is nothing to compare it with: give --against DATA, "
            "the real pictures"
        )
    if how.pop("seed", 0) != 0 or how.pop("truncation", None) is not None:
        raise UserError(f"{path} is not a run: seed and truncation are for drawing, leave them out")
    found = evaluate_pictures(str(path), against, **how)
    if mesh.is_first() and how.get("out") is not None:
        found.write(how["out"])
    return found


def _draws(path: Path) -> bool:
    """Return whether a path is a run, a file of weights, or a folder that one was published in."""
    weights = folder.alone(path)
    return holds_run(path) or (weights is not None and weights.suffix == ".safetensors")


def evaluation(path: str | Path, *, as_json: bool = False, **how: Any) -> str:
    """Return the scores (see ``evaluate``) as a table or as JSON, once for all processes."""
    refuse_missing(path, how.get("against"))
    from figment.judging.table import score_table

    place = str(how.get("out") or path)
    found = evaluate(path, **how)
    mesh.stop()
    if not mesh.is_first():
        return ""
    return json.dumps(found.as_json(), indent=2) if as_json else score_table(found, place)


def doctor(what: str | Path, *, as_json: bool = False) -> str:
    """Return what the doctor says of a run, whose report then shows it too, or of data."""
    refuse_missing(what)
    from figment.doctor.data import examine
    from figment.doctor.text import findings_text

    if holds_run(Path(what)):
        run = Run(what)
        found = run.doctor()
        run.report()
    else:
        found = examine(str(what))
    if as_json:
        return json.dumps([finding._asdict() for finding in found], indent=2)
    return findings_text(found)


def report(run: str | Path) -> Path:
    """Write a run's report and model card; return the report's path."""
    return Run(run).report()


def compare(runs: Sequence[str | Path], out: Path | None = None, *, overwrite: bool = False) -> str:
    """Write the page that sets runs side by side; return the table and where the page is."""
    from figment.report.compare import comparison_text, page_of, write_comparison

    folders = [Run(run).path for run in runs]
    keep_others([page_of(folders, out)], overwrite)
    page = write_comparison(folders, out)
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    return f"{comparison_text(folders, width)}\n\nlook at {page}"
