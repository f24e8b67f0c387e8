"""Training: ``figment train`` and ``figment resume``."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from figment.flags import bare_word, named_flags, value_of

STARTED = time.perf_counter()


def train(words: list[str]) -> Callable[..., int]:
    """Train on a folder of pictures, a zip, a packed file, or flowers, ring, grid.

    The fields of the recipe that the words name become flags, so the command is made for them.
    """
    from figment.plan import name_and_recipe

    asks = not {"-h", "--help"}.isdisjoint(words)
    name, chosen = name_and_recipe(
        value_of("recipe", words), None if asks else bare_word(words), trust="--trust" in words
    )
    pinned = named_flags(words)
    if asks:
        print(_help(name, chosen, everything="all" in words))
        raise SystemExit(0)

    def command(
        data: Any,
        fields: Any,
        *,
        recipe: str = name,
        run: str | None = None,
        minutes: float | None = None,
        epochs: float | None = None,
        device: str = "auto",
        trust: bool = False,
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
            trust: Let a recipe.json name a module of your own, which is imported.
        """
        from figment.fields import fields_of
        from figment.launch import train

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
            trust=trust,
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
    trust: bool = False,
) -> int:
    """Go on with a run exactly where it stopped: to the end that was planned, or so much more.

    Args:
        run: The run folder.
        images: How many images more.
        minutes: How many minutes more.
        epochs: How many passes over the data more.
        data: Where the data are now, if they have moved.
        device: cpu, cuda, mps, or auto.
        trust: Open a recipe of your own, which the run only names: its module is imported.
    """
    from figment.launch import resume

    done = resume(
        run,
        images=images,
        minutes=minutes,
        epochs=epochs,
        data=data,
        device=device,
        trust=trust,
        started=STARTED,
    )
    return _code(done)


HELP = """usage: figment train DATA [flags]

Train on DATA: a folder of pictures (sub-folders are classes), a zip of one, a packed .npy or .npz file, or
a built-in set: flowers, ring, grid.

  --recipe NAME    The system to train: a name or an id from `figment recipes`, module:NAME, or a
                   recipe.json. Without it: few-shot for 50 to 2,000 pictures, points for points, or
                   else dcgan.
  --run DIR        The folder to write; runs/DATA-RECIPE without it.
  --images N, --epochs E or --minutes M
                   How long: real images, passes over the data, or minutes with everything included.
  --device NAME    cpu, cuda, mps, or auto.
  --trust          Let a recipe.json name a module of your own, which is imported.

Every field of the recipe is a flag, shown here with the value that it has."""


def _help(name: str, recipe: Any, *, everything: bool) -> str:
    from figment.recipes.help import fields_text

    return f"{HELP}\n\n{fields_text(name, recipe, everything=everything)}"


def _code(run: Any) -> int:
    """Return the shell's exit code for a run: 128 + the signal that stopped it, or 0."""
    return 128 + run.stopped_by if run.stopped_by else 0


def _positional(metavar: str) -> Any:
    from typing import Annotated

    import tyro

    return tyro.conf.Positional[Annotated[str, tyro.conf.arg(metavar=metavar)]]
