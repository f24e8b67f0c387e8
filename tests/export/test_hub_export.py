"""The Hub: an upload that is a model and a Space, and back by figment.load, against a stand-in."""

from __future__ import annotations

import json
import sys
import threading
from http.server import ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from hub_stand_in import TOKEN, Hub

import figment
from figment import hub
from figment.cli import main
from figment.errors import UserError
from figment.export import hub_folder, site
from figment.opened import generator_at

pytest.importorskip("huggingface_hub")


@pytest.fixture(autouse=True)
def server(monkeypatch, tmp_path, exported):
    """The stand-in, a cache of this test's own, and the costly part of an export done already."""
    served = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=served.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{served.server_port}")
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setenv("FIGMENT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(Hub, "repositories", {})
    monkeypatch.setattr(site, "onnx_files", lambda *_, **__: exported)
    Hub.asked.clear()
    yield served
    served.shutdown()
    served.server_close()


def test_published_and_loaded_again_it_draws_the_same(cats, package, tmp_path, capsys):
    out = tmp_path / "up"
    words = ["export", str(cats), "--to", "hub", "--out", str(out), "--runtime", str(package)]
    out.mkdir()
    (out / "secret.txt").write_text("mine")
    assert main([*words, "--push", "ada/cats"]) == 0
    assert "/ada/cats and http" in capsys.readouterr().out
    for kind in ("model", "space"):
        kept = Hub.repositories[kind, "ada/cats"]
        here = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
        assert kept.keys() == here - {"secret.txt"}
        assert kept["index.html"] == (out / "index.html").read_bytes()
    run = figment.load("ada/cats")
    expected = generator_at(cats, "cpu").sample(5)
    assert np.array_equal(run.generator.sample(5).array, expected.array)
    assert not any("index.html" in one for one in Hub.asked if one.startswith("GET"))
    folder = run.path
    assert {path.name for path in folder.iterdir()} == set(hub.FETCHED)
    assert main(["sample", str(folder), "--out", str(tmp_path / "a.png"), "--count", "4"]) == 0


def test_python_pushes_a_run_without_a_folder(cats, package):
    told = figment.push_to_hub(cats, "ada/pets", runtime=package, licence="mit")
    assert "/ada/pets and http" in told
    kept = Hub.repositories["space", "ada/pets"]
    assert kept.keys() >= {"index.html", "README.md", hub.WEIGHTS, "models/cats/generator.onnx"}


def test_what_was_fetched_once_is_there_without_a_network(cats, package, server, tmp_path):
    Hub.repositories["model", "ada/cats"] = {hub.WEIGHTS: weights(cats, tmp_path)}
    first = figment.load("ada/cats").path
    server.shutdown()
    server.server_close()
    assert figment.load("ada/cats").path == first
    with pytest.raises(UserError, match="ada/dogs cannot be fetched: no connection to http"):
        figment.load("ada/dogs")


def test_refusals_are_one_line_with_the_cure(cats, tmp_path, monkeypatch):
    Hub.repositories["model", "ada/others"] = {"pytorch_model.bin": b""}
    with pytest.raises(UserError, match="is no generator that figment has published"):
        figment.load("ada/others")
    with pytest.raises(UserError, match="there is no such generator on the Hub, or it is private"):
        figment.load("ada/nothing")
    monkeypatch.chdir(tmp_path)
    Path("runs").mkdir()
    with pytest.raises(UserError, match="there is no run runs/typo"):  # a folder here comes first
        figment.load("runs/typo")
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(UserError, match="set HF_TOKEN to a token of yours"):
        hub.pushed(tmp_path, "ada/cats", [])
    with pytest.raises(UserError, match="is no name of a repository: write owner/name"):
        hub.pushed(tmp_path, "../cats", [])
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(UserError, match=r"pip install 'figment-gan\[hub\]'"):
        figment.load("ada/cats")


def test_the_card_is_in_the_hubs_form_and_quotes_nobody_as_markup(exported):
    told = {
        **exported.about["card"],
        "scores": [
            {
                "label": "KID x1000",
                "value": 12.3,
                "low": 11.0,
                "high": 14.0,
                "floor": 0.1,
                "better": "lower",
                "protocol": "efficientnet, 128 px",
            }
        ],
        "scored_at": 1000,
        "doctor": [{"severity": "fault", "name": "mode collapse", "evidence": "9 of 10 | alike."}],
    }
    about = {**exported.about, "card": told, "carries": ["class names: <script>, a|b"]}
    text = hub_folder.card({**about, "title": 'No: "cat"'}, "ada/cats", "ada/pets")
    head = text.split("---\n")[1]
    lines = dict(line.split(": ", 1) for line in head.splitlines())
    assert lines["library_name"] == "figment"
    assert lines["pipeline_tag"] == "unconditional-image-generation"
    assert (lines["license"], lines["sdk"]) == ("cc-by-4.0", "static")
    assert json.loads(lines["title"]) == 'No: "cat"'
    assert json.loads(lines["datasets"]) == ["ada/pets"]
    assert 'figment.load("ada/cats")' in text
    assert (
        "| KID x1000 | 12.3 | 11.0 – 14.0 | 0.100 | lower is better | efficientnet, 128 px |"
        in text
    )
    assert "\\<script\\>, a\\|b" in text
    assert "9 of 10 \\| alike" in text
    assert "## Copies of training pictures" in text


@pytest.mark.parametrize(
    ("given", "lines"),
    [
        ("MIT", ["license: mit"]),
        ("unknown: ask", ["license: unknown"]),
        ("Only on Sundays", ["license: other", 'license_name: "Only on Sundays"']),
    ],
)
def test_licences_are_named_as_the_hub_knows_them(exported, given, lines):
    about = {**exported.about, "card": {**exported.about["card"], "licence": given}}
    text = hub_folder.front_matter(about)
    assert [line for line in text.splitlines() if line.startswith("license")] == lines


def weights(run: Path, tmp_path: Path) -> bytes:
    out = tmp_path / "w.safetensors"
    assert main(["export", str(run), "--to", "safetensors", "--out", str(out)]) == 0
    return out.read_bytes()
