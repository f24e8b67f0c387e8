"""What an export says of its generator: how good it was found to be, and when; what it learned from."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from small_runs import tiny_run

from figment.actions.runs import listing, listing_text
from figment.export import hub_folder
from figment.export.card import card_of, sentence
from figment.export.subject import Subject


def scored(run: Path, *moments: int) -> Path:
    """Have a run measured at these moments, its KID a thousandth of the images that it has seen."""
    lines = [
        {"images": at, "scores": {"kid": {"value": at / 1e6 if at else 2.0}}} for at in moments
    ]
    (run / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (run / "log.jsonl").write_text(json.dumps({"images": 1000, "seconds": 1.0}) + "\n")
    return run


def test_the_score_of_the_untrained_network_is_nobodys(cats: Path, tmp_path: Path):
    run = scored(tiny_run(tmp_path / "run"), 0)
    (run / "evaluation.json").write_text(
        json.dumps({"images": 0, "scores": [{"name": "kid", "value": 2.0}]})
    )
    card = card_of(Subject(run))
    assert (card["scores"], card["scored_at"]) == ([], None)
    assert card["copies"].startswith("Nobody has looked")
    (found,) = listing(tmp_path)
    assert found["score"] is None and "KID" not in listing_text([found])


@pytest.mark.parametrize(("moments", "when"), [((0, 500), 500), ((0, 500, 1000), 1000)])
def test_a_score_of_an_earlier_moment_names_it(tmp_path: Path, moments, when):
    run = scored(tiny_run(tmp_path / "run"), *moments)
    card = card_of(Subject(run))
    assert card["scored_at"] == when and card["scores"][0]["value"] == pytest.approx(when / 1000)
    later = "; the weights here are of 1,000" if when == 500 else ""
    assert f"Measured after {when:,} images{later}. " in hub_folder._scores(card)
    (found,) = listing(tmp_path)
    early = {"after": 500} if when == 500 else {}
    kid = {"name": "kid", "value": pytest.approx(when / 1e6), "protocol": ""}
    assert found["score"] == {**kid, **early}
    assert ("KID x1000 0.5 after 500" in listing_text([found])) == (when == 500)


def test_weights_alone_leave_out_what_an_earlier_version_measured_of_the_untrained_network(
    cats: Path, monkeypatch
):
    subject = Subject(cats)
    kept = card_of(subject)
    one = {"label": "KID x1000", "value": 2006.0, "protocol": "p"}
    for at, scores in ((0.0, []), (500.0, ["KID x1000"])):
        card = {**kept, "scores": [one], "scored_at": at, "copies": "None was found."}
        monkeypatch.setattr(subject, "note", {"model": {"card": card}})
        monkeypatch.setattr(subject, "record", None)
        found = card_of(subject)
        assert [score["label"] for score in found["scores"]] == scores
        assert found["scored_at"] == (at or None)
        assert ("None was found." in found["copies"]) == bool(at)
        msgspec.json.encode(found)


def test_a_sentence_says_what_it_learned_from_in_anybodys_words(tmp_path: Path):
    subject = Subject(tiny_run(tmp_path / "cats64"))
    side = subject.generator.recipe.resolution
    assert sentence(subject) == (
        f"A generator of {side} x {side} pictures by the recipe dcgan, learned from 240 pictures "
        "(cats), shown 1,000 in all, repeats counted."
    )
    subject.record.data["count"] = 13_217
    assert sentence(subject).endswith("13,217 pictures (cats), shown 1,000 in all.")
    points = Subject(tiny_run(tmp_path / "ring", "points"))
    assert "points in the plane by the recipe points, learned from 240 points (cats)" in (
        sentence(points)
    )
