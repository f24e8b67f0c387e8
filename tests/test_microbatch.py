"""Micro-batches of a quarter give what whole batches give, on one process and on two."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from figment.data import open_dataset
from figment.microbatch import in_parts, micro_batches, own_rows
from figment.randomness_per_image import uniform
from figment.recipes.flowers import Flowers
from figment.recipes.mlp import MLP
from figment.training.trainer import Trainer
from two_processes import as_two

CPU = torch.device("cpu")
PLAIN = MLP(resolution=16, hidden=(16, 32), batch=16, latent=8, precision="float32")
BY_CLASS = {"conditioning": "classifier", "classes": 2}
TECHNIQUES = {
    "plain": {},
    "on reals": {"augment": "study", "mirror": True},
    "augmented": {"augment": "diffaugment", "instance_noise": 0.1},
    "adaptive": {"augment": "ada", "augment_p": 0.3, "ada_images": 100},
    "packed": {"packing": 2, "r1": 1.0, "r2": 1.0, "dragan": 1.0, "penalty_every": 2},
    "between": {"gradient_penalty": 10.0, "zero_centred": 1.0},
    "on logits": {"lecam": 0.1, "drift": 0.1, "consistency": 1.0, "consistency_fake": 1.0},
    # The last bias has a gradient of exactly 0, of whose rounding Adam would make whole steps.
    "pairs": {"objective": "relativistic", "real_target": 1.0, "optimizer": "sgd"},
    "means": {"objective": "relativistic_average", "real_target": 1.0, "optimizer": "sgd"},
    "latents": {"latent_consistency": 5.0, "latent_diversity": 0.5},
    "best": {"top_k": 0.5, "images": 64},
    "features": {"feature_matching": 1.0},
    "classifier": {**BY_CLASS, "r1": 1.0},
    "concat": {**BY_CLASS, "conditioning": "concat", "gradient_penalty": 10.0},
    "projection": {**BY_CLASS, "conditioning": "projection", "r1": 1.0},
    "guided": {"guidance": 1.0, "guidance_balance": 0.5, "classes": 2, "guide_images": 64},
    "compared": {"minibatch_discrimination": 8, "minibatch_stddev": True},
    "weights": {"orthogonal": 1e-3, "off_diagonal": 1e-3, "historical_averaging": 0.1},
    "vision": {"vision_aided": 1.0, "vision_side": 32},
    "bounded": {"spectral_norm": "both", "r1": 1.0},
    "clipped": {"clip": 0.1, "balance": 0.6},
    "earlier": {"replay": 16},
    "moves": {"discriminator_moves": 2, "generator_moves": 2},
    "simultaneous": {"play": "simultaneous"},
    "extragradient": {"play": "extragradient"},
    "optimistic": {"play": "optimistic"},
    "svre": {"play": "svre"},
}


def after(recipe: Any, rounds: int = 3) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return the state of each network as one vector, and the scalars of the last round."""
    recipe.check()
    size = {"resolution": recipe.resolution, "channels": recipe.channels}
    trainer = Trainer(recipe, open_dataset("flowers:64", progress=False, **size), CPU)
    trainer.clock = trainer.clock._replace(rounds=1_000 if getattr(recipe, "lecam", 0) else 0)
    for _ in range(rounds if getattr(recipe, "play", "") != "svre" else 8):
        seen = trainer.round()
    states = {
        name: torch.cat([value.double().flatten() for value in net.state_dict().values()])
        for name, net in trainer.nets.items()
        if net.state_dict() and name != "turns"  # whose last steps are differences of near equals
    }
    return states, seen


def assert_same(whole: tuple, parts: tuple) -> None:
    for name, state in whole[0].items():
        distance = torch.linalg.vector_norm(parts[0][name] - state)
        assert distance <= 1e-6 * torch.linalg.vector_norm(state), name
    for name, value in whole[1].items():
        assert parts[1][name].item() == pytest.approx(value.item(), rel=1e-4, abs=1e-5), name


@pytest.mark.parametrize("name", TECHNIQUES)
def test_a_quarter_at_a_time_is_the_whole(name: str):
    recipe = replace(PLAIN, dropout=0.3, **TECHNIQUES[name])
    assert_same(after(recipe), after(replace(recipe, micro_batch=4)))


def test_virtual_batch_norm_knows_its_reference_and_not_the_part():
    stage = Flowers(resolution=16, width=4, latent=8, objective="wasserstein", batch=8)
    recipe = replace(
        replace(stage, conditioning="concat", classes=2, augment="none", precision="float32"),
        **{"gradient_penalty": 10.0, "discriminator_norm": "layer", "optimizer": "sgd"},
        **{"generator_norm": "virtual", "reference": 4},
    )
    assert_same(after(recipe), after(replace(recipe, micro_batch=2)))


def test_memory_is_that_of_a_part():
    """What backward keeps of a wide layer is a quarter as much; its input and output stay whole."""
    layer = nn.Sequential(nn.Linear(4, 4_000), nn.Tanh(), nn.Linear(4_000, 1))
    kept = {}
    for size in (0, 4):
        most = [0]

        def pack(tensor: Tensor, most: list[int] = most) -> Tensor:
            most[0] = max(most[0], tensor.numel() if tensor.dtype == torch.float32 else 0)
            return tensor

        x = torch.randn(16, 4, requires_grad=True)
        hooks = torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor)
        with hooks, micro_batches(size, [layer]):
            in_parts(layer, x).sum().backward()
        kept[size] = most[0]
    assert kept == {0: 64_000, 4: 16_000}


def test_gradients_reach_inputs_and_weights():
    torch.manual_seed(0)
    layer, x = nn.Linear(3, 2), torch.randn(6, 3)
    found = []
    for size in (0, 2, 4):  # six in parts of at most four are parts of three
        layer.zero_grad()
        given = x.clone().requires_grad_()
        with micro_batches(size, [layer]):
            in_parts(layer, given).square().sum().backward()
        found.append((given.grad, layer.weight.grad.clone(), layer.bias.grad.clone()))
    for other in found[1:]:
        for one, same in zip(found[0], other, strict=True):
            torch.testing.assert_close(one, same)


def test_a_part_draws_the_numbers_of_its_own_images_and_knows_its_rows():
    rows, labels = torch.zeros(6, 1), torch.arange(6)

    def drawn(x: Tensor) -> Tensor:
        first = uniform(len(x), 2, like=x)
        return torch.cat([first, uniform(len(x), 1, like=x), own_rows(labels)[:, None]], 1)

    found = []
    for size in (0, 2, 3):
        torch.manual_seed(7)
        with micro_batches(size, []), torch.no_grad():
            found.append(torch.cat([in_parts(drawn, rows), torch.rand(6, 1)], 1))
    assert torch.equal(found[0], found[1]) and torch.equal(found[0], found[2])
    assert found[0][:, 3].tolist() == [0, 1, 2, 3, 4, 5]


def test_batch_norm_ends_at_the_mean_of_the_parts_statistics():
    norm, x = nn.BatchNorm1d(1), torch.tensor([[0.0], [2.0], [4.0], [6.0]])
    with micro_batches(2, [norm]):
        in_parts(norm, x).sum().backward()
    assert norm.running_mean.item() == pytest.approx(0.1 * 3)  # means 1 and 5
    assert norm.num_batches_tracked == 1
    assert norm.running_var.item() == pytest.approx(0.9 + 0.1 * 2)  # 2 and 2


def test_what_no_pass_changes_stays_as_it_is():
    norm = nn.BatchNorm1d(1)
    norm.register_buffer("level", torch.tensor(2.0))
    norm.register_buffer("taps", torch.tensor([0.1, 0.3, 0.7]))
    taps = norm.taps.clone()
    with micro_batches(4, [norm]):  # a tenth ten times over is not one
        in_parts(norm, torch.randn(40, 1)).sum().backward()
    assert norm.level == 2 and torch.equal(norm.taps, taps)


def test_parts_are_of_whole_groups_where_they_can_be():
    sizes: list[int] = []

    def seen(x: Tensor) -> Tensor:
        sizes.append(len(x))
        return x

    for rows, most, group, wanted in ((12, 8, 4, 4), (16, 8, 4, 8), (12, 8, 1, 6), (6, 4, 4, 3)):
        with micro_batches(most, [], group), torch.no_grad():
            in_parts(seen, torch.zeros(rows, 1))
        assert sizes.pop() == wanted


def test_what_runs_in_parts_is_not_differentiated_twice():
    x = torch.randn(4, 2, requires_grad=True)
    with micro_batches(2, []):
        total = in_parts(lambda part: part.pow(3).sum(1), x).sum()
        with pytest.raises(RuntimeError, match="put the whole penalty in"):
            torch.autograd.grad(total, x, create_graph=True)


PAIR = replace(
    replace(PLAIN, dropout=0.3, r1=1.0, augment="ada", augment_p=0.3, lecam=0.1, replay=16),
    **{"feature_matching": 1.0, "mirror": True, "consistency": 1.0, "top_k": 0.5, "images": 64},
)


def pair_in_parts() -> dict[str, torch.Tensor]:
    return after(replace(PAIR, micro_batch=2))[0]


def test_two_processes_in_parts_are_one_with_the_whole(tmp_path: Path):
    first, second = as_two(pair_in_parts, tmp_path)
    for name, state in after(PAIR)[0].items():
        assert torch.equal(first[name], second[name]), name
        distance = torch.linalg.vector_norm(first[name] - state)
        most = 1e-3 if name == "replay" else 4e-6  # bytes: a rounding may be one of 255 levels
        assert distance <= most * torch.linalg.vector_norm(state), name
