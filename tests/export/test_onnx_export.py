"""ONNX files: what they draw, how exact they are, what they say of themselves."""

from __future__ import annotations

import subprocess
import sys

import numpy as np

from figment.cli import main
from figment.opened import generator_at

STRANGER = """
import json, sys, zlib
import numpy as np, onnxruntime
from statistics import NormalDist
assert not any(name.startswith(("figment", "torch")) for name in sys.modules)
session = onnxruntime.InferenceSession(sys.argv[1])
about = json.loads(session.get_modelmeta().custom_metadata_map["figment"])
law, count = about["latent"], len(about["classes"])
def latent(seed):
    place = np.random.SeedSequence([zlib.crc32(law["stream"].encode()), seed])
    uniform = np.random.Generator(np.random.Philox(place)).random(law["size"])
    return [NormalDist().inv_cdf(u) for u in np.clip(uniform, 2**-53, 1 - 2**-53)]
def kind(seed):
    place = (seed * 0x9E3779B97F4A7C15 % 2**64 >> 11) / 2**53 * about["class_ends"][-1]
    return int(np.searchsorted(about["class_ends"][:-1], place, side="right"))
given = {"latents": np.float32([latent(seed) for seed in range(9)])}
if count:
    given["labels"] = np.int64([kind(seed) for seed in range(9)])
drawn = session.run(["images"], given)[0]
np.save(sys.argv[2], np.clip(np.rint((drawn + 1) * 127.5), 0, 255).astype(np.uint8))
"""


def test_a_script_without_figment_draws_the_same_pictures_from_the_file_alone(make_run, tmp_path):
    run = make_run("dcgan-concat", classes=3, class_shares=(0.5, 0.2, 0.3))
    file, drawn = tmp_path / "cats.onnx", tmp_path / "drawn.npy"
    assert main(["export", str(run), "--to", "onnx", "--out", str(file)]) == 0
    script = [sys.executable, "-I", "-c", STRANGER, str(file), str(drawn)]
    subprocess.run(script, check=True, cwd=tmp_path)
    expected = generator_at(run, "cpu").sample(9).array
    assert expected.std() > 20  # not all grey
    apart = np.abs(np.load(drawn).astype(int) - expected)
    assert apart.max() <= 1
    assert apart.mean() < 0.01
