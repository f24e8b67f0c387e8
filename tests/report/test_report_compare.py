from __future__ import annotations

import json
import re

import pytest
from test_report_page import Outline

from figment.errors import UserError
from figment.report import comparison_text, write_comparison
from figment.report.contrast import contenders, differences, rankings


@pytest.fixture
def pair(make_run, judge_run):
    """Two judged runs on the same data; the second is better and has another width."""
    first = judge_run(make_run(name="one", ticks=4, moments=2), best=0.02)
    second = judge_run(make_run(name="two", ticks=8, moments=2, width=32), best=0.01)
    return [first, second]


def rewrite(path, change) -> None:
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))


def page_of(runs, out=None) -> Outline:
    return Outline(write_comparison(runs, out).read_text(encoding="utf-8"))


def test_page_lies_beside_the_first_run_and_loads_nothing(pair, tmp_path):
    path = write_comparison(pair)
    assert path == tmp_path / "comparison.html"
    text = path.read_text(encoding="utf-8")
    page = Outline(text)
    sections = ["runs", "scores", "samples", "recipes", "curves"]
    inner = [f"#{name}" for name in (*sections, "next")]
    assert [one for one in page.addresses if not one.startswith("data:")] == inner
    assert len(page.addresses) == 3 + len(inner)
    assert page.ids == [*sections, "by-images", "by-time", "next"]
    assert "//" not in re.sub(r"<script>.*</script>|base64,[\w+/=]+", "", text, flags=re.DOTALL)
    assert write_comparison(pair, tmp_path / "x" / "c.html") == tmp_path / "x" / "c.html"


def test_page_says_what_is_the_best(pair):
    page = page_of(pair)
    assert (
        "2 runs on cats64; they differ in width. The best is two with a KID(mobilenet) x1000 of 10.0."
    ) in page.text
    rewrite(pair[0] / "evaluation.json", lambda value: None)
    (pair[0] / "metrics.jsonl").write_text(
        (pair[1] / "metrics.jsonl").read_text().replace("0.01,", "0.0101,")
    )
    assert "10.0; its 95 % interval overlaps that of one." in page_of(pair).text


def test_curves_of_all_runs_are_on_one_axis_by_images_and_by_time(pair):
    text = write_comparison(pair).read_text(encoding="utf-8")
    by_images, by_time = text.split('<div class="by-images">')[1].split('<div class="by-time">')
    for part, end, label in ((by_images, 10240, "real images seen"), (by_time, 80, "seconds of")):
        chart = re.search(
            r'<figure class="chart">\n<figcaption><h3>Loss, generator.*?</figure>', part, re.DOTALL
        )[0]
        assert label in chart and 'class="raw' not in chart
        assert f'data-range="0 {end} ' in chart
        assert re.findall(r'strong (series-\d)" data-name="(\w+)"', chart) == [
            ("series-1", "one"),
            ("series-2", "two"),
        ]
    kid = re.search(r"<h3>KID\(mobilenet\) x1000, lower is better.*?</figure>", by_time, re.DOTALL)[
        0
    ]
    assert re.findall(r'class="band (series-\d)', kid) == ["series-1", "series-2"]


def test_switch_works_without_a_script(pair):
    text = write_comparison(pair).read_text(encoding="utf-8")
    assert 'type="radio" name="clock" id="by-images" checked' in text
    assert "section:has(#by-images:checked) .by-time" in text


def test_grids_stand_side_by_side_labelled(pair):
    page = page_of(pair)
    assert "one cats64, latent 100, after 2,560 images" in page.text
    assert "two cats64, latent 100, after 2,560 images" in page.text
    assert "a seed is another latent" not in page.text
    rewrite(pair[0] / "recipe.json", lambda value: value["fields"].update(latent=64))
    page = page_of(pair)
    assert "cats64, latent 64, after" in page.text and "a seed is another latent" in page.text


def test_only_differing_fields_are_listed(pair):
    rewrite(pair[0] / "recipe.json", lambda value: value["fields"].update(hidden=[8, 8]))
    found = differences(contenders(pair))
    assert found.head == ["field", "one", "two"]
    assert found.rows == [["width", "64", "32"], ["hidden", "[8, 8]", "–"]]
    assert found.note == "7 fields are equal."


def test_what_one_system_lacks_and_the_other_leaves_off_is_no_difference(pair):
    off = {"lecam": 0.0, "packing": 1, "spectral_norm": "none", "r1": 1.0}
    rewrite(pair[0] / "recipe.json", lambda value: value["fields"].update(off))
    found = differences(contenders(pair))
    assert [row[0] for row in found.rows] == ["width", "r1"]
    assert found.note == "7 fields are equal. 3 that not all have are off in the others."


def test_equal_recipes_are_said_to_be(make_run):
    runs = [make_run(name=name, ticks=1, moments=0) for name in ("a", "b")]
    assert "The recipes are equal in all fields." in page_of(runs).text


def test_scores_of_equal_protocol_stand_together(pair):
    ranked = rankings(contenders(pair))
    kid = next(one for one in ranked if one.name == "KID(mobilenet) x1000" and one.through)
    assert [index for index, _ in kid.entries] == [0, 1] and kid.best[0] == 1
    assert kid.protocol.startswith("mobilenet") and kid.data == ""
    text = comparison_text(pair)
    assert re.search(r"^two +10\.0 \* +9\.50 – 10\.5 +61,440 +12\.0 +11\.5", text, re.M)
    assert re.search(r"^one +20\.0 +19\.5 – 20\.5 +61,440", text, re.M)
    assert re.search(r"^FID, lower is better +53\.1 \* \(.*53\.1 \* \(", text, re.M)  # a draw


def test_a_protocol_is_said_once(pair):
    for run in pair:
        rewrite(
            run / "evaluation.json", lambda value: value["scores"][1].update(protocol="patches")
        )
    text, page = comparison_text(pair), write_comparison(pair).read_text(encoding="utf-8")
    for said in (text, page.partition("Class by class")[0]):
        assert said.count("[1] inception; 10,000 samples") == said.count("[2] patches") == 1
        assert said.count("inception") == 1
    assert re.search(r"^FID\(patches\) \[2\], lower is better +53\.1", text, re.M)
    assert page.count("mobilenet, 128 px") == text.count("mobilenet, 128 px") == 1
    assert text.count("\nProtocol as above") == page.count(">Protocol as above<") == 1


@pytest.mark.parametrize("what", ["protocol", "data"])
def test_scores_of_other_protocols_or_data_are_never_mixed(pair, what):
    if what == "protocol":
        rows = (pair[0] / "metrics.jsonl").read_text().replace("mobilenet, 128", "small, 32")
        (pair[0] / "metrics.jsonl").write_text(rows)
    else:
        change = {"fingerprint": "sha256:4567"}
        rewrite(pair[0] / "machine.json", lambda value: value["data"].update(change))
    ranked = [one for one in rankings(contenders(pair)) if one.through]
    assert {len(one.entries) for one in ranked} == {1}
    text = comparison_text(pair)
    assert len(re.findall(r"^KID\(\w+\) x1000, lower is better( – cats64.*)?$", text, re.M)) == 2
    if what == "data":
        assert "No score was measured in the same way and against the same data" in text
    page = page_of(pair)
    assert "The best is" not in page.text if what == "data" else "FID" in page.text


def test_run_without_scores_is_named(pair):
    for name in ("metrics.jsonl", "evaluation.json"):
        (pair[0] / name).unlink()
    page = page_of(pair)
    assert "one has no scores: figment evaluate RUN measures them." in page.text
    assert f"figment evaluate {pair[0]}" in page.text
    assert f"figment evaluate {pair[1]}" not in page.text


def test_equal_names_are_told_apart(make_run, tmp_path):
    runs = [make_run(name=f"{place}/cats", ticks=1, moments=0) for place in ("x/1", "x/2", "y/2")]
    assert [run.name for run in contenders(runs)] == ["x/1/cats", "x/2/cats", "y/2/cats"]
    assert [run.name for run in contenders(runs[:2])] == ["1/cats", "2/cats"]


def test_names_are_escaped(make_run, judge_run):
    nasty = "<i>&'"
    runs = [
        judge_run(make_run(name=name, ticks=2, moments=1), protocol=nasty) for name in ("a", nasty)
    ]
    rewrite(runs[0] / "recipe.json", lambda value: value["fields"].update({nasty: nasty}))
    text = write_comparison(runs).read_text(encoding="utf-8")
    assert "<i>" not in text and nasty in Outline(text).text


def test_eight_runs_of_all_kinds_have_their_colours(make_run, judge_run):
    runs = [make_run(name=f"run-{n}", ticks=2 * n, moments=n % 2, width=n) for n in range(9)]
    judge_run(runs[3])
    (runs[5] / "machine.json").unlink()
    (runs[6] / "log.jsonl").write_text("{")
    page = page_of(runs)
    assert "No picture yet." in page.text
    assert "run-5: machine.json is missing." in page.text
    text = (runs[0].parent / "comparison.html").read_text(encoding="utf-8")
    chart = re.search(r"<h3>Loss, generator.*?</figure>", text, re.DOTALL)[0]
    drawn = re.findall(r'strong (series-\d)" data-name="run-(\d)"( stroke-dasharray)?', chart)
    assert drawn == [(f"series-{n % 8 + 1}", str(n), " stroke-dasharray" * (n == 8))
                     for n in (1, 2, 3, 4, 5, 7, 8)]  # fmt: skip
    assert "run-6: log.jsonl is empty" in comparison_text(runs)


def test_wide_tables_continue_below(pair):
    lines = comparison_text(pair, 70).splitlines()
    assert sum(line.startswith("one  ") for line in lines) > sum(
        line.startswith("one  ") for line in comparison_text(pair).splitlines()
    )
    table = lines[: lines.index("KID(mobilenet) x1000, lower is better")]
    assert max(map(len, table)) <= 70


@pytest.mark.parametrize("write", [write_comparison, comparison_text])
def test_wrong_input_is_one_sentence(make_run, tmp_path, write):
    run = make_run(ticks=1, moments=0)
    (tmp_path / "empty").mkdir()
    cases = {
        "compare needs at least two run folders: name another": [run],
        f"{run} is given twice: give each run once": [run, run],
        f"there is no run {run}x. Did you mean cats64-dcgan?": [
            run,
            run.with_name("cats64-dcganx"),
        ],
        f"{tmp_path}/empty is not a run: it holds no recipe.json; give folders that "
        "`figment train` made": [tmp_path / "empty", run],
    }
    for sentence, runs in cases.items():
        with pytest.raises(UserError) as error:
            write(runs)
        assert str(error.value) == sentence
    assert not (tmp_path / "comparison.html").exists()


@pytest.mark.parametrize(
    ("ticks", "label", "end"), [(10, "seconds", 100), (30, "minutes", 5), (1440, "hours", 4)]
)
def test_time_is_counted_in_units_that_suit(make_run, ticks, label, end):
    runs = [make_run(name=name, ticks=ticks, moments=0) for name in ("a", "b")]
    text = write_comparison(runs).read_text(encoding="utf-8").split('<div class="by-time">')[1]
    chart = re.search(r"<h3>Loss, generator.*?</figure>", text, re.DOTALL)[0]
    assert f"{label} of training" in chart and f'data-range="0 {end} ' in chart
    drawn = re.search(r'class="strong[^"]*"[^>]* d="([^"]*)"', chart)[1]
    assert 0 < len(drawn.split()) <= 300
    assert max(float(x) for x in re.findall(r"([\d.]+),", drawn)) == 1000


def test_what_figment_settled_is_no_difference_of_recipes(make_run, judge_run):
    runs = []
    for name, width, every in (("one", 64, 1000), ("two", 32, 3000)):
        run = make_run(name=name, ticks=2, moments=1, width=width, metric_every=every)
        machine = json.loads((run / "machine.json").read_text())
        machine["fields"] = {"chosen": ["width"], "settled": ["metric_every"]}
        (run / "machine.json").write_text(json.dumps(machine))
        runs.append(judge_run(run))
    page = page_of(runs)
    assert "2 runs on cats64; they differ in width." in page.text
    assert "Settled by figment for data, machine or time" in page.text
    text = comparison_text(runs)
    assert text.index("width") < text.index("Settled by figment") < text.index("metric_every")


def test_modes_that_points_reach_stand_with_the_facts(make_run):
    runs = []
    for name, reached in (("one", 8), ("two", 3)):
        run = make_run(name=name, ticks=2, moments=1)
        rows = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
        rows = [row | {"modes/reached": reached, "modes/all": 8} for row in rows]
        (run / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        runs.append(run)
    text = comparison_text(runs)
    assert "modes reached" in text and "8 of 8" in text and "3 of 8" in text
