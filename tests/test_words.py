"""The words of a command: any order means the same, a mistake names its cure, a word may be left out."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import pytest

import figment.launch
from figment.cli import COMMANDS, main
from figment.commands import drawing, judging
from figment.errors import UserError
from figment.fields import fields_of
from figment.flags import METAVARS, Word, call, given, words_of
from figment.gan import GAN
from figment.recipes.help import GROUPS, train_text
from figment.recipes.points import POINTS


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple]:
    """What ``launch.train`` is called with, in place of training."""
    seen = []

    def train(data: str, recipe: str | None, *, started: float, **how):
        seen.append((data, recipe, how))
        return type("Done", (), {"stopped_by": 0})

    monkeypatch.setattr(figment.launch, "train", train)
    return seen


GIVEN = (
    ["photos"],
    ["--mirror"],
    ["--no-minibatch-stddev"],
    ["--images", "16"],
    ["--betas", "0.5", "0.9"],
    ["--metrics", "kid", "fid"],
    ["--run=here"],
)
MEANT = {"mirror": True, "minibatch_stddev": False, "images": 16, "betas": (0.5, 0.9)}
MEANT |= {"metrics": ("kid", "fid"), "run": "here"}


def test_any_order_means_the_same(asked):
    orders = list(itertools.permutations(GIVEN))
    for order in random.Random(0).sample(orders, 25):
        assert main(["train", *itertools.chain(*order)]) == 0
    assert asked == 25 * [("photos", None, MEANT)]


def test_all_orders_of_boolean_flags_and_a_recipe(asked):
    words = (["ring"], ["--mirror"], ["--no-class-norm"], ["--recipe", "dcgan"])
    for order in itertools.permutations(words):
        assert main(["train", *itertools.chain(*order)]) == 0
    assert asked == 24 * [("ring", "dcgan", {"mirror": True, "class_norm": False})]


def test_a_flag_that_is_not_given_is_left_to_the_data(asked):
    assert main(["train", "photos", "--batch", "128"]) == 0  # the value that it would have anyway
    assert asked == [("photos", None, {"batch": 128})]


@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in ("train", "data")])
def test_every_word_of_every_command_reads_its_value(command: str):
    """Each flag alone, before and after the bare words, gives its value and nothing else."""
    takes = words_of(COMMANDS[command])
    bare = [f"word{number}" for number, word in enumerate(takes) if word.bare and word.needed]
    flags = [word for word in takes if not word.bare]
    needed = {word.name: [word.said, *_value(word)] for word in flags if word.needed}
    for word in flags:
        own = [word.said, *_value(word)]
        base = [part for name, words in needed.items() if name != word.name for part in words]
        orders = [*own, *base, *bare], [*bare, *base, *own]
        before, after = (given(list(order), takes, prog=command) for order in orders)
        assert before == after and word.name in before


def _value(word: Word) -> list[str]:
    """A value that a flag takes, as words."""
    if word.hint is bool:
        return []
    if "tuple" in str(word.hint):
        return ["1", "2"] if "int" in str(word.hint) else ["a", "b"]
    if "Literal" in str(word.hint):
        return [str(word.hint.__args__[0])]
    return [{int: "3", float: "0.5", Path: "place"}.get(word.hint, "auto")]


def test_a_run_after_a_flag_of_many_values_is_the_run(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("here").mkdir()
    seen = []
    monkeypatch.setattr(drawing, "named", lambda run: seen.append(run) or "gone")
    for words in (["--seeds", "1", "2", "here"], ["here", "--seeds", "1", "2"], ["--seeds", "1"]):
        with pytest.raises(UserError):
            call(drawing.walk, words, prog="figment walk")
    assert seen == ["here", "here", ""]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["sample", "--cuont", "3"], "figment sample has no flag --cuont. Did you mean --count?"),
        (["sample", "a", "b"], "takes no further word b"),
        (["sample", "--seed"], "--seed takes a whole number: --seed N"),
        (["sample", "--seed", "--count", "3"], "--seed takes a whole number: --seed N"),
        (["walk", "--seeds", "1", "x"], "--seeds takes whole numbers: --seeds N ..."),
        (
            ["train", "--up", "nearest", "--recipe", "points", "ring"],
            "points has no --up, as dcgan",
        ),
        (
            ["train", "--r1=1", "--recipe", "ae", "x"],
            "`figment train --recipe ae --help` lists its own",
        ),
        (
            ["train", "--conditioning", "concat", "--recipe", "vae", "x"],
            "vae has no --conditioning",
        ),
        (
            ["train", "--stage-images", "9", "x"],
            "without --recipe has no --stage-images, as progan",
        ),
        (
            ["train", "--no-residual", "--recipe", "dcgan", "x"],
            "dcgan has no --no-residual, as style",
        ),
        (["train", "--mirorr", "x"], "figment train has no flag --mirorr. Did you mean --mirror?"),
        (["train", "--mirror"], "figment train needs DATA"),
        (["train", "ring", "--tyro-print-completion", "bash"], "no flag --tyro-print-completion"),
        (["project"], "figment project needs RUN"),
        (["data", "pack", "photos"], "figment data pack needs --out"),
        (["compare"], "compare needs at least two run folders"),
        (["report", "--out", "x"], "figment report has no flag --out"),
    ],
)
def test_mistakes_name_their_cure(words: list[str], message: str, capsys):
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("figment: ") and err.count("\n") == 1
    assert message in err


def test_a_choice_names_what_there_is(capsys):
    assert main(["train", "ring", "--objective", "hing"]) == 2
    said = capsys.readouterr().err
    assert "minimax" in said and said.endswith("not 'hing'. Did you mean hinge?\n")


def test_every_field_of_a_game_is_in_a_group():
    grouped = [field for fields in GROUPS.values() for field in fields]
    assert len(grouped) == len(set(grouped))
    assert fields_of(GAN()).keys() == set(grouped) - {"width"}


def test_help_of_train_is_narrow_and_says_what_happens():
    for name in (None, "few-shot", "points"):
        for everything in (False, True):
            text = train_text(name, everything=everything)
            assert max(map(len, text.splitlines())) <= 100
    short = train_text(None)
    assert len(short.splitlines()) < 70
    assert "few-shot for 50 to 2,000 pictures" in " ".join(short.split())
    assert "500,000 (few-shot)" in short
    assert "(default: what the data ask for, else no)" in " ".join(train_text("few-shot").split())


def test_help_shows_what_flags_take(capsys):
    assert main(["sample", "--help"]) == 0
    said = capsys.readouterr().out
    assert "OPTIONS] [RUN]" in said and "--count N" in said and "None" not in said
    assert set(METAVARS.values()) == {"N", "X", "NAME"}


def test_fields_that_do_nothing_on_points_are_refused():
    for field, value in (("resolution", 32), ("channels", 1), ("fit", "pad")):
        with pytest.raises(UserError, match=f"--{field} has no effect on points"):
            type(POINTS)(**{field: value}).check()
    assert judging.report.__defaults__ == ("",)
