"""Weight files: found, downloaded once, checked; and networks that users bring."""

from __future__ import annotations

import hashlib
import importlib
import sys
import warnings
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from figment.errors import UserError
from figment.metrics.features import dinov2, inception, open_features, weights
from figment.metrics.features.weights import Published

CONTENT = b"weights" * 200_000


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("FIGMENT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("FIGMENT_WEIGHTS", raising=False)
    return tmp_path / "cache"


@pytest.fixture
def published(tmp_path: Path) -> Published:
    source = tmp_path / "public" / "net.pth"
    source.parent.mkdir()
    source.write_bytes(CONTENT)
    return Published("net", "net.pth", hashlib.sha256(CONTENT).hexdigest(), source.as_uri())


def test_a_download_is_kept_and_not_repeated(published: Published, cache: Path):
    assert weights.find(published) is None
    path, label = weights.locate(published, "", progress=False)
    assert path == cache / "weights" / "net.pth" == weights.find(published)
    assert path.read_bytes() == CONTENT and label == ""
    assert [entry.name for entry in path.parent.iterdir()] == ["net.pth"]
    Path(published.url.removeprefix("file://")).unlink()
    assert weights.locate(published, "") == (path, "")


def test_a_download_with_another_hash_is_refused_and_not_kept(published: Published, cache: Path):
    Path(published.url.removeprefix("file://")).write_bytes(CONTENT[:-1] + b"?")
    with pytest.raises(UserError, match="not the published file") as caught:
        weights.locate(published, "", progress=False)
    assert "\n" not in str(caught.value)
    assert list((cache / "weights").iterdir()) == []


def test_a_damaged_file_in_its_place_is_refused(published: Published, cache: Path):
    (cache / "weights").mkdir(parents=True)
    (cache / "weights" / "net.pth").write_bytes(CONTENT[:1000])
    with pytest.raises(UserError, match="delete it"):
        weights.locate(published, "")


def test_what_cannot_be_fetched_names_the_command(published: Published, cache: Path):
    Path(published.url.removeprefix("file://")).unlink()
    with pytest.raises(UserError) as caught:
        weights.locate(published, "", progress=False)
    command = f"curl -fL --create-dirs -o {cache / 'weights' / 'net.pth'} {published.url}"
    assert str(caught.value).endswith(command) and "\n" not in str(caught.value)
    assert not (cache / "weights").exists() or not list((cache / "weights").iterdir())


def test_a_connection_that_breaks_leaves_nothing(
    published: Published, cache: Path, monkeypatch: pytest.MonkeyPatch
):
    class Broken:
        def __init__(self):
            self.headers = {}

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def read(self, _: int) -> bytes:
            raise ConnectionResetError("the other side hung up")

    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: Broken())
    with pytest.raises(UserError, match=r"curl .*net\.pth"):
        weights.locate(published, "", progress=False)
    assert list((cache / "weights").iterdir()) == []


def test_the_users_folder_comes_first(
    published: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("FIGMENT_WEIGHTS", str(tmp_path / "public"))
    assert weights.find(published) == tmp_path / "public" / "net.pth"


def test_a_users_own_weights_are_named(published: Published, tmp_path: Path):
    own = tmp_path / "own.pth"
    own.write_bytes(b"mine")
    digest = hashlib.sha256(b"mine").hexdigest()
    assert weights.locate(published, str(own)) == (own, f"weights {digest[:8]}")
    own.write_bytes(CONTENT)
    assert weights.locate(published, str(own)) == (own, "")


def test_published_files_are_pinned():
    for file in (inception.FILE, inception.NVIDIA, dinov2.FILE):
        assert len(file.sha256) == 64 and file.url.startswith("https://")
        assert file.url.endswith("/" + file.file)
    assert inception.FILE.sha256.startswith("6726825d")  # as in its name


class Means(nn.Module):
    """A network of the contract: uint8 [N, 3, H, W] -> [N, 6]."""

    def forward(self, images: Tensor) -> Tensor:
        x = images.to(torch.float32) / 255
        return torch.cat([x.mean((2, 3)), x.amax((2, 3))], dim=1)


class Flat(nn.Module):
    """Not of the contract: as many features as pixels."""

    def forward(self, images: Tensor) -> Tensor:
        return images.to(torch.float32).flatten(1)


class Maps(nn.Module):
    """Not of the contract: no pooling."""

    def forward(self, images: Tensor) -> Tensor:
        return images.to(torch.float32)


def scripted(network: nn.Module, path: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(torch.jit.script(network), path)
    return path


def pictures(side: int = 24) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (5, 3, side, side), dtype=torch.uint8, generator=generator)


def test_torchscript_round_trip(tmp_path: Path):
    path = scripted(Means(), tmp_path / "means.pt")
    extractor = open_features(f"file:{path}", precision="bfloat16")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    assert extractor.protocol == f"file means.pt, weights {digest}, not resized here"
    assert extractor.width == 6 and not extractor.has_logits
    found = extractor(pictures())
    assert torch.allclose(found.values, Means()(pictures())) and found.logits is None


@pytest.mark.parametrize(
    ("network", "words"), [(Flat(), "one size of picture"), (Maps(), r"gave \[2, 3, 64, 64\]")]
)
def test_a_network_of_another_contract_is_refused(tmp_path: Path, network: nn.Module, words: str):
    path = scripted(network, tmp_path / "net.pt")
    with pytest.raises(UserError, match=words) as caught:
        open_features(f"file:{path}")(pictures())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["net.pt", "net.onnx", "net.bin"])
def test_other_files_are_refused_in_one_line(tmp_path: Path, name: str):
    if name.endswith("onnx"):
        pytest.importorskip("onnxruntime")
    (tmp_path / name).write_bytes(b"not a network")
    with pytest.raises(UserError, match=name) as caught:
        open_features(f"file:{tmp_path / name}")
    assert "\n" not in str(caught.value)


def test_onnx_without_its_library_names_the_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "net.onnx").touch()
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UserError, match="pip install onnxruntime"):
        open_features(f"file:{tmp_path / 'net.onnx'}")


def onnx_means(path: Path, side: int | str) -> None:
    """Write the channels' means as ONNX, for pictures of one side or of any."""
    onnx = importlib.import_module("onnx")
    helper, kinds = onnx.helper, onnx.TensorProto
    nodes = [
        helper.make_node("Cast", ["images"], ["x"], to=kinds.FLOAT),
        helper.make_node("GlobalAveragePool", ["x"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["features"]),
    ]
    given = helper.make_tensor_value_info("images", kinds.UINT8, ["N", 3, side, side])
    made = helper.make_tensor_value_info("features", kinds.FLOAT, ["N", 3])
    graph = helper.make_graph(nodes, "means", [given], [made])
    opsets = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)


@pytest.mark.parametrize("side", ["S", 224])
def test_onnx_round_trip(tmp_path: Path, side: int | str):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    path = tmp_path / "means.onnx"
    onnx_means(path, side)
    extractor = open_features(f"file:{path}")
    assert extractor.width == 3
    images = pictures(224)
    expected = images.float().mean((2, 3))
    assert torch.allclose(extractor(images).values, expected, atol=1e-2)
    if side == 224:
        with pytest.raises(UserError, match="does not take uint8 pictures 5x3x24x24"):
            extractor(pictures())
