"""Trainer: plays any recipe's game, and holds all of its state.

One batch, from the pack to the weights: ``deal`` gathers uint8 rows, sends them to the device and makes
them floats in [-1, 1]; the recipe's turns play a round of moves; a ``move`` lets one player learn:
terms, backward, mean over processes, optimiser. After the round the average follows the generator.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from figment import mesh
from figment.augment import study
from figment.data import Dataset, Order, gather, split
from figment.game import aids, observed_held_out, seen
from figment.players import players
from figment.randomness import seed_of, stream
from figment.recipe import Batch, Clock, Recipe, Terms
from figment.training.average import WARM_UP, averaged, decay, follow, settled
from figment.training.previous_samples import PreviousSamples
from figment.turns.memory import Remembering

Rule = Callable[[nn.ModuleDict, Batch, Tensor, Clock], Terms]


def spread(rows: np.ndarray, most: int) -> np.ndarray:
    """Return at most so many of the rows, evenly spread: of every class, where they are in order."""
    return rows[np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(int)]


class NotFinite(ArithmeticError):
    """A loss or a gradient is infinite or not a number; nothing has been changed by it."""


class Trainer:
    """A recipe in play: networks, average, optimisers and clock."""

    def __init__(self, recipe: Recipe, dataset: Dataset, device: torch.device) -> None:
        self.recipe = recipe
        self.dataset = dataset
        self.device = device
        self.clock = Clock()
        self.rows, self.held_out = split(len(dataset), recipe.held_out, recipe.seed)
        self.order = Order(len(self.rows), recipe.seed)
        self.nets = build(recipe, device)
        self.optimizers = recipe.optimizers(self.nets)
        self.play = recipe.turns()
        if isinstance(self.play, Remembering):
            self.nets["turns"] = self.play.memory(self.weights())
        self.rate_scale = 1.0
        """What the recipe's learning rates are multiplied by: halved by every rollback."""

    def round(self) -> dict[str, Tensor]:
        """Play one round and return the scalars seen in it, of this process's share."""
        recipe, before = self.recipe, self.clock.images
        if self.clock.rounds == 0:
            torch.manual_seed(seed_of("begin", recipe.seed))
            with torch.no_grad():
                recipe.begin(self.nets, self)
        torch.manual_seed(seed_of("round", recipe.seed, before))
        seen = self.play(self)
        # Batch statistics saw different images; equal again, any process's state is the state.
        norms = (m for m in self.nets.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm))
        mesh.average(b for norm in norms for b in norm.buffers() if b.is_floating_point())
        self.clock = self.clock._replace(rounds=self.clock.rounds + 1)
        if "average" in self.nets:
            keep = decay(self.clock.images - before, _half_life(recipe.ema, self.clock.images))
            follow(self.nets["average"], self.nets["generator"], keep=keep)
        return seen

    def deal(self, start: int | None = None) -> Batch:
        """Return this process's share of the next batch and move the clock on.

        Its reals are the next ones in the order, or those from ``start`` on.
        """
        recipe, position = self.recipe, self.clock.images
        mine = mesh.rows(recipe.batch)
        first = position if start is None else start
        chosen = self.rows[self.order.indices(first, recipe.batch)[mine]]
        images, labels = self.fetch(chosen)
        if recipe.mirror:
            flips = stream("mirror", recipe.seed, position).random(recipe.batch)[mine] < 0.5
            turned = torch.from_numpy(flips).to(self.device)[:, None, None, None]
            images = torch.where(turned, images.flip(3), images)
        if recipe.augment == "study":
            images = study(images)
        if images.ndim == 4:
            images = images.contiguous(memory_format=torch.channels_last)
        self.clock = self.clock._replace(images=position + recipe.batch)
        return Batch(images, labels, self.latents("latents", position))

    def latents(self, purpose: str, *address: int) -> Tensor:
        """Return this process's share of a batch of latents [N, L], by their address in the seed."""
        drawn = stream(purpose, self.recipe.seed, *address).standard_normal(
            (self.recipe.batch, self.recipe.latent), dtype="float32"
        )
        return _own(drawn[mesh.rows(self.recipe.batch)]).to(self.device)

    def fetch(self, chosen: np.ndarray) -> tuple[Tensor, Tensor]:
        """Return examples on the device, pictures in [-1, 1], and their labels."""
        rows, labels = gather(self.dataset, chosen)
        images = _own(rows).to(self.device)
        if images.dtype == torch.uint8:
            images = images.float().div_(127.5).sub_(1)
        return images, _own(labels).to(self.device)

    def set_rate_scale(self, scale: float) -> None:
        """Multiply the recipe's learning rates by ``scale`` from here on."""
        for optimizer in self.optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] *= scale / self.rate_scale
        self.rate_scale = scale

    @torch.no_grad()
    def validate(self, count: int = 256) -> dict[str, Tensor]:
        """Return what the discriminator says of pictures it never learned from; {} where none are.

        Its mean score of them, and the mean sign of its logits (Karras et al. 2020a, section 3.1). Nothing
        changes by it, the running statistics of batch norm neither.
        """
        packing = self.recipe.packing
        chosen = spread(self.held_out, count)
        if len(chosen) < 2 * packing:
            return {}
        buffers = [(buffer, buffer.clone()) for buffer in self.nets.buffers()]
        classifier, logits, right = self.recipe.classifier(self.nets), [], []
        with self.autocast():
            for part in np.array_split(
                chosen, -(-len(chosen) // max(2 * packing, self.recipe.batch))
            ):
                images, labels = self.fetch(part)
                whole = images[: len(images) - len(images) % packing]
                shown = seen(self.recipe, self.nets, whole, self.clock)
                logits.append(self.recipe.judge(self.nets, shown, labels))
                if classifier is not None and self.dataset.classes:
                    right.append(classifier(images).argmax(1) == labels)
        for buffer, before in buffers:
            buffer.copy_(before)
        told = {"score/held_out_class": torch.cat(right).float().mean()} if right else {}
        return observed_held_out(self.recipe, torch.cat(logits)) | told

    def weights(self, *players: str) -> list[Tensor]:
        """Return what these players' optimisers change; without a name, all players'."""
        return [
            weight
            for player in players or self.optimizers
            for group in self.optimizers[player].param_groups
            for weight in group["params"]
        ]

    def move(self, player: str, rule: Rule, batch: Batch, fakes: Tensor) -> dict[str, Tensor]:
        """Let one player take one optimiser step; return the scalars seen, by their names in the log.

        Raises NotFinite, before anything has changed, where a gradient is not finite.
        """
        seen = self.differentiate(player, rule, batch, fakes)
        if self.recipe.balance and player == "discriminator":
            ahead = self.is_ahead(seen["score/accuracy"])
            seen["score/waited"] = torch.tensor(float(ahead), device=self.device)
            if ahead:
                self.optimizers[player].zero_grad()
                return seen
        self.step(player)
        return seen

    def differentiate(
        self, player: str, rule: Rule, batch: Batch, fakes: Tensor
    ) -> dict[str, Tensor]:
        """Add one player's gradients, means over the processes, to its weights; return what was seen.

        Raises NotFinite, no gradients left behind, where one is not finite.
        """
        weights = self.weights(player)
        with learning(weights, among=self.nets):
            with self.autocast():
                terms = rule(self.nets, batch, fakes, self.clock)
            total = torch.stack(list(terms.minimise.values())).sum()
            total.backward()
        gradients = [w.grad for w in weights if w.grad is not None]
        mesh.average(gradients)
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
        if not torch.isfinite(norm + total.detach()):
            for optimizer in self.optimizers.values():
                optimizer.zero_grad()
            raise NotFinite(_blame(player, terms))
        named = {f"{_group(name)}/{player}": value for name, value in terms.minimise.items()}
        seen = {name: value.detach() for name, value in (named | terms.observe).items()}
        return seen | {f"gradient/{player}": norm}

    def is_ahead(self, accuracy: Tensor) -> bool:
        """Return whether the discriminator, so accurate, is to skip its move (``Recipe.balance``)."""
        accuracy = accuracy.clone()
        mesh.average([accuracy])
        return bool(accuracy > self.recipe.balance)

    def step(self, player: str) -> None:
        """Let one player take a step along its gradients, and forget them."""
        self.optimizers[player].step()
        self.optimizers[player].zero_grad()
        self.recipe.after(player, self.nets)

    def averaged_generator(self) -> nn.Module:
        """Return the network that samples are drawn with: a settled copy of the average."""
        return settled(self.recipe, self.nets["average" if "average" in self.nets else "generator"])

    def autocast(self) -> torch.autocast:
        """Return the context in which networks run at the recipe's precision."""
        low = self.recipe.precision == "bfloat16"
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=low)


def build(recipe: Recipe, device: torch.device) -> nn.ModuleDict:
    """Return the recipe's networks, and the average if it keeps one, initialised from its seed."""
    torch.manual_seed(seed_of("weights", recipe.seed))
    nets = players(recipe)
    if recipe.ema > 0:
        nets["average"] = averaged(nets["generator"])
    nets.update(aids(recipe, nets))
    nets["album"] = PreviousSamples(recipe)  # its name in states that are already saved
    return nets.to(device).to(memory_format=torch.channels_last)  # ty: ignore[no-matching-overload]


@contextmanager
def learning(weights: list[Tensor], *, among: nn.ModuleDict) -> Generator[None]:
    """Let only ``weights`` gather gradients inside: nothing is computed for the other player's."""
    mine = {id(weight) for weight in weights}
    others = [w for w in among.parameters() if w.requires_grad and id(w) not in mine]
    for weight in others:
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight in others:
            weight.requires_grad_(True)


def _own(array: np.ndarray) -> Tensor:
    """Return a copy in torch's memory.

    numpy's arrays begin at any multiple of 16 bytes, torch's at multiples of 64, and matrix products
    round differently by where their operands begin: without the copy, equal runs end in different bits.
    """
    return torch.from_numpy(array).clone()


def _half_life(ema: int, images: int) -> float:
    return min(ema, WARM_UP * images)


def _group(term: str) -> str:
    """The adversarial term is the player's loss; any other term is a penalty by its own name."""
    return "loss" if term == "adversarial" else f"penalty/{term}"


def _blame(player: str, terms: Terms) -> str:
    for name, value in terms.minimise.items():
        if not torch.isfinite(value):
            return f"the {player}'s {name} loss is {value.item()}"
    return f"the {player}'s gradient is not finite although its loss is"
