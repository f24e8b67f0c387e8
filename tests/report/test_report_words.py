"""The words of a report are explained on it, and in the glossary that it names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from figment.judging.measures import MEASURES
from figment.metrics.score import Score
from figment.report import labels, words, write_report

GLOSSARY = Path(__file__).parents[2] / words.GLOSSARY
NAMES = [name for measure in MEASURES.values() for name in measure.gives]


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("kid", "fid")])
def test_every_score_has_a_name_and_an_explanation(name: str):
    label = labels.score(Score(name, 0.0))
    assert "_" not in label.replace("C_T", "") and not re.match(r"[A-Z]\d[a-z]", label)
    flat = " ".join(GLOSSARY.read_text(encoding="utf-8").split())
    entry = re.search(
        rf"\*\*{re.escape(label.removesuffix('s'))}s?\*\* — (.*?)(?= \*\*|$)", flat, re.IGNORECASE
    )
    assert entry is not None
    assert name == "look_alikes" or words.SCORES[name] in entry[1]


def test_a_report_explains_the_scores_that_it_shows(make_run, judge_run):
    text = write_report(judge_run(make_run())).read_text(encoding="utf-8")
    told = text.partition('<section id="words">')[2]
    assert words.SCORES["density"] in told and words.SCORES["c2st"] not in told
    assert "KID, FID" in told
