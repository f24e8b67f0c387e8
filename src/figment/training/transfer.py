"""Transfer: a training that begins from what another has learned, as far as tensors fit by name and shape.

Wang et al. 2018, arXiv:1805.01677: a generator and a discriminator that were trained on many pictures are
where a training on few begins. Only tensors are read: no recipe of the other run is imported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from figment.data.printing import clean, counted
from figment.errors import UserError
from figment.networks.layers.calibration import Calibrated
from figment.records import Unreadable
from figment.tensors import PLAIN, Kind, open_tensors, read_kinds
from figment.training import folder
from figment.training.state import LATEST

if TYPE_CHECKING:
    from torch import Tensor, nn

    from figment.rounds import Playable
    from figment.training.trainer import Trainer

NETS = "nets."
"""What the names of networks' tensors begin with in a state."""
FAR = 1e18
"""Numbers beyond are no weights: their squares, which norms sum, do not fit float32."""


class Weights(NamedTuple):
    """What another training has learned."""

    file: Path
    images: int
    """How many images it had seen."""
    digest: str
    """SHA-256 of the file."""
    tensors: Mapping[str, Tensor]
    """By name, with the network's name in front, as in ``generator.main.0.weight``; read when asked for."""
    shapes: Mapping[str, tuple[int, ...]]
    """Theirs, known before any is read."""
    run: str = ""
    """The name of the run they are of, "" where a file was named."""

    def about(self) -> dict[str, Any]:
        """Return what machine.json says of it."""
        said = {"path": str(self.file), "images": self.images, "sha256": self.digest}
        return {"run": self.run, **said} if self.run else said

    def called(self) -> str:
        """Return what a person calls them, ``the weights of run dc (2,000 images)``."""
        of = f"run {clean(self.run)}" if self.run else str(self.file)
        return f"the weights of {of}" + (f" ({counted(self.images, 'image')})" * bool(self.images))


def read_weights(source: str | Path) -> Weights:
    """Return the networks of a run, or of a file of weights, which holds a generator alone.

    Of a run those of its saved state, the discriminator with them; where it has none (a generator that was
    published) its best or latest weights. A file may be a stranger's and of any size: what it says of its
    tensors is looked at first, and none is read before its shape is known to fit. Raises UserError where
    there is nothing that can be read.
    """
    if "://" in str(source):
        raise UserError(f"--from {source} is an address: download it, and name the file or folder")
    if not str(source):
        raise UserError("--from is empty: name a run, or a file of weights, or leave it out")
    path = Path(source)
    state = path / "state" / LATEST
    file = state if state.is_file() else folder.weights_of(path)
    try:
        kinds = read_kinds(file)
        _refuse_kinds(file, kinds)
        tensors, note, digest = open_tensors(file)
    except (OSError, Unreadable) as error:
        raise UserError(
            f"{file} cannot be begun from ({error}): name another run, or a file of weights, with --from"
        ) from None
    if any(name.startswith(NETS) for name in tensors):
        clock = note.get("clock")
        images = clock.get("images") if isinstance(clock, dict) else 0
        named = {n.removeprefix(NETS): n for n in tensors if n.startswith(NETS)}
        if not any(name.startswith("average.") for name in named):  # trained without one
            own = [name for name in named if name.startswith("generator.")]
            named |= {name.replace("generator", "average", 1): named[name] for name in own}
    else:
        images = note.get("images", 0)
        named = {f"{net}.{n}": n for net in ("generator", "average") for n in tensors}
    seen = images if isinstance(images, int) and images >= 0 else 0
    shapes = {name: kinds[key].shape for name, key in named.items() if key in kinds}
    run = path.resolve().name if path.is_dir() else ""
    return Weights(file.absolute(), seen, digest, tensors.renamed(named), shapes, run)


def _refuse_kinds(file: Path, kinds: Mapping[str, Kind]) -> None:
    """Raise UserError for tensors that no network here can have, before anything else is read."""
    for name, kind in kinds.items():
        if kind.dtype not in PLAIN:
            raise UserError(
                f"{name} in {file} is of the type {kind.dtype}, which no network here has: write it as "
                "F32, or name another file with --from"
            )
    whole = not any(name.startswith(NETS) for name in kinds)
    owners = [n for n, kind in kinds.items() if len(kind.shape) >= 2 and min(kind.shape) > 0]
    if not any(whole or name.startswith(f"{NETS}generator.") for name in owners):
        raise UserError(
            f"{file} holds no layer of a generator: name a run, or a file of weights, with --from"
        )


def refuse_strange(recipe: Playable, weights: Weights) -> None:
    """Raise UserError where no layer of the generator fits: it would be a training from nothing.

    Or where layers that are to stay as they are there do not fit, or what fits holds numbers that nothing
    can be learned from.
    """
    with torch.device("meta"):  # shapes alone
        nets = recipe.networks()
    mine = nets.state_dict()
    own = [name for name in mine if name.startswith("generator.")]
    mine |= {name.replace("generator", "average", 1): mine[name] for name in own}
    fits = [n for n, tensor in mine.items() if weights.shapes.get(n) == tuple(tensor.shape)]
    if not any(name.startswith("generator.") and mine[name].ndim >= 2 for name in fits):
        raise UserError(
            f"nothing of the generator in {weights.file} fits this recipe: leave --recipe, --resolution "
            "and --width out, so that they are the other run's, or give the same"
        )
    if count := getattr(recipe, "freeze_layers", 0):
        _refuse_unlearned(nets["discriminator"], count, weights)
    for name in fits:
        _refuse_wild(name, weights)


def _refuse_unlearned(net: nn.Module, count: int, weights: Weights) -> None:
    """Raise UserError where a layer that is to be frozen is not taken: it would stay as it was drawn."""
    keeps = f"--freeze-layers {count} keeps first layers of the discriminator"
    if not any(name.startswith("discriminator.") for name in weights.shapes):
        home = folder.run_of(weights.file)
        whole = home is not None and (home / "state" / LATEST).is_file()
        cure = f"name its run, {home}," if whole else "name a run with its state/"
        raise UserError(
            f"{keeps}, and {weights.file} holds a generator alone: {cure} with --from, or leave "
            "--freeze-layers out"
        )
    for name, weight in net.named_parameters(prefix="discriminator"):
        there = weights.shapes.get(name)
        if not weight.requires_grad and there != tuple(weight.shape):
            raise UserError(
                f"{keeps}, but {name} {_apart(there, weight.shape)}: leave --width and --resolution as "
                f"{weights.file} has them, or leave --freeze-layers out"
            )


def _refuse_wild(name: str, weights: Weights) -> None:
    tensor = weights.tensors[name]
    wild = ~(tensor.abs() <= FAR) if tensor.is_floating_point() else torch.zeros(1).bool()
    if wild.any():
        raise UserError(
            f"{name} in {weights.file} holds {float(tensor[wild][0]):g}, from which nothing can be "
            "learned: name an earlier snapshot, or another run, with --from"
        )


@torch.no_grad()
def take(trainer: Trainer, weights: Weights) -> str:
    """Put the tensors that fit into the trainer's networks; return the sentence that says how many did.

    What techniques remember (a probability, a buffer of fakes) stays as it begins.
    """
    learned = {id(weight) for weight in trainer.weights()}
    nets = trainer.nets.items()
    players = [name for name, net in nets if any(id(w) in learned for w in net.parameters())]
    mine = {
        name: tensor
        for name, tensor in trainer.nets.state_dict().items()
        if name.partition(".")[0] in ("average", *players)
    }
    fits = {
        name: tensor
        for name, tensor in mine.items()
        if weights.shapes.get(name) == tuple(tensor.shape)
    }
    for name, tensor in fits.items():
        tensor.copy_(weights.tensors[name])
    for name, layer in trainer.nets.named_modules():
        if isinstance(layer, Calibrated):  # what it was fitted to then, it stays fitted to
            layer.learned = all(f"{name}.{own}" in fits for own in layer.state_dict())
    trainer.begun_elsewhere = True
    counts = [_count(net, mine, fits, weights) for net in players]
    return f"begins from {weights.called()}: {'; '.join(counts)}"


def _count(net: str, mine: dict[str, Tensor], fits: dict[str, Tensor], weights: Weights) -> str:
    """Say how much of a network fits, and what did not."""
    own = [name for name in mine if name.startswith(f"{net}.")]
    taken = sum(name in fits for name in own)
    if taken == len(own):
        return f"all of the {net}"
    if taken == 0:
        return f"the {net} begins anew"
    other = next(name for name in own if name not in fits)
    apart = _apart(weights.shapes.get(other), mine[other].shape)
    return f"{taken} of {len(own)} tensors of the {net} (the first that is not, {other}, {apart})"


def _apart(there: Sequence[int] | None, here: Sequence[int]) -> str:
    """Say why a tensor is not taken."""
    return "is not there" if there is None else f"is {_shape(there)} there and {_shape(here)} here"


def _shape(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape)) or "one number"
