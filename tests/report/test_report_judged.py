from __future__ import annotations

import json
import re

import numpy as np
import pytest
from PIL import Image
from test_report_page import Outline

from figment.report import html, write_card, write_report
from figment.report.judged import axis_limits, scores
from figment.report.plots import Series
from figment.report.record import read_run


def page_of(run) -> Outline:
    return Outline(write_report(run).read_text(encoding="utf-8"))


def section(run, name: str) -> str:
    text = (run / "report.html").read_text(encoding="utf-8")
    return re.search(rf'<section id="{name}">.*?</section>', text, re.DOTALL)[0]


def test_judged_run_gains_its_sections_in_order(make_run, judge_run):
    page = page_of(judge_run(make_run()))
    assert page.ids[:6] == ["samples", "scores", "health", "look-alikes", "neighbours", "curves"]
    addresses = [one for one in page.addresses if not one.startswith("#")]
    assert all(address.startswith("data:") for address in addresses)
    assert len(addresses) == 12  # the pictures of the evaluation are inside too


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("metrics.jsonl", ["scores", "health", "look-alikes", "neighbours"]),
        ("evaluation.json", ["scores", "health"]),
        ("doctor.json", ["scores", "look-alikes", "neighbours"]),
    ],
)
def test_sections_are_there_only_with_their_files(make_run, judge_run, name, ids):
    run = judge_run(make_run(moments=1, ticks=2))
    (run / name).unlink()
    found = page_of(run).ids
    assert [one for one in found if one not in page_ids()] == ids


def page_ids() -> list[str]:
    return ["samples", "curves", "recipe", "machine", "words", "next"]


def test_scores_are_drawn_with_interval_floor_and_best(make_run, judge_run):
    run = judge_run(make_run(ticks=2, moments=1))
    page_of(run)
    text = section(run, "scores")
    chart = re.search(r'<figure class="chart">.*?</figure>', text, re.DOTALL)[0]
    low, high = map(float, re.search(r'data-range="0 76800 (\S+) (\S+)"', chart).groups())
    assert low == 0 and 17 < high < 20
    band = re.search(r'class="band series-1"[^>]* d="([^"]*)"', chart)[1]
    points = [(float(x), float(y)) for x, y in re.findall(r"([\d.]+),([\d.]+)", band)]
    assert len(points) == 20 and band.endswith("Z")
    assert points[0][1] == pytest.approx(1000 * (high - 17.5) / high, abs=0.1)
    assert points[-1][1] == pytest.approx(1000 * (high - 16.5) / high, abs=0.1)
    assert "real against real: 0.200" in chart
    ring = re.search(r'<circle class="mark" cx="([\d.]+)%" cy="([\d.]+)%" r="5.5"', chart)
    assert float(ring[1]) == 80.0  # the 8th of 10 moments
    assert float(ring[2]) == pytest.approx(100 * (high - 10) / high, abs=0.01)
    assert "best weights <b>10.0</b>" in chart and "KID(mobilenet) x1000 <b>12.0</b>" in chart


def test_evaluation_is_a_table_with_protocols_notes_and_classes(make_run, judge_run):
    run = judge_run(make_run(ticks=2, moments=1))
    page = page_of(run)
    for text in (
        "Measured of best.safetensors, after 61,440 images, 2026-11-22 05:00 UTC.",
        "Protocol: inception; 10,000 samples.",
        "9.60 – 10.4",
        "Too few pictures",
        "closest to the real pictures' value is best",
        "Inception_score was left out.",
        "Class by class",
        "<b>&",
    ):
        assert text in page.text, text
    assert section(run, "scores").count("10,000 samples") == 1  # said once, as all have the same


def test_protocols_that_differ_stand_with_each_score(make_run, judge_run):
    run = judge_run(make_run(ticks=2, moments=1))
    value = json.loads((run / "evaluation.json").read_text())
    value["scores"][1]["protocol"] = "5,000 samples"
    (run / "evaluation.json").write_text(json.dumps(value))
    page_of(run)
    text = section(run, "scores")
    assert text.count("Protocol [2]: 5,000 samples.") == text.count("5,000 samples") == 1
    whole = text.partition("Class by class")[0]
    assert whole.count("Protocol [1]: inception; 10,000 samples.") == 1
    assert whole.count("inception") == 1 and whole.count(" [1]<small>") == 2


def test_the_score_of_the_weights_that_are_drawn_from_is_a_tile(make_run, judge_run, weights):
    run = judge_run(make_run(ticks=2, moments=1), best=0.01)
    tile = "KID(mobilenet) x1000 of the best weights, after 61,440 images; real pictures: 0.20010.0"
    assert tile in page_of(run).text
    weights(run / "best.safetensors", images=53760, score="kid", value=0.011)
    assert "after 53,760 images; real pictures: 0.20011.0" in page_of(run).text
    (run / "best.safetensors").unlink()  # samples are drawn from the latest weights now
    weights(run / "snapshots" / "000076800.safetensors")
    weights(run / "snapshots" / "000007680.safetensors")
    page = page_of(run)
    assert "KID(mobilenet) x1000, after 76,800 images; real pictures: 0.20012.0" in page.text
    assert "best" not in page.text.replace("is best", "").partition("Next")[0]
    (run / "metrics.jsonl").unlink()
    assert "KID x100010.0" in page_of(run).text


def test_best_weights_are_described_by_their_own_file(make_run, judge_run, weights):
    run = judge_run(make_run(ticks=2, moments=1))
    weights(run / "best.safetensors", images=360192, score="kid", value=0.179)
    sentence = "drawn from, holds the weights after 360,192 images: KID(mobilenet) x1000 179."
    assert sentence in page_of(run).text
    (run / "best.safetensors").write_bytes(b"\xff" * 100)
    page = page_of(run)
    assert "best.safetensors cannot be read." in page.text and "holds the weights" not in page.text


def test_what_the_best_weights_draw_is_the_large_picture(make_run, judge_run):
    run = judge_run(make_run(ticks=2, moments=3))
    assert "after 3,840 images" in page_of(run).text
    Image.new("RGB", (90, 90), (1, 2, 3)).save(run / "samples" / "000061440.png")
    Image.new("RGB", (80, 80), (1, 2, 3)).save(run / "samples" / "000076800.png")
    assert "the best weights, after 61,440 images" in page_of(run).text
    assert 'width="540" height="540"' in section(run, "samples")
    assert "(samples/000061440.png)" in write_card(run).read_text(encoding="utf-8")


def test_too_early_is_grey(make_run, judge_run):
    run = judge_run(make_run(ticks=1, moments=1))
    value = {
        "images": 1,
        "findings": [{"name": "too early to tell", "severity": "note", "sure": 1}],
    }
    (run / "doctor.json").write_text(json.dumps(value))
    page_of(run)
    assert '<article class="finding note">' in section(run, "health")


def test_findings_are_told(make_run, judge_run):
    run = judge_run(make_run())
    page = page_of(run)
    for text in (
        "Discriminator overfitting",
        "fault, 86% sure",
        "Its mean sign is 0.85 in training and 0.57 held out.",
        "Augment what it sees.",
        "--dropout 0.3",
        "No <checkerboard>",
        "good, 97% sure",
    ):
        assert text in page.text, text
    text = section(run, "health")
    assert re.findall(r'<article class="finding (\w+)"', text) == ["fault", "good"]
    assert "has trained on since" not in text
    value = json.loads((run / "doctor.json").read_text()) | {"images": 1280}
    (run / "doctor.json").write_text(json.dumps(value))
    assert "Looked at after 1,280 images; the run has trained on since." in page_of(run).text


def test_missing_picture_of_an_evaluation_is_told(make_run, judge_run):
    run = judge_run(make_run(ticks=1, moments=1))
    (run / "evaluation" / "neighbours.png").unlink()
    (run / "evaluation" / "look-alikes.png").write_bytes(b"no picture")
    page = page_of(run)
    assert "neighbours.png is missing or no picture" in page.text
    assert "look-alikes.png is missing or no picture" in page.text


@pytest.mark.parametrize("name", ["metrics.jsonl", "evaluation.json", "doctor.json"])
@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"images": 3}',
        '{"images": "x", "scores": 3, "findings": 3, "pictures": []}',
        '{"images": 3, "scores": {"kid": 3}, "findings": [3], "pictures": {"a": 3}}',
        '{"images": 3, "scores": [{"name": "a"}, 3], "findings": [{"name": 3}]}',
    ],
)
def test_page_survives_any_broken_judgement(make_run, judge_run, name, content):
    run = judge_run(make_run(ticks=1, moments=0))
    (run / name).write_text(content)
    page_of(run)
    write_card(run)


def test_watched_columns_are_charted_with_their_meaning(make_run):
    run = make_run(ticks=1, moments=0)
    with (run / "log.jsonl").open("a") as log:
        for number, value in ((2, 0.5), (3, None), (4, 0.9)):
            row = {"images": number * 1280, "watch/diversity": value, "watch/unheard_of": 1.0}
            log.write(json.dumps(row) + "\n")
    page = page_of(run)
    assert "signs" in page.ids
    text = section(run, "signs")
    assert re.findall(r"<h3>([^<]*)</h3>", text) == ["Diversity", "Unheard of"]
    assert "as the reals: 1" in text and "1 is right" in text
    assert "have no number" not in text  # not measured at every tick, and that is no gap


def test_steep_falls_leave_room_for_what_follows():
    x = np.arange(1.0, 21.0)
    y = np.where(x < 5, 10.0, 1 + 0.01 * x)  # 20 moments; the last three quarters: 1.05 to 1.2
    low, high = axis_limits([Series("a", x, y)])
    assert 1 < low < 1.05 and 1.2 < high < 1.3
    assert axis_limits([Series("a", x, 2 - 0.01 * x)]) is None
    low, _ = axis_limits([Series("a", x, y)], [0.8])  # the floor is on the chart
    assert low < 0.8


def test_settled_axis_holds_the_intervals():
    x, y = np.arange(1.0, 21.0), np.where(np.arange(20) < 4, 100.0, 1.0)
    low, high = axis_limits([Series("a", x, y, low=y - 0.5, high=y + 0.7)])
    assert low == 0.0 and high == pytest.approx(1.7 + 0.15 * 1.2)


def test_card_tells_scores_and_findings(make_run, judge_run):
    run = make_run(ticks=1, moments=1)
    before = write_card(run).read_text(encoding="utf-8")
    assert "the latest file in `snapshots/`" in before
    assert "How good" not in before and "Health" not in before
    text = write_card(judge_run(run)).read_text(encoding="utf-8")
    assert "Measured after 61,440 images by the protocol inception; 10,000 samples;" in text
    kid = "- KID x1000 **10.0** (95 % interval 9.60 – 10.4; real against real 0.100; lower is better)\n"
    assert kid in text
    assert "Too few pictures" in text and "<b>&" not in text
    assert "- fault, 86% sure: **discriminator overfitting**. Its mean sign" in text
    (run / "evaluation.json").unlink()
    text = write_card(run).read_text(encoding="utf-8")
    assert "Measured after 61,440 images by the protocol mobilenet, 128 px;" in text
    assert (
        "- KID(mobilenet) x1000 **10.0** (95 % interval 9.50 – 10.5;" in text
    )  # the best, not the newest
    assert "`best.safetensors`, after 61,440 images, which scored best;" in text


def test_small_print_of_a_large_evaluation_picture_stays_legible(make_run, judge_run):
    run = judge_run(make_run(ticks=1, moments=0))
    noise = np.random.Generator(np.random.Philox(0)).integers(0, 256, (1500, 700, 3))
    sheet = Image.fromarray(noise.astype(np.uint8))
    sheet.save(run / "evaluation" / "neighbours.png", compress_level=1)
    page_of(run)
    assert 'width="700" height="1500"' in section(run, "neighbours")


def test_commands_in_advice_are_code_and_nothing_else_is_markup():
    assert html.prose("`figment resume` goes on") == "<code>figment resume</code> goes on"
    assert html.prose("`<script>` & `b") == "<code>&lt;script&gt;</code> &amp; `b"


def test_the_picture_shown_large_is_framed_and_named_among_the_moments(make_run, weights):
    run = make_run(moments=30)
    weights(run / "best.safetensors", images=26 * 1280, score="kid", value=0.01)
    page_of(run)
    strip = section(run, "samples").partition('class="strip"')[2]
    (framed,) = re.findall(r'<figure class="chosen">.*?<figcaption>(.*?)</figcaption>', strip)
    assert framed == "33,280, best weights"
    assert strip.count("<figure") == 9 and "<figcaption>38,400</figcaption>" in strip
    (run / "best.safetensors").unlink()
    page_of(run)
    strip = section(run, "samples").partition('class="strip"')[2]
    assert re.findall(r'class="chosen">.*?<figcaption>(.*?)</', strip) == ["38,400"]


def test_a_single_score_is_said_in_words(make_run):
    run = make_run(ticks=1)
    score = {"kid": {"value": 0.7, "low": 0.6, "high": 0.8, "floor": 0.001, "better": "lower"}}
    line = {"images": 0, "seconds": 9.0, "features": "small", "protocol": "p", "scores": score}
    (run / "metrics.jsonl").write_text(json.dumps(line) + "\n")
    text = scores(read_run(run))
    assert "<svg" not in text and "Dotted line" not in text
    assert "x1000 <b>700</b> (95 % interval 600 – 800) at 0 real images seen." in text
    assert "Real against real: 1.00" in text and "a curve takes two" in text
