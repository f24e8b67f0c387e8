from __future__ import annotations

import json
import re

import numpy as np
import pytest
from test_report_page import Outline

from figment.data.points import MIXTURES, ring
from figment.report import write_report
from figment.report.cell import run_cell
from figment.report.cloud import cloud_figure
from figment.sampling.cloud import SIDE, Cloud, scatter, write_cloud

RING = MIXTURES["ring"]


@pytest.fixture
def points_run(make_run):
    """A run of points whose newest cloud reaches 6 of the ring's 8 modes."""
    run = make_run(name="ring", ticks=3, moments=0)
    machine = json.loads((run / "machine.json").read_text())
    machine["data"] |= {"name": "ring", "shape": [2], "count": 100_000, "classes": []}
    (run / "machine.json").write_text(json.dumps(machine))
    rows = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    rows = [row | {"modes/reached": 5 + n % 2, "modes/all": 8} for n, row in enumerate(rows)]
    (run / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for images in (0, 3840):
        scatter(six_modes(), RING).save(run / "samples" / f"{images:09d}.png")
        slope = np.linspace(-3, 3, SIDE * SIDE, dtype=np.float32).reshape(SIDE, SIDE)
        write_cloud(Cloud(six_modes(), slope), run / "samples" / f"{images:09d}.safetensors")
    return run


def six_modes() -> np.ndarray:
    points, modes = ring(2600, seed=1)
    return points[modes < 6]


def test_points_lie_among_the_real_modes(points_run):
    page = Outline(write_report(points_run).read_text(encoding="utf-8"))
    assert "modes reached5 of 8" in page.text
    assert "Rings: the real modes" in page.text and "Shading:" in page.text
    text = (points_run / "report.html").read_text(encoding="utf-8")
    figure = re.search(r'<figure class="newest">(.*?)</figure>', text, re.DOTALL)[1]
    assert f'aria-label="{len(six_modes()):,} points, which reach 6 of 8 modes"' in figure
    assert figure.count('class="mode"') == 6 and figure.count('class="mode missed"') == 2
    assert figure.count("h0") == len(six_modes())
    assert 'class="landscape" href="data:image/png' in figure
    strip = text[text.index('class="strip"') :]
    assert strip.count('class="cloud small"') == 2 and "landscape" not in strip
    assert "figment walk" not in page.text and "figment evolve" not in page.text


def test_places_of_points_and_rings(tmp_path):
    write_cloud(Cloud(np.array([[2, 0], [99, 0]], np.float32), np.zeros((0, 0))), tmp_path / "c.st")
    figure = cloud_figure(tmp_path / "c.st", RING)  # it reaches from -2.8 to 2.8
    assert re.findall(r"M(\d+),(\d+)h0", figure) == [("857", "500")]
    assert '<circle class="mode" cx="857" cy="500" r="14"/>' in figure
    assert figure.count("mode missed") == 7 and "landscape" not in figure


def test_without_its_file_a_cloud_is_the_picture(points_run):
    for path in points_run.glob("samples/*.safetensors"):
        path.write_bytes(b"x")
    page = Outline(write_report(points_run).read_text(encoding="utf-8"))
    assert "samples after 3,840 images" not in page.text
    text = (points_run / "report.html").read_text(encoding="utf-8")
    assert 'class="cloud' not in text.partition("</style>")[2] and text.count("<img") == 3


def test_a_cell_shows_the_picture_and_the_modes(points_run):
    html = run_cell(points_run)
    assert "5 of 8" in html and "modes reached" in html and "data:image/png" in html
    assert "after 3,840 images" in html


def test_a_cell_of_a_run_without_pictures_shows_the_rest(make_run):
    html = run_cell(make_run(ticks=1, moments=0))
    assert "DCGAN trained on cats64" in html and "<img" not in html
