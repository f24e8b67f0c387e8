"""The FID Inception: names, shapes and counts as published, its poolings, its two forms of file."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from figment.errors import UserError
from figment.metrics.features import Extractor, inception, open_features
from figment.metrics.features.resize import antialiased_bicubic, legacy_bilinear

A = "1x1 64 1 1, 5x5_1 48 1 1, 5x5_2 64 5 5, 3x3dbl_1 64 1 1, 3x3dbl_2 96 3 3, 3x3dbl_3 96 3 3"
C = (
    "1x1 192 1 1, 7x7_1 {0} 1 1, 7x7_2 {0} 1 7, 7x7_3 192 7 1, 7x7dbl_1 {0} 1 1, 7x7dbl_2 {0} 7 1,"
    " 7x7dbl_3 {0} 1 7, 7x7dbl_4 {0} 7 1, 7x7dbl_5 192 1 7, _pool 192 1 1"
)
E = (
    "1x1 320 1 1, 3x3_1 384 1 1, 3x3_2a 384 1 3, 3x3_2b 384 3 1, 3x3dbl_1 448 1 1, 3x3dbl_2 384 3 3,"
    " 3x3dbl_3a 384 1 3, 3x3dbl_3b 384 3 1, _pool 192 1 1"
)
BLOCKS = {
    "Mixed_5b": A + ", _pool 32 1 1",
    "Mixed_5c": A + ", _pool 64 1 1",
    "Mixed_5d": A + ", _pool 64 1 1",
    "Mixed_6a": "3x3 384 3 3, 3x3dbl_1 64 1 1, 3x3dbl_2 96 3 3, 3x3dbl_3 96 3 3",
    "Mixed_6b": C.format(128),
    "Mixed_6c": C.format(160),
    "Mixed_6d": C.format(160),
    "Mixed_6e": C.format(192),
    "Mixed_7a": "3x3_1 192 1 1, 3x3_2 320 3 3, 7x7x3_1 192 1 1, 7x7x3_2 192 1 7, 7x7x3_3 192 7 1,"
    " 7x7x3_4 192 3 3",
    "Mixed_7b": E,
    "Mixed_7c": E,
}
"""Branches of the public file: name, channels out, window, in the file's order."""
STEM = {
    "Conv2d_1a_3x3": [32, 3, 3, 3],
    "Conv2d_2a_3x3": [32, 32, 3, 3],
    "Conv2d_2b_3x3": [64, 32, 3, 3],
    "Conv2d_3b_1x1": [80, 64, 1, 1],
    "Conv2d_4a_3x3": [192, 80, 3, 3],
}
WIDE = dict(zip(BLOCKS, (192, 256, 288, 288, 768, 768, 768, 768, 768, 1280, 2048), strict=True))


def made_state(seed: int = 0) -> dict[str, Tensor]:
    """A state dict of the network's names and shapes whose features neither vanish nor burst."""
    generator = torch.Generator().manual_seed(seed)
    with torch.device("meta"):
        shapes = inception.Inception().state_dict()
    state = {}
    for name, value in shapes.items():
        if value.ndim == 4:
            # Thin noise costs less time than a full one and mixes as well.
            state[name] = torch.empty(value.shape).uniform_(-1, 1, generator=generator)
            state[name] *= (6 / value[0].numel()) ** 0.5
        elif name.endswith(("running_var", "bn.weight")):
            state[name] = 0.7 + 0.6 * torch.rand(value.shape, generator=generator)
        elif name.endswith("num_batches_tracked"):
            state[name] = torch.tensor(0)
        else:
            state[name] = 0.1 * torch.randn(value.shape, generator=generator)
    return state


@pytest.fixture(scope="module")
def state_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("inception") / "made.pth"
    torch.save(made_state(), path)
    return path


def pictures(count: int, side: int = 64) -> Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.randint(0, 256, (count, 3, side, side), dtype=torch.uint8, generator=generator)


def test_names_and_shapes_are_those_of_the_public_file():
    with torch.device("meta"):
        state = inception.Inception().state_dict()
    found = {
        name.removesuffix(".conv.weight"): list(value.shape)
        for name, value in state.items()
        if value.ndim == 4
    }
    outs = {
        f"{block}.branch{name}": [int(out), int(height), int(width)]
        for block, text in BLOCKS.items()
        for name, out, height, width in (entry.split() for entry in text.split(", "))
    }
    assert list(found) == [*STEM, *outs]
    assert {name: found[name] for name in STEM} == STEM
    assert {name: [found[name][0], *found[name][2:]] for name in outs} == outs
    firsts = {n: found[n][1] for n in outs if n.endswith(("1x1", "_1", "_pool", "6a.branch3x3"))}
    assert firsts == {name: WIDE[name.split(".")[0]] for name in firsts}
    assert len(state) == 566 and len(found) == 94
    norm = {name.rpartition(".bn.")[2] for name in state if ".bn." in name}
    assert norm == {"weight", "bias", "running_mean", "running_var", "num_batches_tracked"}
    assert state["fc.weight"].shape == (1008, 2048) and state["fc.bias"].shape == (1008,)


def test_parameters_count_as_published():
    """Keras' InceptionV3 has 21,751,136 in its convolutions; scale, shift and 1,008 classes come on top."""
    with torch.device("meta"):
        network = inception.Inception()
    channels = sum(m.out_channels for m in network.modules() if isinstance(m, nn.Conv2d))
    assert channels == 17_216
    total = sum(p.numel() for p in network.parameters())
    assert total == 21_751_136 + 2 * channels + 1008 * 2049 == 23_850_960


def test_sides_through_the_network(state_file: Path):
    network = inception.read_state(state_file).eval()
    sides = {}
    for name, module in network.named_children():
        module.register_forward_hook(
            lambda _, __, out, name=name: sides.update({name: out.shape[1:]})
        )
    with torch.inference_mode():
        features, logits = network(torch.zeros(1, 3, 299, 299))
    assert features.shape == (1, 2048) and logits.shape == (1, 1008)
    assert {name: tuple(shape) for name, shape in sides.items()} == {
        "Conv2d_1a_3x3": (32, 149, 149),
        "Conv2d_2a_3x3": (32, 147, 147),
        "Conv2d_2b_3x3": (64, 147, 147),
        "Conv2d_3b_1x1": (80, 73, 73),
        "Conv2d_4a_3x3": (192, 71, 71),
        "Mixed_5b": (256, 35, 35),
        "Mixed_5c": (288, 35, 35),
        "Mixed_5d": (288, 35, 35),
        "Mixed_6a": (768, 17, 17),
        "Mixed_6b": (768, 17, 17),
        "Mixed_6c": (768, 17, 17),
        "Mixed_6d": (768, 17, 17),
        "Mixed_6e": (768, 17, 17),
        "Mixed_7a": (1280, 8, 8),
        "Mixed_7b": (2048, 8, 8),
        "Mixed_7c": (2048, 8, 8),
    }


def convolution(block: nn.Module, name: str, x: Tensor, stride: int = 1, padding=0) -> Tensor:
    """A layer of a block, written out from its tensors."""
    layer = block.get_submodule(f"branch{name}")
    x = F.conv2d(x, layer.conv.weight, None, stride, padding)
    mean, var = layer.bn.running_mean, layer.bn.running_var
    x = (x - mean.view(1, -1, 1, 1)) / (var.view(1, -1, 1, 1) + 0.001).sqrt()
    return (x * layer.bn.weight.view(1, -1, 1, 1) + layer.bn.bias.view(1, -1, 1, 1)).clamp(min=0)


def mean_of_neighbours(x: Tensor) -> Tensor:
    """Mean over 3x3 px, of those that lie in the picture."""
    padded, ones = F.pad(x, (1, 1, 1, 1)), F.pad(torch.ones_like(x), (1, 1, 1, 1))
    height, width = x.shape[2:]
    shifts = [(i, j) for i in range(3) for j in range(3)]
    total = sum(padded[:, :, i : i + height, j : j + width] for i, j in shifts)
    return total / sum(ones[:, :, i : i + height, j : j + width] for i, j in shifts)


@pytest.fixture(scope="module")
def network(state_file: Path) -> inception.Inception:
    return inception.read_state(state_file).eval().requires_grad_(False)


def test_block_with_fives_is_its_definition(network: inception.Inception):
    block = network.Mixed_5b
    x = torch.rand(1, 192, 9, 9, generator=torch.Generator().manual_seed(0))
    five = convolution(block, "5x5_2", convolution(block, "5x5_1", x), padding=2)
    double = convolution(block, "3x3dbl_2", convolution(block, "3x3dbl_1", x), padding=1)
    double = convolution(block, "3x3dbl_3", double, padding=1)
    pooled = convolution(block, "_pool", mean_of_neighbours(x))
    expected = torch.cat([convolution(block, "1x1", x), five, double, pooled], dim=1)
    assert torch.allclose(block(x), expected, atol=1e-5)


def test_shrinking_blocks_are_their_definition(network: inception.Inception):
    x = torch.rand(1, 288, 9, 9, generator=torch.Generator().manual_seed(0))
    block = network.Mixed_6a
    double = convolution(block, "3x3dbl_2", convolution(block, "3x3dbl_1", x), padding=1)
    parts = [convolution(block, "3x3", x, 2), convolution(block, "3x3dbl_3", double, 2)]
    assert torch.allclose(block(x), torch.cat([*parts, F.max_pool2d(x, 3, 2)], dim=1), atol=1e-5)
    x = torch.rand(1, 768, 7, 7, generator=torch.Generator().manual_seed(0))
    block = network.Mixed_7a
    seven = convolution(block, "7x7x3_2", convolution(block, "7x7x3_1", x), padding=(0, 3))
    seven = convolution(block, "7x7x3_3", seven, padding=(3, 0))
    three = convolution(block, "3x3_2", convolution(block, "3x3_1", x), 2)
    parts = [three, convolution(block, "7x7x3_4", seven, 2), F.max_pool2d(x, 3, 2)]
    assert torch.allclose(block(x), torch.cat(parts, dim=1), atol=1e-5)


def test_block_with_sevens_is_its_definition(network: inception.Inception):
    block = network.Mixed_6c
    x = torch.rand(1, 768, 5, 5, generator=torch.Generator().manual_seed(0))
    seven = convolution(block, "7x7_2", convolution(block, "7x7_1", x), padding=(0, 3))
    seven = convolution(block, "7x7_3", seven, padding=(3, 0))
    double = convolution(block, "7x7dbl_1", x)
    for number, padding in ((2, (3, 0)), (3, (0, 3)), (4, (3, 0)), (5, (0, 3))):
        double = convolution(block, f"7x7dbl_{number}", double, padding=padding)
    pooled = convolution(block, "_pool", mean_of_neighbours(x))
    expected = torch.cat([convolution(block, "1x1", x), seven, double, pooled], dim=1)
    assert torch.allclose(block(x), expected, atol=1e-5)


@pytest.mark.parametrize("name, wide", [("Mixed_7b", 1280), ("Mixed_7c", 2048)])
def test_last_blocks_pool_apart(network: inception.Inception, name: str, wide: int):
    """The last but one takes the mean of what lies in the picture, the last the maximum."""
    block = network.get_submodule(name)
    x = torch.rand(1, wide, 4, 4, generator=torch.Generator().manual_seed(0))

    def fork(branch: str, x: Tensor) -> list[Tensor]:
        beside = ((f"{branch}a", (0, 1)), (f"{branch}b", (1, 0)))
        return [convolution(block, layer, x, padding=padding) for layer, padding in beside]

    double = convolution(block, "3x3dbl_2", convolution(block, "3x3dbl_1", x), padding=1)
    pooled = F.max_pool2d(x, 3, 1, 1) if name == "Mixed_7c" else mean_of_neighbours(x)
    parts = [convolution(block, "1x1", x), *fork("3x3_2", convolution(block, "3x3_1", x))]
    parts += [*fork("3x3dbl_3", double), convolution(block, "_pool", pooled)]
    assert torch.allclose(block(x), torch.cat(parts, dim=1), atol=1e-4)


@pytest.fixture(scope="module")
def extractor(state_file: Path) -> Extractor:
    return open_features(f"inception:{state_file}")


def test_folded_network_equals_the_open_one(extractor: Extractor, network: inception.Inception):
    assert extractor.protocol.startswith(
        "inception (pytorch-fid's), 299 px, antialiased bicubic, weights "
    )
    values, logits = extractor(pictures(1))
    with torch.inference_mode():
        expected, _ = network(antialiased_bicubic(pictures(1), 299))
    assert expected.std() > 0.1 * expected.mean()
    assert (values - expected).abs().max() < 1e-4 * expected.abs().max()
    assert logits is not None  # without the bias
    assert torch.allclose(logits, values @ network.fc.weight.T, rtol=1e-4, atol=1e-3)


def test_legacy_resizes_as_pytorch_fid(state_file: Path):
    extractor = open_features(f"inception-legacy:{state_file}")
    assert extractor.protocol.startswith("inception-legacy (pytorch-fid's), 299 px, bilinear, ")
    assert torch.equal(extractor.prepare(pictures(1)), legacy_bilinear(pictures(1), 299))


def test_pixels_go_from_minus_one_to_one(extractor: Extractor):
    assert isinstance(extractor.network, inception.Inception)
    seen: list[Tensor] = []
    first = extractor.network.Conv2d_1a_3x3
    hook = first.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    extractor(torch.tensor([0, 255, 51], dtype=torch.uint8).view(1, 3, 1, 1).expand(1, 3, 8, 8))
    hook.remove()
    assert seen[0].shape == (1, 3, 299, 299)
    expected = torch.tensor([-1, 1, -0.6]).view(1, 3, 1, 1)
    assert (seen[0] - expected).abs().max() < 1e-4


class Scripted(nn.Module):
    """What NVIDIA's file shows: pictures in 0..255 of any size, a switch, the classifier's weight."""

    def __init__(self) -> None:
        super().__init__()
        self.output = nn.Linear(2048, 1008)

    def forward(self, img: Tensor, return_features: bool = False) -> Tensor:
        x = img.to(torch.float32).mean((2, 3)) + 1000 * float(img.shape[2])
        features = x.repeat(1, 683)[:, :2048]
        return features if return_features else self.output(features).softmax(1)


@pytest.fixture(scope="module")
def script_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("script") / "scripted.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(torch.jit.script(Scripted()), path)
    return path


@pytest.mark.parametrize("name, side", [("inception", 299), ("inception-legacy", 32)])
def test_torchscript_form_is_recognised(script_file: Path, name: str, side: int):
    """It gets pictures resized as clean-fid does, or, as its own project, untouched ones."""
    extractor = open_features(f"{name}:{script_file}", precision="bfloat16")
    assert extractor.protocol.startswith(f"{name} (NVIDIA's), 299 px, ")
    assert ("TensorFlow 1" in extractor.protocol) == (name == "inception-legacy")
    assert "bfloat16" not in extractor.protocol
    images = pictures(3, 32)
    values, logits = extractor(images)
    expected = antialiased_bicubic(images, side).mean((2, 3)) + 1000 * side
    assert torch.allclose(values[:, :3], expected, atol=0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        weight = torch.jit.load(script_file).output.weight
    # Sums of 2,048 products of some 6,000 that nearly cancel: machines round them apart.
    told = values @ weight.T
    assert logits is not None and (logits - told).abs().max() < 1e-5 * told.abs().max()


def test_other_torchscript_is_refused(tmp_path: Path):
    path = tmp_path / "other.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(torch.jit.script(nn.Linear(2, 3)), path)
    with pytest.raises(UserError, match="holds neither") as caught:
        open_features(f"inception:{path}")
    assert "\n" not in str(caught.value)
