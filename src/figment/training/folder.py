"""The run folder: what lies where in it, and how it begins."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from figment import files
from figment.errors import UserError
from figment.fields import fields_of
from figment.files import cannot_write, replacing, write_json
from figment.records import Unreadable, number, read_json, read_object
from figment.runs import no_run
from figment.tensors import read_note, write_tensors
from figment.training.grids import write_grid
from figment.training.machine import checked

if TYPE_CHECKING:
    from torch import nn

    from figment.rounds import Playable

BEST = "best.safetensors"
"""The weights that scored best, which samples are drawn from where it is there."""
BEST_IN_TURN = "best-in-turn.safetensors"
"""The best weights of a measurement in turn, while those of the training's end are better."""
EVENTS = "events.jsonl"
"""What happened to a training that is not in its log: rollbacks."""
PUBLISHED = "generator.safetensors"
"""The generator in a folder that was exported for the Hub, which is no run."""
CLASSIFIER = "classifier.safetensors"
"""The weights that tell classes, where a recipe learns to."""
GRID = 64
"""Pictures in a sample grid."""
REBUILT = 8
"""Pictures in a row beside what came back of them; there are two such rows."""
HALF_WRITTEN = re.compile(r"\.(machine|recipe)\.json\..*\.tmp")
"""What a start that was killed leaves of the files that it was writing."""
BEGUN = ("samples", "snapshots", "state")
"""Folders that a start makes."""
PARTS = (*BEGUN, "evaluation", "projection")
"""Folders of a run."""


def picture_path(run: Path, images: int) -> Path:
    """Return where the sample grid at a moment lies."""
    return run / "samples" / f"{images:09d}.png"


def rebuilt_path(run: Path) -> Path:
    """Return where real pictures lie beside what a system with codes makes of them."""
    return run / "reconstructions.png"


def snapshot_path(run: Path, images: int) -> Path:
    """Return where the generator's weights at a moment lie."""
    return run / "snapshots" / f"{images:09d}.safetensors"


def holds_run(run: Path) -> bool:
    """Return whether a folder is a run."""
    return (run / "recipe.json").is_file()


def run_of(path: Path) -> Path | None:
    """Return the run among whose own files a path lies, None where it lies in none.

    Other folders within a run, such as a site put there, are not its own.
    """
    home = path.absolute().parent
    if holds_run(home):
        return home
    return next(
        (up.parent for up in (home, *home.parents) if up.name in PARTS and holds_run(up.parent)),
        None,
    )


def refuse_taken(run: Path) -> None:
    """Raise UserError where a run cannot begin: one is there, or other files are."""
    if holds_run(run):
        raise UserError(
            f"{run} holds a run already: `figment resume {quote(str(run))}` goes on with it, "
            "--run DIR starts another"
        )
    begun = {*BEGUN, "machine.json", "lock"}  # of a start that was killed
    try:
        here = (
            {path.name for path in run.iterdir()} if run.is_dir() else {""} if run.exists() else ()
        )
        taken = {name for name in here if not HALF_WRITTEN.fullmatch(name)} - begun
        older = [
            run / part for part in BEGUN if (run / part).exists() and any((run / part).iterdir())
        ]
    except OSError as error:
        raise UserError(cannot_write(run, error)) from error
    if taken:
        raise UserError(f"{run} exists and is not an empty folder: choose another with --run")
    if older:  # a start fills these only after recipe.json: they are another training's
        raise UserError(
            f"{older[0]} holds files of another training, whose recipe.json is not here: bring that back "
            "to go on with it, or choose another folder with --run"
        )


@contextmanager
def claimed(run: Path) -> Generator[None]:
    """Make the folder of a new run and hold its lock; what a start that fails has made goes again.

    Raises UserError where a run is there, or another process begins one.
    """
    refuse_taken(run)
    new = [folder for folder in (run, *run.absolute().parents) if not folder.exists()]
    try:
        run.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(cannot_write(run, error)) from error
    with lock(run):
        try:
            refuse_taken(run)  # another may have begun, and ended, since
            yield
        finally:
            if not holds_run(run):
                _take_back(run, new)


def begin(run: Path, name: str, recipe: Playable, machine: dict[str, Any]) -> None:
    """Fill the folder with machine and recipe; recipe.json, which makes it a run, comes last."""
    files.tidy(run)
    try:
        for part in BEGUN:
            (run / part).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(cannot_write(run, error)) from error
    write_machine(run, machine)
    write_recipe(run, name, recipe)


def _take_back(run: Path, new: list[Path]) -> None:
    """Remove what a failed start has made; other people's files are never among it."""
    for file in ("machine.json", "lock"):
        with contextlib.suppress(OSError):
            (run / file).unlink()
    for place in (*(run / part for part in BEGUN), *new):
        with contextlib.suppress(OSError):
            place.rmdir()


@contextmanager
def lock(run: Path) -> Generator[None]:
    """Keep other processes from training this run. Raises UserError where one does, or links lead out."""
    refuse_links(run)
    try:
        with files.locked(run / "lock"):
            yield
    except files.Locked:
        raise UserError(f"another process is training {run}: stop it first") from None


def in_training(run: Path) -> bool:
    """Return whether a process is training this run now."""
    try:
        with files.locked(run / "lock") if (run / "lock").exists() else contextlib.nullcontext():
            return False
    except files.Locked:
        return True
    except UserError:  # a folder of somebody else's, which cannot be trained in either
        return False


def refuse_links(run: Path) -> None:
    """Raise UserError where a folder of the run is a link: what is written into it would lie elsewhere."""
    for part in PARTS:
        refuse_link(run / part)


def refuse_link(part: Path) -> None:
    """Raise UserError where a folder of a run is a link."""
    if part.is_symlink():
        raise UserError(
            f"{part} is a link, and figment writes only into the run's own folders: put a folder in its "
            "place"
        )


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
    """Return how long a run had taken when its state was last saved, 0 where that is not known."""
    try:
        return max(0.0, number(read_json(run / "state" / "seconds.json")) or 0.0)
    except (OSError, Unreadable):
        return 0.0


def read(run: Path) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Return the recipe's name and fields as recipe.json has them, and what machine.json says.

    Raises UserError if it is no run, or where either is damaged.
    """
    if not holds_run(run):
        raise _no_run(run)
    try:
        place = run / "recipe.json"
        written = read_object(place)
        name, fields = written.get("recipe"), written.get("fields")
        if not isinstance(name, str) or not isinstance(fields, dict):
            raise Unreadable("it lacks a recipe's name or fields")
        place = run / "machine.json"
        machine = checked(read_object(place))
    except FileNotFoundError:
        raise damaged(place, "it is missing") from None
    except Unreadable as error:
        raise damaged(place, str(error)) from None
    return name, fields, machine


def alone(path: Path) -> Path | None:
    """Return the file of weights that a path is, or that was published in it without a run; else None."""
    if path.is_file():
        return path
    published = path / PUBLISHED
    return published if published.is_file() and not holds_run(path) else None


def read_alone(weights: Path) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Return the recipe's name and fields as a file of weights has them, and what a machine.json would say.

    Raises UserError where the file is damaged or of something else.
    """
    try:
        note = read_note(weights)
        name, fields = note.get("recipe"), note.get("fields")
        refuse_state(weights, note)
        if not isinstance(name, str) or not isinstance(fields, dict):
            raise Unreadable("it says of no recipe what it is")
    except (OSError, Unreadable) as error:
        raise UserError(f"{weights} holds no generator that figment wrote ({error})") from None
    names = note.get("classes")
    data = {
        "name": str(note.get("data", "")),
        "path": "",
        "count": 0,
        "classes": [str(name) for name in names] if isinstance(names, list) else [],
        "fingerprint": "",
    }
    images = number(note.get("images")) or 0
    return name, fields, {"data": data, "parameters": {}, "budget": {"images": images}}


def refuse_state(file: Path, note: dict[str, Any]) -> None:
    """Raise UserError for a training's saved state, which is a part of a run and opens with it alone."""
    if "clock" in note and "recipe" not in note:
        run = run_of(file) or "the folder with this file in state/"
        raise UserError(f"{file} is the saved state of a training: name its run, {run}")


def damaged(file: Path, reason: str) -> UserError:
    """Return the error for a JSON file of a run that cannot be understood."""
    return UserError(
        f"{file} cannot be used ({reason}): bring back a copy of that file, the rest of the run is sound"
    )


def weights_of(run: Path) -> Path:
    """Return the file that samples are drawn from: the best weights, or else the latest snapshot.

    Of a generator alone it is that. Raises UserError where there is none yet.
    """
    if (weights := alone(run)) is not None:
        return weights
    best, snapshots = run / BEST, snapshots_of(run)
    if best.is_file():
        return best
    if not snapshots and not holds_run(run):
        raise _no_run(run)
    if not snapshots and not (run / "machine.json").is_file():
        raise UserError(
            f"{run} holds neither weights nor machine.json: name another run, or a file"
        )
    if not snapshots:
        raise UserError(
            f"{run} has no snapshot yet: `figment resume {quote(str(run))}` goes on to the first"
        )
    return snapshots[-1]


def snapshots_of(run: Path) -> list[Path]:
    """Return the files of a run's snapshots, the earliest first, without others that lie there."""
    there = (run / "snapshots").glob("[0-9]*.safetensors")
    return sorted(path for path in there if path.stem.isdecimal() and path.is_file())


def images_of(weights: Path) -> int | None:
    """Return where the training was when a file of weights was written, None where it does not say."""
    try:
        images = number(read_note(weights).get("images"))
    except (OSError, Unreadable):
        return None
    return None if images is None else int(images)


def write_snapshot(run: Path, recipe: Playable, net: nn.Module, images: int) -> None:
    """Write the weights that samples are drawn with, and the recipe in the file's metadata."""
    _write_weights(snapshot_path(run, images), run, recipe, net, {"images": images})


def write_best(run: Path, recipe: Playable, net: nn.Module, note: dict[str, Any]) -> None:
    """Write the best weights so far and the grid of their moment; ``note`` says by which score, and when.

    Those of the training's end, which a resume forgets, leave the best of a measurement in turn beside
    them, see ``undo_best``.
    """
    from figment.sampling.generator import Generator

    if not (grid := picture_path(run, note["images"])).exists():
        data = read(run)[2]["data"]
        generator = Generator(recipe, net, data["classes"], data["name"])
        write_grid(grid, generator.overview(GRID))
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
    machine = read(run)[2]
    names = fields_of(recipe).get("class_names") or machine["data"]["classes"]
    _write_weights(run / CLASSIFIER, run, recipe, net, {"images": images, "classes": names})


def read_best(run: Path) -> dict[str, Any] | None:
    """Return the note in a run's best weights, None where there are none. Raises UserError if damaged."""
    if not (run / BEST).exists():
        return None
    try:
        note = read_note(run / BEST)
        found = {key: note[key] for key in ("images", "score", "value", "badness", "end")}
        if any(number(found[key]) is None for key in ("images", "value", "badness")):
            raise Unreadable("its score is no number")
    except (OSError, Unreadable, KeyError) as error:
        kept = (run / BEST).with_suffix(".damaged")
        raise UserError(
            f"{run / BEST} is damaged ({error}): move it away with mv {run / BEST} {kept}; snapshots, "
            "state and log are not touched by it"
        ) from None
    return found


def _write_weights(
    path: Path, run: Path, recipe: Playable, net: nn.Module, note: dict[str, Any]
) -> None:
    name, _, machine = read(run)
    about = {"recipe": name, "fields": fields_of(recipe), **note}
    if recipe.classed or recipe.kind == "points":
        about |= {"data": machine["data"]["name"], "classes": machine["data"]["classes"]}
    write_tensors(path, net.state_dict(), about)


def tidy(run: Path) -> None:
    """Remove temporary files that a kill left behind."""
    for folder in (run, *(run / part for part in PARTS)):
        files.tidy(folder)


def _no_run(run: Path) -> UserError:
    if not run.exists():
        return no_run(run)
    return UserError(
        f"{run} is not a run: it holds no recipe.json; give a folder that `figment train` made"
    )
