"""The command line: one function a command, whose signature is its interface. No logic.

Only the standard library is imported before a command is known, so that ``figment --help`` answers at
once.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from figment.command import bare_word, call, flags, unknown, value_of
from figment.errors import UserError

STARTED = time.perf_counter()


def main(words: list[str] | None = None) -> int:
    """Run a command and return its exit code: 0, 2 for a user's mistake, 130 or 143 for a signal."""
    try:
        return _dispatch(sys.argv[1:] if words is None else words)
    except UserError as error:
        print(f"figment: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        print(f"figment: {error.filename or 'a file'}: {error.strerror or error}", file=sys.stderr)
        return 2


def train(words: list[str]) -> Callable[..., int]:
    """Train on a folder of pictures, a zip, a packed file, or flowers, ring, grid.

    The fields of the recipe that the words name become flags, so the command is made for them.
    """
    from figment.launch import name_and_recipe

    asks = {"-h", "--help"} & set(words)
    name, chosen = name_and_recipe(value_of("recipe", words), None if asks else bare_word(words))
    pinned = flags(words)

    def command(
        data: Any,
        fields: Any,
        *,
        recipe: str = name,
        run: str | None = None,
        minutes: float | None = None,
        epochs: float | None = None,
        device: str = "auto",
    ) -> int:
        """Train on a folder of pictures (sub-folders are classes), a zip of one, a packed file, or a
        built-in set: flowers, ring, grid.

        Args:
            data: A folder, a zip, an .npy or .npz file, or flowers, ring, grid.
            recipe: The system to train: a name or an id from `figment recipes`, or module:NAME.
            run: The folder to write; runs/DATA-RECIPE without it.
            minutes: How long: minutes, with everything included (instead of --images).
            epochs: How long: passes over the data (instead of --images).
            device: cpu, cuda, mps, or auto.
        """
        from figment.launch import train
        from figment.recipe import fields_of

        given: dict[str, Any] = {
            field: value for field, value in fields_of(fields).items() if field in pinned
        }
        done = train(
            data,
            recipe,
            run=run,
            minutes=minutes,
            epochs=epochs,
            device=device,
            started=STARTED,
            **given,
        )
        return _code(done)

    command.__annotations__["data"] = _positional("DATA")
    command.__annotations__["fields"] = type(chosen)
    command.__defaults__ = (chosen,)
    return command


def resume(
    run: str,
    /,
    *,
    images: int | None = None,
    minutes: float | None = None,
    epochs: float | None = None,
    data: str | None = None,
    device: str = "auto",
) -> int:
    """Go on with a run exactly where it stopped: to the end that was planned, or so much more.

    Args:
        run: The run folder.
        images: How many images more.
        minutes: How many minutes more.
        epochs: How many passes over the data more.
        data: Where the data are now, if they have moved.
        device: cpu, cuda, mps, or auto.
    """
    from figment.launch import resume

    done = resume(
        run,
        images=images,
        minutes=minutes,
        epochs=epochs,
        data=data,
        device=device,
        started=STARTED,
    )
    return _code(done)


def sample(
    run: str,
    /,
    *,
    count: int = 64,
    seed: int = 0,
    class_: str | None = None,
    truncation: float | None = None,
    out: Path | None = None,
    device: str = "auto",
) -> int:
    """Draw new pictures from a run: a grid, a folder or a zip. A seed is a picture's address.

    Args:
        run: The run folder, or a snapshot file.
        count: How many pictures: those of the seeds from --seed on.
        seed: Seed of the first picture.
        class_: Name of the class to draw; all classes in turn without it.
        truncation: Cut the latents off at this value; less is safer and more alike.
        out: FILE.png for a grid, FILE.zip, FILE.npy or a folder for single pictures.
        device: cpu, cuda, mps, or auto.
    """
    from figment.run import sample

    how = {"count": count, "seed": seed, "label": class_, "truncation": truncation}
    print(sample(run, out=out, device=device, **how))
    return 0


def evaluate(
    what: str,
    /,
    *,
    against: str | None = None,
    metrics: tuple[str, ...] = (),
    features: str = "auto",
    count: int | None = None,
    seed: int = 0,
    truncation: float | None = None,
    out: Path | None = None,
    device: str = "auto",
    json_: bool = False,
) -> int:
    """Score a run's samples, or a folder or zip of pictures, against real ones.

    Args:
        what: The run folder, or a folder or zip of pictures.
        against: The real pictures; a run's own data without it.
        metrics: Which scores (kid, fid, precision_recall, ...); all that can be had without it.
        features: What is compared: auto, small, mobilenet, inception, dinov2, NAME:FILE, file:FILE.
        count: How many samples to draw (5,000), or pictures to use (all).
        seed: Seed of the first sample.
        truncation: Cut the latents off at this value.
        out: Folder for the pictures of look-alikes and nearest neighbours; a run's own without it.
        device: cpu, cuda, mps, or auto.
        json_: Print JSON for other programs.
    """
    from figment.run import evaluate

    how: dict[str, Any] = {"count": count} if count is not None else {}
    how |= {"out": out} if out is not None else {}
    found = evaluate(
        what,
        against=against,
        metrics=metrics,
        features=features,
        seed=seed,
        truncation=truncation,
        device=device,
        **how,
    )
    from figment import mesh
    from figment.judging.table import text

    if mesh.is_first():
        print(json.dumps(found.as_json(), indent=2) if json_ else text(found))
    mesh.stop()
    return 0


def doctor(what: str, /, *, json_: bool = False) -> int:
    """Say what is wrong with a run or with data, how sure that is, and what to do.

    Args:
        what: The run folder, or a folder, zip, packed file or built-in set.
        json_: Print JSON for other programs.
    """
    from figment.run import findings

    print(findings(what, as_json=json_))
    return 0


def compare(runs: list[str], /, *, out: Path | None = None) -> int:
    """Set runs side by side: a table, and one HTML page with curves, grids, scores, differences.

    Args:
        runs: Two or more run folders.
        out: The HTML file to write; comparison.html without it.
    """
    from figment.run import compare

    print(compare(runs, out))
    return 0


def report(run: str, /) -> int:
    """Write a run's report, one HTML page that needs nothing else.

    Args:
        run: The run folder.
    """
    from figment.run import load

    print(load(run).report())
    return 0


def recipes(name: str | None = None, /, *, json_: bool = False) -> int:
    """List the systems, or show one with all its fields.

    Args:
        name: A name or an id; all systems without it.
        json_: Print JSON for other programs.
    """
    from figment.recipes.listing import listing, listing_text

    found = listing(name)
    print(json.dumps(found, indent=2) if json_ else listing_text(found))
    return 0


def data_inspect(data: str, /, *, json_: bool = False) -> int:
    """Say what is in a data set, what is odd or broken, and what figment would do with it.

    Args:
        data: A folder, a zip, an .npy or .npz file, or flowers, ring, grid.
        json_: Print JSON for other programs.
    """
    from figment.data import inspect

    found = inspect(data)
    print(found.to_json() if json_ else found.text())
    return 0


def data_pack(
    data: str,
    /,
    *,
    out: Path,
    resolution: int = 64,
    channels: Literal[1, 3] = 3,
    fit: Literal["crop", "pad", "stretch"] = "crop",
) -> int:
    """Decode a data set once into one file that training reads without waiting.

    Args:
        data: A folder, a zip, an .npy or .npz file, or flowers.
        out: The .npz file to write.
        resolution: Pixels a side.
        channels: 1 for grey, 3 for colour.
        fit: How a picture that is not square becomes square.
    """
    from figment.data import pack

    packed = pack(data, out, resolution=resolution, channels=channels, fit=fit)
    print(f"{out}: {len(packed):,} pictures, {len(packed.skipped)} skipped")
    return 0


COMMANDS: dict[str, Callable[..., Any]] = {
    "train": train,
    "resume": resume,
    "sample": sample,
    "evaluate": evaluate,
    "doctor": doctor,
    "report": report,
    "compare": compare,
    "recipes": recipes,
    "data inspect": data_inspect,
    "data pack": data_pack,
}


def _dispatch(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        print(_help())
        return 0
    if words[0] in ("--version", "-V"):
        from importlib.metadata import version

        print("figment", version("figment-gan"))
        return 0
    for length in (2, 1):
        name, rest = " ".join(words[:length]), words[length:]
        if name in COMMANDS:
            command = train(rest) if name == "train" else COMMANDS[name]
            return call(command, rest, prog=f"figment {name}")
    raise unknown("command", " ".join(words[:2]) if words[0] == "data" else words[0], [*COMMANDS])


def _help() -> str:
    first_lines = {
        name: (function.__doc__ or "").split("\n")[0] for name, function in COMMANDS.items()
    }
    listed = "\n".join(f"  {name:<14}{line}" for name, line in first_lines.items())
    return (
        "figment turns a folder of pictures into a generator of new ones.\n\n"
        f"usage: figment COMMAND ...\n\n{listed}\n\n"
        "figment COMMAND --help tells more; figment train --recipe NAME --help lists a recipe's fields.\n"
        "A first try, without any data: figment train flowers --minutes 5"
    )


def _code(run: Any) -> int:
    """Return the shell's exit code for a run: 128 + the signal that stopped it, or 0."""
    return 128 + run.stopped_by if run.stopped_by else 0


def _positional(metavar: str) -> Any:
    from typing import Annotated

    import tyro

    return tyro.conf.Positional[Annotated[str, tyro.conf.arg(metavar=metavar)]]
