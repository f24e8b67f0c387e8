"""Names of runs: the runs here, the latest of them, which one a word means, a fresh name."""

from __future__ import annotations

import sys
from difflib import get_close_matches
from itertools import count
from pathlib import Path

from figment.errors import UserError

LATEST = ""
"""The word of a command that has been left out: the latest run."""
HOME = Path("runs")
"""Where a training puts its run if it is not told."""
SHOWN = 6
"""Runs that a sentence lists."""


def runs_here(folder: Path | None = None) -> list[Path]:
    """Return the run folders in a folder, the one trained last at the end.

    Without a folder those in runs/ and in the current folder; and the folder itself if it is one.
    """
    places = [HOME, Path()] if folder is None else [folder]
    found = {path.parent for place in places for path in place.glob("*/recipe.json")}
    if (places[-1] / "recipe.json").is_file():
        found.add(places[-1])
    return sorted(found, key=lambda run: (trained_at(run), str(run)))


def trained_at(run: Path) -> float:
    """Return when a run was last trained, in seconds since 1970; 0 where nothing tells."""
    for name in ("log.jsonl", "recipe.json"):
        try:
            return (run / name).stat().st_mtime
        except OSError:
            continue
    return 0.0


def named(word: str) -> str:
    """Return the path that a command's word for a run means; the latest run's, which is said, without one.

    Raises UserError where there is nothing there, with the runs that there are.
    """
    if word != LATEST:
        if not Path(word).exists():
            raise no_run(Path(word))
        return word
    runs = runs_here()
    if not runs:
        raise UserError(
            "there is no run here yet: name its folder, or make one by figment train DATA"
        )
    print(f"the latest run: {runs[-1]}", file=sys.stderr)
    return str(runs[-1])


def no_run(path: Path) -> UserError:
    """Return the error for a path at which there is nothing: near misses, and the runs here."""
    runs = runs_here() or runs_here(path.parent)
    near = get_close_matches(path.name, [run.name for run in runs], n=1)
    meant = next((run for run in runs if run.name in near), None)
    hint = (
        f" Did you mean {meant}?" if meant else "" if runs else " `figment train DATA` makes one."
    )
    shown = [str(run) for run in reversed(runs)][:SHOWN]
    more = f" and {len(runs) - SHOWN} more" if len(runs) > SHOWN else ""
    there = f"; runs here: {', '.join(shown)}{more}" if shown else ""
    return UserError(f"there is no run {path}{there}.{hint}")


def fresh(path: Path) -> Path:
    """Return the path, or path-2, path-3, ..., the first at which nothing is in the way of a run."""
    if _free(path):
        return path
    others = (path.with_name(f"{path.name}-{number}") for number in count(2))
    return next(other for other in others if _free(other))


def _free(path: Path) -> bool:
    if not path.exists():
        return not path.is_symlink()
    return path.is_dir() and not (path / "recipe.json").exists() and not any(path.iterdir())
