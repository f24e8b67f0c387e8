from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from asking import CLASSES, PLAIN, run_with
from PIL import Image

from figment.opened import generator_at

LAST = 2**63 - 1


def pixels_of(data: bytes) -> np.ndarray:
    found = np.asarray(Image.open(io.BytesIO(data)))
    return found[None] if found.ndim == 2 else found.transpose(2, 0, 1)


def sampled(run, seed: int, count: int = 1, **how) -> np.ndarray:
    return generator_at(run, "cpu").sample(count, seed=seed, **how).array


@pytest.mark.parametrize("seed", [0, 7, 2**53 + 1, LAST])
@pytest.mark.parametrize("run", [CLASSES, PLAIN], ids=["classes", "plain"])
def test_a_seeds_picture_is_that_of_figment_sample(ask, run, seed: int):
    answer = ask(f"/api/models/{run.name}/image?seed={seed}")
    assert answer.status_code == 200 and answer.headers["content-type"] == "image/png"
    assert (pixels_of(answer.content) == sampled(run, seed)[0]).all()
    assert Image.open(io.BytesIO(answer.content)).text["Seed"] == str(seed)
    assert answer.headers["x-figment-seed"] == str(seed)


def test_classes_and_truncation_are_those_of_figment_sample(ask):
    generator = generator_at(CLASSES, "cpu")
    for name in generator.classes:
        answer = ask(
            "/api/models/few-shot-classes/image",
            params={"seed": 5, "class": name, "truncation": 0.5},
        )
        expected = generator.sample(1, seed=5, label=name, truncation=0.5).array[0]
        assert (pixels_of(answer.content) == expected).all()


def test_without_a_seed_each_picture_is_new_and_not_kept(ask):
    first, second = (ask("/api/models/dcgan/image?format=raw") for _ in range(2))
    assert first.headers["cache-control"] == "no-store" and "etag" not in first.headers
    assert first.headers["x-figment-seed"] != second.headers["x-figment-seed"]
    again = ask(f"/api/models/dcgan/image?format=raw&seed={first.headers['x-figment-seed']}")
    assert again.content == first.content


def test_a_grid_is_rows_of_seeds(ask):
    answer = ask(f"/api/models/dcgan/grid?seed={LAST - 4}&count=5&columns=3")
    expected, side = sampled(PLAIN, LAST - 4, 5), 32
    page = pixels_of(answer.content)
    assert page.shape == (1, 2 * side, 3 * side)
    assert (page[:, side:, side : 2 * side] == expected[4]).all()
    assert (page[:, side:, 2 * side :] == 255).all()


@pytest.mark.parametrize(("kind", "start"), [("webp", b"RIFF"), ("gif", b"GIF89a"), ("mp4", b"\0")])
def test_a_walk_is_a_film_that_begins_at_its_first_seed(ask, kind: str, start: bytes):
    answer = ask(f"/api/models/dcgan/walk?seeds=1,2&frames=3&format={kind}")
    assert answer.status_code == 200 and answer.content.startswith(start)
    if kind == "webp":
        film = Image.open(io.BytesIO(answer.content))
        first = np.asarray(film.convert("L").resize((32, 32))).astype(int)
        assert film.n_frames > 1 and abs(first - sampled(PLAIN, 1)[0, 0]).mean() < 8


def test_a_walk_through_classes_mixes_them(ask, models):
    names = models["few-shot-classes"].opened.generator.classes
    query = f"seeds=1&class={names[0]}&class={names[1]}&frames=4"
    answer = ask(f"/api/models/few-shot-classes/walk?{query}")
    assert answer.status_code == 200
    assert Image.open(io.BytesIO(answer.content)).n_frames > 1


def test_latents_are_drawn_as_they_are(ask, models):
    generator = models["few-shot-classes"].opened.generator
    latents = generator.recipe.latents([3, 4])
    asked = {"latents": latents.tolist(), "labels": [1, 0]}
    raw = {"accept": "application/octet-stream"}
    answer = ask("/api/models/few-shot-classes/draw", "POST", json=asked, headers=raw)
    expected = generator.draw(latents, torch.tensor([1, 0])).numpy()
    count, channels, side, _ = expected.shape
    assert answer.headers["x-figment-shape"] == f"{count},{side},{side},{channels}"
    assert answer.content == expected.transpose(0, 2, 3, 1).tobytes()
    strip = ask("/api/models/few-shot-classes/draw", "POST", json=asked)
    assert (pixels_of(strip.content)[:, :, side:] == expected[1]).all()


def test_what_is_known_is_not_drawn_again(models):
    async def twice(client):
        address = "/api/models/dcgan/image?seed=1"
        first = await client.get(address)
        drawn = client.service.counters.pictures.labels("dcgan")._value.get()
        known = await client.get(
            address, headers={"if-none-match": f'"x", {first.headers["etag"]}'}
        )
        other = await client.get(address + "1", headers={"if-none-match": first.headers["etag"]})
        version = models["dcgan"].opened.version
        kept_for_good = await client.get(f"{address}&v={version}")
        assert drawn == 1
        return first, known, other, kept_for_good

    first, known, other, good = run_with(models, twice)
    assert (known.status_code, known.content) == (304, b"")
    assert known.headers["etag"] == first.headers["etag"] != other.headers["etag"]
    assert other.status_code == 200 and first.headers["cache-control"] == "private, no-cache"
    assert "immutable" in good.headers["cache-control"]
