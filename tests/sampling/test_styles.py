"""Styles in hand: the table of style mixing, walks that keep a style, projection in W and W+."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from figment.cli import main
from figment.errors import UserError
from figment.files import MARK
from figment.pixels import to_float
from figment.randomness import seed_of
from figment.recipes import find
from figment.recipes.stylegan2 import STYLEGAN2_64
from figment.sampling.generator import CPU, Generator
from figment.sampling.project_styles import common, project_styles, space_of
from figment.sampling.styles import Layers, layers_of, mixed, mixing_table, of_seeds, pictures_of
from figment.sampling.walk import walk
from figment.training import folder
from figment.training.trainer import build

RECIPE = replace(STYLEGAN2_64.tiny(), precision="float32", width=8)


@pytest.fixture(scope="module")
def generator() -> Generator:
    """One that is not trained, but whose styles matter and whose noise counts a little."""
    net = build(RECIPE, CPU)["generator"]
    with torch.no_grad():
        for layer in (*net.ups, *net.sames):
            layer.strength.fill_(0.1)
        net.follow(RECIPE.style(net, RECIPE.latents(range(256)), None))
        for picture in net.pictures:
            picture.convolution.weight.mul_(0.3)
    return Generator(RECIPE, net)


def plain(latents: int = 4) -> Generator:
    recipe = replace(find("dcgan")[1].tiny(), latent=latents)
    return Generator(recipe, build(recipe, CPU)["generator"])


def perceive(images: torch.Tensor) -> torch.Tensor:
    """Colours of squares of 4 px."""
    return F.avg_pool2d(images, 4).flatten(1)


def test_styles_of_seeds_draw_what_sample_draws(generator: Generator):
    for truncation in (None, 0.5):
        styles = of_seeds(generator, range(3, 6), truncation=truncation)
        assert styles.shape == (3, 8, 8)
        own = generator.sample(3, seed=3, truncation=truncation).array
        assert (pictures_of(generator, styles).numpy() == own).all()


def test_layers_are_named_by_the_first_or_by_both_ends(generator: Generator):
    for words, expected in (((), (4, 8)), ((2,), (2, 8)), ((0, 3), (0, 4)), ((7, 7), (7, 8))):
        assert layers_of(generator, words) == expected
    for words in ((8,), (3, 2), (-1,), (1, 8), (1, 2, 3)):
        with pytest.raises(UserError, match="the first and last of the layers 0 to 7, not"):
            layers_of(generator, words)


def test_mixed_styles_take_their_layers_from_the_other():
    one, other = torch.zeros(2, 8, 3), torch.ones(2, 8, 3)
    assert mixed(one, other, Layers(2, 5))[0, :, 0].tolist() == [0, 0, 1, 1, 1, 0, 0, 0]
    assert not one.any()


def test_a_table_has_rows_columns_and_their_mixtures(generator: Generator, tmp_path: Path):
    out = tmp_path / "t.png"
    said = mixing_table(generator, out, mix=(7, 9, 11), layers=(3,), count=2, seed=4)
    assert (
        said == f"{out}: rows seeds 4 to 5, columns seeds 7, 9, 11, whose layers 3 to 7 they take"
    )
    cells, edges = apart(out, rows=2, columns=3)
    heads, sides = (generator.sample(1, seed=n).array[0] for n in (9, 5))
    assert (0, 0) not in cells and len(cells) == 11
    assert np.abs(cells[0, 2].astype(int) - heads).max() <= 1
    assert np.abs(cells[2, 0].astype(int) - sides).max() <= 1
    first, second = of_seeds(generator, [5]), of_seeds(generator, [9])
    own = pictures_of(generator, torch.cat([first[:, :3], second[:, 3:]], 1))[0].numpy()
    assert np.abs(cells[2, 2].astype(int) - own).max() <= 1
    assert len({cell.tobytes() for cell in cells.values()}) == 11
    # words at each row and each column
    assert all((edge < 128).any() for edge in edges)


def test_a_table_has_room_for_the_longest_seed(generator: Generator, tmp_path: Path):
    out = tmp_path / "t.png"
    mixing_table(generator, out, mix=(2**63 - 1, 3), count=1)
    with Image.open(out) as table:
        width, height = table.size
    assert height < 200 and width > 2 * 64 + 2 * 120  # the name of 24 letters fits above


def apart(out: Path, rows: int, columns: int) -> tuple[dict, list[np.ndarray]]:
    """Return a table's pictures by row and column, uint8 [3, 32, 32], and the strips of its names."""
    with Image.open(out) as table:
        page = np.asarray(table)
    side, gap = 64, 10  # each is enlarged by 2
    left = page.shape[1] - (columns + 1) * side - gap
    top = page.shape[0] - (rows + 1) * side - gap
    x = [left, *(left + side + gap + side * n for n in range(columns))]
    y = [top, *(top + side + gap + side * n for n in range(rows))]
    assert min(left, top) > 16
    assert (page[top : top + side, left : left + side] == 255).all()
    assert (page[:, left + side : left + side + gap] == 255).all()
    assert (page[top + side : top + side + gap] == 255).all()
    cells = {
        (row, column): page[b : b + side : 2, a : a + side : 2].transpose(2, 0, 1)
        for row, b in enumerate(y)
        for column, a in enumerate(x)
        if row or column
    }
    names = [page[b : b + side, :left] for b in y[1:]]
    return cells, [*names, *(page[:top, a : a + side] for a in x[1:])]


def test_the_style_of_all_layers_is_the_other_picture(generator: Generator):
    first, second = of_seeds(generator, [1]), of_seeds(generator, [2])
    whole = pictures_of(generator, mixed(first, second, layers_of(generator, (0,))))
    assert torch.equal(whole, pictures_of(generator, second))


def test_a_walk_keeps_the_style_of_a_seed(generator: Generator, tmp_path: Path):
    out = tmp_path / "w.webp"
    how = {"seeds": (1, 2), "frames": 3, "loop": False}
    walk(generator, out, mix=9, mix_layers=(0,), **how)
    with Image.open(out) as film:
        frames = []
        for number in range(getattr(film, "n_frames", 1)):
            film.seek(number)
            frames.append(np.asarray(film.convert("RGB")).astype(int))
    assert all(np.abs(frame - frames[0]).mean() < 3 for frame in frames)  # all layers are seed 9's
    with pytest.raises(UserError, match="add --mix SEED"):
        walk(generator, out, mix_layers=(2,), **how)
    with pytest.raises(UserError, match="no styles to mix"):
        walk(plain(), out, mix=9, **how)


def test_the_commands_draw_and_refuse(generator: Generator, tmp_path: Path, capsys):
    run = tmp_path / "run"
    data = {"name": "cats", "source": "", "path": "", "count": 9, "classes": [], "held_out": []}
    data |= {"shape": [3, 32, 32], "fingerprint": "0" * 64}
    machine = {"figment": "0", "data": data, "parameters": {}, "budget": {"images": 8}}
    folder.begin(run, "stylegan2", RECIPE, machine)
    folder.write_snapshot(run, RECIPE, generator.net, 8)
    drawn = ["sample", str(run), "--mix", "5", "6", "--mix-layers", "2", "4", "--count", "2"]
    assert main(drawn) == 0
    (picture,) = run.glob("styles-*.png")
    with Image.open(picture) as page:
        assert page.width > 3 * 64 and page.height > 3 * 64
    assert "whose layers 2 to 4 they take" in capsys.readouterr().out
    for words, cure in (
        (["sample", str(run), "--mix-layers", "2"], "add --mix SEEDS"),
        (
            ["sample", str(run), "--mix", "5", "--format", "wds"],
            "leave --format, --shards, --steps",
        ),
        (
            ["sample", str(run), "--mix", "5", "--out", str(tmp_path / "x.zip")],
            "give --out FILE.png",
        ),
    ):
        assert main(words) == 2
        assert cure in capsys.readouterr().err
    photo = generator.sample(1, seed=7).save(tmp_path / "photo.png")
    assert main(["project", str(run), str(photo), "--steps", "2", "--features", "small"]) == 0
    (found,) = run.glob("projection-*/*.json")
    told = json.loads(found.read_text())
    assert told["space"] == "w+" and np.shape(told["styles"]) == (8, 8)
    assert told["software"] == MARK


# -- projection -----------------------------------------------------------------------------------


def mixture(generator: Generator) -> torch.Tensor:
    """A picture of two styles [3, 32, 32], which W+ can find and W cannot."""
    first, second = of_seeds(generator, [1_000]), of_seeds(generator, [1_001])
    return to_float(pictures_of(generator, mixed(first, second, Layers(3, 8)))[0])


@pytest.mark.parametrize("space", ["w", "w+"])
def test_a_search_ends_nearer_than_it_began(generator: Generator, space: str):
    target, how = mixture(generator), {"steps": 60, "starts": 2, "candidates": 64}
    found = project_styles(generator, target, perceive, space=space, **how)
    assert found.styles.shape == (8, 8)
    assert found.losses[-1] < 0.5 * found.losses[0]
    styles = of_seeds(generator, [seed_of("project", 0, number) for number in range(64)])[:, 0]
    away = [(each - styles.mean(0)).norm(dim=-1).max() for each in (found.styles, styles)]
    assert away[0] <= away[1] * (1 + 1e-5)
    own = pictures_of(generator, found.styles[None])[0]
    assert torch.equal(own, found.picture)
    alone = (found.styles == found.styles[:1]).all()
    assert alone if space == "w" else not alone
    again = project_styles(generator, target, perceive, space=space, **how)
    assert torch.equal(again.styles, found.styles)  # a function of its seed


def test_many_starts_are_followed_in_parts(generator: Generator, monkeypatch):
    ends, how = [], {"steps": 4, "starts": 8, "candidates": 16}
    for at_once in (8, 3):
        monkeypatch.setattr("figment.sampling.project.parts.__defaults__", (at_once,))
        ends.append(project_styles(generator, mixture(generator), perceive, **how))
    assert torch.allclose(ends[0].styles, ends[1].styles, atol=1e-4)
    assert ends[1].losses == pytest.approx(ends[0].losses, rel=1e-4)


def test_more_is_found_among_styles_of_every_layer(generator: Generator):
    target, how = mixture(generator), {"steps": 120, "starts": 2, "candidates": 64}
    ends = [
        project_styles(generator, target, perceive, space=space, **how).losses[-1]
        for space in ("w", "w+")
    ]
    assert ends[1] < 0.7 * ends[0]


def test_noise_is_found_too_and_stays_white(generator: Generator):
    before = generator.net.sames[3].noise.clone()
    how = {"steps": 30, "starts": 1, "candidates": 16, "noise": True}
    found = project_styles(generator, mixture(generator), perceive, **how)
    assert [each.shape[-1] for each in found.noise] == [8, 16, 32, 4, 8, 16, 32]
    for each in found.noise:
        assert each.mean().item() == pytest.approx(0, abs=1e-5)
        assert each.std(correction=0).item() == pytest.approx(1, abs=1e-4)
    assert not torch.equal(found.noise[-1], before)
    assert torch.equal(generator.net.sames[3].noise, before)  # the generator's stays
    assert all(weight.requires_grad for weight in generator.net.parameters())


def test_what_neighbours_have_in_common():
    """Of white noise about nothing; of a constant 1 both products are 1, at 16 and at 8 px."""
    torch.manual_seed(0)
    assert common(torch.randn(64, 64)) < 0.2
    stripes = torch.tensor([1.0, -1.0]).repeat(
        16, 8
    )  # neighbours to the right differ, those below agree
    assert common(stripes).item() == pytest.approx(2)  # 1 + 1 at 16 px, nothing is left at 8
    assert common(torch.ones(16, 16)).item() == pytest.approx(
        2 + 2 * 16
    )  # doubled at 8 px: 4² twice


def test_where_is_looked(generator: Generator):
    assert [space_of(each, "auto", False) for each in (generator, plain())] == ["w+", "z"]
    with pytest.raises(UserError, match=r"no styles, so no w\+"):
        space_of(plain(), "w+", False)
    with pytest.raises(UserError, match="--fit-noise is for generators with styles"):
        space_of(plain(), "auto", True)
