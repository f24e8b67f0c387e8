"""A notebook in a real kernel: what cells show of a training, samples, scores, findings and mistakes."""

from __future__ import annotations

import os
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import figment

CELLS = [
    "import figment\nrun = figment.train('flowers:300', recipe='dcgan', images=96, batch=16, width=4, "
    "resolution=32, features='small', metric_count=64, run='tiny')",
    "run",
    "run.generator",
    "run.generator.sample(9)",
    "run.evaluate(count=60, metrics=['kid'], features='small')",
    "run.doctor()",
    "seen = []\nring = figment.train('ring', images=512, run='ring', progress=False, "
    "on_sample=lambda pictures, images: seen.append((len(pictures), images)))\nprint(seen)",
    "figment.train('flowers', recipe='dcgn')",
]
TRAIN, RUN, GENERATOR, SAMPLE, SCORES, FINDINGS, CALLED, MISTAKE = range(len(CELLS))


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """The outputs of every cell of ``CELLS``."""
    folder = tmp_path_factory.mktemp("notebook")
    source = str(Path(figment.__file__).parents[1])
    for name, value in {"PYTHONPATH": source, "OMP_NUM_THREADS": "1"}.items():
        os.environ[name] = value
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in CELLS])
    place = {"metadata": {"path": folder}}
    patience = {"timeout": 240, "startup_timeout": 240}
    client = NotebookClient(notebook, allow_errors=True, resources=place, **patience)
    client.execute()
    return [cell["outputs"] for cell in notebook.cells]


def html_of(outputs) -> list[str]:
    return [one["data"]["text/html"] for one in outputs if "text/html" in one.get("data", {})]


def test_nothing_is_red_but_mistakes(cells):
    red = [one for outputs in cells for one in outputs if one.get("name") == "stderr"]
    assert red == []
    assert [number for number, outputs in enumerate(cells) if has_error(outputs)] == [MISTAKE]


def has_error(outputs) -> bool:
    return any(one["output_type"] == "error" for one in outputs)


def test_training_shows_a_bar_the_newest_grid_and_its_words(cells):
    words = "".join(one["text"] for one in cells[TRAIN] if one.get("name") == "stdout")
    assert "32×32 colour" in words and "96 images in" in words and "\r" not in words
    shown = html_of(cells[TRAIN])
    assert any("<progress" in html and "96 of 96 images (100%)" in html for html in shown)
    grids = [html for html in shown if "data:image/png" in html]
    assert len(grids) == 1 and "after 96 images" in grids[0]  # one place, refreshed


def test_a_run_shows_its_figures_and_its_last_grid(cells):
    (html,) = html_of(cells[RUN])
    assert "DCGAN trained on flowers" in html and ">96<" in html and "images seen" in html
    assert "after 96 images" in html and "data:image/png" in html


def test_a_generator_and_pictures_show_themselves(cells):
    (html,) = html_of(cells[GENERATOR])
    assert "32 px pictures" in html and "data:image/png" in html
    (output,) = cells[SAMPLE]
    assert output["data"]["image/png"].startswith("iVBOR")
    assert output["data"]["text/plain"] == "Pictures(9 of 32x32, colour)"


def test_scores_and_findings_are_tables(cells):
    (html,) = [html for html in html_of(cells[SCORES]) if "<table>" in html]
    assert re.search(r">KID[^<]*</td><td[^>]*>[\d.]+</td><td[^>]*>[\d.]+ – [\d.]+</td>", html)
    assert "small" in html and "Note: " in html
    (html,) = html_of(cells[FINDINGS])
    assert html.count("<tr>") >= 2 and "sure</td>" in html and "border-left:4px" in html


def test_a_callback_gets_every_grid(cells):
    (output,) = cells[CALLED]
    assert output["text"] == "[(2500, 0), (2500, 512)]\n"


def test_a_mistake_is_one_line(cells):
    (output,) = cells[MISTAKE]
    assert output["traceback"] == ["figment: there is no recipe dcgn. Did you mean dcgan?"]
