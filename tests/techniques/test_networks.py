"""A recipe's networks with what its fields put into them, and the exchange of layers that does it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from figment.errors import UserError
from figment.gan import GAN
from figment.networks import surgery
from figment.networks.layers.conditional_norm import ConditionalBatchNorm
from figment.networks.layers.conditional_sequential import ConditionalSequential
from figment.networks.layers.reference_norm import (
    ReferenceBatchNorm,
    Referenced,
    VirtualBatchNorm,
)
from figment.networks.layers.spectral_norm import SpectralNorm
from figment.recipes import SYSTEMS, find


def built(name: str, **fields) -> nn.ModuleDict:
    torch.manual_seed(0)
    recipe = replace(find(name)[1].tiny(), **fields)
    recipe.check()
    return recipe.networks()


def of_kind(network: nn.Module, kind) -> list[nn.Module]:
    return [module for module in network.modules() if isinstance(module, kind)]


# -- the exchange of layers ---------------------------------------------------------------------


def net() -> nn.Sequential:
    """Three batch norms, one of them inside another module."""
    inner = nn.Sequential(nn.Conv2d(2, 2, 1), nn.BatchNorm2d(2, eps=0.25))
    return nn.Sequential(nn.BatchNorm2d(2), inner, nn.Flatten(), nn.Linear(8, 3), nn.BatchNorm1d(3))


@pytest.mark.parametrize(
    ("kind", "layer"),
    [("none", nn.Identity), ("layer", nn.GroupNorm), ("instance", nn.InstanceNorm2d)],
)
def test_other_norms_take_each_place(kind: str, layer: type[nn.Module]):
    network = net()
    assert surgery.renormalise(network, kind) == 3
    assert [type(network[0]), type(network[1][1]), type(network[4])] == [layer] * 3
    assert not of_kind(network, _BatchNorm)


def test_what_the_norms_compute():
    """Two maps of two pixels: (0, 2) and (4, 10), by hand."""
    x = torch.tensor([[[[0.0, 2.0]], [[4.0, 10.0]]]])
    layers = {kind: nn.Sequential(nn.BatchNorm2d(2)) for kind in ("none", "layer", "instance")}
    for kind, network in layers.items():
        surgery.renormalise(network, kind)
    assert torch.equal(layers["none"](x), x)
    instance = layers["instance"](x).flatten().tolist()
    assert instance == pytest.approx([-1, 1, -1, 1], abs=1e-4)
    whole = layers["layer"](x).flatten().tolist()  # mean 4, variance 14
    assert whole == pytest.approx([v / 14**0.5 for v in (-4, -2, 0, 6)], abs=1e-4)


@pytest.mark.parametrize(
    ("kind", "norm"), [("reference", ReferenceBatchNorm), ("virtual", VirtualBatchNorm)]
)
def test_reference_norms_keep_width_and_epsilon(kind: str, norm: type[nn.Module]):
    network = net()
    assert surgery.refer(network, 5, kind) == 3
    places = [network[0], network[1][1], network[4]]
    assert [type(place) for place in places] == [norm] * 3
    assert [place.references for place in places] == [5] * 3
    assert [len(place.weight) for place in places] == [2, 2, 3]
    assert places[1].eps == 0.25


def test_reference_norms_in_a_finished_network():
    """The reference {0, 2} and 4: 3 by the reference alone, 1.2247 with itself."""
    for kind, expected in (("reference", 3.0), ("virtual", 1.224745)):
        network = nn.Sequential(nn.BatchNorm1d(1, eps=0.0))
        surgery.refer(network, 2, kind)
        nn.init.ones_(network[0].weight)
        whole = Referenced(network, torch.tensor([[0.0], [2.0]]))
        assert whole(torch.tensor([[4.0], [-7.0]]))[0].item() == pytest.approx(expected, abs=1e-6)


def test_classes_reach_only_norms_that_are_told():
    """A norm outside a ``ConditionalSequential`` would not be given the label."""
    network = nn.Sequential(
        nn.BatchNorm2d(2),
        ConditionalSequential(nn.BatchNorm2d(2), nn.Sequential(nn.BatchNorm2d(2))),
    )
    assert surgery.by_classes(network, 3) == 1
    assert isinstance(network[1][0], ConditionalBatchNorm)
    x, labels = torch.randn(4, 2, 3, 3), torch.tensor([0, 1, 2, 0])
    plain = nn.BatchNorm2d(2)(nn.BatchNorm2d(2)(x))
    torch.testing.assert_close(network[1](x, labels), plain)  # all classes start alike
    nn.init.constant_(network[1][0].gain.weight[1:2], 1.0)
    network[1][1] = nn.Identity()
    expected = nn.BatchNorm2d(2)(x) * torch.tensor([1.0, 2.0, 1.0, 1.0])[:, None, None, None]
    torch.testing.assert_close(network[1](x, labels), expected)


def test_spectral_norm_of_a_network():
    network = nn.Sequential(
        nn.Linear(2, 2), ConditionalSequential(nn.BatchNorm2d(2)), nn.Embedding(3, 2)
    )
    surgery.by_classes(network, 3)
    network[0].weight.data = torch.diag(torch.tensor([3.0, 1.0]))
    assert surgery.spectrally(network) == 2  # the gains by class stay as they are
    for _ in range(50):
        weight = network[0].weight
    torch.testing.assert_close(weight, torch.diag(torch.tensor([1.0, 1 / 3])))
    assert torch.linalg.matrix_norm(network[0].weight, 2).item() == pytest.approx(1)


# -- the fields ---------------------------------------------------------------------------------


def test_a_recipe_without_such_fields_is_what_it_builds():
    recipe = find("dcgan")[1].tiny()
    nets = []
    for make in (recipe.build, recipe.networks):
        torch.manual_seed(0)
        nets.append(make().state_dict())
    assert nets[0].keys() == nets[1].keys()
    assert all(torch.equal(nets[0][name], nets[1][name]) for name in nets[0])


@pytest.mark.parametrize("kind", ["none", "layer", "instance"])
def test_discriminator_norm_leaves_the_generator_alone(kind: str):
    plain, nets = built("dcgan"), built("dcgan", discriminator_norm=kind)
    assert len(of_kind(plain["discriminator"], _BatchNorm)) == 2
    assert not of_kind(nets["discriminator"], _BatchNorm)
    assert of_kind(nets["generator"], _BatchNorm)
    one, two = torch.randn(2, 4, 3, 32, 32).unbind()
    two[0] = one[0]
    judge = nets["discriminator"]
    torch.testing.assert_close(judge(one)[0], judge(two)[0])  # an image by itself
    assert not torch.allclose(plain["discriminator"](one)[0], plain["discriminator"](two)[0])


@pytest.mark.parametrize("name", ["dcgan", "sngan", "fccgan", "faces", "stacked-mnist"])
@pytest.mark.parametrize("kind", ["reference", "virtual"])
def test_a_picture_does_not_depend_on_the_rest_of_its_batch(name: str, kind: str):
    recipe = replace(find(name)[1].tiny(), generator_norm=kind, reference=5)
    nets = built(name, generator_norm=kind, reference=5)
    plain = built(name)
    one, two = torch.randn(2, 4, recipe.latent).unbind()
    two[0] = one[0]
    pictures = [nets["generator"](z)[0] for z in (one, two, one[:1])]
    torch.testing.assert_close(pictures[0], pictures[1])
    torch.testing.assert_close(pictures[0], pictures[2])
    assert not torch.allclose(plain["generator"](one)[0], plain["generator"](two)[0])
    norm = VirtualBatchNorm if kind == "virtual" else ReferenceBatchNorm
    places = of_kind(nets["generator"], ReferenceBatchNorm)
    assert len(places) == len(of_kind(plain["generator"], _BatchNorm))
    assert {type(place) for place in places} == {norm}


def test_the_reference_is_state_and_holds_classes_in_turn():
    nets = built("dcgan-concat", generator_norm="virtual", reference=5)
    (kept,) = nets["generator"].reference
    assert kept.shape == (5, 8 + 2)
    assert kept[:, 8:].tolist() == [[1, 0], [0, 1], [1, 0], [0, 1], [1, 0]]
    assert kept[:, :8].std() > 0.5
    assert "generator.reference0" in nets.state_dict()


def test_class_norm_and_its_projection():
    nets = built("sngan-projection")
    assert len(of_kind(nets["generator"], ConditionalBatchNorm)) == 4
    assert len(of_kind(nets["generator"], nn.BatchNorm2d)) == 5  # theirs, and the last one
    assert nets["generator"].start[0].in_features == 8  # no one-hot beside the latent


@pytest.mark.parametrize("which", ["none", "discriminator", "both"])
def test_spectral_norm_of_both_networks(which: str):
    nets = built("dcgan", spectral_norm=which)
    counts = {player: len(of_kind(nets[player], SpectralNorm)) for player in nets}
    assert (
        counts
        == {
            "none": {"generator": 0, "discriminator": 0},
            "discriminator": {"generator": 0, "discriminator": 4},
            "both": {"generator": 4, "discriminator": 4},
        }[which]
    )


@pytest.mark.parametrize(
    "name",
    [n for n, s in SYSTEMS.items() if s.recipe.kind == "images" and isinstance(s.recipe, GAN)],
)
def test_every_family_can_be_told_classes(name: str):
    """K constant maps for the discriminator and K numbers for the generator, or a refusal."""
    plain = find(name)[1].tiny()
    if plain.conditional:
        plain = replace(plain, conditioning="none", class_norm=False, classes=0)
    told = replace(plain, conditioning="concat", classes=2).without_idle()
    assert told.inputs == plain.latent + 2
    assert told.discriminator_channels == plain.discriminator_channels + 2
    try:
        told.check()
    except UserError as refusal:
        assert "leave conditioning out" in str(refusal)
        return
    nets = told.networks()
    z, labels = torch.randn(2, told.latent), torch.tensor([0, 1])
    fakes = told.generate(nets["generator"], z, labels)
    assert told.logits(nets, fakes, labels).shape == (2,)
