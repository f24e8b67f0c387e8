"""Noise, attention, projection, one-hot classes, resampling, residual blocks."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from figment.networks.layers.attention import SelfAttention
from figment.networks.layers.conditional_norm import by_class
from figment.networks.layers.convolution import TransposedConvolution
from figment.networks.layers.noise import GaussianNoise, instance_noise
from figment.networks.layers.one_hot import beside, one_hot
from figment.networks.layers.projection import Projection
from figment.networks.layers.resample import DownConvolution, UpConvolution, enlarge, same, shrink
from figment.networks.layers.residual import DownBlock, FirstDownBlock, UpBlock
from figment.networks.layers.spectral_norm import spectral


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def count(*modules: nn.Module) -> int:
    return sum(p.numel() for module in modules for p in module.parameters())


# -- noise ------------------------------------------------------------------------------------------


def test_noise_has_its_spread_and_is_fresh():
    x = torch.full((50, 2, 20, 20), 3.0)
    first, second = instance_noise(x, 0.2), instance_noise(x, 0.2)
    assert first.mean().item() == pytest.approx(3, abs=0.01)
    assert first.std().item() == pytest.approx(0.2, rel=0.02)
    assert not torch.equal(first, second)
    assert instance_noise(x, 0.0) is x


def test_the_noise_layer_acts_in_training_only():
    layer, x = GaussianNoise(0.5), torch.zeros(100, 100)
    assert layer(x).std().item() == pytest.approx(0.5, rel=0.05)
    assert layer.eval()(x) is x


def test_two_processes_draw_the_noise_of_one(monkeypatch):
    x, parts = torch.randn(6, 3), []
    whole = instance_noise(x, 0.3)
    for rank in (0, 1):
        torch.manual_seed(0)
        torch.randn(6, 3)  # where the stream was
        monkeypatch.setenv("RANK", str(rank))
        monkeypatch.setenv("WORLD_SIZE", "2")
        parts.append(instance_noise(x[3 * rank : 3 * rank + 3], 0.3))
    assert torch.equal(torch.cat(parts), whole)


# -- self-attention ---------------------------------------------------------------------------------


def test_attention_has_sagans_parameters_and_starts_as_the_identity():
    layer, x = SelfAttention(256), torch.randn(2, 256, 4, 4)
    assert count(layer) == 81_921
    assert torch.equal(layer(x), x)


@pytest.mark.parametrize("size", [(6, 6), (5, 7), (1, 1), (1, 4)])
def test_attention_rows_sum_to_one_at_any_size(size):
    layer, x = SelfAttention(16), torch.randn(2, 16, *size)
    h, w = size
    rows = layer.attention(x)
    assert rows.shape == (2, h * w, -(-h // 2) * -(-w // 2))
    torch.testing.assert_close(rows.sum(2), torch.ones(2, h * w))
    nn.init.ones_(layer.gamma)
    assert layer(x).shape == x.shape


def test_attention_is_what_the_formula_says():
    layer, x = SelfAttention(8, pool=False).double(), torch.randn(1, 8, 3, 3, dtype=torch.float64)
    nn.init.constant_(layer.gamma, 0.7)
    flat = x[0].flatten(1)  # [C, HW]
    theta, phi, g, o = (
        conv.weight[:, :, 0, 0] for conv in (layer.theta, layer.phi, layer.g, layer.o)
    )
    seen = torch.zeros(4, 9, dtype=torch.float64)
    for i in range(9):
        weights = torch.softmax((theta @ flat[:, i]) @ (phi @ flat), dim=0)
        seen[:, i] = sum(weights[j] * (g @ flat[:, j]) for j in range(9))
    torch.testing.assert_close(layer(x)[0].flatten(1), flat + 0.7 * o @ seen)


def test_attention_without_pooling_follows_a_permutation():
    layer, x, order = SelfAttention(16, pool=False), torch.randn(2, 16, 3, 4), torch.randperm(12)
    nn.init.ones_(layer.gamma)
    moved = x.flatten(2)[:, :, order].view_as(x)
    torch.testing.assert_close(layer(moved).flatten(2), layer(x).flatten(2)[:, :, order])


def test_attention_with_spectral_norm_can_be_differentiated_twice():
    layer = SelfAttention(8, wrap=spectral).double().eval()
    nn.init.ones_(layer.gamma)
    x = torch.randn(1, 8, 2, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(layer, (x,))
    assert len(list(layer.buffers())) == 4


# -- projection -------------------------------------------------------------------------------------


def test_projection_is_psi_plus_the_inner_product_of_the_summed_features():
    head, x = Projection(5, 3), torch.randn(4, 5, 2, 3)
    labels = torch.tensor([0, 2, 1, 0])
    phi = x.sum((2, 3))
    expected = phi @ head.psi.weight[0] + head.psi.bias
    expected = expected + torch.stack([head.embedding.weight[y] for y in labels]).mul(phi).sum(1)
    torch.testing.assert_close(head(x, labels), expected)
    torch.testing.assert_close(head(phi, labels), expected)


def test_classes_differ_by_the_difference_of_their_embeddings():
    head, phi = Projection(5, 3, wrap=spectral).eval(), torch.randn(4, 5)
    a, b = (head(phi, torch.full((4,), y)) for y in (0, 2))
    rows = head.embedding.weight
    torch.testing.assert_close(a - b, phi @ (rows[0] - rows[2]))
    assert count(head) == 5 + 1 + 3 * 5


# -- one-hot ----------------------------------------------------------------------------------------


def test_classes_beside_latents_and_images():
    labels = torch.tensor([0, 2])
    assert one_hot(labels, 3).tolist() == [[1, 0, 0], [0, 0, 1]]
    z, x = torch.randn(2, 4), torch.randn(2, 3, 5, 6)
    latents, maps = beside(z, labels, 3), beside(x, labels, 3)
    assert torch.equal(latents[:, :4], z) and torch.equal(latents[:, 4:], one_hot(labels, 3))
    assert maps.shape == (2, 6, 5, 6) and torch.equal(maps[:, :3], x)
    assert torch.equal(maps[1, 5], torch.ones(5, 6)) and maps[1, 3:5].abs().max() == 0
    assert torch.equal(maps[0, 3], torch.ones(5, 6)) and maps[0, 4:].abs().max() == 0
    assert beside(x, labels, 0) is x


# -- resampling -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kernel", [3, 4, 5])
@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
@pytest.mark.parametrize("padding", ["zeros", "reflect"])
def test_constants_stay_constant_inside(kernel, mode, padding):
    x = torch.full((1, 2, 8, 8), 0.7)
    up = UpConvolution(2, 3, kernel, mode=mode, padding=padding)(x)
    down = DownConvolution(2, 3, kernel, padding=padding)(x)
    assert up.shape == (1, 3, 16, 16) and down.shape == (1, 3, 4, 4)
    edge_up, edge_down = (0, 0) if padding == "reflect" else (2, 1)
    for y, edge in ((up, edge_up), (down, edge_down)):
        inside = y[:, :, edge : y.shape[2] - edge, edge : y.shape[3] - edge]
        torch.testing.assert_close(inside, inside[:, :, :1, :1].expand_as(inside))


@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_repeating_pixels_and_convolving_at_once(kernel):
    """One transposed convolution has the values and gradients of the two steps, borders included."""
    layer = UpConvolution(2, 3, kernel).double()
    x = torch.randn(2, 2, 5, 6, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(2, 3, 10, 12, dtype=torch.float64)
    both = [layer(x), layer.convolution(enlarge(x))]
    torch.testing.assert_close(both[0], both[1])
    inputs = (x, *layer.parameters())
    first, second = (torch.autograd.grad((y * weights).sum(), inputs) for y in both)
    torch.testing.assert_close(first, second)


@pytest.mark.parametrize(("kernel", "overlaps"), [(3, [1, 2]), (4, [2, 2]), (5, [2, 3])])
def test_transposed_convolutions_overlap_unevenly(kernel, overlaps):
    """What these layers are against: how many taps fall on neighbouring pixels."""
    layer = TransposedConvolution(1, 1, kernel, 2, bias=False)
    nn.init.ones_(layer.weight)
    across = layer(torch.ones(1, 1, 8, 8))[0, 0].amax(0)[6:10] / overlaps[1]
    assert sorted(across.tolist()) == sorted(float(n) for n in overlaps * 2)


def test_resampling_by_hand():
    x = torch.tensor([[[[0.0, 4.0]]]])
    assert enlarge(x)[0, 0].tolist() == [[0, 0, 4, 4]] * 2
    assert enlarge(x, "bilinear")[0, 0].tolist() == [[0, 1, 3, 4]] * 2  # centres aligned
    assert shrink(torch.arange(8.0).view(1, 1, 2, 4))[0, 0].tolist() == [[2.5, 4.5]]
    assert torch.equal(shrink(enlarge(x)), x)


def test_even_kernels_pad_one_more_behind():
    """As Keras's "same": 1 before and 2 after for a kernel of 4."""
    layer = same(1, 1, 4, bias=False)
    x, weight = torch.randn(1, 1, 5, 5), layer[1].weight
    torch.testing.assert_close(layer(x), F.conv2d(F.pad(x, (1, 2, 1, 2)), weight))
    assert same(1, 1, 3, bias=False)(x).shape == x.shape


# -- residual blocks --------------------------------------------------------------------------------


@pytest.mark.parametrize(("wide", "expected"), [(128, 1_204_483), (256, 4_276_739)])
def test_generators_of_wgan_gp_and_sngan_count_right(wide, expected):
    blocks = [UpBlock(wide, wide, norm=nn.BatchNorm2d, up=True) for _ in range(3)]
    ends = [nn.Linear(128, wide * 16), nn.BatchNorm2d(wide), nn.Conv2d(wide, 3, 3, 1, 1)]
    assert count(*blocks, *ends) == expected
    x = torch.randn(2, wide, 4, 4)
    assert blocks[0](x).shape == (2, wide, 8, 8)


@pytest.mark.parametrize("wrap", [lambda layer: layer, spectral])
def test_critics_of_wgan_gp_and_sngan_count_right(wrap):
    critic = nn.Sequential(
        FirstDownBlock(3, 128, wrap=wrap),
        DownBlock(128, 128, down=True, wrap=wrap),
        DownBlock(128, 128, down=False, wrap=wrap),
        DownBlock(128, 128, down=False, wrap=wrap),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        wrap(nn.Linear(128, 1)),
    )
    assert count(critic) == 1_053_825
    assert critic[:4](torch.randn(2, 3, 32, 32)).shape == (2, 128, 8, 8)


def test_up_block_is_what_the_paper_draws():
    """The shortcut runs before the enlarging here, after it in the papers: the same sums."""
    block, x = UpBlock(3, 5, norm=nn.BatchNorm2d, up=True), torch.randn(2, 3, 4, 4)
    y = block.convolution1(enlarge(F.relu(block.norm1(x))))
    y = block.convolution2(F.relu(block.norm2(y))) + block.shortcut(enlarge(x))
    torch.testing.assert_close(block(x), y)


def test_down_blocks_are_what_the_paper_draws():
    x = torch.randn(2, 3, 6, 6)
    block = DownBlock(3, 5, down=True)
    y = shrink(block.convolution2(F.relu(block.convolution1(F.relu(x)))))
    torch.testing.assert_close(block(x), y + shrink(block.shortcut(x)))
    first = FirstDownBlock(3, 5)
    y = shrink(first.convolution2(F.relu(first.convolution1(x))))
    torch.testing.assert_close(first(x), y + first.shortcut(shrink(x)))


def test_blocks_that_keep_size_and_width_have_no_shortcut_layer():
    x = torch.randn(2, 4, 6, 6)
    for block in (DownBlock(4, 4, down=False), UpBlock(4, 4, norm=nn.BatchNorm2d, up=False)):
        assert isinstance(block.shortcut, nn.Identity)
        for convolution in (block.convolution1, block.convolution2):
            nn.init.zeros_(convolution.weight)
        assert torch.equal(block(x), x)
    assert isinstance(DownBlock(4, 5, down=False).shortcut, nn.Conv2d)


def test_initial_weights_have_the_papers_variance():
    block = DownBlock(64, 96, down=True)
    for layer, gain in ((block.convolution1, 4), (block.shortcut, 2)):
        area = layer.kernel_size[0] ** 2
        expected = gain / (area * (64 + 96))
        assert layer.weight.var().item() == pytest.approx(expected, rel=0.05)
        assert layer.bias.abs().max() == 0


def test_labels_reach_the_norms_of_a_block():
    block = UpBlock(4, 4, norm=lambda wide: by_class(wide, 3), up=True)
    nn.init.normal_(block.norm2.gain.weight)
    x, labels = torch.randn(2, 4, 4, 4), torch.tensor([0, 1])

    def shown(labels: Tensor) -> Tensor:
        return block(x, labels)

    assert not torch.allclose(shown(labels)[1], shown(torch.tensor([0, 2]))[1])
