"""What a run folder or a file of weights is opened as: its recipe, generator, classifier and data.

A run may be a stranger's. What is opened here is JSON and tensors; a recipe that is not built in is code,
so it is asked for only where networks are, and imported only with ``trust`` (``figment.recipes.own``).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from figment.errors import UserError
from figment.fields import fields_of
from figment.gan import GAN
from figment.recipe import Recipe, with_fields
from figment.recipes import recipe_from
from figment.records import Unreadable
from figment.tensors import read_note, read_shapes, read_tensors
from figment.training import folder

if TYPE_CHECKING:
    import torch
    from torch import nn

    from figment.data import Dataset
    from figment.judging.classifier import Classifier
    from figment.sampling.evolve import Moment
    from figment.sampling.generator import Generator


def read_run(path: Path, *, trust: bool = False) -> tuple[str, Recipe, dict[str, Any]]:
    """Return a run's recipe name, recipe and machine. Raises UserError if it is no run, or not trusted.

    A generator without a run, such as ``figment export`` writes, is opened as far as it says.
    """
    weights = folder.alone(path)
    name, fields, machine = folder.read(path) if weights is None else folder.read_alone(weights)
    name, recipe = recipe_from({"recipe": name, "fields": fields}, path, trust=trust)
    return name, recipe, machine


def known_fields(name: str, fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a run's recipe as far as figment knows them, without importing a recipe.

    Those of a recipe that is not built in, of another version, or damaged, where they have the type that
    figment gives them; what is missing is as figment's own recipes have it.
    """
    with suppress(UserError):
        if ":" not in name:
            return fields_of(recipe_from({"recipe": name, "fields": fields})[1])
    known = fields_of(GAN())
    for field in known.keys() & fields.keys():
        with suppress(UserError):
            known |= {field: getattr(with_fields(GAN(), {field: fields[field]}), field)}
    return known


def load_generator(path: Path, device: torch.device, *, trust: bool = False) -> Generator:
    """Return the generator of a snapshot file, whose metadata hold its recipe and names of classes.

    Raises UserError for a file that is damaged or no snapshot, or whose recipe is not trusted.
    """
    from figment.sampling.generator import Generator

    recipe, net, about = _opened(
        path, "snapshot", lambda recipe: recipe.networks()["generator"], trust
    )
    return Generator(recipe, net.to(device), _classes(about), str(about.get("data", "")))


def load_classifier(path: Path, device: torch.device, *, trust: bool = False) -> Classifier:
    """Return the classifier of a file that a run has written, whose metadata hold its recipe.

    Raises UserError for a file that is damaged or no classifier.
    """
    from figment.judging.classifier import Classifier

    def classifier(recipe: Recipe) -> nn.Module:
        net = recipe.classifier(recipe.networks())
        if net is None:
            raise ValueError("its recipe trains no classifier")
        return net

    recipe, net, about = _opened(path, "classifier", classifier, trust)
    return Classifier(recipe, net.to(device), _classes(about))


def generator_at(path: str | Path, device: str = "auto", *, trust: bool = False) -> Generator:
    """Return the generator of a run folder (its best, or else its latest) or of a file of weights."""
    from figment.training.devices import choose_device

    path = Path(path)
    if not path.is_file():
        read_run(path, trust=trust)  # where it is no run, that is what is wrong
        path = folder.weights_of(path)
    return load_generator(path, choose_device(device), trust=trust)


def moments(run: str | Path, device: str = "auto", *, trust: bool = False) -> list[Moment]:
    """Return a run's snapshots in order: images seen, and what opens the generator of that time."""
    from figment.training.devices import choose_device

    place = choose_device(device)
    read_run(Path(run), trust=trust)
    return [
        (folder.images_of(file) or 0, lambda file=file: load_generator(file, place, trust=trust))
        for file in folder.snapshots_of(Path(run))
    ]


NONSENSE = (LookupError, ArithmeticError, RuntimeError, ValueError, TypeError, AssertionError)
"""What building networks from a stranger's fields may raise."""


class RunData(NamedTuple):
    """Real pictures beside a run."""

    dataset: Dataset
    """In the form that the run learned."""
    held_out: tuple[float, int] | None
    """Share and seed of those that training did not see; None where they are other data than its own."""


def open_data(
    run: Path, against: str | None = None, *, trust: bool = False, progress: bool = True
) -> RunData:
    """Return the data that a run was trained on, or those ``against`` which it is to be judged.

    Raises UserError where its own have moved or changed.
    """
    from figment.data import open_dataset
    from figment.data.builtin import builtin
    from figment.data.hub import is_remote

    _, recipe, machine = read_run(run, trust=trust)
    own = machine["data"]
    if against is None and not own["path"]:
        raise UserError(f"{run} comes without its data: name some with --against")
    kept = builtin(own["path"]) or is_remote(own["path"]) or Path(own["path"]).exists()
    if against is None and not kept:
        raise UserError(
            f"the data of {run} are no longer at {own['path']}: name them with --against"
        )
    dataset = open_dataset(
        against or own["path"],
        resolution=recipe.resolution,
        channels=recipe.channels,
        fit=recipe.fit,
        folders=recipe.folders,
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
    return RunData(divided(run, dataset, recipe, machine), (recipe.held_out, recipe.seed))


def divided(run: Path, dataset: Dataset, recipe: Recipe, machine: dict[str, Any]) -> Dataset:
    """Return a run's data with the division that its machine.json records. Raises UserError for none."""
    from figment.data import with_division

    recorded = machine["data"].get("held_out")
    try:
        return with_division(dataset, recorded, recipe.held_out, recipe.seed)
    except ValueError as error:
        raise folder.damaged(run / "machine.json", str(error)) from None


def _opened(
    path: Path, what: str, build: Callable[[Recipe], nn.Module], trust: bool
) -> tuple[Recipe, nn.Module, dict[str, Any]]:
    """Return a file's recipe, the network built for it with the file's weights, and its metadata.

    The network is first built without memory: a file cannot ask for more than it holds itself.
    """
    import torch

    try:
        about = read_note(path)
        folder.refuse_state(path, about)
        if "recipe" not in about:
            raise Unreadable("it says of no recipe what it is")
        _, recipe = recipe_from(about, path, trust=trust)
        with torch.device("meta"):
            shapes = {key: tuple(value.shape) for key, value in build(recipe).state_dict().items()}
        if shapes != read_shapes(path):
            raise Unreadable("its weights are not those of the recipe in it")
        weights, about = read_tensors(path)
        net = build(recipe)
        net.load_state_dict(weights)
    except (Unreadable, OSError, *NONSENSE) as error:
        reason = f"{error}\n".splitlines()[0]
        raise UserError(
            f"{path} is not a readable {what} ({reason}): name another file of the run, or copy it again "
            "from where it came from"
        ) from None
    return recipe, net, about


def _classes(about: dict[str, Any]) -> tuple[str, ...]:
    """The names of classes in a file's metadata, () where there are none."""
    names = about.get("classes", [])
    return tuple(map(str, names)) if isinstance(names, list) else ()
