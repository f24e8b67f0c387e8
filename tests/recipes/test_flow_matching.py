"""Flow matching: where Euler steps lead for velocities that are known, its column, and that it learns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from playing import assert_resumes, difference_in_quarters, trainer_for
from torch import Tensor, nn

from figment.data import look, open_dataset
from figment.errors import UserError
from figment.recipes.flow_matching import FlowMatching
from figment.sampling.generator import Generator

TINY = replace(FlowMatching().tiny(), batch=8, precision="float32")


class ToOne(nn.Module):
    """The velocity towards the only picture there is: (x1 - x) / (1 - t)."""

    def __init__(self, picture: Tensor) -> None:
        super().__init__()
        self.picture = nn.Parameter(picture)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        return (self.picture - x) / (1 - t)[:, None, None, None]


class ToNormal(nn.Module):
    """The velocity towards pictures from N(0, s^2): E[x1 - x0 | x] = x (t s^2 - (1 - t)) / variance."""

    def __init__(self, s: float) -> None:
        super().__init__()
        self.s = nn.Parameter(torch.tensor(s))

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        variance = (1 - t) ** 2 + (t * self.s) ** 2
        return x * ((t * self.s**2 - (1 - t)) / variance)[:, None, None, None]


def test_a_latent_has_the_numbers_of_pictures_that_turned_out_to_have_a_colour(tmp_path: Path):
    for number in range(40):  # only some are looked at before packing
        colour = (200, 10, 10) if number == 21 else (number, number, number)
        Image.new("RGB", (16, 16), colour).save(tmp_path / f"{number}.png")
    dataset = open_dataset(str(tmp_path), resolution=16, channels=3, progress=False)
    guessed = replace(FlowMatching(), resolution=16, channels=1, latent=256)
    coloured = replace(guessed, channels=3)
    assert coloured.settle(dataset).latent == 768
    assert coloured.settle(dataset, frozenset({"latent"})).latent == 256


@pytest.mark.parametrize("steps", [1, 3, 20])
def test_any_number_of_steps_leads_to_the_only_picture(steps: int):
    picture = 2 * torch.rand(3, 16, 16) - 1
    found = replace(TINY, steps=steps).generate(ToOne(picture), torch.randn(4, 768), None)
    assert torch.allclose(found, picture.expand_as(found), atol=1e-5)


def test_many_steps_lead_along_the_flow_and_back():
    """The flow from N(0, 1) to N(0, s^2) is x -> s x; one step of it leads to 0, the mean."""
    net, z = ToNormal(0.3), torch.randn(4, 768).clamp(-3, 3)
    with torch.no_grad():
        many = replace(TINY, steps=400).generate(net, z, None)
        one = replace(TINY, steps=1).generate(net, z, None)
        back = replace(TINY, steps=400).encode(net, many)
    assert torch.allclose(many.flatten(1), 0.3 * z, atol=0.02)
    assert one.abs().max() < 1e-6
    assert torch.allclose(back, z, atol=0.1)


def test_the_loss_of_no_velocity_is_that_of_noise_and_pictures():
    """1 of the noise and the pictures' own mean square, where the network says 0."""
    trainer = trainer_for(replace(TINY, batch=64))
    net = trainer.nets["generator"]
    for weight in (*net.last[-1].parameters(), *net.passed.parameters()):
        nn.init.zeros_(weight)
    square = trainer.feed.first(64)[0].square().mean().item()
    seen = trainer.round()
    assert list(seen) == ["loss/flow", "gradient/flow"]
    assert seen["loss/flow"].item() == pytest.approx(1 + square, rel=0.03)
    assert (
        list(trainer.validate()) == ["held_out/velocity"]
        and trainer.validate() == trainer.validate()
    )


def test_it_resumes_to_the_bit_and_in_parts(tmp_path: Path):
    assert_resumes(TINY, tmp_path)
    assert max(difference_in_quarters(TINY, rounds=3).values()) < 1e-5


def test_the_latent_is_as_large_as_the_picture():
    assert FlowMatching().fit_to(look("flowers:24")).latent == 3_072
    grey = FlowMatching(channels=1, resolution=16).fit_to(
        look("flowers:24"), frozenset({"channels"})
    )
    assert (grey.resolution, grey.latent) == (16, 256)
    for fields, sentence in (
        ({"latent": 100}, "latent must be 3072, the numbers of a picture, not 100: leave it out"),
        (
            {"resolution": 20, "latent": 1200},
            "resolution must be a multiple of 8 from 16 on, not 20",
        ),
        ({"resolution": 256}, "at most 128"),
        ({"steps": 0}, "steps must be 1 or more"),
        ({"lr": 0.0}, "lr must be above 0"),
    ):
        with pytest.raises(UserError, match=sentence):
            FlowMatching(**fields).check()  # ty: ignore[invalid-argument-type]


def test_it_learns():
    """Sixteen flowers, 80 rounds: from 1.2 to .8."""
    trainer = trainer_for(replace(TINY, width=8, batch=16, lr=4e-3), 16)
    seen = [trainer.round()["loss/flow"].item() for _ in range(80)]
    assert sum(seen[-10:]) < 0.75 * sum(seen[:10])


def test_steps_can_be_others_than_the_runs():
    generator = Generator(TINY, trainer_for(TINY).averaged_generator())
    once = generator.in_steps(1)
    assert once.recipe.steps == 1 and generator.recipe.steps == 2
    assert (once.sample(2).array != generator.sample(2).array).any()
    with pytest.raises(UserError, match="steps must be 1 or more"):
        generator.in_steps(0)
