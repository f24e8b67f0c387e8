"""Trainer: plays any recipe's rounds, and holds all of its state.

One batch, from the pack to the weights: the feed gathers uint8 rows, sends them to the device and makes
them floats in [-1, 1]; the recipe's turns play a round of moves; a ``move`` lets one player learn:
terms, backward, mean over processes, optimiser. After the round the average follows the generator.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from figment import compiling, mesh
from figment.data import Dataset
from figment.microbatch import micro_batches
from figment.randomness import seed_of
from figment.rounds import Batch, Clock, Playable
from figment.training import contract
from figment.training.average import averaged, follow, keep_share, with_own_statistics
from figment.training.feed import Feed
from figment.training.learning import learning
from figment.training.previous_samples import PreviousSamples
from figment.turns.memory import Remembering

if TYPE_CHECKING:
    from figment.rounds import Rule, Scalars


class NotFinite(ArithmeticError):
    """A loss or a gradient is infinite or not a number; nothing has been changed by it."""


class Trainer:
    """A recipe in play: networks, average, optimisers and clock."""

    def __init__(self, recipe: Playable, dataset: Dataset, device: torch.device) -> None:
        self.recipe = self.now = recipe
        """The recipe, and the recipe as it is at this moment (``Playable.at``)."""
        self.device = device
        self.clock = Clock()
        self.feed = Feed(recipe, dataset, device)
        self.nets = build(recipe, device)
        self.optimizers = recipe.optimizers(self.nets)
        learned = {id(weight) for weight in self.weights()}
        self._learning = [n for n in self.nets.values() if learned & {*map(id, n.parameters())}]
        self.take_turns = recipe.turns()
        if isinstance(self.take_turns, Remembering):
            self.nets["turns"] = self.take_turns.memory(self.weights())
        self.rate_scale = 1.0
        """What the recipe's learning rates are multiplied by: halved by every rollback."""
        self.begun_elsewhere = False
        """Whether its first weights were learned by another training (``figment.training.transfer``)."""

    def round(self) -> Scalars:
        """Play one round and return the scalars seen in it, of this process's share."""
        before = self.clock
        self._set_clock(before)
        self.now.adjust(self.optimizers, self.rate_scale)
        if before.rounds == 0:
            torch.manual_seed(seed_of("begin", self.recipe.seed))
            with torch.no_grad():
                self.now.begin(self)
        torch.manual_seed(seed_of("round", self.recipe.seed, before.images))
        with contract.told_whose(self.recipe):
            seen = self.take_turns(self)
        contract.refuse_round(self.recipe, seen, before, self.clock)
        # Batch statistics saw different images; equal again, any process's state is the state.
        norms = (m for m in self.nets.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm))
        mesh.average(b for norm in norms for b in norm.buffers() if b.is_floating_point())
        self._set_clock(self.clock._replace(rounds=before.rounds + 1))
        if "average" in self.nets:
            seen_until, life = self.clock.images, self.now.ema
            keep = keep_share(before.images, seen_until, life, self.now.ema_warm_up)
            follow(self.nets["average"], self.nets["generator"], keep=keep)
        return seen

    def next_batch(self, start: int | None = None) -> Batch:
        """Return this process's share of the next batch, or that from ``start`` on; move the clock on."""
        clock = self.clock
        self._set_clock(clock._replace(images=clock.images + self.now.batch))
        return self.feed.batch(self.now, clock, start)  # reals as the moves that follow know them

    def latents(self, purpose: str, *address: int) -> Tensor:
        """Return this process's share of a batch of latents [N, L], by their address in the seed."""
        return self.feed.latents(self.now, purpose, *address)

    def generate(self, batch: Batch) -> Tensor:
        """Return the generator's fakes for a batch, at the recipe's precision."""
        with self.autocast(), self.in_parts(), self.compiled():
            fakes = self.now.generate(self.nets["generator"], batch.latents, batch.labels)
        contract.refuse_fakes(self.now, fakes, len(batch.latents))
        return fakes

    def move(self, player: str, rule: Rule, batch: Batch, fakes: Tensor) -> Scalars:
        """Let one player take one optimiser step; return the scalars seen, by their names in the log.

        Raises NotFinite, before anything has changed, where a gradient is not finite.
        """
        seen = self.differentiate(player, rule, batch, fakes)
        if self.now.waits(player, seen):
            self.optimizers[player].zero_grad()
        else:
            self.step(player)
        return seen

    def differentiate(self, player: str, rule: Rule, batch: Batch, fakes: Tensor) -> Scalars:
        """Add one player's gradients, means over the processes, to its weights; return what was seen.

        Raises NotFinite, no gradients left behind, where one is not finite.
        """
        weights = self.weights(player)
        with learning(weights, among=self.nets), self.in_parts(), self.compiled():
            with self.autocast():
                terms = rule(self.nets, batch, fakes, self.clock)
            contract.refuse_terms(self.now, rule, player, terms)
            total = torch.stack(list(terms.minimised.values())).sum()
            total.backward()
        gradients = [w.grad for w in weights if w.grad is not None]
        contract.refuse_idle(self.now, player, gradients)
        mesh.average(gradients)
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
        if not torch.isfinite(norm + total.detach()):
            for optimizer in self.optimizers.values():
                optimizer.zero_grad()
            raise NotFinite(terms.blame(player))
        seen = {name: value.detach() for name, value in terms.columns(player).items()}
        return seen | {f"gradient/{player}": norm}

    def step(self, player: str) -> None:
        """Let one player take a step along its gradients, and forget them."""
        self.optimizers[player].step()
        self.optimizers[player].zero_grad()
        self.now.after(player, self.nets)

    def weights(self, *players: str) -> list[Tensor]:
        """Return what these players' optimisers change; without a name, all players'."""
        return [
            weight
            for player in players or self.optimizers
            for group in self.optimizers[player].param_groups
            for weight in group["params"]
        ]

    @torch.no_grad()
    def validate(self, count: int = 256) -> Scalars:
        """Return what the recipe says of pictures it never learned from; {} where none are.

        Nothing changes by it, the running statistics of batch norm neither.
        """
        unseen = self.feed.held_out_examples(count)
        if unseen is None:
            return {}
        buffers = [(buffer, buffer.clone()) for buffer in self.nets.buffers()]
        self._set_clock(self.clock)
        with self.autocast(), self.in_parts():
            found = self.now.validate(self.nets, *unseen)
        contract.refuse_columns(self.now, "validate", found)
        for buffer, before in buffers:
            buffer.copy_(before)
        return found

    def averaged_generator(self) -> nn.Module:
        """Return the network that samples are drawn with: the average, with statistics of its own."""
        net = self.nets["average" if "average" in self.nets else "generator"]
        return with_own_statistics(self.recipe, net)

    def autocast(self) -> torch.autocast:
        """Return the context in which networks run at the recipe's precision."""
        low = self.recipe.precision == "bfloat16"
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=low)

    def in_parts(self) -> AbstractContextManager[None]:
        """Return the context in which networks run over micro-batches, where the recipe asks for them."""
        return micro_batches(self.now.micro_batch, self._learning, self.now.neighbours)

    def compiled(self) -> AbstractContextManager[None]:
        """Return the context in which networks run compiled, if the recipe asks and the machine can."""
        return compiling.compiled(self.recipe.compile and not compiling.why_not(self.device))

    def _set_clock(self, clock: Clock) -> None:
        self.clock, self.now = clock, contract.at(self.recipe, clock)


def build(recipe: Playable, device: torch.device) -> nn.ModuleDict:
    """Return the recipe's networks, and the average if it keeps one, initialised from its seed."""
    torch.manual_seed(seed_of("weights", recipe.seed))
    nets = recipe.networks()
    contract.refuse_networks(recipe, nets)
    if recipe.ema > 0:
        nets["average"] = averaged(nets["generator"])
    contract.refuse_names(recipe, nets, kept := recipe.memory(nets))
    nets.update(kept)
    nets["album"] = PreviousSamples(recipe)  # the name that states of earlier versions have
    for net in nets.to(device).values():  # as a network asks for, else as most are fastest
        net.to(memory_format=getattr(net, "memory_format", torch.channels_last))  # ty: ignore[no-matching-overload]
    return nets
