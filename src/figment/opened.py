"""What a run folder or a file of weights is opened as: its recipe, generator, classifier and data."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from figment.errors import UserError
from figment.recipe import Recipe
from figment.recipes import recipe_from
from figment.training import folder

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from figment.data import Dataset
    from figment.judging.classifier import Classifier
    from figment.sampling.evolve import Moment
    from figment.sampling.generator import Generator


def read_run(path: Path) -> tuple[str, Recipe, dict[str, Any]]:
    """Return a run's recipe name, recipe and machine. Raises UserError if it is no run."""
    name, fields, machine = folder.read(path)
    try:
        name, recipe = recipe_from({"recipe": name, "fields": fields})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise folder.damaged(path, error) from None
    return name, recipe, machine


def load_generator(path: Path, device: torch.device) -> Generator:
    """Return the generator of a snapshot file, whose metadata hold its recipe and names of classes.

    Raises UserError for a file that is damaged or no snapshot.
    """
    from figment.sampling.generator import Generator

    recipe, net, about = _opened(path, "snapshot", lambda recipe: recipe.networks()["generator"])
    return Generator(recipe, net.to(device), about.get("classes", ()))


def load_classifier(path: Path, device: torch.device) -> Classifier:
    """Return the classifier of a file that a run has written, whose metadata hold its recipe.

    Raises UserError for a file that is damaged or no classifier.
    """
    from figment.judging.classifier import Classifier

    def classifier(recipe: Recipe) -> nn.Module:
        net = recipe.classifier(recipe.networks())
        if net is None:
            raise ValueError("its recipe trains no classifier")
        return net

    recipe, net, about = _opened(path, "classifier", classifier)
    return Classifier(recipe, net.to(device), tuple(about["classes"]))


def generator_at(path: str | Path, device: str = "auto") -> Generator:
    """Return the generator of a run folder (its best, or else its latest) or of a snapshot file."""
    from figment.training.devices import choose_device

    path = Path(path)
    if not path.is_file():
        read_run(path)  # where it is no run, that is what is wrong
        path = folder.weights_of(path)
    return load_generator(path, choose_device(device))


def moments(run: str | Path, device: str = "auto") -> list[Moment]:
    """Return a run's snapshots in order: images seen, and what opens the generator of that time."""
    from figment.training.devices import choose_device

    place = choose_device(device)
    read_run(Path(run))
    return [
        (folder.images_of(file) or 0, lambda file=file: load_generator(file, place))
        for file in folder.snapshots_of(Path(run))
    ]


class RunData(NamedTuple):
    """Real pictures beside a run."""

    dataset: Dataset
    """In the form that the run learned."""
    held_out: tuple[float, int] | None
    """Share and seed of those that training did not see; None where they are other data than its own."""


def open_data(run: Path, against: str | None = None, *, progress: bool = True) -> RunData:
    """Return the data that a run was trained on, or those ``against`` which it is to be judged.

    Raises UserError where its own have moved or changed.
    """
    from figment.data import open_dataset, with_division
    from figment.data.builtin import builtin

    _, recipe, machine = read_run(run)
    own = machine["data"]
    if against is None and not builtin(own["path"]) and not Path(own["path"]).exists():
        raise UserError(
            f"the data of {run} are no longer at {own['path']}: name them with --against"
        )
    dataset = open_dataset(
        against or own["path"],
        resolution=recipe.resolution,
        channels=recipe.channels,
        fit=recipe.fit,
        seed=recipe.seed,
        progress=progress,
    )
    same = dataset.fingerprint == own["fingerprint"]
    if against is None and not same:
        raise UserError(
            f"{own['path']} has changed since {run} began: name the data with --against"
        )
    if not same:
        return RunData(dataset, None)
    dataset = with_division(dataset, own.get("held_out"), recipe.held_out, recipe.seed)
    return RunData(dataset, (recipe.held_out, recipe.seed))


def _opened(
    path: Path, what: str, build: Callable[[Recipe], nn.Module]
) -> tuple[Recipe, nn.Module, dict[str, Any]]:
    """Return a file's recipe, the network built for it with the file's weights, and its metadata."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {})["figment"])
            weights: dict[str, Tensor] = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        _, recipe = recipe_from(about)
        net = build(recipe)
        net.load_state_dict(weights)
    except (SafetensorError, KeyError, RuntimeError, OSError, ValueError, TypeError) as error:
        reason = f"{error}\n".splitlines()[0]
        raise UserError(f"{path} is not a readable {what} ({reason})") from None
    return recipe, net, about
