"""Small, EfficientNet, MobileNet, DINOv2: they compute what they always did, and what was published."""

from __future__ import annotations

import importlib
import io
import math
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from figment.errors import UserError
from figment.metrics.features import dinov2, efficientnet, mobilenet, open_features, small, weights

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
ARRAYS = SHARED / "weights" / mobilenet.FILE.file
with_arrays = pytest.mark.skipif(not ARRAYS.exists(), reason="MobileNetV2's arrays are not here")


def pattern(side: int = 64) -> torch.Tensor:
    """A fixed colour picture with edges and slopes of many sizes."""
    line = torch.arange(64)
    y, x, c = torch.meshgrid(line, line, torch.arange(3), indexing="ij")
    image = (x * (c + 2) + y * (5 - c) + torch.div(x * y, 8 + c, rounding_mode="floor")) % 256
    image = image.permute(2, 0, 1)[None].to(torch.uint8)
    return image.repeat_interleave(side // 64, 2).repeat_interleave(side // 64, 3)


def cats() -> np.ndarray:
    """Sixteen photographs of cat faces, uint8 [16, 3, 64, 64]."""
    with zipfile.ZipFile(SHARED / "cats64.zip") as archive:
        names = sorted(archive.namelist())[:4000:250]
        images = [Image.open(io.BytesIO(archive.read(name))).convert("RGB") for name in names]
    return np.stack([np.asarray(image).transpose(2, 0, 1) for image in images])


def test_small_gives_the_features_it_always_gave():
    extractor = open_features("small")
    assert extractor.protocol == "small (random weights), 64 px, antialiased bicubic"
    values = extractor(pattern()).values
    assert values.shape == (1, extractor.width) == (1, 464)
    places = [0, 17, 47, 48, 80, 112, 160, 208, 272, 336, 463]
    expected = [
        -0.26789,
        -0.0305,
        0.08888,
        0.62066,
        1.19411,
        0.06926,
        0.32498,
        0.99965,
        1.66401,
        0,
        0.7608,
    ]
    assert torch.allclose(values[0, places], torch.tensor(expected), atol=2e-4)
    assert values.sum().item() == pytest.approx(289.0331, rel=1e-4)


def test_small_has_orthonormal_filters_blind_to_even_colour():
    kernels = [kernel.double().flatten(1) for kernel in small.Small().kernels]
    gains = (2 * small.EDGES**2, 2, 2, 2)
    for kernel, gain in zip(kernels, gains, strict=True):
        identity = gain * torch.eye(len(kernel), dtype=torch.float64)
        assert torch.allclose(kernel @ kernel.T, identity, atol=1e-5)
    assert kernels[0].view(32, 3, 25).sum(2).abs().max() < 1e-5


def test_small_sees_layout_and_texture():
    extractor = open_features("small")
    image = pattern()
    values = extractor(torch.cat([image, image.flip(3), 255 - image])).values
    assert (
        values[0, :48] - values[1, :48]
    ).abs().max() > 0.02  # the layout, not the texture's mean
    blurred = F.avg_pool2d(image.float(), 3, 1, 1).round().to(torch.uint8)
    change = extractor(blurred).values[0] - values[0]
    assert change[48:112].abs().mean() > 5 * change[:48].abs().mean()


def test_mobilenet_has_the_published_layers():
    network = mobilenet.MobileNetV2()
    convolutions = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d)]
    assert len(convolutions) == 53
    # torchvision's 3,504,872 have 1,000 classes, and scale and shift of batch-norm per channel, which
    # are one bias here.
    channels = sum(layer.out_channels for layer in convolutions[:-1])
    assert sum(p.numel() for p in network.parameters()) == 3_504_872 - channels + 1_281
    assert sum(block.skips for block in network.blocks) == 10


def test_mobilenet_pads_as_tensorflow():
    """SAME with stride 2: an even side is padded at its end only, an odd one at both."""
    layer = mobilenet.Same(1, 1, 3, 2)
    layer.weight.data.zero_()
    layer.weight.data[..., 0, 0] = 1  # looks at the window's first corner
    layer.bias.data.zero_()
    even = torch.arange(16.0).view(1, 1, 4, 4)
    assert layer(even).flatten().tolist() == [0, 2, 8, 10]
    odd = torch.arange(1.0, 26.0).view(1, 1, 5, 5)
    assert layer(odd).flatten().tolist() == [0, 0, 0, 0, 7, 9, 0, 17, 19]


@with_arrays
def test_mobilenet_gives_the_reference_features():
    """Numbers of an independent implementation on the same picture of 128 px."""
    extractor = open_features(f"mobilenet:{ARRAYS}")
    assert extractor.protocol == "mobilenet, 128 px, antialiased bicubic"
    values, logits = extractor(pattern(128))
    assert values.shape == (1, 1280) and logits is not None and logits.shape == (1, 1001)
    expected = [6.0, 5.9937744, 5.9363527, 5.9201469, 5.8717937, 5.8565016]
    assert torch.allclose(
        values[0, [1, 7, 597, 1196, 664, 1021]], torch.tensor(expected), atol=1e-3
    )
    assert values.sum().item() == pytest.approx(670.640, abs=0.05)
    assert logits.argmax().item() == 507 and logits.max().item() == pytest.approx(11.253, abs=0.01)


@with_arrays
def test_mobilenet_is_found_and_knows_cats(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FIGMENT_WEIGHTS", str(ARRAYS.parent))
    logits = open_features("mobilenet")(cats()).logits
    assert logits is not None
    classes = logits.argmax(1) - 1
    assert ((classes >= 281) & (classes <= 285)).float().mean() > 0.7  # the five cats of ImageNet


def test_efficientnet_is_the_package_s_network():
    """Features and logits of the package's own implementation, on sides that pad in every way."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reference = importlib.import_module("efficientnet_lite_pytorch").EfficientNet
        published = reference.from_name("efficientnet-lite0").eval()
    path = weights.find(efficientnet.FILE)
    assert path is not None and weights.sha256(path) == efficientnet.FILE.sha256
    published.load_state_dict(torch.load(path, weights_only=True))
    images = pattern(256)[:, :, :224, :224].float()
    with torch.inference_mode():
        wanted = published.extract_features((images - 127) / 128).mean((2, 3))
        values, logits = efficientnet.read(path)(images)
        folded, _ = efficientnet.folded(efficientnet.read(path))(images)
        assert torch.allclose(logits, published((images - 127) / 128), atol=1e-5)
    assert wanted.max() > 1 and torch.allclose(values, wanted, atol=1e-5)
    assert torch.allclose(folded, wanted, atol=5e-5)


@pytest.mark.parametrize("side", [32, 37, 64, 99, 128])
def test_efficientnet_pads_as_tensorflow_on_any_side(side: int):
    """SAME: the output of stride s has ceil(side / s) px, and what is odd is padded at the end."""
    layer = efficientnet.Same(1, 1, 5, 2)
    layer.weight.data.zero_()
    layer.weight.data[..., 0, 0] = 1  # looks at the window's first corner
    line = layer(torch.arange(1.0, side + 1).expand(1, 1, side, side).clone())[0, 0, -1]
    before = max((math.ceil(side / 2) - 1) * 2 + 5 - side, 0) // 2
    wanted = [float(x + 1) if x >= 0 else 0.0 for x in range(-before, side - before, 2)]
    assert line.tolist() == wanted[: math.ceil(side / 2)]


def test_efficientnet_gives_maps_of_seven_depths_and_counts_as_published():
    network = efficientnet.EfficientNetLite0().eval()
    assert sum(p.numel() for p in network.parameters()) == 4_652_008
    maps = network.stages(torch.zeros(1, 3, 64, 64))
    assert [tuple(one.shape[1:]) for one in maps] == [
        (16, 32, 32),
        (24, 16, 16),
        (40, 8, 8),
        (80, 4, 4),
        (112, 4, 4),
        (192, 2, 2),
        (320, 2, 2),
    ]


def test_other_weights_than_efficientnet_s_are_refused_in_one_line(tmp_path: Path):
    path = tmp_path / "other.pth"
    torch.save({"_conv_stem.weight": torch.zeros(3)}, path)
    with pytest.raises(UserError, match="does not hold EfficientNet-Lite0") as caught:
        open_features(f"efficientnet:{path}")
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(not ARRAYS.exists(), reason="the cats are not here")
def test_efficientnet_knows_cats():
    logits = open_features("efficientnet")(cats()).logits
    assert logits is not None
    assert ((logits.argmax(1) >= 281) & (logits.argmax(1) <= 285)).float().mean() > 0.5


def test_other_arrays_are_refused_in_one_line(tmp_path: Path):
    path = tmp_path / "other.npz"
    np.savez(path, w00=np.zeros(3), s00=np.zeros(3), b00=np.zeros(3))
    for content in (None, b"text", b""):
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(UserError, match="does not hold MobileNetV2") as caught:
            open_features(f"mobilenet:{path}")
        assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def transformer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state dict of DINOv2's names and shapes with made weights."""
    generator = torch.Generator().manual_seed(0)
    with torch.device("meta"):
        shapes = dinov2.DINOv2().state_dict()
    state = {
        name: 0.05 * torch.randn(value.shape, generator=generator)
        + (1 if name.endswith(("norm1.weight", "norm2.weight", "norm.weight", "gamma")) else 0)
        for name, value in shapes.items()
    }
    path = tmp_path_factory.mktemp("dinov2") / "vits14.pth"
    torch.save(state, path)
    return path


def test_dinov2_has_the_published_parameters():
    with torch.device("meta"):
        state = dinov2.DINOv2().state_dict()
    assert (
        sum(value.numel() for value in state.values()) == 22_056_576
    )  # vit_small, 518 px, patch 14
    assert len(state) == 175
    shapes = {
        name: list(value.shape) for name, value in state.items() if not name.startswith("blocks")
    }
    assert shapes == {
        "cls_token": [1, 1, 384],
        "pos_embed": [1, 1370, 384],
        "mask_token": [1, 384],
        "patch_embed.proj.weight": [384, 3, 14, 14],
        "patch_embed.proj.bias": [384],
        "norm.weight": [384],
        "norm.bias": [384],
    }
    last = {n[10:]: list(v.shape) for n, v in state.items() if n.startswith("blocks.11.")}
    assert last == {
        "norm1.weight": [384],
        "norm1.bias": [384],
        "attn.qkv.weight": [1152, 384],
        "attn.qkv.bias": [1152],
        "attn.proj.weight": [384, 384],
        "attn.proj.bias": [384],
        "ls1.gamma": [384],
        "norm2.weight": [384],
        "norm2.bias": [384],
        "mlp.fc1.weight": [1536, 384],
        "mlp.fc1.bias": [1536],
        "mlp.fc2.weight": [384, 1536],
        "mlp.fc2.bias": [384],
        "ls2.gamma": [384],
    }


def test_dinov2_runs_on_other_weights_and_says_so(transformer: Path):
    extractor = open_features(f"dinov2:{transformer}")
    assert extractor.protocol.startswith("dinov2 ViT-S/14, 224 px, antialiased bicubic, weights ")
    values, logits = extractor(pattern())
    assert values.shape == (1, extractor.width) == (1, 384) and logits is None
    assert values.std() > 0.1


def test_dinov2_attends_as_softmax_does(transformer: Path):
    attention = dinov2.read(transformer).blocks[0].attn
    x = torch.randn(2, 5, 384, generator=torch.Generator().manual_seed(1))
    q, k, v = attention.qkv(x).view(2, 5, 3, 6, 64).permute(2, 0, 3, 1, 4)
    weights = (q @ k.transpose(2, 3) / 8).softmax(-1)
    expected = attention.proj((weights @ v).transpose(1, 2).reshape(2, 5, 384))
    assert torch.allclose(attention(x), expected, atol=1e-5)


def test_dinov2_leaves_out_only_what_nobody_reads(transformer: Path):
    """The last block makes the class token alone; it is the one that all tokens' way gives."""
    network = dinov2.read(transformer).requires_grad_(False)
    images = pattern().float().repeat_interleave(4, 2).repeat_interleave(4, 3)[..., :224, :224]
    tokens: list[torch.Tensor] = []
    network.blocks[-1].register_forward_pre_hook(lambda _, given: tokens.append(given[0]))
    found, _ = network(images)
    expected = network.norm(network.blocks[-1](tokens[0])[:, 0])
    assert tokens[0].shape == (1, 257, 384)
    assert torch.allclose(found, expected, atol=1e-5)


def test_dinov2_sees_imagenet_normalised_colours(transformer: Path):
    extractor = open_features(f"dinov2:{transformer}")
    network = extractor.network
    assert isinstance(network, dinov2.DINOv2)
    seen = []
    network.patch_embed["proj"].register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    extractor(torch.tensor([0, 255, 124], dtype=torch.uint8).view(1, 3, 1, 1).expand(1, 3, 9, 9))
    expected = [-0.485 / 0.229, (1 - 0.456) / 0.224, (124 / 255 - 0.406) / 0.225]
    assert seen[0].shape == (1, 3, 224, 224)
    assert torch.allclose(seen[0].mean((0, 2, 3)), torch.tensor(expected), atol=1e-3)


def test_positions_are_resampled_about_the_middle():
    """A slope stays a slope; the scale is that of 16.1 patches, as the authors' code has it."""
    slope = torch.arange(37.0).view(1, 37, 1, 1).expand(1, 37, 37, 2).reshape(1, 37**2, 2)
    table = torch.cat([torch.full((1, 1, 2), 9.0), slope], dim=1)
    found = dinov2.positions(table, 16)
    assert found.shape == (1, 257, 2) and (found[:, 0] == 9).all()
    rows = found[0, 1:, 0].view(16, 16)
    expected = (torch.arange(16) + 0.5) * 37 / 16.1 - 0.5
    assert torch.allclose(rows[2:14, 3], expected[2:14], atol=0.06)


def test_other_state_dicts_are_refused_in_one_line(tmp_path: Path):
    path = tmp_path / "other.pth"
    torch.save({"weight": torch.zeros(2)}, path)
    for content in (None, b"text", b"", b"\x80\x02}q\x00."):
        if content is not None:
            path.write_bytes(content)
        for name in ("dinov2", "inception"):
            with pytest.raises(UserError, match=f"give {name}:PATH") as caught:
                open_features(f"{name}:{path}")
            assert "\n" not in str(caught.value)
