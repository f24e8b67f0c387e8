"""The small classifier, the two directions of the accuracy score, stacked digits."""

from __future__ import annotations

import pytest
import torch

from figment.errors import UserError
from figment.metrics.classification import (
    Classifier,
    _shifted,
    accuracy,
    classification_accuracy_score,
    classify,
    predict,
    stacked_digits,
    train_classifier,
)
from figment.randomness import stream

STEPS = 25


def bars(count: int, seed: int, channels: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    """Noisy 16 px pictures of a horizontal bar, an upright one, or both."""
    random = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 3
    images = 60 * torch.rand((count, channels, 16, 16), generator=random)
    places = torch.randint(3, 12, (count, 2), generator=random)
    for image, label, (row, column) in zip(images, labels, places, strict=True):
        if label != 1:
            image[:, row : row + 2] += 150
        if label != 0:
            image[:, :, column : column + 2] += 150
    return images.clamp(max=255).byte(), labels


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return train_classifier(*bars(48, 0), 3, steps=STEPS)


def test_it_learns(classifier: Classifier):
    images, labels = bars(90, 1)
    assert accuracy(classifier, images, labels) > 0.95
    assert predict(classifier, images).shape == (90,)
    wrong = (labels + 1) % 3
    assert accuracy(classifier, images, wrong) < 0.05


def test_the_same_seed_gives_the_same_weights(classifier: Classifier):
    state = torch.random.get_rng_state()
    short = [train_classifier(*bars(48, 0), 3, steps=3, seed=seed) for seed in (0, 0, 1)]
    first, second, other = (net.state_dict() for net in short)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["head.weight"], other["head.weight"])
    assert torch.equal(torch.random.get_rng_state(), state)  # the global stream is left alone


def test_batches_do_not_change_what_is_seen(classifier: Classifier):
    images, _ = bars(50, 2)
    logits = classify(classifier, images)
    assert logits.shape == (50, 3) and not classifier.training
    torch.testing.assert_close(classify(classifier, images, batch=7), logits, atol=1e-4, rtol=0)


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (3, 64, 64), (3, 100, 70), (1, 7, 9)])
def test_any_size_and_number_of_channels(shape: tuple[int, int, int]):
    images = torch.randint(0, 256, (4, *shape), dtype=torch.uint8)
    net = train_classifier(images, torch.tensor([0, 1, 0, 1]), 2, steps=1)
    assert classify(net, images).shape == (4, 2)
    assert sum(p.numel() for p in net.parameters()) < 500_000


def test_one_class_cannot_be_learnt():
    images, labels = bars(6, 0)
    with pytest.raises(UserError, match="at least 2 classes"):
        train_classifier(images, 0 * labels, 3)


def test_pictures_are_shifted_with_their_edges_repeated():
    image = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    edged = torch.nn.functional.pad(image.float(), (1, 1, 1, 1), mode="replicate").byte()[0]
    views = {(i, j): edged[:, i : i + 16, j : j + 16] for i in range(3) for j in range(3)}
    moved = _shifted(image.repeat(200, 1, 1, 1), stream("shifts", 0))
    seen = [place for one in moved for place, view in views.items() if torch.equal(one, view)]
    assert len(seen) == 200 and set(seen) == set(views)


def test_reals_as_samples_reach_the_baseline():
    train, test = bars(48, 0), bars(90, 1)
    score = classification_accuracy_score(train, test, bars(48, 5), 3, steps=STEPS)
    assert score.count == 48
    assert min(score.baseline, score.gan_train, score.gan_test) > 0.93


def test_samples_that_do_not_show_their_class_fail_both_ways():
    train, test = bars(90, 0), bars(90, 1)
    images, labels = bars(48, 5)
    score = classification_accuracy_score(train, test, (images, (labels + 1) % 3), 3, steps=STEPS)
    assert score.count == 48
    assert score.baseline > 0.93
    assert score.gan_train < 0.1 and score.gan_test < 0.1


def test_three_digits_make_a_number():
    class Brightest(Classifier):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.one_hot(images[:, 0, 0, 0].long(), 10).float()

    images = torch.zeros(3, 3, 8, 8, dtype=torch.uint8)
    images[0, :, 0, 0] = torch.tensor([4, 0, 7])
    images[1, :, 0, 0] = torch.tensor([9, 9, 9])
    labels = stacked_digits(Brightest(1, 8, 10), images)
    assert labels.tolist() == [407, 999, 0] and labels.dtype == torch.int64
