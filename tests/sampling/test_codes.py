"""Systems with a way back: what is rebuilt, projected and walked between, by whom there is no search."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from figment.cli import main
from figment.data import flowers
from figment.fields import fields_of
from figment.launch import train
from figment.opened import generator_at
from figment.recipes import SYSTEMS
from figment.sampling.project import code_of
from figment.sampling.project_files import read_target
from figment.training.folder import REBUILT, rebuilt_path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a short run of an autoencoder, one of flow matching, and two pictures."""
    folder = tmp_path_factory.mktemp("codes")
    for name in ("ae", "flow-matching"):
        fields = fields_of(replace(SYSTEMS[name].recipe.tiny(), precision="float32", metrics=()))
        fields |= {"images": 16, "features": "auto", "metric_count": 1_000}
        train("flowers:240", name, run=folder / name, progress=False, **fields)
    drawn, _ = flowers.draw_flowers(range(2), 16, 3)
    for number, pixels in enumerate(drawn):
        Image.fromarray(pixels.transpose(1, 2, 0)).save(folder / f"{number}.png")
    return folder


def test_reals_stand_above_what_came_back_of_them(place: Path):
    """Of 240 flowers 12 are held out: one whole row of eight."""
    with Image.open(rebuilt_path(place / "ae")) as image:
        shown = image.size
    assert shown == (16 * REBUILT * 2, 2 * 16 * 2)  # enlarged twice, to 256 pixels
    page = (place / "ae" / "report.html").read_text()
    assert ">Reconstructions<" in page and "what came back of them" in page
    assert not rebuilt_path(place / "flow-matching").exists()
    assert "Reconstructions" not in (place / "flow-matching" / "report.html").read_text()


@pytest.mark.parametrize("name", ["ae", "flow-matching"])
def test_a_projection_is_the_systems_own_way_back(
    name: str, place: Path, capsys: pytest.CaptureFixture
):
    picture = str(place / "0.png")
    words = [
        "project",
        str(place / name),
        picture,
        "--features",
        "small",
        "--out",
        str(place / name),
    ]
    assert main(words) == 0
    assert "drawn again from its latent at" in capsys.readouterr().out
    found = json.loads((place / name / "0.json").read_text())
    generator = generator_at(place / name, "cpu")
    target = read_target(place / "0.png", generator.recipe)
    code = code_of(generator, target)
    assert code is not None and np.allclose(found["latent"], code[0].tolist(), atol=1e-5)
    assert main([*words, "--overwrite", "--steps", "5"]) == 2
    assert "finds the latent of a picture itself, without a search" in capsys.readouterr().err


def test_a_walk_between_a_picture_and_itself_is_none(place: Path, capsys: pytest.CaptureFixture):
    one = str(place / "0.png")
    words = ["walk", str(place / "ae"), "--frames", "4", "--out", str(place / "still.webp")]
    assert main([*words, "--between", one, one]) == 2
    assert "all stops of this walk are the same" in capsys.readouterr().err
    assert main([*words, "--truncation", "nan"]) == 2
    assert "truncation must be above 0 and at most 1e+06, not nan" in capsys.readouterr().err
    assert main(["evaluate", str(place / "ae"), "--truncation", "nan"]) == 2
    assert (
        capsys.readouterr().err
        == "figment: truncation must be above 0 and at most 1e+06, not nan\n"
    )
    assert main(["project", str(place / "ae"), str(place / "ae")]) == 2
    assert "is a folder: name a picture" in capsys.readouterr().err
    assert main([*words[:2], "--frames", "4"]) == 0
    (film,) = (place / "ae").glob("walk*")
    assert film.name.startswith("walk-frames4-at-")


def test_a_walk_between_pictures_begins_at_the_one_and_turns_at_the_other(
    place: Path, capsys: pytest.CaptureFixture
):
    out = place / "between.webp"
    words = ["walk", str(place / "ae"), "--frames", "4", "--out", str(out)]
    pictures = [str(place / f"{number}.png") for number in range(2)]
    assert main([*words, "--between", *pictures]) == 0
    assert "4 frames past what is nearest to 2 pictures" in capsys.readouterr().out
    generator = generator_at(place / "ae", "cpu")
    codes = [code_of(generator, read_target(Path(one), generator.recipe)) for one in pictures]
    drawn = generator.draw(torch.cat([code for code in codes if code is not None])).float()
    with Image.open(out) as film:
        for frame, expected in ((0, drawn[0]), (2, drawn[1])):  # there and back
            film.seek(frame)
            seen = np.asarray(film.convert("RGB").resize((16, 16), Image.Resampling.BOX))
            assert np.abs(seen.astype(float).transpose(2, 0, 1) - expected.numpy()).mean() < 12
    for more, words_of in (
        (["--between", pictures[0]], "two pictures or more"),
        (["--between", *pictures, "--seeds", "4", "5"], "the pictures say where to walk"),
        (["--between", *pictures, "--truncation", "0.5"], "the pictures say where to walk"),
        (["--between", *pictures, "nowhere.png"], "no such picture"),
    ):
        assert main([*words, "--overwrite", *more]) == 2
        assert words_of in capsys.readouterr().err


def test_samples_of_other_steps(place: Path, capsys: pytest.CaptureFixture):
    """In one step a flow's samples are nearer to the mean of all pictures than in its own two."""
    found = []
    for steps in ("1", "2"):
        out = place / f"{steps}.npy"
        words = ["sample", str(place / "flow-matching"), "--count", "8", "--out", str(out)]
        assert main([*words, "--steps", steps]) == 0
        found.append(np.load(out))
    assert (found[0] != found[1]).any()
    whole = generator_at(place / "flow-matching", "cpu").sample(8).array
    assert (found[1] == whole).all()
    capsys.readouterr()
    assert main(["sample", str(place / "ae"), "--steps", "3"]) == 2
    assert "draws a sample in one pass" in capsys.readouterr().err
    assert main([*words[:4], "--format", "wds", "--out", str(place / "s"), "--steps", "1"]) == 2
    assert "leave --steps out" in capsys.readouterr().err
