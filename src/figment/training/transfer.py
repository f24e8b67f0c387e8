"""Transfer: a training that begins from what another has learned, as far as tensors fit by name and shape.

Wang et al. 2018, arXiv:1805.01677: a generator and a discriminator that were trained on many pictures are
where a training on few begins. Only tensors are read: no recipe of the other run is imported.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from figment.errors import UserError
from figment.networks.layers.calibration import Calibrated
from figment.records import Unreadable
from figment.tensors import read_tensors
from figment.training import folder
from figment.training.state import LATEST

if TYPE_CHECKING:
    from torch import Tensor

    from figment.rounds import Playable
    from figment.training.trainer import Trainer

NETS = "nets."
"""What the names of networks' tensors begin with in a state."""


class Weights(NamedTuple):
    """What another training has learned."""

    file: Path
    images: int
    """How many images it had seen."""
    digest: str
    """SHA-256 of the file."""
    tensors: dict[str, Tensor]
    """By name, with the network's name in front, as in ``generator.main.0.weight``."""

    def about(self) -> dict[str, Any]:
        """Return what machine.json says of it."""
        return {"path": str(self.file), "images": self.images, "sha256": self.digest}


def read_weights(source: str | Path) -> Weights:
    """Return the networks of a run, or of a file of weights, which holds a generator alone.

    Of a run those of its saved state, the discriminator with them; where it has none (a generator that was
    published) its best or latest weights. Raises UserError where there is nothing that can be read.
    """
    path = Path(source)
    state = path / "state" / LATEST
    file = state if state.is_file() else folder.weights_of(path)
    try:
        tensors, note = read_tensors(file)
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
    except (OSError, Unreadable) as error:
        raise UserError(
            f"{file} cannot be begun from ({error}): name another run, or a file of weights, with --from"
        ) from None
    if any(name.startswith(NETS) for name in tensors):
        clock = note.get("clock")
        images = clock.get("images") if isinstance(clock, dict) else 0
        named = {n.removeprefix(NETS): t for n, t in tensors.items() if n.startswith(NETS)}
    else:
        images = note.get("images", 0)
        named = {f"{net}.{n}": t for net in ("generator", "average") for n, t in tensors.items()}
    seen = images if isinstance(images, int) and images >= 0 else 0
    return Weights(file.absolute(), seen, digest, named)


def refuse_strange(recipe: Playable, weights: Weights) -> None:
    """Raise UserError where no layer of the generator fits: it would be a training from nothing."""
    with torch.device("meta"):  # shapes alone
        mine = recipe.networks()["generator"].state_dict()
    for name, tensor in mine.items():
        there = weights.tensors.get(f"generator.{name}")
        if there is not None and tensor.ndim >= 2 and there.shape == tensor.shape:
            return
    raise UserError(
        f"nothing of the generator in {weights.file} fits this recipe: leave --recipe out, so that "
        "it is the other run's, or give it the same networks and --width"
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
        if name in weights.tensors and weights.tensors[name].shape == tensor.shape
    }
    for name, tensor in fits.items():
        tensor.copy_(weights.tensors[name])
    for name, layer in trainer.nets.named_modules():
        if isinstance(layer, Calibrated):  # what it was fitted to then, it stays fitted to
            layer.learned = all(f"{name}.{own}" in fits for own in layer.state_dict())
    trainer.begun_elsewhere = True
    seen = f", {weights.images:,} images on" if weights.images else ""
    counts = [_count(net, mine, fits, weights) for net in players]
    return f"begins from {weights.file}{seen}: {'; '.join(counts)}"


def _count(net: str, mine: dict[str, Tensor], fits: dict[str, Tensor], weights: Weights) -> str:
    """Say how much of a network fits, and what did not."""
    own = [name for name in mine if name.startswith(f"{net}.")]
    taken = sum(name in fits for name in own)
    if taken == len(own):
        return f"all of the {net}"
    if taken == 0:
        return f"the {net} begins anew"
    other = next(name for name in own if name not in fits)
    there = weights.tensors.get(other)
    shape = (
        f", is {_shape(there)} there and {_shape(mine[other])} here" if there is not None else ""
    )
    shape = shape or ", is not there"
    return f"{taken} of {len(own)} tensors of the {net} (the first that is not, {other}{shape})"


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "one number"
