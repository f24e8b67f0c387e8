"""What a seed, a link and a network's number mean on the page is what they mean in Python."""

from __future__ import annotations

import importlib.util
import shutil
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch

from figment.pixels import to_uint8
from figment.sampling import walk
from figment.units import significant

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "stream.py"


@pytest.mark.parametrize("truncation", [None, 0.5, 3.0])
def test_seeds_have_the_latents_and_classes_of_python(truncation):
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not installed")
    spec = importlib.util.spec_from_file_location("stream_benchmark", SCRIPT)
    assert spec is not None and spec.loader is not None
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    found = benchmark.compare(benchmark.chosen_seeds(120), 50, truncation, node)
    assert (found.numbers, found.labels) == (6_000, 0)
    assert found.ulps <= 1


def test_a_place_at_the_end_of_a_share_belongs_to_the_next_class(run_module):
    found = run_module(
        'const { classOf } = await import(page + "/stream.js");'
        "answer = [classOf(0n, 3, given), classOf(0n, 2, [1, 1]), classOf(7n, 2, null)];",
        [0.0, 0.0, 1.0],
    )
    assert found == [2, 0, 1]  # seed 0 falls at 0


def test_philox_and_seed_sequence_are_numpys(run_module):
    answer = run_module(
        'const { philox, seedSequence } = await import(page + "/stream.js");'
        "answer = given.map((entropy) => [[...seedSequence(entropy, 6)],"
        " [...philox(seedSequence(entropy, 4), 9)].map(String)]);",
        [[0], [1827798387, 7], [1, 2, 3, 4, 5, 6, 7]],
    )
    for entropy, (state, raw) in zip(([0], [1827798387, 7], range(1, 8)), answer, strict=True):
        sequence = np.random.SeedSequence(list(entropy))
        assert state == sequence.generate_state(6).tolist()
        assert raw == [str(one) for one in np.random.Philox(sequence).random_raw(9)]


def test_normal_distribution_is_torchs_far_out_too(run_module):
    places = [-38.0, -9.0, -6.1, -3.0, -1.7, -1.2, -0.9, -1e-9, 0.0, 0.3, 1.0, 2.5, 8.0]
    shares = [2**-53, 1e-15, 1e-9, 0.001, 0.1353, 0.1354, 0.5, 0.7, 0.8647, 0.999999, 1 - 2**-53]
    ndtr, ndtri = run_module(
        'const { ndtr, ndtri } = await import(page + "/special.js");'
        "answer = [given[0].map(ndtr), given[1].map(ndtri)];",
        [places, shares],
    )
    wanted = torch.special.ndtr(torch.tensor(places, dtype=torch.float64))
    assert np.allclose(ndtr, wanted, rtol=0, atol=2e-16)
    wanted = torch.special.ndtri(torch.tensor(shares, dtype=torch.float64))
    assert np.allclose(ndtri, wanted, rtol=4e-16, atol=0)


def test_floats_become_the_bytes_of_python(run_module):
    halves = [(2 * byte + 1) / 255 - 1 for byte in range(-2, 257)]
    values = torch.tensor([*halves, -5.0, 5.0, 1e-9, 0.1234, float("inf"), -float("inf")])
    pixels = run_module(
        'const { pixelsOf } = await import(page + "/drawing/pixels.js");'
        "const values = Float32Array.from(given, (text) => Number(text));"
        "answer = [...values].flatMap((value) => [...pixelsOf(new Float32Array([value]), 1, 1)[0]]);",
        [str(value).replace("inf", "Infinity") for value in values.tolist()],
    )
    grey = to_uint8(values).tolist()
    assert pixels == [byte for one in grey for byte in (one, one, one, 255)]


def test_colours_keep_their_places(run_module):
    images = np.linspace(-1, 1, 2 * 3 * 2 * 2, dtype=np.float32)
    found = run_module(
        'const { pixelsOf } = await import(page + "/drawing/pixels.js");'
        "answer = pixelsOf(Float32Array.from(given), 3, 2).map((one) => [...one]);",
        images.tolist(),
    )
    wanted = to_uint8(torch.from_numpy(images).view(2, 3, 2, 2)).permute(0, 2, 3, 1)
    assert np.array_equal(np.array(found).reshape(2, 2, 2, 4)[..., :3], wanted)


def test_a_walk_turns_as_in_python(run_module):
    a, b = torch.randn(2, 40, generator=torch.Generator().manual_seed(0))
    found = run_module(
        'const { slerp } = await import(page + "/lineage.js");'
        "const [a, b] = given.map((row) => Float32Array.from(row));"
        "answer = [0, 0.3, 1].map((share) => [...slerp(a, b, share)]).concat([[...slerp(a, a, 0.4)]]);",
        [a.tolist(), b.tolist()],
    )
    wanted = walk.slerp(
        torch.stack([a] * 4), torch.stack([b] * 3 + [a]), torch.tensor([[0.0], [0.3], [1.0], [0.4]])
    )
    assert np.allclose(found, wanted, atol=2e-6)


GOOD = ["7", "7~12:0.3", "7~12:0.3~5:1", "(7~1:0.5)[0.5,-1]", "7~(1~2:0.2):0.5", "7[1]~3:0.25"]
GOOD += ["7x12:5", "7x12:5~9:0.15", "7~12:0.3x5:4", "7x(1x2:3):4", "(7x1:2)[0.5]"]
BAD = ["", "x", "-1", "7~", "7~12", "7~12:2", "(7", "7)", "7[", "7[1..2]", "9223372036854775808"]
BAD += ["(" * 5_000 + "7" + ")" * 5_000, "7 ", "7.5", "0x7", "7~12:.", "1" * 30]
BAD += ["7x", "7x12", "7x12:", "7x12:0.5", "7x12:9223372036854775808", "x12:5", "7x12:5x"]


def test_where_a_latent_comes_from_is_read_as_it_is_written(run_module):
    good, bad = run_module(
        'const { read, written } = await import(page + "/lineage.js");'
        "answer = [given[0].map((text) => written(read(text))), given[1].map((text) => read(text))];",
        [GOOD, BAD],
    )
    assert [text.replace("(7[1])", "7[1]") for text in good] == GOOD
    assert bad == [None] * len(BAD)


def test_a_crossing_has_each_number_of_one_parent_or_of_the_other(run_module):
    rows = run_module(
        'const { latentOf, read } = await import(page + "/lineage.js");'
        "const law = { size: 200, truncation: null, directions: [] };"
        "answer = given.map((text) => [...latentOf(read(text), law)]);",
        ["7", "12", "5", "7x12:5", "12x7:5", "7x12:6"],
    )
    mother, father, coin, child, other, sibling = np.array(rows)
    assert np.array_equal(child, np.where(coin < 0, mother, father))
    assert np.array_equal(other, np.where(coin < 0, father, mother))
    assert 60 < (child == mother).sum() < 140 and 60 < (child == sibling).sum() < 140


MODEL = """{
  layers: given.layers, classes: ["cat", "dog"], lineageOf: ({ lineage }) => lineage,
  latentOf: (lineage) => latentOf(lineage, law), classOf: (picture) => picture.class,
}"""


@pytest.mark.parametrize(("layers", "size"), [(0, 8), (0, 100), (8, 100)])
def test_children_are_told_from_each_other_and_from_their_parents(run_module, layers, size):
    found = run_module(
        'const { childrenOf } = await import(page + "/breeding.js");'
        'const { latentOf } = await import(page + "/lineage.js");'
        "const law = { size: given.size, truncation: null, directions: [] };"
        "const parent = (seed) => ({ lineage: { seed }, class: seed === 7n ? 'cat' : 'dog',"
        " truncation: null, sliders: [0.5], style: null });"
        "const pair = [parent(7n), parent(12n)];"
        f"const children = childrenOf({MODEL}, pair, 8);"
        "answer = { latents: [...pair, ...children].map((one) => [...latentOf(one.lineage, law)]),"
        " layers: children.map(({ style }) => style && style.layer),"
        " sliders: children.flatMap(({ sliders }) => sliders) };",
        {"layers": layers, "size": size},
    )
    latents = np.array(found["latents"])
    apart = np.linalg.norm(latents[:, None] - latents[None], axis=2)
    parents = apart[0, 1]
    apart[np.arange(10), np.arange(10)] = np.inf
    # Of few numbers there are few crossings; points on the way between both are nearer than either.
    assert apart.min() > (0.4 if size == 100 else 0.1) * parents
    assert np.median(apart[2:, 2:]) > 0.5 * parents
    assert found["sliders"] == [0] * 8
    if layers:
        assert found["layers"][::2] == [None] * 4
        assert all(1 <= layer < layers for layer in found["layers"][1::2])
    else:
        assert found["layers"] == [None] * 8


def test_links_say_what_a_model_can_draw_and_nothing_else(run_module):
    model = {
        "classes": ["cat", "a & b=c"],
        "truncation": {"of": "latents"},
        "directions": [{}, {}],
        "layers": 6,
    }
    links = [
        "#seed=7",
        "#seed=9223372036854775807&class=a%20%26%20b%3Dc&truncation=0.7&sliders=0.5,-2",
        "#seed=7&style=9&layer=3",
        "#seed=7&class=dog&truncation=-1&sliders=a,b,c&style=1&layer=9&more=%E0%A4%A",
        "#seed=x",
        "",
    ]
    answer = run_module(
        'const { pictureOf, addressOf } = await import(page + "/address.js");'
        "answer = given[1].map((link) => pictureOf(link, given[0])).map((one) => one && addressOf(one));",
        [model, links],
    )
    assert answer == [*(link[1:] for link in links[:3]), "seed=7", None, None]


def test_a_png_says_its_seed_in_a_chunk_with_the_right_sum(run_module):
    chunks = run_module(
        'const { textChunk } = await import(page + "/png.js");'
        "answer = given.map(([key, value]) => [...textChunk(key, value)]);",
        [["seed", "7"], ["class", "猫"]],
    )
    for chunk, kind, body in zip(
        map(bytes, chunks),
        (b"tEXt", b"iTXt"),
        (b"seed\0007", b"class\0\0\0\0\0" + "猫".encode()),
        strict=True,
    ):
        length, checksum = struct.unpack(">I", chunk[:4])[0], struct.unpack(">I", chunk[-4:])[0]
        assert chunk[4:-4] == kind + body and length == len(body)
        assert checksum == zlib.crc32(kind + body)


def test_numbers_are_written_as_in_reports(run_module):
    values = [1252.3, 0.0, 12.34, -0.01234, 999.6, 0.000012345, 123456.0, 1.0]
    found = run_module(
        'const { significant } = await import(page + "/numbers.js"); answer = given.map(significant);',
        values,
    )
    assert found == [significant(value) for value in values]
