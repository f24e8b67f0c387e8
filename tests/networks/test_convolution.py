"""Every lowering gives the library's sums, derivatives and second derivatives."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from figment.networks.layers import convolution as conv
from figment.networks.layers.convolution import Convolution, TransposedConvolution
from figment.networks.layers.lowerings import halve

LIBRARY = {Convolution: nn.Conv2d, TransposedConvolution: nn.ConvTranspose2d}
LOWERED = ("product", "winograd")


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def build(kind: type, lowering: str, *, bias: bool = False, dtype=torch.float64, wide=(3, 5)):
    """A layer of figment and the library's with the same weights."""
    layer = kind(*wide, 4, 2, 1, bias=bias, dtype=dtype)
    layer.lowering = lowering
    twin = LIBRARY[kind](*wide, 4, 2, 1, bias=bias, dtype=dtype)
    twin.load_state_dict(layer.state_dict())
    return layer, twin


def relative(a: Tensor, b: Tensor) -> float:
    return ((a.double() - b.double()).abs().max() / b.double().abs().max()).item()


@pytest.mark.parametrize("kind", LIBRARY)
@pytest.mark.parametrize("lowering", LOWERED)
@pytest.mark.parametrize("size", [(1, 4, 4), (3, 8, 4), (2, 12, 16)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(("dtype", "bound"), [(torch.float64, 1e-13), (torch.float32, 1e-5)])
def test_sums_and_gradients_are_the_librarys(kind, lowering, size, layout, dtype, bound):
    layer, twin = build(kind, lowering, bias=True, dtype=dtype)
    twin = twin.double()
    n, h, w = size
    x = torch.randn(n, 3, h, w, dtype=dtype).contiguous(memory_format=layout).requires_grad_()
    assert layer.can(lowering, x)
    x_twin = x.detach().double().requires_grad_()
    y, y_twin = layer(x), twin(x_twin)
    assert y.shape == y_twin.shape
    assert relative(y, y_twin) < bound
    grad = torch.randn_like(y)
    ours = torch.autograd.grad(y, [x, layer.weight, layer.bias], grad)
    theirs = torch.autograd.grad(y_twin, [x_twin, twin.weight, twin.bias], grad.double())
    for a, b in zip(ours, theirs, strict=True):
        assert relative(a, b) < bound


@pytest.mark.parametrize("kind", LIBRARY)
@pytest.mark.parametrize("lowering", LOWERED)
def test_derivatives_of_both_orders_are_exact(kind, lowering):
    layer, _ = build(kind, lowering, wide=(1, 2))
    x = torch.randn(1, 1, 4, 4, dtype=torch.float64, requires_grad=True)

    def run(x: Tensor, weight: Tensor) -> Tensor:
        return torch.func.functional_call(layer, {"weight": weight}, (x,))

    assert torch.autograd.gradcheck(run, (x, layer.weight))
    assert torch.autograd.gradgradcheck(run, (x, layer.weight))


@pytest.mark.parametrize("lowering", LOWERED)
def test_gradient_penalty_is_the_librarys(lowering):
    layer, twin = build(Convolution, lowering)
    penalties = []
    for module in (layer, twin):
        x = torch.linspace(-1, 1, 2 * 3 * 8 * 8, dtype=torch.float64).view(2, 3, 8, 8)
        x.requires_grad_()
        (slope,) = torch.autograd.grad(module(x).square().sum(), x, create_graph=True)
        slope.square().sum().backward()
        penalties.append(module.weight.grad)
    assert relative(*penalties) < 1e-12


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_layers_to_and_from_one_pixel_are_products(layout):
    x = torch.randn(3, 6, 4, 4, dtype=torch.float64).contiguous(memory_format=layout)
    down = Convolution(6, 2, 4, 1, 0, dtype=torch.float64)
    torch.testing.assert_close(down(x), F.conv2d(x, down.weight, down.bias))
    up = TransposedConvolution(6, 2, 4, 1, 0, dtype=torch.float64)
    z = x[:, :, :1, :1]
    torch.testing.assert_close(up(z), F.conv_transpose2d(z, up.weight, up.bias))
    assert down.covers(x) and up.covers(z)
    assert not down.covers(F.pad(x, (1, 1))) and not up.covers(x)


@pytest.mark.parametrize("lowering", LOWERED)
def test_other_shapes_stay_with_the_library(lowering):
    layer, twin = build(Convolution, lowering)
    odd = torch.randn(2, 3, 9, 7, dtype=torch.float64)
    assert not layer.can(lowering, odd)
    assert torch.equal(layer(odd), twin(odd))
    five = Convolution(3, 5, 5, 2, 2, dtype=torch.float64)
    five.lowering = lowering
    even = torch.randn(2, 3, 8, 8, dtype=torch.float64)
    assert torch.equal(five(even), F.conv2d(even, five.weight, five.bias, 2, 2))


def test_winograd_needs_maps_that_split_into_squares():
    six = torch.randn(1, 3, 6, 6)
    assert Convolution(3, 5, 4, 2, 1).can("product", six)
    assert not Convolution(3, 5, 4, 2, 1).can("winograd", six)
    assert TransposedConvolution(3, 5, 4, 2, 1).can("winograd", six)
    assert not TransposedConvolution(3, 5, 4, 2, 1).can("winograd", six[:, :, :3])


@pytest.mark.parametrize("kind", LIBRARY)
@pytest.mark.parametrize("lowering", LOWERED)
def test_outputs_are_channels_last_and_may_be_changed_in_place(kind, lowering):
    layer, twin = build(kind, lowering)
    x = torch.randn(2, 3, 8, 8, dtype=torch.float64).contiguous(memory_format=torch.channels_last)
    y = F.leaky_relu(layer(x), 0.2, inplace=True)
    assert y.is_contiguous(memory_format=torch.channels_last)
    y.sum().backward()
    F.leaky_relu(twin(x), 0.2).sum().backward()
    assert relative(layer.weight.grad, twin.weight.grad) < 1e-12


@pytest.mark.parametrize("kind", LIBRARY)
@pytest.mark.parametrize("lowering", LOWERED)
def test_autocast_gives_bf16_within_its_rounding(kind, lowering):
    layer, twin = build(kind, lowering, dtype=torch.float32, wide=(16, 8))
    x = torch.randn(2, 16, 8, 8, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        y = layer(x)
    assert y.dtype == torch.bfloat16
    grad = torch.randn_like(y)
    y.backward(grad)
    x_twin = x.detach().double().requires_grad_()
    exact = twin.double()(x_twin)
    exact.backward(grad.double())
    assert layer.weight.grad.dtype == torch.float32
    pairs = [(y, exact), (x.grad, x_twin.grad), (layer.weight.grad, twin.weight.grad)]
    for a, b in pairs:
        assert relative(a, b) < 4 * 2**-8


@pytest.mark.parametrize(
    ("side", "channels", "dtype", "expected"),
    [
        (8, 256, torch.float32, "winograd"),
        (8, 256, torch.bfloat16, "product"),
        (16, 256, torch.float32, "library"),
        (16, 256, torch.bfloat16, "product"),
        (32, 256, torch.bfloat16, "library"),
        (8, 256, torch.float64, "library"),
        (8, 96, torch.bfloat16, "product"),
        (8, 88, torch.bfloat16, "library"),
        (8, 64, torch.float32, "library"),
    ],
)
def test_the_rule(side, channels, dtype, expected):
    x = torch.zeros(1, channels, side, side, dtype=dtype)
    assert conv.lowering_for(x, side, channels) == expected
    if dtype == torch.bfloat16:
        with torch.autocast("cpu", dtype):
            assert conv.lowering_for(x.float(), side, channels) == expected


def test_lowered_while_training_and_plain_in_evaluation(monkeypatch):
    """Exports and samples see the library's operations only."""
    used = []
    monkeypatch.setattr(conv, "halve", lambda *a, **k: used.append("halve") or halve(*a, **k))
    layer = Convolution(128, 4, 4, 2, 1, bias=False)
    x = torch.randn(2, 128, 8, 8)
    trained = layer(x)
    assert used == ["halve"]
    torch.testing.assert_close(layer.eval()(x), trained, rtol=1e-4, atol=1e-5)
    assert used == ["halve"]


def test_weights_are_interchangeable_with_the_librarys():
    assert Convolution(3, 4, 4, 2, 1).state_dict().keys() == {"weight", "bias"}
    twin = nn.ConvTranspose2d(3, 4, 4, 2, 1, bias=False)
    layer = TransposedConvolution(3, 4, 4, 2, 1, bias=False)
    layer.load_state_dict(twin.state_dict())
    assert layer.weight.shape == (3, 4, 4, 4) and torch.equal(layer.weight, twin.weight)
