"""A site and a single file: which files, what they say, what is refused. tests/page opens them."""

from __future__ import annotations

import base64
import gzip
import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from figment.cli import main
from figment.errors import UserError
from figment.export import neighbours, runtime, site
from figment.export.subject import Subject
from figment.fields import fields_of
from figment.recipes.dcgan import DCGAN


@pytest.fixture(autouse=True)
def ready(exported, monkeypatch):
    """The costly part is done already."""

    def again(subject, weights, **said):
        about = {**exported.about, "name": subject.name, "carries": [*exported.about["carries"]]}
        if "title" in said:
            about["title"] = said["title"]
        return exported._replace(about=about)

    monkeypatch.setattr(site, "onnx_files", again)


def config_of(html: str) -> dict:
    found = re.search(r'<script type="application/json" id="figment">(.*?)</script>', html)
    assert found
    return json.loads(found[1])


def test_a_site_is_a_folder_of_all_that_it_needs(cats, package, exported, tmp_path, capsys):
    out = tmp_path / "site"
    words = ["export", str(cats), "--to", "web", "--out", str(out), "--runtime", str(package)]
    assert main([*words, "--title", "This cat does not exist"]) == 0
    html = (out / "index.html").read_text()
    config = config_of(html)
    (model,) = config["models"]
    assert model == {"name": "cats", "title": "This cat does not exist", "at": "models/cats/"}
    about = json.loads((out / model["at"] / "model.json").read_text())
    generator = (out / model["at"] / about["generator"]["file"]).read_bytes()
    assert generator == exported.files["generator"]
    assert about["title"] == "This cat does not exist"
    for name in (config["runtime"]["module"], config["runtime"]["wasm"]):
        assert (out / name).read_text() == f"the bytes of {Path(name).name}"
    assert "webgpu" not in config
    names = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert names >= {"service-worker.js", "manifest.webmanifest", "LICENSES.txt"}
    assert names >= {"runtime/LICENSE", "runtime/ThirdPartyNotices.txt", "page/main.js"}
    assert not [name for name in names if "tmp" in name]
    assert "http.server" in capsys.readouterr().out
    assert main(words) == 0  # what figment wrote it may replace


def test_one_file_has_all_of_it_inside(cats, package, exported, tmp_path):
    out = tmp_path / "cats.html"
    words = ["export", str(cats), "--to", "web", "--single-file", "--out", str(out)]
    assert main([*words, "--webgpu", "--runtime", str(package)]) == 0
    html = out.read_text()
    config = config_of(html)
    packed = dict(re.findall(r'data-file="([^"]+)"[^>]*>([^<]*)</script>', html))
    inside = {name: gzip.decompress(base64.b64decode(text)) for name, text in packed.items()}
    assert inside["models/cats/generator.onnx"] == exported.files["generator"]
    assert json.loads(inside["models/cats/model.json"])["recipe"] == "dcgan-concat"
    for kind in ("runtime", "webgpu"):
        assert inside[config[kind]["wasm"]].startswith(b"the bytes of ort-wasm")
    assert "runtime/ThirdPartyNotices.txt" in inside
    assert config["host"] == "file"
    assert not re.findall(r"""(?:src|href)="(?!data:|#)""", html)  # nothing is beside it


def test_several_runs_have_a_front_page_and_names_of_their_own(cats, package, make_run):
    other = make_run("dcgan", "cats")
    made = site.site([Subject(cats), Subject(other)], package=package, title="Pets")
    assert [model["name"] for model in made.config["models"]] == ["cats", "cats-2"]
    assert made.config["title"] == "Pets"
    for model in made.config["models"]:
        assert made.files[model["cover"]].startswith(b"\x89PNG")
        about = json.loads(made.files[f"{model['at']}model.json"])
        assert about["name"] == model["name"]
        assert model["sentence"] == about["card"]["sentence"]
        assert "title" not in about


def test_thumbnails_of_training_pictures_are_carried_on_request_only(
    cats, package, exported, monkeypatch
):
    real = np.random.default_rng(0).integers(0, 255, (24, 3, 32, 32), dtype=np.uint8)
    subject = Subject(cats)
    drawn = subject.generator.sample(neighbours.SEEDS).array
    real[5] = drawn[7]  # seed 7 is a copy
    rows = np.arange(2, 24)

    class Data:
        def __init__(self):
            self.rows = real

    monkeypatch.setattr(neighbours.Run, "training_data", lambda self: (Data(), rows))
    without = site.site([subject], package=package)
    about = json.loads(without.files["models/cats/model.json"])
    assert about["nearest"] is None
    assert not any("thumbnail" in one for one in about["carries"])
    made = site.site([subject], package=package, nearest=True)
    about = json.loads(made.files["models/cats/model.json"])
    assert len(about["nearest"]["seeds"]) == 256
    seventh = about["nearest"]["seeds"]["7"]
    assert (seventh["copy"], seventh["likeness"]) == (True, pytest.approx(1, abs=1e-3))
    shown = about["nearest"]["pictures"][seventh["picture"]]
    assert shown.startswith("data:image/webp;base64,")
    assert shown == neighbours._thumbnail(real[5])
    assert sum(one["copy"] for one in about["nearest"]["seeds"].values()) < 10
    assert about["carries"][-1].startswith("thumbnails of ")
    subject.run = None
    with pytest.raises(UserError, match="comes without its run"):
        neighbours.neighbours(subject)


def test_points_and_latents_of_ones_own_have_no_page(make_run):
    with pytest.raises(UserError, match="a page shows pictures, and these are points"):
        site.site([Subject(make_run("points", "ring"))])

    @dataclass(frozen=True, kw_only=True)
    class Shifted(DCGAN):
        def latents(self, seeds, truncation=None):
            return super().latents(seeds, truncation) + 1

    subject = Subject(make_run("dcgan"))
    subject.generator.recipe = Shifted(**fields_of(subject.generator.recipe))
    with pytest.raises(UserError, match="draws latents or classes by code of its own"):
        site.site([subject])


def test_what_it_says_of_licences_is_what_is_there():
    for name in ("LICENSE", "ThirdPartyNotices.txt"):
        assert f"{site.RUNTIME}{name}" in site.LICENCES
        assert name in runtime.notices()
    assert "Copyright (c) 2026 The figment authors" in site.LICENCES
