"""What techniques add to the losses, by values worked out by hand, on players of one weight or two."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
import torch
from players import CPU, LABELS, LATENTS, START, OneWeight, Scaled, played
from torch import Tensor, nn

from figment import penalties
from figment.data import Dataset, open_dataset
from figment.errors import UserError
from figment.networks.layers.discriminator import FeatureDiscriminator
from figment.networks.layers.head import Auxiliary, linear
from figment.networks.layers.minibatch_discrimination import MinibatchDiscrimination
from figment.recipes import find
from figment.rounds import Batch, Clock
from figment.techniques import View, adversarial, slopes
from figment.training.trainer import Trainer, build

# -- what the generator minimises ---------------------------------------------------------------


def test_feature_matching_alone_gives_the_generator_the_analytic_gradient():
    """Mean latents are (0, 1), of reals (.5, 0): ((0 s - .5)² + (1 s - 0)²) / 2, slope s = 1."""
    reals = torch.tensor([[0.5, 0.0]]).expand(3, 2)
    recipe = OneWeight(adversarial=0.0, feature_matching=3.0)
    nets, (minimise, _) = played(recipe, "generator", reals=reals)
    assert minimise.keys() == {"feature_matching"}
    assert minimise["feature_matching"].item() == pytest.approx(3 * (0.25 + 1) / 2)
    sum(minimise.values()).backward()
    assert nets["generator"].scale.grad.item() == pytest.approx(3 * 1.0)
    assert nets["discriminator"].head.weight.grad is None  # features lie before it


def test_feature_matching_beside_the_game():
    """The logits are s (1, 4, 1), and -mean of them is the generator's Wasserstein loss."""
    nets, (minimise, _) = played(OneWeight(adversarial=0.5, feature_matching=1.0), "generator")
    assert minimise["adversarial"].item() == pytest.approx(-0.5 * 2)
    assert minimise["feature_matching"].item() == pytest.approx(0.5)
    sum(minimise.values()).backward()
    assert nets["generator"].scale.grad.item() == pytest.approx(-1 + 1, abs=1e-6)


def test_the_last_layer_is_no_feature():
    """The features that are matched are those before the head, whatever it compares."""
    recipe = OneWeight(feature_matching=1.0, minibatch_discrimination=4)
    _, (minimise, _) = played(recipe, "generator")
    assert minimise["feature_matching"].item() == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("images", "share", "slope"),
    [(0, 1.0, 2.0), (500, 1 / 3, 4.0), (1_000, 1 / 3, 4.0), (250, 3**-0.5, 4.0)],
)
def test_top_k_teaches_by_the_fakes_that_are_judged_best(images: int, share: float, slope: float):
    """Logits are s (1, 4, 1): of all three the mean is 2 s, of the best one 4 s."""
    recipe = OneWeight(top_k=1 / 3, images=1_000)
    clock = Clock(images=images)
    assert recipe.at(clock).top_k == pytest.approx(share)
    nets, (minimise, _) = played(recipe, "generator", clock=clock)
    assert minimise["adversarial"].item() == pytest.approx(-slope)
    minimise["adversarial"].backward()
    assert nets["generator"].scale.grad.item() == pytest.approx(-slope)


@dataclass(frozen=True, kw_only=True)
class Labelled(OneWeight):
    """D(x, k) = k times the sum of the pixels, so that a slope tells the label."""

    def logits(self, nets: nn.ModuleDict, shown: Tensor, labels: Tensor | None) -> Tensor:
        assert labels is not None
        return labels * shown.flatten(1).sum(1)


def test_penalties_take_reals_and_fakes_with_their_own_labels():
    recipe = Labelled(r1=1.0, r2=1.0, resolution=1)
    pixels, of_fakes = torch.zeros(3, 1, 1, 1), torch.tensor([3, 3, 3])
    batch = Batch(pixels, LABELS, LATENTS)
    view = View(recipe, recipe.build(), batch, pixels, of_fakes, START)
    found = slopes.Slopes().discriminator(recipe, view).penalties
    assert found["r1"].item() == pytest.approx((0 + 0.5 + 0.5) / 3)  # ½ k²
    assert found["r2"].item() == pytest.approx(4.5)


def test_both_halves_of_zcr(monkeypatch: pytest.MonkeyPatch):
    """With steps d = (.5, -1) logits change by s(.5 - 2) = -1.5, pixels by mean (.25 + 1) / 2."""
    step = torch.tensor([0.5, -1.0])
    monkeypatch.setattr(penalties, "nudge", lambda latents: latents + step)
    recipe = OneWeight(latent_consistency=5.0, latent_diversity=0.5)
    nets, (minimise, _) = played(recipe, "discriminator")
    assert minimise["latent_consistency"].item() == pytest.approx(5 * 2.25)
    minimise["latent_consistency"].backward()
    assert nets["generator"].scale.grad is None
    # 5 · d/dw (w·d)² = 10 (w·d) d
    assert nets["discriminator"].head.weight.grad[0].tolist() == pytest.approx([-7.5, 15.0])
    nets, (minimise, _) = played(recipe, "generator")
    assert minimise["latent_diversity"].item() == pytest.approx(-0.5 * 0.625)
    minimise["latent_diversity"].backward()
    assert nets["generator"].scale.grad.item() == pytest.approx(-0.5 * 2 * 0.625)


# -- classes --------------------------------------------------------------------------------------


def classed(**fields) -> OneWeight:
    return OneWeight(classes=3, **fields)


@dataclass(frozen=True, kw_only=True)
class Telling(OneWeight):
    """Its classifier gives class k the logit of pixel k, and none to the third."""

    classes: int = 3
    conditioning: str = "classifier"

    def build(self) -> nn.ModuleDict:
        nets = super().build()
        generator, classes = nets["generator"], nets["discriminator"].head.classes
        classes.weight.data = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
        classes.bias.data.zero_()
        generator.forward = lambda z: Scaled.forward(generator, z[:, :2])  # without the one-hot
        return nets


def cross_entropy(pixels: Tensor) -> float:
    logits = torch.cat([pixels, torch.zeros(len(pixels), 1)], 1)
    each = torch.logsumexp(logits, 1) - logits[torch.arange(len(pixels)), LABELS]
    return each.mean().item()


def test_class_losses_of_both_players():
    reals = torch.tensor([[2.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    recipe = Telling(class_loss=0.5, class_loss_generator=0.1)
    _, (minimise, observe) = played(recipe, "discriminator", reals=reals)
    expected = 0.5 * (cross_entropy(reals) + cross_entropy(LATENTS))
    assert minimise["class"].item() == pytest.approx(expected)
    assert observe["score/class"].item() == pytest.approx(2 / 3)  # the third looks like class 0
    nets, (minimise, _) = played(recipe, "generator", reals=reals)
    assert minimise["class"].item() == pytest.approx(0.1 * cross_entropy(LATENTS))
    minimise["class"].backward()
    assert nets["generator"].scale.grad.abs() > 0.001


def test_class_losses_at_logits_of_nothing():
    """Two times log K for the discriminator, one for the generator."""
    recipe = replace(find("acgan")[1].tiny(), class_loss_generator=0.1)
    nets = build(recipe, CPU)
    head = nets["discriminator"].head
    assert isinstance(head, Auxiliary)
    for weight in head.classes.parameters():
        nn.init.zeros_(weight)
    batch = Batch(torch.randn(4, 3, 16, 16), torch.tensor([0, 1, 0, 1]), torch.randn(4, 8))
    fakes = recipe.generate(nets["generator"], batch.latents, batch.labels)
    for rule, value in (
        (recipe.discriminator_terms, 2 * 0.693147),
        (recipe.generator_terms, 0.1 * 0.693147),
    ):
        terms = rule(nets, batch, fakes, Clock())
        assert terms.penalties["class"].item() == pytest.approx(value, abs=1e-6)


def test_one_hot_classes_are_constant_maps_and_numbers_beside_the_latent():
    recipe = classed(conditioning="concat")
    images = torch.randn(3, 1, 2, 2)
    (given,) = recipe.discriminator_inputs(images, LABELS)
    assert given.shape == (3, 1 + 3, 2, 2)
    assert torch.equal(given[:, :1], images)
    maps = nn.functional.one_hot(LABELS, 3)[:, :, None, None].expand(3, 3, 2, 2)
    assert torch.equal(given[:, 1:], maps.float())
    given = recipe.generate(nn.Identity(), LATENTS, LABELS)
    assert given.tolist() == [[1, 0, 1, 0, 0], [2, 1, 0, 1, 0], [-3, 2, 0, 1, 0]]
    assert (recipe.inputs, recipe.discriminator_channels) == (5, 4)
    assert recipe.discriminator_inputs(images, None)[0] is images
    assert torch.equal(recipe.generate(nn.Identity(), LATENTS, None), LATENTS)


def test_a_penalty_on_slopes_does_not_see_the_maps():
    """The slope of 3 times the picture is 3, that of the maps of classes is left out: 10 (3 - 1)²."""

    class Sum(FeatureDiscriminator):
        def features(self, x: Tensor) -> Tensor:
            return x

        def verdict(self, features: Tensor, *condition: Tensor) -> Tensor:
            pixels, maps = features[:, 0], features[:, 1:]
            return 3 * pixels.flatten(1).sum(1) + 100 * maps.flatten(1).sum(1)

    recipe = classed(conditioning="concat", gradient_penalty=10.0, resolution=1)
    nets = nn.ModuleDict({"generator": Scaled(), "discriminator": Sum()})
    batch = Batch(torch.randn(3, 1, 1, 1), LABELS, LATENTS)
    terms = recipe.discriminator_terms(nets, batch, torch.randn(3, 1, 1, 1), Clock())
    assert terms.penalties["gradient_penalty"].item() == pytest.approx(40, rel=1e-5)


def test_projection_adds_the_inner_product_with_the_class():
    recipe = replace(find("sngan-projection")[1].tiny(), spectral_norm="none")
    nets = build(recipe, CPU)
    net, x = nets["discriminator"], torch.randn(3, 3, 16, 16)
    one, other = torch.zeros(3, dtype=torch.int64), torch.ones(3, dtype=torch.int64)
    rows = net.head.embedding.weight
    difference = recipe.logits(nets, x, one) - recipe.logits(nets, x, other)
    torch.testing.assert_close(difference, net.features(x) @ (rows[0] - rows[1]))
    assert difference.abs().min() > 1e-6


def test_features_and_logits_of_a_projection_agree():
    recipe = replace(find("sngan-projection")[1].tiny(), feature_matching=1.0)
    nets, x = build(recipe, CPU).eval(), torch.randn(3, 3, 16, 16)
    logits, features = recipe.examine(nets, x, LABELS)
    torch.testing.assert_close(logits, recipe.logits(nets, x, LABELS))
    assert features.shape == (3, 4)
    plain = replace(recipe, feature_matching=0.0)
    assert plain.examine(nets, x, LABELS)[1] is None


def test_feature_matching_needs_features():
    nets = nn.ModuleDict({"discriminator": nn.Flatten()})
    with pytest.raises(UserError, match=r"need a discriminator with features: make it a figment\."):
        OneWeight(feature_matching=1.0).examine(nets, torch.randn(2, 1, 1, 1), LABELS)


# -- heads ----------------------------------------------------------------------------------------


def test_a_head_puts_together_what_is_asked_for():
    asked = {"minibatch_discrimination": 5, "minibatch_dimensions": 2, "minibatch_stddev": True}
    head = classed(conditioning="projection", **asked).head(linear)(7)
    assert head.verdict.psi.in_features == head.verdict.embedding.embedding_dim == 7 + 5 + 1
    assert head(torch.randn(4, 7), torch.tensor([0, 1, 2, 0])).shape == (4,)
    aside = classed(conditioning="classifier", minibatch_stddev=True).head(linear)(7)
    assert aside.verdict.verdict.in_features == 8
    assert aside.classify(torch.randn(4, 7)).shape == (4, 3)  # it reads the features alone
    assert type(classed().head(linear)(7)) is nn.Linear


def test_the_deviation_of_a_batch_is_a_feature():
    """Features of 0 and 2 in a batch of two: a standard deviation of 1 beside them."""
    head = OneWeight(minibatch_stddev=True).head(linear)(3)
    seen = head.compare(torch.tensor([[0.0] * 3, [2.0] * 3]))
    assert seen[:, :3].tolist() == [[0.0] * 3, [2.0] * 3]
    assert seen[:, 3].tolist() == pytest.approx([1.0, 1.0], abs=1e-6)


# -- moves ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def flowers() -> Dataset:
    return open_dataset("flowers:24", resolution=16, channels=3, progress=False)


def weights_of(trainer: Trainer, player: str) -> list[Tensor]:
    return [weight.detach().clone() for weight in trainer.weights(player)]


@pytest.mark.parametrize(("accuracy", "waits"), [(0.79, False), (0.8, False), (0.81, True)])
def test_a_discriminator_that_is_ahead_waits(flowers, monkeypatch, accuracy: float, waits: bool):
    trainer = Trainer(replace(find("fccgan")[1].tiny(), balance=0.8), flowers, CPU)
    trainer.round()
    seen = adversarial.observed

    def so_accurate(*given) -> dict[str, Tensor]:
        return seen(*given) | {"score/accuracy": torch.tensor(accuracy)}

    monkeypatch.setattr(adversarial, "observed", so_accurate)
    before = {player: weights_of(trainer, player) for player in ("generator", "discriminator")}
    moments = [
        {key: value.clone() for key, value in state.items()}
        for state in trainer.optimizers["discriminator"].state.values()
    ]
    scalars = trainer.round()
    assert scalars["score/waited"].item() == waits
    stayed = list(map(torch.equal, before["discriminator"], trainer.weights("discriminator")))
    assert all(stayed) if waits else not any(stayed)
    if waits:
        after = trainer.optimizers["discriminator"].state.values()
        for old, new in zip(moments, after, strict=True):
            assert all(torch.equal(old[key], new[key]) for key in old)
    stayed = list(map(torch.equal, before["generator"], trainer.weights("generator")))
    assert not any(stayed)  # the other player never waits
    assert all(weight.grad is None for weight in trainer.weights())


def test_nobody_waits_without_a_balance(flowers):
    trainer = Trainer(find("fccgan")[1].tiny(), flowers, CPU)
    assert "score/waited" not in trainer.round()


@pytest.mark.parametrize("moves", [1, 2, 3])
def test_generator_moves_are_on_fresh_latents(flowers, monkeypatch, moves: int):
    trainer = Trainer(replace(find("fccgan")[1].tiny(), generator_moves=moves), flowers, CPU)
    move, latents, places = trainer.move, [], [weights_of(trainer, "generator")]

    def watched(player, rule, batch, fakes):
        seen = move(player, rule, batch, fakes)
        if player == "generator":
            latents.append(batch.latents)
            places.append(weights_of(trainer, "generator"))
        return seen

    monkeypatch.setattr(trainer, "move", watched)
    trainer.round()
    assert trainer.clock.images == 4  # generator moves show no reals
    assert len(latents) == moves
    for number in range(moves):
        assert not any(map(torch.equal, places[number], places[number + 1]))
        assert not any(torch.equal(latents[number], other) for other in latents[:number])
        assert latents[number].shape == (4, 8)
        assert latents[number].std() > 0.5


@pytest.mark.parametrize("name", ["dcgan", "cats-mlp-minibatch", "points"])
def test_kernels_are_scaled_by_the_first_batch(name: str):
    """Nothing in a batch was near anything at a fixed scale: DCGAN's sums began at 5e-8."""
    recipe = replace(find(name)[1].tiny(), batch=16, minibatch_discrimination=8, dropout=0.0)
    size = {"resolution": recipe.resolution, "channels": recipe.channels}
    data = "ring:200" if recipe.kind == "points" else "flowers:100"
    trainer = Trainer(recipe, open_dataset(data, progress=False, **size), CPU)
    statistics = [buffer.clone() for buffer in trainer.nets["discriminator"].buffers()]
    recipe.begin(trainer)
    net = trainer.nets["discriminator"]
    assert all(map(torch.equal, statistics, net.buffers()))  # batch norm's memory is untouched
    (compare,) = (m for m in net.modules() if isinstance(m, MinibatchDiscrimination))
    seen: list[torch.Tensor] = []
    compare.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    net(trainer.feed.fetch(trainer.feed.rows[trainer.feed.order.indices(0, 16)])[0])
    rows = compare.project(seen[0])
    distances = torch.cdist(rows, rows, p=1) + 1e6 * torch.eye(16)
    assert torch.allclose(distances.amin(2).mean(1), torch.full((8,), 2.0), rtol=1e-3)
