"""The contract of all feature networks: names, shapes, order, batches, progress."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np
import pytest
import torch

from figment.errors import UserError
from figment.metrics.features import Extractor, available, efficientnet, extract, open_features
from figment.metrics.features.extractor import _merged


@pytest.fixture(autouse=True)
def no_weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("FIGMENT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("FIGMENT_WEIGHTS", raising=False)
    monkeypatch.setattr(efficientnet, "FILE", replace(efficientnet.FILE, package="not_installed"))


def pictures(count: int, side: int = 40, channels: int = 3, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, channels, side, side), dtype=np.uint8)


def means(batch: int = 4, seen: list[int] | None = None) -> Extractor:
    """An extractor whose features are the means of the three channels."""

    def network(images: torch.Tensor):
        if seen is not None:
            seen.append(len(images))
        return images.mean((2, 3)), images.mean((2, 3)) * 2

    cpu = torch.device("cpu")
    return Extractor("means", "means", 3, True, network, torch.Tensor.float, batch, cpu)


def test_features_keep_order_through_uneven_batches():
    images = pictures(23)
    seen: list[int] = []
    parts = [images[:1], images[1:2], images[2:13], images[13:13], images[13:]]
    found = extract(means(seen=seen), iter(parts), total=23)
    assert torch.allclose(found.values, torch.from_numpy(images).float().mean((2, 3)))
    assert found.logits is not None and torch.equal(found.logits, 2 * found.values)
    assert sum(seen) == 23 and max(seen) == 4


def test_single_pictures_of_one_size_are_joined():
    seen: list[int] = []
    sizes = [8, 8, 8, 12, 12, 8, 8, 8, 8, 8]
    extract(means(seen=seen), (pictures(1, side) for side in sizes))
    assert seen == [3, 2, 4, 1]
    assert [len(part) for part in _merged(iter([torch.ones(3, 1)] * 3), 4)] == [3, 3, 3]


def test_nothing_gives_no_rows():
    assert extract(means(), []).values.shape == (0, 3)
    assert extract(means(), [pictures(0)]).values.shape == (0, 3)


def test_pictures_are_not_all_fetched_before_the_first_run():
    fetched = 0

    def batches():
        nonlocal fetched
        for _ in range(10):
            fetched += 1
            yield pictures(4)

    held: list[int] = []
    extractor = means()
    watch = replace(extractor, network=lambda x: (held.append(fetched), extractor.network(x))[1])
    extract(watch, batches())
    # One runs, one is ready, and one more was fetched to find the ready one full.
    assert max(now - number for number, now in enumerate(held)) <= 3


def test_a_fault_of_the_source_comes_through():
    def batches():
        yield pictures(8)
        raise UserError("the disk went away")

    with pytest.raises(UserError, match="went away"):
        extract(means(), batches())


def test_grey_is_the_same_as_its_three_copies():
    small = open_features("small")
    grey = pictures(3, channels=1)
    assert torch.equal(small(grey).values, small(grey.repeat(3, axis=1)).values)


def test_features_of_a_picture_do_not_depend_on_its_batch():
    small = open_features("small")
    images = pictures(7)
    together = small(images).values
    alone = torch.cat([small(images[i : i + 1]).values for i in range(7)])
    assert torch.allclose(together, alone, atol=1e-5)
    assert torch.allclose(extract(small, [images[:5], images[5:]]).values, together, atol=1e-5)


def test_read_only_rows_and_tensors_are_taken():
    images = pictures(2)
    images.flags.writeable = False
    small = open_features("small")
    assert torch.equal(small(images).values, small(torch.from_numpy(images.copy())).values)


@pytest.mark.parametrize(
    "images", [np.zeros((2, 3, 8, 8)), pictures(2, channels=4), pictures(2)[0]]
)
def test_other_shapes_and_types_are_refused(images: np.ndarray):
    with pytest.raises(ValueError, match="uint8"):
        open_features("small")(images)


def test_bfloat16_is_near_and_named():
    images = pictures(4)
    exact, rough = open_features("small"), open_features("small", precision="bfloat16")
    assert rough.protocol == exact.protocol + ", bfloat16"
    difference = (exact(images).values - rough(images).values).abs().max()
    assert 1e-5 < difference < 0.1
    assert rough(images).values.dtype == torch.float32


@pytest.mark.parametrize("progress", [True, False])
def test_a_bar_counts_pictures(monkeypatch: pytest.MonkeyPatch, progress: bool):
    bar = MagicMock()
    monkeypatch.setattr("figment.metrics.features.extractor.progress_bar", bar)
    extract(means(), [pictures(6)], total=6, progress=progress)
    assert bar.call_args.kwargs["total"] == 6
    assert bar.call_args.kwargs["shown"] is progress
    assert [call.args for call in bar().update.call_args_list] == [(4,), (2,)]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("inceptoin", "Did you mean inception"),
        ("small:weights.pt", "write small"),
        ("mobilenet:", "write mobilenet:PATH"),
        ("file", "write file:PATH"),
        ("efficientnet", r"pip install 'figment-gan\[features\]'"),
        ("efficientnet:missing.pth", "there is no file missing.pth"),
        ("mobilenet", "give mobilenet:PATH or set FIGMENT_WEIGHTS"),
        ("mobilenet:missing.npz", "there is no file missing.npz"),
        ("dinov2:missing.pth", "there is no file missing.pth"),
        ("inception:missing.pth", "there is no file missing.pth"),
        ("file:missing.onnx", "there is no file missing.onnx"),
    ],
)
def test_names_and_missing_files_get_one_line(name: str, words: str):
    with pytest.raises(UserError, match=words) as caught:
        open_features(name)
    assert "\n" not in str(caught.value)


def test_what_is_available_is_said_without_a_download(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    assert available("small") and available("patches")
    needy = (
        "efficientnet",
        "mobilenet",
        "inception",
        "inception-legacy",
        "dinov2",
        "file:encoder.pt",
    )
    assert not any(map(available, needy))
    (tmp_path / "inception-2015-12-05.pt").touch()
    monkeypatch.setenv("FIGMENT_WEIGHTS", str(tmp_path))
    assert available("inception") and available("inception-legacy")
    assert not available("dinov2")
    assert available(f"dinov2:{tmp_path / 'inception-2015-12-05.pt'}")
