"""The search for a picture's latent: what it finds, what it refuses, what it leaves behind."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from test_drawing import CPU, tones
from torch import nn

from figment.errors import UserError
from figment.metrics.features import open_features
from figment.recipes import find
from figment.sampling import project as project_module
from figment.sampling.latents import latents_of
from figment.sampling.project import FOUND, fitted, perceiver, project, survey


@pytest.mark.parametrize("bad", [{"steps": 0}, {"starts": 0}, {"starts": -1}, {"seed": -1}])
def test_searches_that_cannot_be(bad: dict[str, int]):
    (name,) = bad
    with pytest.raises(UserError, match=f"^{name} must be"):
        project(tones(), torch.zeros(3, 32, 32), lambda images: images.flatten(1), **bad)


def test_a_generated_picture_is_found_again(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("figment.sampling.project.CANDIDATES", 64)
    generator = tones(2)
    latent = latents_of([9], 4)
    target = generator.recipe.generate(generator.net, latent, torch.tensor([1]))[0].detach()
    perceive = perceiver(open_features("small", CPU))
    found = project(generator, target, perceive, steps=60, starts=2)
    assert found.distance < 0.05 and found.distance < found.start
    assert torch.allclose(found.latent[:3], latent[0, :3], atol=0.1)
    assert found.losses[-1] < FOUND and len(found.losses) < 60  # the fitting found it
    torch.manual_seed(0)
    other = torch.rand(3, 32, 32) * 2 - 1  # no picture of this generator
    nearest = project(generator, other, perceive, steps=20, starts=2)
    assert nearest.start == pytest.approx(nearest.distance, rel=0.5)  # both in the same unit
    assert len(nearest.losses) == 20 and min(nearest.losses) < nearest.losses[0]


def test_a_search_leaves_no_gradients_behind(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("figment.sampling.project.CANDIDATES", 8)
    generator, perceive = tones(2), perceiver(open_features("small", CPU))
    learning = [weight.requires_grad for weight in generator.net.parameters()]
    project(generator, torch.zeros(3, 32, 32), perceive, steps=2, starts=1)
    assert [weight.requires_grad for weight in generator.net.parameters()] == learning
    assert all(weight.grad is None for weight in generator.net.parameters())


def test_samples_that_are_all_alike_are_no_place_to_look():
    generator = tones(2)
    generator.net.forward = lambda z: torch.full((len(z), 3, 32, 32), 0.5)
    with pytest.raises(UserError, match="all samples of this generator are alike"):
        project(generator, torch.zeros(3, 32, 32), lambda images: images.flatten(1), candidates=8)


def test_what_random_samples_say_is_what_all_pictures_at_once_say():
    generator, target = tones(2), torch.linspace(-1, 1, 3 * 32 * 32).view(3, 32, 32)
    found = survey(
        generator, target, lambda x: x.flatten(1), candidates=70, seed=0, label=None, progress=False
    )
    images = generator.recipe.generate(generator.net, found.latents, found.labels).detach()
    gaps = (images[::2] - images[1::2]).square()
    torch.testing.assert_close(found.pixels_apart, gaps.mean())
    torch.testing.assert_close(found.apart, gaps.sum((1, 2, 3)).sqrt().mean())
    torch.testing.assert_close(found.losses, found.loss(images, images.flatten(1)))


def test_large_pictures_are_fitted_by_small_ones(monkeypatch: pytest.MonkeyPatch):
    held, slopes = [], project_module._slopes
    monkeypatch.setattr(
        project_module, "_slopes", lambda *given: held.append(slopes(*given)) or held[-1]
    )
    spread = torch.randn(4, 3 * 64 * 64)

    def draw(z: torch.Tensor) -> torch.Tensor:
        small = (z @ spread).tanh().view(-1, 3, 64, 64)
        return F.interpolate(small, scale_factor=4)

    wanted = torch.tensor([[0.3, -0.2, 0.5, 0.1]])
    found = fitted(draw, draw(wanted), torch.zeros(1, 4), 10)
    assert torch.allclose(found, wanted, atol=1e-3)
    assert {tuple(each.shape) for each in held} == {(4, 3 * 128 * 128)}


def test_many_starts_are_followed_in_parts(monkeypatch: pytest.MonkeyPatch):
    """As many as were asked for at once took 17 MB each; where they end does not hang on it."""
    monkeypatch.setattr("figment.sampling.project.CANDIDATES", 64)
    monkeypatch.setattr("figment.sampling.project.FITTING_STEPS", 0)
    generator, plainly = tones(2), perceiver(open_features("small", CPU))
    torch.manual_seed(0)
    target, seen, found = torch.rand(3, 32, 32) * 2 - 1, [], []

    def perceive(images: torch.Tensor) -> torch.Tensor:
        seen.append((len(images), torch.is_grad_enabled()))
        return plainly(images)

    for at_once in (40, 16):
        monkeypatch.setattr("figment.sampling.project.parts.__defaults__", (at_once,))
        found.append(project(generator, target, perceive, steps=4, starts=40))
        assert max(count for count, graph in seen if graph) == at_once
        seen.clear()
    assert torch.allclose(found[0].latent, found[1].latent, atol=1e-5)
    assert found[1].losses == pytest.approx(found[0].losses, rel=1e-5)


def test_pixels_are_fitted_to_the_bit():
    """From another latent of a network of random weights, to the very one whose picture is given."""
    torch.manual_seed(0)
    recipe = replace(find("dcgan")[1], resolution=32, width=4, latent=8)
    net = recipe.build()["generator"].eval()
    for norm in net.modules():
        if isinstance(norm, nn.BatchNorm2d):  # untrained maps are all but grey
            norm.running_var.fill_(1e-3)  # ty: ignore[unresolved-attribute]
    wanted, start = torch.randn(2, 1, 8)
    target = net(wanted).detach()
    far = (net(start) - target).square().mean()
    found = fitted(net, target, start, 10.0)
    assert (net(found) - target).square().mean() < 1e-6 * far
    assert torch.allclose(found, wanted, atol=1e-3)
    longest = float(start.norm())  # of the two the shorter one: there is only so near to come
    assert longest < wanted.norm() - 0.1
    assert fitted(net, target, start, longest).norm() <= longest + 1e-4
