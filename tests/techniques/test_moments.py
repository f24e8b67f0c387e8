"""When techniques act and how much, by values worked out by hand on the players of one weight or two.

The discriminator's logit of pixels (a, b) is a + 2 b: its slope is (1, 2) everywhere, of length √5.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import pytest
import torch
from players import LABELS, LATENTS, START, OneWeight, played
from torch import Tensor, nn

from figment.gan import GAN
from figment.objectives.adversarial import logistic_discriminator
from figment.rounds import Batch, Clock

REALS = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])  # logits 1, 2, 3
FAKE_LOGITS = torch.tensor([1.0, 4.0, 1.0])  # of ``LATENTS``
ROOT_5 = 5**0.5


@dataclass(frozen=True, kw_only=True)
class Two(OneWeight):
    """Pictures of two pixels; the discriminator's weights are multiplied by ``steep``."""

    steep: float = 1.0

    @property
    def shape(self) -> tuple[int, ...]:
        return (1, 1, 2)

    def build(self) -> nn.ModuleDict:
        nets = super().build()
        nets["discriminator"].head.weight.data *= self.steep
        return nets


def found(recipe: GAN, player: str, *, reals: Tensor = REALS, clock: Clock = START):
    _, (minimise, _) = played(recipe, player, reals=reals, clock=clock)
    return {name: value.item() for name, value in minimise.items() if name != "adversarial"}


# -- instance noise -----------------------------------------------------------------------------


@pytest.mark.parametrize("fields", [{"instance_noise_images": 1_000}, {"images": 1_000}])
def test_instance_noise_fades_straight_and_ends_at_exactly_zero(fields: dict):
    recipe = GAN(instance_noise=0.2, **fields)
    values = [recipe.at(Clock(images=images)).instance_noise for images in range(0, 2001, 100)]
    assert values[0] == 0.2 and values[5] == pytest.approx(0.1)
    assert values[10:] == [0.0] * 11
    assert all(a > b for a, b in pairwise(values[:11]))


def test_instance_noise_is_on_reals_and_fakes_until_it_has_faded():
    recipe = GAN(instance_noise=0.2, instance_noise_images=1_000)
    images, nets = torch.zeros(64, 1, 8, 8), nn.ModuleDict()
    for moment, deviation in ((0, 0.2), (500, 0.1)):
        shown = recipe.at(Clock(images=moment)).show(nets, images)
        assert shown.std().item() == pytest.approx(deviation, rel=0.05)
    faded = recipe.at(Clock(images=1_000))
    assert faded.show(nets, images) is images
    assert len(recipe.techniques) == len(faded.techniques) + 1


# -- penalties on slopes ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "value"),
    [
        ({"r1": 3.0}, 3 * 5 / 2),
        ({"r2": 3.0}, 3 * 5 / 2),
        ({"gradient_penalty": 3.0}, 3 * (ROOT_5 - 1) ** 2),
        ({"zero_centred": 3.0}, 3 * 5),
        ({"dragan": 3.0}, 3 * (ROOT_5 - 1) ** 2),
        ({"gradient_penalty": 3.0, "steep": 0.5 / ROOT_5}, 3 * 0.25),
        ({"gradient_penalty": 3.0, "steep": 0.5 / ROOT_5, "gradient_penalty_sides": 1}, 0),
        ({"gradient_penalty": 3.0, "gradient_penalty_sides": 1}, 3 * (ROOT_5 - 1) ** 2),
    ],
)
def test_weighted_penalties_on_slopes(fields: dict, value: float):
    name = next(iter(fields))
    assert found(Two(**fields), "discriminator") == {name: pytest.approx(value, rel=1e-5)}
    assert found(Two(**fields), "generator") == {}


def test_penalties_that_are_taken_now_and_then_weigh_as_much_more():
    recipe = Two(r1=2.0, zero_centred=1.0, penalty_every=4)
    for rounds in range(9):
        terms = found(recipe, "discriminator", clock=Clock(rounds=rounds))
        expected = {"r1": 4 * 5.0, "zero_centred": 4 * 5.0} if rounds in (0, 4, 8) else {}
        assert terms == pytest.approx(expected)


def test_a_penalty_of_packs_is_by_both_pictures():
    """The logit of a pack is what it says of both pictures: four pixels, a slope of (1, 2, 1, 2)."""

    class Packed(Two):
        def logits(self, nets: nn.ModuleDict, shown: Tensor, labels: Tensor | None) -> Tensor:
            return shown.flatten(1) @ torch.tensor([1.0, 2.0, 1.0, 2.0])

    recipe = Packed(r1=1.0, packing=2, batch=4)
    images = torch.randn(4, 1, 1, 2)
    batch = Batch(images, torch.tensor([0, 1, 1, 0]), torch.randn(4, 2))
    terms = recipe.discriminator_terms(recipe.build(), batch, images, START)
    assert terms.penalties["r1"].item() == pytest.approx(10 / 2)


# -- penalties on logits ------------------------------------------------------------------------


def test_drift_is_on_the_logits_of_reals():
    assert found(Two(drift=0.5), "discriminator") == {"drift": pytest.approx(0.5 * (1 + 4 + 9) / 3)}


def test_lecam_pulls_from_round_1000_on():
    """Both anchors start at 2, the mean logit: ((3 - 2)² + (2 - 1)² + (2 - 1)²) / 3."""
    recipe = Two(lecam=0.3)
    assert found(recipe, "discriminator", clock=Clock(rounds=1_000)) == {
        "lecam": pytest.approx(0.3)
    }
    early = Clock(rounds=999)
    nets, (minimise, _) = played(recipe, "discriminator", reals=REALS, clock=early)
    assert minimise.keys() == {"adversarial"}
    anchors = nets["anchors"]  # which follow from the start
    assert (anchors.real.item(), anchors.fake.item()) == (2.0, 2.0)


class Sided(OneWeight):
    """Its logit is the left half of a picture less the right one: 0 where all pixels are alike."""

    def logits(self, nets: nn.ModuleDict, shown: Tensor, labels: Tensor | None) -> Tensor:
        return shown[..., :4].sum((1, 2, 3)) - shown[..., 4:].sum((1, 2, 3))


@pytest.mark.parametrize("field", ["consistency", "consistency_fake"])
def test_consistency_is_of_the_side_that_is_asked_for(field: str):
    even, uneven = torch.ones(3, 1, 8, 8), torch.eye(8).expand(3, 1, 8, 8)

    def value(weight: float, reals: Tensor, fakes: Tensor) -> float:
        recipe = Sided(**{field: weight})
        torch.manual_seed(0)
        batch = Batch(reals, LABELS, LATENTS)
        terms = recipe.discriminator_terms(recipe.build(), batch, fakes, START)
        assert terms.penalties.keys() == {field}
        return terms.penalties[field].item()

    sides = (uneven, even) if field == "consistency" else (even, uneven)
    assert value(1.0, *sides) > 0.1
    assert value(3.0, *sides) == pytest.approx(3 * value(1.0, *sides))
    assert value(1.0, *reversed(sides)) == 0


def test_labels_are_smoothed_in_the_discriminators_loss():
    """Both sides have a mean logit of 2: labels of .9 and .1 would cost no more than 1 and 0."""
    recipe = Two(objective="nonsaturating", real_target=0.9, fake_target=0.3)
    _, (minimise, _) = played(recipe, "discriminator", reals=REALS)
    logits = torch.tensor([1.0, 2.0, 3.0])
    smooth = logistic_discriminator(logits, FAKE_LOGITS, real_target=0.9, fake_target=0.3)
    assert minimise["adversarial"].item() == pytest.approx(smooth.mean().item())


# -- penalties on weights -----------------------------------------------------------------------


@pytest.mark.parametrize("players", ["both", "generator", "discriminator"])
def test_orthogonal_filters_of_the_players_that_are_asked_for(players: str):
    """W = (1, 2), W Wᵀ = 5: (5 - 1)², and nothing off the diagonal; the generator has no filters."""
    recipe = Two(orthogonal=0.25, off_diagonal=1.0, orthogonal_players=players)
    values = {"discriminator": 4.0, "generator": 0.0}
    for player, value in values.items():
        expected = {"orthogonal": value, "off_diagonal": 0.0}
        asked = players in ("both", player)
        assert found(recipe, player) == pytest.approx(expected if asked else {})


def test_each_player_is_held_near_its_own_past():
    """Weights that were at (1, 2) and are at (2, 3) lie 1² + 1² away; at first there is no past."""
    recipe = Two(historical_averaging=0.5)
    nets, (first, _) = played(recipe, "discriminator", reals=REALS)
    assert first["history"].item() == 0
    nets["discriminator"].head.weight.data += 1
    nets["generator"].scale.data += 3  # which has no past yet
    batch = Batch(REALS[:, None, None, :], LABELS, LATENTS)
    fakes = recipe.generate(nets["generator"], LATENTS, LABELS)
    terms = recipe.discriminator_terms(nets, batch, fakes.detach(), START)
    assert terms.penalties["history"].item() == pytest.approx(0.5 * 2)
    assert recipe.generator_terms(nets, batch, fakes, START).penalties["history"].item() == 0


def test_only_the_discriminator_is_clipped_and_only_after_its_own_step():
    recipe = Two(clip=1.5)
    nets = recipe.build()
    nets["generator"].scale.data.fill_(4.0)
    recipe.after("generator", nets)
    assert nets["discriminator"].head.weight.tolist() == [[1.0, 2.0]]
    recipe.after("discriminator", nets)
    assert nets["discriminator"].head.weight.tolist() == [[1.0, 1.5]]
    assert nets["generator"].scale.item() == 4.0
