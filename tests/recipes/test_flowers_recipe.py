"""The Flowers study's stages as recipes: numbers, classes, the penalty, a round, resuming."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from figment.data import Dataset, look, open_dataset
from figment.errors import UserError
from figment.recipes.flowers import STAGE_1, STAGE_2, STAGE_3, STAGE_4, STAGE_5, STAGE_6, Flowers
from figment.recipes.parameters import count
from figment.rounds import Batch, Clock
from figment.training.log import Tally
from figment.training.state import load_state, save_state
from figment.training.trainer import Trainer, build

CPU = torch.device("cpu")
STAGES = [STAGE_1, STAGE_2, STAGE_3, STAGE_4, STAGE_5, STAGE_6]
COUNTS = [
    (749_891, 136_769),
    (754_499, 138_817),
    (672_963, 523_009),
    (1_192_643, 928_449),
    (1_048_899, 928_449),
    (1_123_011, 994_177),
]
NAMES = [f"STAGE_{number}" for number in range(1, 7)]
every_stage = pytest.mark.parametrize("stage", STAGES, ids=NAMES)


def small(stage: Flowers, **fields) -> Flowers:
    """A stage at its own resolution, with narrow networks and small batches."""
    size = {"width": 4, "batch": 4, "latent": 8, "precision": "float32"}
    return replace(stage, classes=2 * stage.conditional, **size, **fields)


def data_for(recipe: Flowers) -> Dataset:
    return open_dataset("flowers:24", resolution=recipe.resolution, channels=3, progress=False)


def test_the_numbers_are_the_facts():
    resolutions = [stage.resolution for stage in STAGES]
    assert resolutions == [28, 28, 64, 64, 64, 128]
    for stage in STAGES:
        stage.check()
        assert (stage.objective, stage.gradient_penalty) == ("wasserstein", 10)
        assert (stage.discriminator_moves, stage.batch, stage.latent) == (5, 64, 64)
        assert (stage.betas, stage.generator_lr) == ((0.5, 0.9), 2e-4)
    assert [stage.conditional for stage in STAGES] == [False, *[True] * 5]


@pytest.mark.parametrize(("stage", "counts"), list(zip(STAGES, COUNTS, strict=True)), ids=NAMES)
def test_published_counts_with_every_norm_but_none(stage: Flowers, counts: tuple[int, int]):
    """Layer and instance norm have as many parameters as the study's batch norm."""
    stage = stage.fit_to(look("flowers:24"))
    assert stage.inputs == 64 + 2 * stage.conditional
    for norm in ("batch", "layer", "instance"):
        found = count(replace(stage, discriminator_norm=norm))
        assert tuple(found.values()) == counts
    bare = count(replace(stage, discriminator_norm="none"))
    # Gains and shifts are gone, those of as many channels as the hidden layers have.
    widths = {28: 64 + 128, 64: 64 + 128 + 128 + 256, 128: 64 + 64 + 128 + 128 + 256}
    assert counts[1] - bare["discriminator"] == 2 * widths[stage.resolution]


@every_stage
@pytest.mark.parametrize("norm", ["layer", "none", "instance"])
def test_the_critic_judges_each_image_alone(stage: Flowers, norm: str):
    recipe = small(stage, discriminator_norm=norm)
    nets = build(recipe, CPU)
    images, labels = torch.randn(3, *recipe.shape), torch.tensor([0, 1, 1])
    whole = recipe.logits(nets, images, labels)
    for place in range(3):
        alone = recipe.logits(nets, images[place, None], labels[place, None])
        assert torch.allclose(alone, whole[place], atol=1e-5)


@pytest.mark.parametrize("stage", STAGES[1:], ids=NAMES[1:])
def test_the_map_of_a_class_is_all_ones(stage: Flowers):
    recipe = replace(stage, classes=2)
    images = torch.randn(2, *recipe.shape)
    (shown,) = recipe.discriminator_inputs(images, torch.tensor([1, 0]))
    assert shown.shape == (2, 5, stage.resolution, stage.resolution)
    assert torch.equal(shown[:, :3], images)
    for row, label in enumerate([1, 0]):
        assert (shown[row, 3 + label] == 1).all()
        assert (shown[row, 3 + 1 - label] == 0).all()


def test_the_class_stands_beside_the_latent():
    recipe = replace(STAGE_5, classes=2)
    given = recipe.generate(nn.Identity(), torch.zeros(2, 64), torch.tensor([1, 0]))
    assert given.shape == (2, 66)
    assert given[:, 64:].tolist() == [[0, 1], [1, 0]]


def test_without_classes_it_is_the_unconditional_network_bit_for_bit():
    latents, labels = torch.randn(3, 64), torch.zeros(3, dtype=torch.int64)
    images = torch.rand(3, 3, 28, 28) * 2 - 1
    made, judged = [], []
    for recipe in (STAGE_1, STAGE_2):
        nets = build(recipe, CPU)
        made.append(recipe.generate(nets["generator"], latents, labels))
        judged.append(recipe.logits(nets, images, labels))
    assert torch.equal(*made)
    assert torch.equal(*judged)


class Slope(nn.Module):
    """A critic w·x whose slope is (3, 4) for the image, and 1,000 for the maps of the classes."""

    def forward(self, x: Tensor) -> Tensor:
        image = 3 * x[:, 0, 0, 0] + 4 * x[:, 1, 0, 0]
        return image + 1_000 * x[:, 3:].sum((1, 2, 3))


def test_the_penalty_is_on_the_slope_for_the_image_alone():
    """10 (5 - 1)² whatever the value owes to the class; two-sided, mean over images."""
    recipe = replace(STAGE_2, classes=2)
    nets = nn.ModuleDict({"discriminator": Slope()})
    labels = torch.tensor([0, 1, 1])
    batch = Batch(torch.randn(3, 3, 28, 28), labels, torch.randn(3, 64))
    terms = recipe.discriminator_terms(nets, batch, torch.randn(3, 3, 28, 28), Clock())
    assert terms.penalties["gradient_penalty"].item() == pytest.approx(160, rel=1e-5)
    assert set(terms.minimised) == {"adversarial", "gradient_penalty"}


@every_stage
def test_a_round_plays(stage: Flowers):
    recipe = small(stage)
    recipe.check()
    trainer = Trainer(recipe, data_for(recipe), CPU)
    seen = trainer.round()
    assert trainer.clock.images == 5 * recipe.batch
    assert all(torch.isfinite(value) for value in seen.values())
    assert seen["gradient/discriminator"] > 0
    assert seen["gradient/generator"] > 0
    assert seen["penalty/gradient_penalty/discriminator"] > 0


@every_stage
def test_goes_on_bit_for_bit_from_a_saved_state(stage: Flowers, tmp_path: Path):
    recipe = small(stage)
    dataset = data_for(recipe)
    whole, half, again = (Trainer(recipe, dataset, CPU) for _ in range(3))
    half.round()
    save_state(tmp_path, half, Tally())
    load_state(tmp_path, again)
    for trainer, rounds in ((whole, 3), (again, 2)):
        for _ in range(rounds):
            trainer.round()
    assert again.clock == whole.clock
    expected = whole.nets.state_dict()
    for name, value in again.nets.state_dict().items():
        assert torch.equal(value, expected[name]), name


@pytest.mark.parametrize(
    ("stage", "side", "learned"),
    [
        (STAGE_1, 500, 28),
        (STAGE_1, 20, 28),
        (replace(STAGE_1, resolution=112), 100, 56),
        (STAGE_5, 500, 64),
        (STAGE_5, 63, 32),
        (STAGE_5, 9, 16),
        (STAGE_6, 200, 128),
    ],
)
def test_nearest_resolution(stage: Flowers, side: int, learned: int):
    assert stage.nearest_resolution(side) == learned


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"resolution": 60}, "must be 16, 32, 64, 128, 256, 512 or 1024, not 60: try 32$"),
        ({"resolution": 64, "up": "unpadded"}, "must be 28, 56, .* not 64: try 56$"),
        ({"resolution": 8}, "not 8: try 16$"),
        ({"width": 0}, "width must be 1 or more"),
        ({"batch": 1}, "needs at least 2 images"),
    ],
)
def test_refusals_name_the_cure(fields: dict, message: str):
    with pytest.raises(UserError, match=message):
        replace(STAGE_5, **fields).check()


def test_a_stage_with_classes_needs_data_with_classes(photos: Path):
    assert STAGE_1.fit_to(look(str(photos))).classes == 0
    with pytest.raises(UserError, match="has no classes"):
        STAGE_2.fit_to(look(str(photos)))


def test_classes_can_be_told_in_other_ways():
    """What every family takes: gains by class in the generator, a projection in the critic."""
    recipe = small(STAGE_5, class_norm=True)
    recipe = replace(recipe, conditioning="projection")
    recipe.check()
    trainer = Trainer(recipe, data_for(recipe), CPU)
    assert all(torch.isfinite(value) for value in trainer.round().values())
    assert recipe.inputs == 8
