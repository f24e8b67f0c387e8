"""Unrolled play: the generator answers a discriminator that has already answered it.

Metz et al. 2016, "Unrolled generative adversarial networks", eqs. 7 to 11.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from figment import mesh
from figment.randomness import seed_of
from figment.turns.alternating import move_discriminator
from figment.turns.inner import Inner, start
from figment.turns.unrolled_steps import kept_step, retraced_step

if TYPE_CHECKING:
    from figment.rounds import Batch, Clock, Engine, Rule, Scalars, Terms


def with_values(
    nets: nn.ModuleDict,
    values: dict[str, Tensor],
    rule: Rule,
    batch: Batch,
    fakes: Tensor,
    clock: Clock,
) -> Terms:
    """Return what a rule gives where parameters and buffers of the nets, by name, have these values.

    The nets themselves do not change: a buffer that the rule updates in place is updated in ``values``.
    """
    named = {f"nets.{name}": value for name, value in values.items()}
    return functional_call(_Stage(nets, rule), named, (batch, fakes, clock))


@dataclass(frozen=True, kw_only=True)
class Unrolled:
    """Alternating play in which the generator minimises its loss under the discriminator K steps on.

    θ_0 is the discriminator after its own moves, θ_{k+1} one step of descent on L_D(θ_k, G), and the
    gradient of L_G(θ_K, G) includes how θ_K depends on G (true second order). L_D and L_G are the
    recipe's rules, but for a zero-sum objective, where L_G is all of -L_D, reals included: the paper's
    game is minimax; the non-saturating one is a common substitute. All K steps see the last batch of
    the round and the same dropout masks. Neither the discriminator's weights, nor its optimiser, nor any
    buffer changes by them; what follows a move (weight clipping) is not part of them. With K = 0 the
    moves are those of ``alternating``.
    """

    steps: int = 5
    """Steps that the discriminator is unrolled by (K)."""
    inner: Inner = "adam"
    """What these steps are."""
    lr: float | None = None
    """Learning rate of these steps; the discriminator's own without."""
    checkpoint: bool = True
    """Keep only weights and moments of each step and compute the rest again: far less memory."""

    def __call__(self, engine: Engine) -> Scalars:
        """Play one round and return the scalars seen in it; the generator's loss is the one under θ_K.

        Raises UserError where an inner Adam has no Adam to take after.
        """
        seen, batch, fakes = move_discriminator(engine)
        return seen | engine.move("generator", self.rule(engine), batch, fakes)

    def rule(self, engine: Engine) -> Rule:
        """Return the recipe's generator rule as it is under the unrolled discriminator."""
        recipe = engine.now

        def generator_terms(
            nets: nn.ModuleDict, batch: Batch, fakes: Tensor, clock: Clock
        ) -> Terms:
            values = self.unroll(engine, batch, fakes)
            # Running statistics of the live discriminator are not to learn from another one's.
            homes = {name.split(".")[0] for name in values}
            buffers = {n: b.clone() for n, b in nets.named_buffers() if n.split(".")[0] in homes}
            rule = recipe.generator_terms
            terms = with_values(nets, values | buffers, rule, batch, fakes, clock)
            if recipe.loss_pair.zero_sum and "adversarial" in terms.losses:
                # What θ_K says of reals hangs on the fakes too: the whole game, not the fakes' share.
                held = {name: buffer.clone() for name, buffer in nets.named_buffers()}
                # A smoothed label of fakes would have the generator make worse what is found out.
                rule = recipe.hard_labelled().discriminator_terms
                game = with_values(nets, held | values, rule, batch, fakes, clock)
                against = recipe.adversarial * game.losses["adversarial"]
                terms = terms._replace(losses=terms.losses | {"adversarial": -against})
            return terms

        return generator_terms

    def unroll(self, engine: Engine, batch: Batch, fakes: Tensor) -> dict[str, Tensor]:
        """Return θ_K as a function of ``fakes``: the discriminator's weights by their names in the nets."""
        nets, clock = engine.nets, engine.clock
        name_of = {id(weight): name for name, weight in nets.named_parameters()}
        names = [name_of[id(weight)] for weight in engine.weights("discriminator")]
        seed = seed_of("unroll", engine.now.seed, clock.images)

        def slope(
            weights: Sequence[Tensor], fakes: Tensor, *, create_graph: bool
        ) -> Sequence[Tensor]:
            torch.manual_seed(seed)  # the same masks in every step
            values = {name: buffer.clone() for name, buffer in nets.named_buffers()}
            values |= dict(zip(names, weights, strict=True))
            with engine.autocast():
                rule = engine.now.discriminator_terms
                terms = with_values(nets, values, rule, batch, fakes, clock)
            loss = torch.stack(list(terms.minimised.values())).sum()
            gradients = torch.autograd.grad(
                loss, weights, create_graph=create_graph, materialize_grads=True
            )
            return Mean.apply(*gradients) if mesh.size() > 1 else gradients

        begun = start(engine.optimizers["discriminator"], self.inner, self.lr)
        states, advances = [state for state, _ in begun], [advance for _, advance in begun]
        one_step = retraced_step if self.checkpoint else kept_step
        with torch.autocast(engine.device.type, enabled=False):  # gradients as in every move
            for taken in range(self.steps):
                states = one_step(slope, advances, states, fakes, taken)
        return dict(zip(names, (state[0] for state in states), strict=True))


class Mean(torch.autograd.Function):
    """Tensors -> their means over all processes, differentiably.

    Every process minimises the loss of its share and the gradients are averaged in the end; under that
    convention the mean is its own adjoint.
    """

    @staticmethod
    def forward(ctx: Any, *tensors: Tensor) -> tuple[Tensor, ...]:
        means = tuple(tensor.clone() for tensor in tensors)
        mesh.average(means)
        return means

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, ...]:
        means = tuple(gradient.clone() for gradient in gradients)
        mesh.average(means)
        return means


class _Stage(nn.Module):
    """A rule of the game as the forward pass of a module that holds the networks it is played with."""

    def __init__(self, nets: nn.ModuleDict, rule: Rule) -> None:
        super().__init__()
        self.nets = nets
        self.rule = rule

    def forward(self, batch: Batch, fakes: Tensor, clock: Clock) -> Terms:
        return self.rule(self.nets, batch, fakes, clock)
