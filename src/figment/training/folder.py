"""The run folder: what lies where in it, and how it begins."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from figment.errors import UserError, nearest
from figment.fields import fields_of
from figment.files import cannot_write, replacing, write_json, write_tensors

if TYPE_CHECKING:
    from torch import nn

    from figment.rounds import Playable

BEST = "best.safetensors"
"""The weights that scored best, which samples are drawn from where it is there."""
BEST_IN_TURN = "best-in-turn.safetensors"
"""The best weights of a measurement in turn, while those of the training's end are better."""
EVENTS = "events.jsonl"
"""What happened to a training that is not in its log: rollbacks."""
CLASSIFIER = "classifier.safetensors"
"""The weights that tell classes, where a recipe learns to."""
GRID = 64
"""Pictures in a sample grid."""


def picture_path(run: Path, images: int) -> Path:
    """Return where the sample grid at a moment lies."""
    return run / "samples" / f"{images:09d}.png"


def snapshot_path(run: Path, images: int) -> Path:
    """Return where the generator's weights at a moment lie."""
    return run / "snapshots" / f"{images:09d}.safetensors"


def holds_run(run: Path) -> bool:
    """Return whether a folder is a run."""
    return (run / "recipe.json").is_file()


def refuse_taken(run: Path) -> None:
    """Raise UserError where a run cannot begin: one is there, or other files are, or none may be."""
    if holds_run(run):
        raise UserError(
            f"{run} holds a run already: `figment resume {run}` goes on with it, "
            "--run DIR starts another"
        )
    begun = {"samples", "snapshots", "state", "machine.json"}  # of a start that was killed
    if run.exists() and (not run.is_dir() or {path.name for path in run.iterdir()} - begun):
        raise UserError(f"{run} exists and is not an empty folder: choose another with --run")
    there = next(folder for folder in run.absolute().parents if folder.exists())
    try:
        probe = there / f".{run.name}.{os.getpid()}.probe"
        probe.mkdir()
        probe.rmdir()
    except OSError as error:
        raise UserError(cannot_write(run, error)) from error


def begin(run: Path, name: str, recipe: Playable, machine: dict[str, Any]) -> None:
    """Make the folder with its machine and recipe; recipe.json, which makes it a run, comes last."""
    try:
        for part in ("samples", "snapshots", "state"):
            (run / part).mkdir(parents=True, exist_ok=True)
        write_machine(run, machine)
        write_recipe(run, name, recipe)
    except OSError as error:
        raise UserError(cannot_write(run, error)) from error
    finally:
        if not holds_run(run):
            _take_back(run)


def _take_back(run: Path) -> None:
    """Remove what a failed start has made; other people's files are never among it."""
    with contextlib.suppress(OSError):
        (run / "machine.json").unlink()
    for part in ("samples", "snapshots", "state", "."):
        with contextlib.suppress(OSError):
            (run / part).resolve().rmdir()


def write_recipe(run: Path, name: str, recipe: Playable) -> None:
    """Write recipe.json."""
    write_json(run / "recipe.json", {"recipe": name, "fields": fields_of(recipe)})


def write_machine(run: Path, machine: dict[str, Any]) -> None:
    """Write machine.json."""
    write_json(run / "machine.json", machine)


def write_seconds(run: Path, seconds: float) -> None:
    """Write how long the run has taken when its state was saved (apart: the state has no clock)."""
    write_json(run / "state" / "seconds.json", round(seconds, 3))


def read_seconds(run: Path) -> float:
    """Return how long a run had taken when its state was last saved."""
    try:
        return float(json.loads((run / "state" / "seconds.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return 0.0


def lock(run: Path) -> IO[str]:
    """Return an open file that keeps other processes from training this run while it is open."""
    import fcntl

    try:
        file = open(run / "lock", "w")  # noqa: SIM115
    except OSError as error:
        raise UserError(cannot_write(run, error)) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise UserError(f"another process is training {run}: stop it first") from None
    return file


def read(run: Path) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Return the recipe's name and fields as recipe.json has them, and what machine.json says.

    Raises UserError if it is no run.
    """
    if not holds_run(run):
        raise UserError(_no_run(run))
    try:
        written = json.loads((run / "recipe.json").read_text(encoding="utf-8"))
        machine = json.loads((run / "machine.json").read_text(encoding="utf-8"))
        name, fields = str(written["recipe"]), dict(written["fields"])
        _ = [machine[key] for key in ("data", "parameters", "budget")]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise damaged(run, error) from None
    return name, fields, machine


def damaged(run: Path, error: Exception) -> UserError:
    """Return the error for a run whose recipe.json or machine.json cannot be understood."""
    return UserError(f"{run} is a damaged run ({type(error).__name__}: {error})")


def weights_of(run: Path) -> Path:
    """Return the file that samples are drawn from: the best weights, or else the latest snapshot.

    Raises UserError where there is none yet.
    """
    best, snapshots = run / BEST, snapshots_of(run)
    if best.exists():
        return best
    if not snapshots:
        raise UserError(f"{run} has no snapshot yet: `figment resume {run}` goes on to the first")
    return snapshots[-1]


def snapshots_of(run: Path) -> list[Path]:
    """Return the files of a run's snapshots, the earliest first."""
    return sorted((run / "snapshots").glob("*.safetensors"))


def images_of(weights: Path) -> int | None:
    """Return where the training was when a file of weights was written."""
    from safetensors import safe_open

    with safe_open(weights, framework="numpy") as file:
        return json.loads((file.metadata() or {})["figment"]).get("images")


def write_picture(run: Path, recipe: Playable, net: nn.Module, images: int) -> Path:
    """Write the grid of the fixed latents (the first seeds) as ``net`` draws them; return its path."""
    from figment.sampling.generator import Generator

    return Generator(recipe, net).overview(GRID).save(picture_path(run, images))


def write_snapshot(run: Path, recipe: Playable, net: nn.Module, images: int) -> None:
    """Write the weights that samples are drawn with, and the recipe in the file's metadata."""
    _write_weights(snapshot_path(run, images), run, recipe, net, {"images": images})


def write_best(run: Path, recipe: Playable, net: nn.Module, note: dict[str, Any]) -> None:
    """Write the best weights so far; ``note`` says by which score, and when.

    Those of the training's end, which a resume forgets, leave the best of a measurement in turn beside
    them, see ``undo_best``.
    """
    if note["end"] and (run / BEST).exists() and not (run / BEST_IN_TURN).exists():
        with replacing(run / BEST_IN_TURN) as temporary:
            shutil.copyfile(run / BEST, temporary)
    _write_weights(run / BEST, run, recipe, net, note)
    if not note["end"]:
        (run / BEST_IN_TURN).unlink(missing_ok=True)


def undo_best(run: Path) -> None:
    """Put the best weights of a measurement in turn, if there were any, in place of the end's."""
    if (run / BEST_IN_TURN).exists():
        os.replace(run / BEST_IN_TURN, run / BEST)
    else:
        (run / BEST).unlink(missing_ok=True)


def write_classifier(run: Path, recipe: Playable, net: nn.Module, images: int) -> None:
    """Write what tells the classes of pictures, and the recipe in the file's metadata."""
    machine = json.loads((run / "machine.json").read_text(encoding="utf-8"))
    names = fields_of(recipe).get("class_names") or machine["data"]["classes"]
    _write_weights(run / CLASSIFIER, run, recipe, net, {"images": images, "classes": names})


def read_best(run: Path) -> dict[str, Any] | None:
    """Return the note in a run's best weights, None where there are none."""
    from safetensors import safe_open

    if not (run / BEST).exists():
        return None
    try:
        with safe_open(run / BEST, framework="numpy") as file:
            note = json.loads(file.metadata()["figment"])
            return {key: note[key] for key in ("images", "score", "value", "badness", "end")}
    except Exception as error:  # safetensors raises several kinds for damaged files
        reason = f"{error}\n".splitlines()[0]
        raise UserError(f"{run / BEST} is damaged ({reason}): delete that file") from None


def _write_weights(
    path: Path, run: Path, recipe: Playable, net: nn.Module, note: dict[str, Any]
) -> None:
    name = json.loads((run / "recipe.json").read_text(encoding="utf-8"))["recipe"]
    tensors = {key: tensor.contiguous().cpu() for key, tensor in net.state_dict().items()}
    about = {"recipe": name, "fields": fields_of(recipe), **note}
    if recipe.classed:
        machine = json.loads((run / "machine.json").read_text(encoding="utf-8"))
        about["classes"] = machine["data"]["classes"]
    write_tensors(path, tensors, {"figment": json.dumps(about)})


def tidy(run: Path) -> None:
    """Remove temporary files that a kill left behind."""
    for leftover in run.rglob(".*.tmp"):
        with contextlib.suppress(OSError):
            leftover.unlink()


def _no_run(run: Path) -> str:
    if not run.exists():
        beside = [p.name for p in run.parent.iterdir()] if run.parent.is_dir() else []
        return f"there is no run {run}.{nearest(run.name, beside)}"
    return f"{run} is not a run: it holds no recipe.json; give a folder that `figment train` made"
