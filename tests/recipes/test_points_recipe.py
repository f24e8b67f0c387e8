"""The family of points: the unrolled GAN's own networks, and what it refuses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from figment.data import open_dataset
from figment.errors import UserError
from figment.recipes.points import Points
from figment.turns.unrolled import Unrolled


@pytest.fixture
def ring():
    return open_dataset("ring:64", resolution=64, channels=1, progress=False)


def test_known_modes_rank_the_weights_unless_other_scores_are_asked_for(ring):
    assert Points().settle(ring).metrics == ("modes", "kid")
    assert Points().settle(ring, frozenset({"metrics"})).metrics == ("kid",)
    assert Points(metrics=("fid",)).settle(ring).metrics == ("fid",)
    unknown = replace(ring, labels=np.zeros_like(ring.labels))
    assert Points().settle(unknown).metrics == ("kid",)


PAPER = Points(hidden=(128, 128), judge_hidden=(128,), latent=256, orthogonal_gain=0.8)


def test_the_unrolled_papers_networks():
    nets = PAPER.build()
    counts = {name: sum(p.numel() for p in net.parameters()) for name, net in nets.items()}
    assert counts == {"generator": 49_666, "discriminator": 513}


def test_orthogonal_weights_have_the_gain_that_was_asked_for():
    weight = PAPER.build()["generator"].layers[2].weight
    assert torch.allclose(weight @ weight.T, 0.64 * torch.eye(128), atol=1e-5)


def test_the_discriminator_may_start_as_tensorflow_starts_it():
    """Weights uniform with variance 2 / (fan in + fan out), biases 0 (Glorot & Bengio 2010)."""
    judge = Points(hidden=(512,), judge_initial="glorot").build()["discriminator"]
    layers = [layer for layer in judge.modules() if isinstance(layer, torch.nn.Linear)]
    for layer, bound in zip(layers, (6 / 514, 6 / 513), strict=True):
        assert not layer.bias.any()
        assert bound**0.5 * 0.97 < layer.weight.abs().max() <= bound**0.5
    assert Points(hidden=(512,)).build()["discriminator"].layers[0].bias.any()


def test_the_discriminator_divides_the_points():
    one, four = (Points(divisor=divisor).build()["discriminator"] for divisor in (1.0, 4.0))
    four.load_state_dict(one.state_dict())
    x = torch.randn(8, 2)
    assert torch.allclose(four(4 * x), one(x), atol=1e-6)


def test_unrolled_points_keep_the_graph_of_every_step():
    play = Points(play="unrolled", unroll=7).turns()
    assert isinstance(play, Unrolled)
    assert (play.steps, play.checkpoint) == (7, False)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"judge_hidden": (8, 0)}, "judge_hidden"),
        ({"divisor": 0.0}, "divisor"),
        ({"orthogonal_gain": -1.0}, "orthogonal_gain"),
    ],
)
def test_sizes_that_make_no_network_are_refused(fields, sentence):
    with pytest.raises(UserError, match=sentence):
        Points(**fields).check()
