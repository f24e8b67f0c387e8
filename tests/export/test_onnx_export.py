"""ONNX files: what they draw, how exact they are, what they say of themselves."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from small_runs import widened, write_run

from figment.cli import main
from figment.errors import UserError
from figment.export.graph import graph_of, networks
from figment.export.measure import refuse_wrong, relative, session_of
from figment.export.onnx_export import onnx_files
from figment.export.subject import Subject
from figment.opened import generator_at
from figment.pixels import to_uint8
from figment.recipes import SYSTEMS
from figment.sampling.generator import Generator

STRANGER = """
import json, sys, zlib
import numpy as np, onnxruntime
from statistics import NormalDist
assert not any(name.startswith(("figment", "torch")) for name in sys.modules)
session = onnxruntime.InferenceSession(sys.argv[1])
about = json.loads(session.get_modelmeta().custom_metadata_map["figment"])
law, ends = about["latent"], about["class_ends"]
def latent(seed):
    place = np.random.SeedSequence([zlib.crc32(law["stream"].encode()), seed])
    uniform = np.random.Generator(np.random.Philox(place)).random(law["size"])
    return [NormalDist().inv_cdf(u) for u in np.clip(uniform, 2**-53, 1 - 2**-53)]
def kind(seed):
    place = (seed * 0x9E3779B97F4A7C15 % 2**64 >> 11) / 2**53 * ends[-1]
    return int(np.searchsorted(ends[:-1], place, side="right"))
given = {"latents": np.float32([latent(seed) for seed in range(9)])}
given["labels"] = np.int64([kind(seed) for seed in range(9)])
drawn = session.run(["images"], given)[0]
np.save(sys.argv[2], np.clip(np.rint((drawn + 1) * 127.5), 0, 255).astype(np.uint8))
"""


def test_a_script_without_figment_draws_the_same_pictures_from_the_file_alone(
    cats, exported, tmp_path
):
    file, drawn = tmp_path / "cats.onnx", tmp_path / "drawn.npy"
    file.write_bytes(exported.files["generator"])
    script = [sys.executable, "-I", "-c", STRANGER, str(file), str(drawn)]
    subprocess.run(script, check=True, cwd=tmp_path)
    expected = generator_at(cats, "cpu").sample(9).array
    assert expected.std() > 30  # not all grey
    apart = np.abs(np.load(drawn).astype(int) - expected)
    assert apart.max() <= 1
    assert apart.mean() < 0.1


def test_model_json_says_what_the_files_are(exported, cats):
    about = exported.about
    assert about["generator"]["bytes"] == len(exported.files["generator"])
    assert about["generator"]["form"] == "fp16"
    assert about["generator"]["difference"]["mean"] < 0.1
    assert (about["recipe"], about["classes"]) == ("dcgan-concat", ["cat", "dog", "owl"])
    assert about["class_ends"] == pytest.approx([0.5, 0.7, 1.0])
    assert about["latent"] == {"size": 8, "law": "normal", "stream": "latent"}
    assert about["truncation"] == {"of": "latents", "usual": [0.5, 2.0]}
    assert about["card"]["licence"] == "cc-by-4.0"
    assert "class names: cat, dog, owl" in about["carries"]
    assert len(about["directions"]) == 6
    told = session_of(exported.files["generator"]).get_modelmeta()
    assert told.description.startswith("made by figment. A generator of 32 x 32 pictures")
    assert told.custom_metadata_map["licence"] == "cc-by-4.0"
    assert "Philox" in told.custom_metadata_map["latents"]
    inside = json.loads(told.custom_metadata_map["figment"])
    assert inside["directions"] == about["directions"]
    everything = json.dumps(about) + str(told.custom_metadata_map)
    assert str(cats.parent) not in everything


@pytest.mark.parametrize("name", ["points", "sngan-projection", "ae", "flow-matching"])
def test_a_system_in_all_batches(name: str):
    """The full table, of every system in its published size, is benchmarks/export.py."""
    recipe = SYSTEMS[name].recipe.tiny()
    generator = widened(recipe)
    graphs = {part: graph_of(generator, part) for part in networks(generator)}
    assert refuse_wrong(generator, graphs) < 1e-4
    (graph,) = graphs.values()
    outputs = [output.name for output in graph.graph.output]
    assert outputs == [recipe.kind]
    assert [each.name for each in graph.graph.input] == ["latents", "labels"][: 1 + recipe.classed]


def test_a_network_in_mid_growth_is_drawn_as_it_is():
    """How far it is grown is a number of the graph: half of the newest layers, and no more."""
    generator = widened(SYSTEMS["stylegan"].recipe.tiny())
    net = cast("Any", generator.net)
    net.grow(1.5)
    net.train().eval()  # as when it is opened
    graphs = {part: graph_of(generator, part) for part in networks(generator)}
    assert refuse_wrong(generator, graphs) < 1e-4
    net.grow(2.0)
    net.train().eval()
    with pytest.raises(UserError, match="the graph of this generator differs from it by"):
        refuse_wrong(generator, graphs)


def test_a_stylegan_of_a_few_rounds_is_drawn_as_it_is():
    """Its first maps vary by thousandths, so an epsilon of 1e-8 under their spread counts."""
    generator = widened(SYSTEMS["stylegan"].recipe.tiny())
    net = cast("Any", generator.net)
    torch.nn.init.normal_(net.constant, 1, 3e-4)
    torch.nn.init.normal_(net.finishes[0].bias, 0, 0.1)
    net.grow(2.0)
    net.train().eval()
    assert refuse_wrong(generator, {"generator": graph_of(generator, "generator")}) < 1e-4


def test_a_generator_with_styles_is_two_graphs_that_truncate_in_between(tmp_path):
    run = write_run(tmp_path / "s", "stylegan2", SYSTEMS["stylegan2"].recipe.tiny())
    made = onnx_files(Subject(run), "fp32", name="s.onnx", progress=False)
    about = made.about
    assert about["truncation"] == {"of": "styles", "usual": [0.0, 1.0]}
    assert [about[part]["file"] for part in made.files] == ["s.mapping.onnx", "s.onnx"]
    generator = generator_at(run, "cpu")
    latents = generator.recipe.latents(range(5)).numpy()
    styles = session_of(made.files["mapping"]).run(["styles"], {"latents": latents})[0]
    mean = np.float32(about["styles"]["mean"])
    cut = mean + 0.5 * (styles - mean)
    whole = np.repeat(cut[:, None], about["styles"]["layers"], axis=1)
    drawn = session_of(made.files["generator"]).run(["images"], {"styles": whole})[0]
    expected = generator.sample(5, truncation=0.5).array
    apart = np.abs(to_uint8(torch.from_numpy(drawn)).numpy().astype(int) - expected)
    assert apart.max() <= 1


@pytest.mark.parametrize("out", ["s.onnx", "folder"])
def test_the_command_names_both_graphs_and_what_each_takes(tmp_path, capsys, out):
    run = write_run(tmp_path / "s", "stylegan2", SYSTEMS["stylegan2"].recipe.tiny())
    place = tmp_path / out
    assert main(["export", str(run), "--to", "onnx", "--out", str(place)]) == 0
    said = capsys.readouterr().out
    mapping, generator = (
        (tmp_path / "s.mapping.onnx", place)
        if out.endswith(".onnx")
        else (place / "mapping.onnx", place / "generator.onnx")
    )
    taken = [session_of(path.read_bytes()).get_inputs()[0] for path in (mapping, generator)]
    latents, styles = (", ".join(map(str, ["N", *one.shape[1:]])) for one in taken)
    assert f"{mapping}, which takes latents [{latents}]" in said
    assert f"{generator}, which takes the styles of all layers [{styles}]" in said


def test_small_outputs_hide_no_difference():
    assert relative(np.array([0.001]), np.array([0.002])) == pytest.approx(0.5)
    assert relative(np.array([3.0]), np.array([3.5])) == pytest.approx(0.5)
    assert relative(np.array([0.25]), np.array([0.0])) == 0.25
    assert not relative(np.array([np.nan]), np.array([0.5])) <= 1e-4


def test_a_graph_that_draws_otherwise_is_refused(exported, cats):
    generator = generator_at(cats, "cpu")
    other = Generator(generator.recipe, generator.net)
    with torch.no_grad():
        next(other.net.parameters()).mul_(1.01)
    import onnx

    graph = onnx.load_from_string(exported.files["generator"])
    with pytest.raises(UserError, match="graph of this generator differs from it by") as refused:
        refuse_wrong(other, {"generator": graph})
    assert "--to safetensors" in str(refused.value)  # no forward of the user's own is at fault
    assert "its forward" not in str(refused.value)


def test_where_the_extra_is_missing_it_is_named(cats, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert main(["export", str(cats), "--to", "onnx", "--out", str(tmp_path / "a.onnx")]) == 2
    assert "pip install 'figment-gan[export]'" in capsys.readouterr().err
    assert not list(tmp_path.glob("*.onnx"))


def test_the_command_writes_a_folder_or_a_file(cats, exported, tmp_path, monkeypatch, capsys):
    from figment.export import onnx_export

    asked: list[Path] = []

    def instead(subject, weights, *, name, **said):
        asked.append(subject.weights)
        return exported

    monkeypatch.setattr(onnx_export, "onnx_files", instead)
    snapshot = next((cats / "snapshots").iterdir())
    for source, out in ((cats, "folder"), (snapshot, "one.onnx")):
        assert main(["export", str(source), "--to", "onnx", "--out", str(tmp_path / out)]) == 0
    assert asked == [snapshot, snapshot]
    assert json.loads((tmp_path / "folder/model.json").read_text()) == exported.about
    for path in (tmp_path / "folder/generator.onnx", tmp_path / "one.onnx"):
        assert path.read_bytes() == exported.files["generator"]
    told = capsys.readouterr().out
    assert "weights in fp16" in told
