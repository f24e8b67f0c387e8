from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from figment.errors import UserError
from figment.report import write_report
from figment.report.card import write_card
from figment.report.record import read_run

VOID = {"meta", "link", "img", "line", "br", "input"}


class Outline(HTMLParser):
    """Checks that every element is closed in order, and collects text, addresses and headings."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.addresses += [values[key] for key in ("src", "href", "srcset") if key in values]
        self.ids += [values["id"]] if "id" in values else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.text += data


def test_page_tells_the_run_in_a_sentence(make_run):
    run = make_run()
    path = write_report(run)
    assert path == run / "report.html"
    page = Outline(path.read_text(encoding="utf-8"))
    assert (
        "DCGAN trained on cats64 (13,217 pictures, 64×64 colour) for 10 min: "
        "76,800 images seen, 5.81 passes over the data, 128 images/s in its rounds on "
        "Intel Xeon Processor (2 threads)."
    ) in page.text
    assert page.ids == ["samples", "curves", "recipe", "machine", "words", "next"]
    for text in (
        "learning_rate",
        "0.0002",
        "3.58 M",
        "2.13.0+cpu",
        "2026-11-22 04:00 UTC",
        "memory, GiB",
        "planned length0.600 minutes",
    ):
        assert text in page.text
    assert "0.00242" not in page.text
    for title in ("Loss", "D(real) and D(fake)", "Gradient norms", "Penalties", "Speed", "Memory"):
        assert title in page.text


def test_page_loads_nothing(make_run):
    text = write_report(make_run()).read_text(encoding="utf-8")
    addresses = [one for one in Outline(text).addresses if not one.startswith("#")]
    assert len(addresses) == 10  # an empty icon, the newest picture, eight moments
    assert all(address.startswith("data:") for address in addresses)
    assert "//" not in re.sub(r"<script>.*</script>|base64,[\w+/=]+", "", text, flags=re.DOTALL)
    assert "url(" not in text and "@import" not in text and "fetch(" not in text
    assert "default-src 'none'" in text


def test_commands_are_ready_to_paste(make_run, monkeypatch):
    run = make_run()
    folder = run.rename(run.with_name("my cats"))
    monkeypatch.chdir(folder.parent)
    page = Outline(write_report(Path("my cats")).read_text(encoding="utf-8"))
    assert "figment sample 'my cats'" in page.text and "figment resume 'my cats'" in page.text
    assert "figment export 'my cats' --to web --out 'my cats-site'" in page.text


def test_commands_are_those_that_the_system_has(make_run):
    plain = make_run(name="plain")
    page = Outline(write_report(plain).read_text(encoding="utf-8"))
    assert "figment evolve" in page.text
    assert not any(word in page.text for word in ("figment truncate", "--mix", "figment project"))
    styled = make_run(name="styled", mixing=0.9)
    page = Outline(write_report(styled).read_text(encoding="utf-8"))
    assert f"figment truncate {styled}" in page.text
    assert f"figment sample {styled} --mix 5 6 7 8 --count 4" in page.text
    coded = make_run(name="coded")
    shutil.copy(coded / "samples" / "000001280.png", coded / "reconstructions.png")
    page = Outline(write_report(coded).read_text(encoding="utf-8"))
    assert f"figment project {coded} PICTURE.png" in page.text


def test_names_are_escaped(make_run):
    run = make_run(ticks=3)
    nasty = "<script>alert(1)</script>&\"'"
    (run / "recipe.json").write_text(json.dumps({"recipe": nasty, "fields": {nasty: nasty}}))
    machine = json.loads((run / "machine.json").read_text())
    machine |= {nasty: nasty, "processor": nasty, "parameters": {nasty: 3}}
    machine["data"] |= {"name": nasty, "classes": ["<b>&", nasty]}
    (run / "machine.json").write_text(json.dumps(machine))
    with (run / "log.jsonl").open("a") as log:
        log.write(json.dumps({"images": 9999, f"{nasty}/{nasty}": 1.0}) + "\n")
    text = write_report(run).read_text(encoding="utf-8")
    assert "<script>alert" not in text and "<b>&" not in text
    page = Outline(text)
    assert nasty in page.text and "<b>&" in page.text


def test_page_of_an_empty_folder_says_what_is_missing(tmp_path):
    page = Outline(write_report(tmp_path).read_text(encoding="utf-8"))
    for text in ("recipe.json is missing", "machine.json is missing", "log.jsonl is missing"):
        assert text in page.text
    assert "No picture yet" in page.text and "The log has no entries yet" in page.text
    assert "An unnamed recipe trained on unknown data." in page.text


@pytest.mark.parametrize("name", ["recipe.json", "machine.json", "log.jsonl"])
@pytest.mark.parametrize("content", [None, "", "{", "[]", "null", '{"fields": 3, "data": []}'])
def test_page_survives_any_missing_or_broken_file(make_run, name, content):
    run = make_run(ticks=4, moments=1)
    (run / name).unlink()
    if content is not None:
        (run / name).write_text(content)
    page = Outline(write_report(run).read_text(encoding="utf-8"))
    whole = name != "log.jsonl" and content is not None and len(content) > 4
    assert ("This report is not complete." in page.text) is not whole


@pytest.mark.parametrize(
    "data",
    [
        {"count": None, "shape": None},
        {"count": 0, "shape": [3, 64]},
        {"name": 7, "count": "x", "shape": "64", "classes": {"a": 1}},
        {"shape": [2], "count": 50000, "name": "ring"},
    ],
)
def test_page_survives_odd_data(make_run, data):
    run = make_run(ticks=2, moments=0)
    (run / "machine.json").write_text(json.dumps({"data": data, "threads": None}))
    page = Outline(write_report(run).read_text(encoding="utf-8"))
    assert "2,560 images seen" in page.text
    if data.get("name") == "ring":
        assert "ring (50,000 points in 2 dimensions)" in page.text


def test_broken_picture_is_named_and_the_others_shown(make_run):
    run = make_run(moments=3)
    (run / "samples" / "000003840.png").write_bytes(b"\x89PNG")
    page = Outline(write_report(run).read_text(encoding="utf-8"))
    assert "Not a picture: 000003840.png." in page.text
    assert "after 2,560 images" in page.text


def test_small_pictures_are_shown_at_whole_multiples(make_run):
    text = write_report(make_run(moments=1)).read_text(encoding="utf-8")
    image = re.search(r"<img[^>]*>", text)[0]
    assert 'class="crisp"' in image and 'width="576" height="576"' in image  # 6 × 96


def test_page_of_a_long_run_with_large_pictures_stays_small(make_run):
    run = make_run(ticks=1, moments=0)
    row = json.loads((run / "log.jsonl").read_text())
    keys = [key for key in row if "/" in key]
    values = np.random.Generator(np.random.Philox(0)).normal(size=(5000, len(keys)))
    with (run / "log.jsonl").open("w") as log:
        for index, line in enumerate(values.tolist()):
            numbers = dict(zip(keys, line, strict=True))
            log.write(json.dumps({"images": index * 128, "seconds": index, **numbers}) + "\n")
    noise = np.random.Generator(np.random.Philox(1)).integers(0, 256, (512, 512, 3))
    for moment in range(9):
        image = Image.fromarray(noise.astype(np.uint8))
        image.save(run / "samples" / f"{moment * 1000:09d}.png", compress_level=1)
    assert write_report(run).stat().st_size < 4_000_000


def test_page_is_the_same_each_time_and_replaced_whole(make_run, monkeypatch):
    run = make_run(ticks=5)
    first = write_report(run).read_bytes()
    assert write_report(run).read_bytes() == first
    assert sorted(path.name for path in run.iterdir() if "report" in path.name) == ["report.html"]

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(UserError, match="disk full"):
        write_report(run)
    assert (run / "report.html").read_bytes() == first
    assert sorted(path.name for path in run.iterdir() if "report" in path.name) == ["report.html"]


def test_every_colour_of_a_chart_is_in_both_themes():
    from figment.page import palette
    from figment.report.plots import COLOURS

    light, dark = (
        re.findall(r"(--[\w-]+):", block)
        for block in re.findall(r":root {(.*?)}", palette(), re.DOTALL)
    )
    assert light == dark
    assert {f"--series-{index}" for index in range(1, COLOURS + 1)} <= set(light)


def test_no_torch_is_imported():
    code = "import sys, figment.report; print('torch' in sys.modules, 'PIL' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"


def test_folder_name_is_found_for_a_dot(make_run, monkeypatch):
    run = make_run(ticks=1, moments=0)
    monkeypatch.chdir(run)
    assert read_run(Path(".")).name == "cats64-dcgan"


def test_what_was_changed_stands_before_what_was_settled_and_the_rest_is_folded(make_run):
    run = make_run(ticks=1, moments=1, metric_every=3000)
    machine = json.loads((run / "machine.json").read_text())
    machine["fields"] = {"chosen": ["width"], "settled": ["batch", "metric_every"]}
    (run / "machine.json").write_text(json.dumps(machine))
    text = write_report(run).read_text(encoding="utf-8")
    section = re.search(r'<section id="recipe">.*?</section>', text, re.DOTALL)[0]
    names = re.findall(r"<dt>(\w+)</dt>", section)
    assert names[:3] == ["width", "batch", "metric_every"] and len(names) == len(set(names)) == 8
    shown, folded = section.split("<details>")
    assert "You changed" in shown and "figment settled" in shown
    assert "5 fields as dcgan has them" in folded and "learning_rate" in folded


def test_a_strangers_run_brings_no_markup_and_no_field_twice(make_run):
    run = make_run(ticks=1)
    machine = json.loads((run / "machine.json").read_text())
    bad = "<img src=x onerror=alert(1)> [x](javascript:alert(2))"
    machine["from"] = {"path": f"/ann/{bad}", "run": bad, "images": 2000}
    machine["fields"] = {"chosen": ["width"], "taken": ["width", "batch", 7], "settled": ["batch"]}
    machine["coders"] = {bad: 5, "decoder": -1}
    machine["data"]["name"] = bad
    (run / "machine.json").write_text(json.dumps(machine))
    row = {
        "images": 4000,
        "seconds": 1.0,
        "protocol": bad,
        "scores": {"kid": {"value": 1.0, "note": bad}},
    }
    (run / "metrics.jsonl").write_text(json.dumps(row) + "\n")
    finding = {
        "name": bad,
        "severity": "fault",
        "sure": 1,
        "evidence": bad,
        "advice": f"`a <b>` {bad}",
    }
    (run / "doctor.json").write_text(json.dumps({"images": 4000, "findings": [finding]}))
    text = write_report(run).read_text(encoding="utf-8")
    assert "<img src=x" not in text and "Taken from run &lt;img src=x" in text
    card = write_card(run).read_text(encoding="utf-8")
    assert "<img" not in card.replace("\\<img", "") and card.count("\\[x\\](javascript") >= 7
    assert "[x](javascript" not in card and "`a <b>`" in card


def test_a_run_begun_from_weights_names_them_without_their_path(make_run):
    run = make_run(ticks=1)
    machine = json.loads((run / "machine.json").read_text())
    state = "/home/ann/runs/dc/state/latest.safetensors"
    for begun, name in (
        ({"path": state, "run": "dc"}, "run dc"),
        ({"path": state}, "run dc"),  # as an earlier version wrote it
        ({"path": "/home/ann/weights.safetensors"}, "weights.safetensors"),
    ):
        (run / "machine.json").write_text(json.dumps(machine | {"from": begun | {"images": 2000}}))
        text = write_report(run).read_text(encoding="utf-8")
        lead = re.search(r'<p class="lead">(.*?)</p>', text)[1]
        assert lead.startswith(
            f"DCGAN, begun from the weights of {name} (2,000 images) and trained"
        )
        assert "/home/ann" not in text


def test_the_sizes_of_an_autoencoder_are_those_of_its_parts(make_run):
    run = make_run(ticks=2)
    machine = json.loads((run / "machine.json").read_text()) | {"parameters": {"generator": 300}}
    log = [
        json.loads(line) | {"loss/autoencoder": 1.0}
        for line in (run / "log.jsonl").read_text().splitlines()
    ]
    (run / "log.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in log))
    for coders, names in (
        ({"coders": {"encoder": 100, "decoder": 200}}, ["encoder", "decoder"]),
        ({}, ["encoder and decoder"]),  # an earlier version
    ):
        (run / "machine.json").write_text(json.dumps(machine | coders))
        text = write_report(run).read_text(encoding="utf-8")
        assert re.findall(r"<dt>parameters, (.*?)</dt>", text) == names


def test_the_speed_is_that_of_rounds(make_run):
    run = make_run(ticks=2)
    first, last = map(json.loads, (run / "log.jsonl").read_text().splitlines())
    first["speed/images_per_second"], last["speed/images_per_second"] = 64.0, 256.0
    end = last | {"seconds": 900.0, "speed/images_per_second": 0.0, "images": 2561}
    lines = (first, last, end)
    (run / "log.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    assert read_run(run).speed == pytest.approx(2560 / (1280 / 64 + 1280 / 256))
    text = write_report(run).read_text(encoding="utf-8")
    assert "<dt>images per second in rounds</dt><dd>102</dd>" in text


def test_contents_lead_to_every_section(make_run):
    page = Outline(write_report(make_run(ticks=1)).read_text(encoding="utf-8"))
    assert [one for one in page.addresses if one[0] == "#"] == [f"#{name}" for name in page.ids]


def test_every_command_that_is_named_exists(make_run):
    from figment.cli import COMMANDS

    text = write_report(make_run(ticks=1)).read_text(encoding="utf-8")
    lines = re.findall(r"<dt><code>figment (\w+) (.*?)</code></dt>", text)
    assert {name for name, _ in lines} <= COMMANDS.keys()
    assert {"walk", "evolve", "resume", "sample"} <= {name for name, _ in lines}
    assert any(name == "resume" and words.endswith("--minutes 30") for name, words in lines)
