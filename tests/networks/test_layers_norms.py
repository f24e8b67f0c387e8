"""Norms: reference and virtual batch norm, spectral and weight norm, conditional batch norm."""

from __future__ import annotations

import copy
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from figment.errors import UserError
from figment.networks.layers.calibration import calibrate
from figment.networks.layers.conditional_norm import by_class, by_embedding
from figment.networks.layers.reference_norm import ReferenceBatchNorm, Referenced, VirtualBatchNorm
from figment.networks.layers.spectral_norm import spectral
from figment.networks.layers.weight_norm import WeightNorm

REFERENCE_NORMS = (ReferenceBatchNorm, VirtualBatchNorm)


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def plain(norm: nn.Module) -> nn.Module:
    """A norm with a gain of 1."""
    nn.init.ones_(norm.get_parameter("weight"))
    return norm


def network(norm: type[ReferenceBatchNorm], references: int = 5) -> Referenced:
    norm_of = partial(norm, references=references)
    layers = nn.Sequential(
        nn.Conv2d(2, 3, 3), norm_of(3), nn.ReLU(), nn.Conv2d(3, 4, 3), norm_of(4), nn.Flatten()
    )
    return Referenced(layers.double(), torch.randn(references, 2, 6, 6, dtype=torch.float64))


# -- reference and virtual batch norm --------------------------------------------------------------


@pytest.mark.parametrize(
    ("norm", "expected"), [(ReferenceBatchNorm, 3), (VirtualBatchNorm, 1.224745)]
)
def test_four_against_zero_and_two(norm, expected):
    """R = {0, 2}, x = 4: (4 - 1) / 1, and (4 - 2) / sqrt(20/3 - 4)."""
    layer = plain(norm(1, references=2))
    y = layer(torch.tensor([[0.0], [2.0], [4.0]]))
    assert y[2].item() == pytest.approx(expected, rel=1e-5)
    assert y[:2, 0].tolist() == pytest.approx([-1, 1], rel=1e-5)


def test_virtual_statistics_mix_means_and_means_of_squares():
    x = torch.randn(7, 3, 4, 5, dtype=torch.float64) * 2 + 3
    layer = VirtualBatchNorm(3, references=4).double()
    nn.init.normal_(layer.bias)
    y = layer(x)
    reference = x[:4].movedim(1, 0).flatten(1)  # [C, R H W]
    for i in (4, 5, 6):
        own = x[i].flatten(1)  # [C, H W]
        mean = own.mean(1) / 5 + reference.mean(1) * 4 / 5
        square = own.square().mean(1) / 5 + reference.square().mean(1) * 4 / 5
        scale = layer.weight / (square - mean.square() + 1e-5).sqrt()
        expected = (x[i] - mean[:, None, None]) * scale[:, None, None] + layer.bias[:, None, None]
        torch.testing.assert_close(y[i], expected)


@pytest.mark.parametrize("norm", REFERENCE_NORMS)
def test_reference_rows_are_normalised_as_by_batch_norm(norm):
    x = torch.randn(6, 3, 4, 4) * 2 + 3
    layer = plain(norm(3, references=6))
    torch.testing.assert_close(layer(x), F.batch_norm(x, None, None, training=True))


@pytest.mark.parametrize("norm", REFERENCE_NORMS)
def test_a_sample_does_not_depend_on_the_others(norm):
    net = network(norm)
    x = torch.randn(4, 2, 6, 6, dtype=torch.float64)
    together = net(x)
    assert together.shape == (4, 4 * 2 * 2)
    torch.testing.assert_close(net(x[1:2]), together[1:2])
    other = torch.cat([x[:1], 9 * torch.randn_like(x[1:])])
    torch.testing.assert_close(net(other)[:1], together[:1])
    (slope,) = torch.autograd.grad(net(x.requires_grad_())[0].sum(), x)
    assert slope[0].abs().max() > 0 and torch.equal(slope[1:], torch.zeros_like(slope[1:]))


def test_a_large_reference_makes_virtual_batch_norm_reference_batch_norm():
    rows = torch.randn(20_003, 2, dtype=torch.float64)
    gaps = []
    for count in (20, 20_000):
        x = rows[-count - 3 :]
        both = [plain(norm(2, references=count).double())(x)[-3:] for norm in REFERENCE_NORMS]
        gaps.append((both[0] - both[1]).abs().max().item())
    assert gaps[1] < 1e-3 < 0.01 < gaps[0]


@pytest.mark.parametrize("norm", REFERENCE_NORMS)
def test_the_reference_is_state_and_gradients_pass_through_it(norm):
    net, x = network(norm), torch.randn(4, 2, 6, 6, dtype=torch.float64)
    twin = network(norm)
    assert not torch.allclose(net(x), twin(x))
    twin.load_state_dict(net.state_dict())
    assert torch.equal(net(x), twin(x)) and torch.equal(copy.deepcopy(net)(x), net(x))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    net(x).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in net.parameters())
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())


def test_the_reference_is_chosen_once():
    net = Referenced(nn.Sequential(VirtualBatchNorm(2, references=3)), torch.zeros(3, 2))
    first = torch.randn(5, 2)
    with pytest.raises(UserError, match="--batch 3 or more"):
        net.choose(first[:2])
    net.choose(first)
    net.choose(torch.randn(5, 2))
    assert torch.equal(net.reference[0], first[:3])
    resumed = Referenced(nn.Sequential(VirtualBatchNorm(2, references=3)), torch.zeros(3, 2))
    resumed.load_state_dict(net.state_dict())
    resumed.choose(torch.randn(5, 2))
    assert torch.equal(resumed.reference[0], first[:3])


def test_statistics_stay_accurate_far_from_zero():
    x = torch.tensor([[1e4 - 1], [1e4 + 1], [1e4]])
    y = plain(VirtualBatchNorm(1, references=2))(x)
    assert y[:, 0].tolist() == pytest.approx([-1, 1, 0], abs=1e-4)


def test_a_network_with_its_reference_exports_with_a_free_batch():
    norm = partial(VirtualBatchNorm, references=5)
    net = nn.Sequential(spectral(nn.Linear(4, 3)), norm(3), nn.ReLU())
    referenced = Referenced(net, torch.randn(5, 4)).eval()
    batch = torch.export.Dim("batch", min=2)
    program = torch.export.export(referenced, (torch.randn(3, 4),), dynamic_shapes=(({0: batch},),))
    x = torch.randn(7, 4)
    torch.testing.assert_close(program.module()(x), referenced(x))


# -- spectral norm ----------------------------------------------------------------------------------


LAYERS = {
    "linear": (lambda: nn.Linear(6, 5), (4, 6)),
    "convolution": (lambda: nn.Conv2d(3, 5, 3), (4, 3, 6, 6)),
    "transposed": (lambda: nn.ConvTranspose2d(3, 5, 4, 2, 1), (4, 3, 6, 6)),
    "embedding": (lambda: nn.Embedding(7, 5), None),
}


def as_matrix(layer: nn.Module, weight: Tensor) -> Tensor:
    return weight.movedim(1 if isinstance(layer, nn.ConvTranspose2d) else 0, 0).flatten(1)


def call(layer: nn.Module, shape: tuple[int, ...] | None) -> Tensor:
    return layer(torch.arange(4) if shape is None else torch.randn(shape))


def test_sigma_of_a_diagonal_matrix():
    layer = nn.Linear(2, 2, bias=False)
    layer.weight.data = torch.diag(torch.tensor([3.0, 1.0]))
    spectral(layer)
    for _ in range(30):
        layer(torch.zeros(1, 2))
    torch.testing.assert_close(layer.eval().weight, torch.diag(torch.tensor([1.0, 1 / 3])))


@pytest.mark.parametrize("kind", LAYERS)
def test_largest_singular_value_becomes_one(kind):
    make, shape = LAYERS[kind]
    layer = spectral(make())
    for _ in range(200):
        call(layer, shape)
    layer.eval()
    top = torch.linalg.svdvals(as_matrix(layer, layer.weight))[0]
    assert top.item() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("kind", LAYERS)
def test_one_step_in_training_and_none_in_evaluation(kind):
    make, shape = LAYERS[kind]
    plain_layer = make()
    matrix = as_matrix(plain_layer, plain_layer.weight.detach())
    torch.manual_seed(1)
    layer = spectral(plain_layer)
    norm = layer.parametrizations.weight[0]
    torch.manual_seed(1)
    u = F.normalize(torch.randn(5 if shape else 7), dim=0)
    assert torch.equal(norm.u, u)  # no step has been taken yet
    for _ in range(3):  # algorithm 1
        v = F.normalize(matrix.mT @ u, dim=0)
        u = F.normalize(matrix @ v, dim=0)
        call(layer, shape)
        torch.testing.assert_close(norm.u, u)
    layer.eval()
    expected = matrix / (u @ matrix @ F.normalize(matrix.mT @ u, dim=0))
    call(layer, shape)
    torch.testing.assert_close(as_matrix(layer, layer.weight), expected)
    kept = norm.u.clone()
    call(layer, shape)
    assert torch.equal(norm.u, kept)


def test_scale_of_the_weights_does_not_matter():
    layer = spectral(nn.Linear(6, 5)).eval()
    before = layer.weight.clone()
    layer.parametrizations.weight.original.data *= 10
    torch.testing.assert_close(layer.weight, before)


@pytest.mark.parametrize("kind", LAYERS)
def test_gradient_is_orthogonal_to_the_weights(kind):
    make, shape = LAYERS[kind]
    layer = spectral(make())
    call(layer, shape).square().sum().backward()
    weight = layer.parametrizations.weight.original
    overlap = (weight.grad * weight).sum() / (weight.grad.norm() * weight.norm())
    assert weight.grad.norm() > 0.01 and abs(overlap.item()) < 1e-5


def test_two_passes_before_one_backward():
    """Reals and fakes: the second pass moves u, the first one's graph must not notice."""
    layer = spectral(nn.Linear(6, 5))
    (layer(torch.randn(3, 6)).sum() - layer(torch.randn(3, 6)).sum()).backward()
    assert layer.parametrizations.weight.original.grad.isfinite().all()


def test_autocast_changes_no_statistic():
    layer = spectral(nn.Linear(64, 64))
    twin = copy.deepcopy(layer)
    with torch.autocast("cpu", torch.bfloat16):
        assert layer(torch.randn(2, 64)).dtype == torch.bfloat16
        low = layer.weight
    twin(torch.randn(2, 64))
    assert torch.equal(low, twin.weight)


def test_u_is_state():
    layer, twin = spectral(nn.Linear(6, 5)), spectral(nn.Linear(6, 5))
    twin.load_state_dict(layer.state_dict())
    x = torch.randn(3, 6)
    assert torch.equal(layer(x), twin(x))
    assert [name for name, _ in layer.named_buffers()] == ["parametrizations.weight.0.u"]


def test_second_derivatives_pass():
    layer = spectral(nn.Linear(3, 2).double()).eval()
    x = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    name = "parametrizations.weight.original"

    def run(x: Tensor, weight: Tensor) -> Tensor:
        return torch.func.functional_call(layer, {name: weight}, (x,)).square()

    with torch.no_grad():  # u and v are constants: exact only where they have converged
        u, _, _ = torch.linalg.svd(layer.get_parameter(name))
        layer.parametrizations.weight[0].u.copy_(u[:, 0])
    assert torch.autograd.gradcheck(run, (x, layer.get_parameter(name)))
    assert torch.autograd.gradgradcheck(lambda x: run(x, layer.get_parameter(name)), (x,))


# -- weight norm ------------------------------------------------------------------------------------


WEIGHTED = {
    "linear": (lambda: nn.Linear(6, 5), (40, 6)),
    "convolution": (lambda: nn.Conv2d(3, 5, 3), (8, 3, 6, 6)),
    "transposed": (lambda: nn.ConvTranspose2d(3, 5, 4, 2, 1), (8, 3, 6, 6)),
}


@pytest.mark.parametrize("kind", WEIGHTED)
def test_weights_are_scale_times_direction(kind):
    make, shape = WEIGHTED[kind]
    bare = make()
    layer = WeightNorm(copy.deepcopy(bare))
    nn.init.uniform_(layer.scale)
    nn.init.normal_(layer.bias)
    matrix = as_matrix(bare, bare.weight.data)  # a view: sets the bare layer's weights
    directed = F.normalize(matrix, dim=1) * layer.scale.detach()[:, None]
    dim = 1 if kind == "transposed" else 0
    rest = bare.weight.movedim(dim, 0).shape
    bare.weight.data = directed.view(rest).movedim(0, dim)
    bare.bias.data = layer.bias.data
    x = torch.randn(shape)
    torch.testing.assert_close(layer(x), bare(x))
    before = layer(x)
    layer.layer.weight.data *= 7
    torch.testing.assert_close(layer(x), before)
    assert {name for name, _ in layer.named_parameters()} == {"layer.weight", "scale", "bias"}


@pytest.mark.parametrize("kind", WEIGHTED)
@pytest.mark.parametrize("spread", [1.0, 0.1])
def test_calibrated_outputs_have_mean_0_and_the_given_spread(kind, spread):
    make, shape = WEIGHTED[kind]
    layer, x = WeightNorm(make(), spread=spread), 3 * torch.randn(shape) + 1
    calibrate(layer, x)
    y = layer(x).movedim(1, 0).flatten(1)
    torch.testing.assert_close(y.mean(1), torch.zeros(5), atol=1e-5, rtol=0)
    torch.testing.assert_close(y.std(1, correction=0), torch.full((5,), spread))


def test_a_network_is_calibrated_layer_by_layer():
    net = nn.Sequential(
        WeightNorm(nn.Linear(6, 9)), nn.ReLU(), WeightNorm(nn.Linear(9, 4), learn_scale=False)
    )
    seen = []
    net[2].register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    x = 5 * torch.randn(50, 6)
    calibrate(net, x)
    y = net(x)
    torch.testing.assert_close(y.std(0, correction=0), torch.ones(4))
    torch.testing.assert_close(seen[0], seen[1])  # the second layer was fitted to the fitted first
    assert "2.scale" in dict(net.named_buffers())
    kept = copy.deepcopy(net.state_dict())
    net(torch.randn(50, 6))
    assert all(torch.equal(kept[name], value) for name, value in net.state_dict().items())


def test_a_layer_without_spread_is_left_with_unit_weights():
    layer = WeightNorm(nn.Linear(6, 5), spread=None)
    calibrate(layer, torch.randn(9, 6))
    rows = layer(torch.eye(6)).mT  # the weights
    torch.testing.assert_close(rows.norm(dim=1), torch.ones(5))
    assert torch.equal(layer.bias, torch.zeros(5))


# -- conditional batch norm -------------------------------------------------------------------------


def test_zero_gains_and_shifts_are_plain_batch_norm():
    layer, x = by_class(3, 4), torch.randn(6, 3, 5, 5)
    y = layer(x, torch.randint(4, (6,)))
    torch.testing.assert_close(y, F.batch_norm(x, None, None, training=True))


def test_classes_have_gains_and_shifts_of_their_own():
    layer, x = by_class(3, 4), torch.randn(1, 3, 5, 5).expand(2, -1, -1, -1)
    nn.init.normal_(layer.gain.weight)
    nn.init.normal_(layer.shift.weight)
    labels = torch.tensor([1, 3])
    y = layer(x, labels)
    norm = F.batch_norm(x, None, None, training=True)
    gain, shift = 1 + layer.gain.weight[3], layer.shift.weight[3]
    torch.testing.assert_close(y[1], norm[1] * gain[:, None, None] + shift[:, None, None])
    torch.testing.assert_close(layer(x, labels.flip(0)), y.flip(0))


def test_an_embedding_as_condition():
    layer, x = by_embedding(3, 7, wrap=spectral), torch.randn(6, 3, 5, 5)
    zero = layer(x, torch.zeros(6, 7))
    torch.testing.assert_close(zero, F.batch_norm(x, None, None, training=True))
    embedding = torch.randn(6, 7, requires_grad=True)
    layer(x, embedding).square().sum().backward()
    assert embedding.grad is not None and embedding.grad.abs().max() > 0
    assert sum(p.numel() for p in by_embedding(256, 148).parameters()) == 2 * 148 * 256
