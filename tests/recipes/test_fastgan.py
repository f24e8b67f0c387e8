"""FastGAN on the engine: what the discriminator draws again, and for which pictures it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from playing import assert_resumes, trainer_for

from figment.errors import UserError
from figment.recipes.fastgan import PUBLISHED, SMALL

TINY = replace(SMALL.tiny(), precision="float32")


def test_published_settings():
    assert (PUBLISHED.resolution, PUBLISHED.latent, PUBLISHED.batch) == (256, 256, 8)
    assert (PUBLISHED.generator_lr, PUBLISHED.betas) == (2e-4, (0.5, 0.999))
    assert 0.5 ** (8 / PUBLISHED.ema) == pytest.approx(0.999, abs=1e-5)
    assert (PUBLISHED.objective, PUBLISHED.augment) == ("hinge", "diffaugment")


def test_decoders_learn_from_reals_alone():
    trainer = trainer_for(TINY)
    batch = trainer.next_batch()
    fakes = trainer.generate(batch).detach().requires_grad_()
    terms = TINY.discriminator_terms(trainer.nets, batch, fakes, trainer.clock)
    value = terms.penalties["reconstruction"]
    assert 0 < value.item() < 4
    judge = trainer.nets["discriminator"]
    weights = [*judge.whole.parameters(), *judge.quarter.parameters()]
    found = torch.autograd.grad(value, [*weights, fakes], allow_unused=True)
    assert found[-1] is None
    assert all(slope is not None and slope.isfinite().all() for slope in found[:-1])


def test_reals_are_drawn_better_after_some_rounds():
    trainer = trainer_for(replace(TINY, discriminator_lr=2e-3, width=2))
    seen = [trainer.round()["penalty/reconstruction/discriminator"].item() for _ in range(40)]
    assert sum(seen[-5:]) < 0.9 * sum(seen[:5])


def test_without_its_weight_nothing_is_drawn():
    trainer = trainer_for(replace(TINY, reconstruction=0.0))
    assert "penalty/reconstruction/discriminator" not in trainer.round()


def test_it_resumes_to_the_bit(tmp_path: Path):
    assert_resumes(TINY, tmp_path)


@pytest.mark.parametrize("conditioning", ["concat", "projection", "classifier"])
def test_it_takes_classes(conditioning: str):
    seen = trainer_for(replace(TINY, conditioning=conditioning, classes=10)).round()
    assert all(value.isfinite() for value in seen.values())


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"resolution": 16}, "from 32 to 1024, not 16: try 32"),
        ({"width": 0}, "width must be 1 or more"),
        ({"reconstruction": -1.0}, "reconstruction must be 0 or more"),
        ({"batch": 1}, "batch must be 2 or more"),
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict, sentence: str):
    SMALL.check()
    with pytest.raises(UserError, match=sentence):
        replace(SMALL, **fields).check()
