"""Generators with styles: truncated towards their mean, and mixed."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from asking import run_with, write_run
from PIL import Image

from figment.pixels import to_uint8
from figment.recipe import with_fields
from figment.recipes.stylegan2 import STYLEGAN2_64
from figment.sampling.generator import Generator
from figment.serve import kept
from figment.serve.models import How, Model, open_models

LAYER = 2
SMALL = {"resolution": 8, "wide_until": 8, "conditioning": "concat", "classes": 3}
LABELS = [2, 0, 1]
RAW = {"accept": "application/octet-stream"}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a tiny StyleGAN2 that is not trained, but whose styles matter and have a mean."""
    recipe = with_fields(STYLEGAN2_64.tiny(), SMALL)
    torch.manual_seed(0)
    net = recipe.networks()["generator"]
    net.mean_style.normal_()
    path = tmp_path_factory.mktemp("styled") / "styled"
    return write_run(path, "stylegan2", recipe, net)


@pytest.fixture(scope="module", params=["torch", "onnx"])
def styled(request, run: Path, session_cache: Path) -> dict[str, Model]:
    """It, served by each engine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIGMENT_CACHE", str(session_cache))
        patch.setattr(kept, "directions", lambda generator: [])
        return open_models([run], How(engine=request.param, device="cpu"))


def drawn(models: dict[str, Model], **more: Any) -> np.ndarray:
    """What /draw answers for three latents, as [N, C, R, R]."""
    generator = models["styled"].opened.generator
    asked = {"latents": generator.recipe.latents(range(3)).tolist(), "labels": LABELS, **more}

    async def ask(client):
        return await client.post("/api/models/styled/draw", json=asked, headers=RAW)

    answer = run_with(models, ask)
    assert answer.status_code == 200, answer.text
    shape = [int(side) for side in answer.headers["x-figment-shape"].split(",")]
    return np.frombuffer(answer.content, np.uint8).reshape(shape).transpose(0, 3, 1, 2)


@torch.inference_mode()
def expected(generator: Generator, cut: float, seeds: list[int]) -> np.ndarray:
    """Pictures whose layers have styles of the first three seeds, from ``LAYER`` on of ``seeds``."""
    net = generator.net
    labels = torch.tensor(LABELS)
    latents = (generator.recipe.latents(each) for each in ([0, 1, 2], seeds))
    coarse, fine = (generator.recipe.style(net, each, labels) for each in latents)
    coarse, fine = (net.mean_style + cut * (each - net.mean_style) for each in (coarse, fine))
    layers = [coarse if layer < LAYER else fine for layer in range(net.layers)]
    return to_uint8(net(torch.stack(layers, 1))).numpy()


def apart(one: np.ndarray, other: np.ndarray) -> float:
    return abs(one.astype(int) - other).mean()


@pytest.mark.parametrize("cut", [1.0, 0.5])
def test_styles_are_cut_off_towards_their_mean(styled, cut: float):
    generator = styled["styled"].opened.generator
    found = drawn(styled, truncation=cut)
    assert apart(found, expected(generator, cut, [0, 1, 2])) < 0.1
    assert (apart(found, drawn(styled)) < 0.1) == (cut == 1)


@pytest.mark.parametrize("cut", [None, 0.5])
def test_later_layers_are_given_the_styles_of_a_second_latent(styled, cut: float | None):
    generator = styled["styled"].opened.generator
    second = {"latents": generator.recipe.latents([7, 8, 9]).tolist(), "layer": LAYER}
    found = drawn(styled, truncation=cut, second=second)
    assert apart(found, expected(generator, cut or 1.0, [7, 8, 9])) < 0.1
    assert apart(found, expected(generator, cut or 1.0, [0, 1, 2])) > 5


def test_grids_of_seeds_are_those_of_figment_sample(styled):
    async def grid(client):
        return await client.get("/api/models/styled/grid?count=8&columns=1&truncation=0.7")

    page = np.asarray(Image.open(io.BytesIO(run_with(styled, grid).content)))
    sampled = styled["styled"].opened.generator.sample(8, truncation=0.7).array
    assert apart(page.reshape(8, 8, 8, 3), sampled.transpose(0, 2, 3, 1)) < 0.1


def test_onnx_files_are_kept_for_the_next_start(run: Path, styled, monkeypatch):
    monkeypatch.setattr(kept, "directions", lambda generator: [])
    if (engine := styled["styled"].opened.engine.name) == "onnx":
        monkeypatch.setattr(kept, "onnx_files", None)
    opened = open_models([run], How(engine=engine, device="cpu"))["styled"].opened
    assert opened.about["engine"] == engine


def test_a_second_must_fit(styled):
    latents = styled["styled"].opened.generator.recipe.latents([1, 2]).tolist()

    async def ask(client):
        for second in ({"latents": latents[:1], "layer": 1}, {"latents": latents, "layer": 9}):
            asked = {"latents": latents, "labels": [0, 1], "second": second}
            yield await client.post("/api/models/styled/draw", json=asked)

    async def both(client):
        return [answer async for answer in ask(client)]

    for answer in run_with(styled, both):
        assert answer.status_code == 422
        assert answer.json()["detail"].startswith("second must have as many latents")
