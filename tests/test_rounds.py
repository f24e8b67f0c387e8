"""What a player's terms are called in the log, how those of two techniques join, whose fault a NaN is."""

from __future__ import annotations

import math

import pytest
import torch

from figment.rounds import Terms, no_terms, penalty


def scalars(**values: float) -> dict[str, torch.Tensor]:
    return {name: torch.tensor(value) for name, value in values.items()}


def read(columns: dict[str, torch.Tensor]) -> dict[str, float]:
    return {name: value.item() for name, value in columns.items()}


def test_one_loss_is_the_players_loss_and_has_no_column_of_its_own():
    terms = Terms(scalars(adversarial=1.5), {}, {})
    assert read(terms.columns("generator")) == {"loss/generator": 1.5}


def test_two_losses_are_summed_and_each_is_named():
    terms = Terms(scalars(adversarial=1.5, other=0.25), {}, {})
    assert read(terms.columns("discriminator")) == {
        "loss/discriminator": 1.75,
        "loss/adversarial/discriminator": 1.5,
        "loss/other/discriminator": 0.25,
    }


def test_penalties_are_named_and_are_no_part_of_the_loss():
    terms = Terms(scalars(adversarial=1.5), scalars(r1=4.0, drift=8.0), {})
    assert read(terms.columns("discriminator")) == {
        "loss/discriminator": 1.5,
        "penalty/r1/discriminator": 4.0,
        "penalty/drift/discriminator": 8.0,
    }


def test_a_player_of_penalties_alone_has_no_loss():
    assert read(penalty(feature_matching=torch.tensor(2.0)).columns("generator")) == {
        "penalty/feature_matching/generator": 2.0
    }


def test_observations_keep_their_names():
    terms = Terms({}, {}, scalars(**{"score/real": 0.5, "jsd": 0.1}))
    for player in ("generator", "discriminator"):
        assert list(terms.columns(player)) == ["score/real", "jsd"]
    assert terms.minimised == {}


def test_losses_are_minimised_before_penalties_and_observations_never():
    terms = Terms(scalars(adversarial=1.0), scalars(r1=2.0), scalars(jsd=3.0))
    assert list(read(terms.minimised).items()) == [("adversarial", 1.0), ("r1", 2.0)]


def test_terms_of_two_techniques_join_kind_by_kind():
    one = Terms(scalars(adversarial=1.0), scalars(r1=2.0), scalars(jsd=3.0))
    other = Terms(scalars(other=4.0), scalars(drift=5.0), scalars(sign=6.0))
    joined = one.and_(other)
    assert [read(part) for part in joined] == [
        {"adversarial": 1.0, "other": 4.0},
        {"r1": 2.0, "drift": 5.0},
        {"jsd": 3.0, "sign": 6.0},
    ]
    assert [len(part) for part in one] == [len(part) for part in other] == [1, 1, 1]  # as they were


def test_terms_that_say_nothing_add_nothing():
    terms = Terms(scalars(adversarial=1.0), scalars(r1=2.0), scalars(jsd=3.0))
    assert terms.and_(no_terms()) == no_terms().and_(terms) == terms
    assert no_terms().columns("generator") == {}
    assert no_terms().losses is not no_terms().losses  # nobody writes into another's


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_the_term_that_is_not_finite_is_named(value: float):
    at_fault = Terms(scalars(adversarial=1.0), scalars(r1=value, drift=2.0), scalars(jsd=math.nan))
    assert at_fault.blame("discriminator") == f"the discriminator's r1 loss is {value}"


def test_where_all_terms_are_finite_it_is_the_gradient():
    """An observation that is not finite stops nobody."""
    terms = Terms(scalars(adversarial=1.0), {}, scalars(jsd=math.nan))
    sentence = "the generator's gradient is not finite although its loss is"
    assert terms.blame("generator") == sentence
