"""What a training of points leaves to be looked at, and who decided which field."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

import figment
from figment.data.points import MIXTURES
from figment.recipes.points import POINTS
from figment.sampling.cloud import COUNT, SIDE, read_cloud


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> figment.Run:
    path = tmp_path_factory.mktemp("points") / "ring"
    fields = {"batch": 64, "hidden": (16, 16), "tick": 256, "metrics": (), "generator_lr": 1e-3}
    return figment.train("ring:2000", images=512, run=path, progress=False, **fields)


def test_every_line_of_the_log_counts_the_modes(run):
    for line in run.log():
        assert line["modes/all"] == 8 and 0 <= line["modes/reached"] <= 8
        assert 0 <= line["modes/high_quality"] <= 1


def test_grids_have_their_points_and_the_landscape(run):
    files = sorted(run.path.glob("samples/*.safetensors"))
    assert [file.stem for file in files] == [p.stem for p in sorted(run.path.glob("samples/*.png"))]
    seen = read_cloud(files[-1])
    assert seen.points.shape == (COUNT, 2) and seen.landscape.shape == (SIDE, SIDE)
    assert seen.landscape.std() > 0
    counts = MIXTURES["ring"].counts(seen.points)
    assert (counts > 0).sum() == run.log()[-1]["modes/reached"]


def test_a_generator_knows_the_modes_of_its_data(run):
    assert run.generator.mixture is MIXTURES["ring"]
    assert run.generator.sample(5).mixture is MIXTURES["ring"]
    assert len(run.generator.overview()) == COUNT


def test_the_report_says_who_decided_what(run):
    fields = json.loads((run.path / "machine.json").read_text())["fields"]
    given = ["batch", "generator_lr", "hidden", "images", "metrics", "tick"]
    assert fields["chosen"] == given
    assert "precision" in fields["settled"] and not set(given) & set(fields["settled"])


def test_asking_the_discriminator_changes_nothing():
    recipe = replace(POINTS, hidden=(8, 8), dropout=0.5, spectral_norm="both")
    nets = recipe.networks().train()
    before = {name: value.clone() for name, value in nets.state_dict().items()}
    state = torch.random.get_rng_state()
    first, second = (recipe.judged(nets, torch.ones(3, 2)) for _ in range(2))
    assert torch.equal(first, second) and first.shape == (3,)
    assert nets["discriminator"].training and torch.equal(state, torch.random.get_rng_state())
    assert all(torch.equal(value, before[name]) for name, value in nets.state_dict().items())


@pytest.mark.parametrize("together", [{"packing": 2}, {"minibatch_discrimination": 4}])
def test_a_discriminator_that_sees_several_points_is_not_asked_of_one(together):
    recipe = replace(POINTS, hidden=(8, 8), **together)
    assert recipe.judged(recipe.networks(), torch.ones(3, 2)) is None
