"""Experience replay (Shrivastava et al. 2017)."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from figment import mesh
from figment.errors import UserError
from figment.networks.layers.replay import Replay


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def level(number: int, count: int = 6) -> tuple[Tensor, Tensor]:
    """A batch of pictures that all have one level, and labels that name it."""
    return torch.full((count, 1, 2, 2), number / 127.5 - 1), torch.full((count,), number)


def filled(capacity: int = 12) -> Replay:
    replay = Replay(capacity, (1, 2, 2))
    for number in range(capacity // 6):
        replay.mix(*level(number))
    return replay


def test_it_fills_first_and_hands_the_batch_back():
    replay = Replay(10, (1, 2, 2))
    for number in (3, 4):
        fakes, labels = level(number)
        mixed, classes = replay.mix(fakes.requires_grad_(), labels)
        assert torch.equal(mixed, fakes) and torch.equal(classes, labels)
        assert not mixed.requires_grad
    assert replay.filled.item() == 10  # of 12 fakes
    assert replay.labels.tolist() == [3] * 6 + [4] * 4


def test_half_the_batch_is_old_and_its_labels_come_along():
    replay = filled()
    fakes, labels = level(200, 7)
    mixed, classes = replay.mix(fakes.requires_grad_(), labels)
    assert classes[:4].tolist() == [200] * 4 and set(classes[4:].tolist()) <= {0, 1}
    torch.testing.assert_close(mixed[:, 0, 0, 0], classes / 127.5 - 1)
    assert not mixed.requires_grad and mixed.dtype == fakes.dtype
    assert (fakes == fakes[0]).all() and labels.tolist() == [
        200
    ] * 7  # the batch itself is left alone
    assert (replay.labels == 200).sum() == 3 and replay.filled.item() == 12


def test_a_store_never_grows_and_forgets_at_random():
    replay = filled()
    for number in range(2, 40):
        replay.mix(*level(number))
    assert replay.examples.shape == (12, 1, 2, 2)
    ages = [39 - label for label in replay.labels.tolist()]
    # Each place is overwritten with probability 1/4 a batch: the mean age is 3 batches.
    assert 0.5 < sum(ages) / 12 < 8 and len(set(ages)) > 3
    assert torch.equal(replay.examples[:, 0, 0, 0].long(), replay.labels)


def test_it_resumes_exactly():
    replay, resumed = filled(), Replay(12, (1, 2, 2))
    resumed.load_state_dict(replay.state_dict())
    outcomes = []
    for store in (replay, resumed):
        torch.manual_seed(7)
        outcomes.append([store.mix(*level(number)) for number in (5, 6, 7)])
    for (a, b), (c, d) in zip(*outcomes, strict=True):
        assert torch.equal(a, c) and torch.equal(b, d)
    assert all(torch.equal(a, b) for a, b in zip(replay.buffers(), resumed.buffers(), strict=True))


def test_pictures_come_back_within_half_a_level_and_points_exactly():
    for shape, dtype, bound in (
        ((3, 4, 4), torch.uint8, 0.5 / 127.5 + 1e-6),
        ((2,), torch.float32, 0),
    ):
        replay, batch = Replay(8, shape, dtype), 2 * torch.rand(8, *shape) - 1
        replay.mix(batch, torch.arange(8))
        mixed, labels = replay.mix(torch.zeros(8, *shape), torch.full((8,), 9))
        assert (mixed[4:] - batch[labels[4:]]).abs().max().item() <= bound
    assert Replay(2, (1,)).examples.dtype == torch.uint8


def test_levels_outside_the_range_are_clipped():
    replay = Replay(2, (1,))
    replay.mix(torch.tensor([[-3.0], [3.0]]), torch.zeros(2, dtype=torch.int64))
    assert replay.examples[:, 0].tolist() == [0, 255]


def test_a_store_below_half_a_batch_is_refused():
    with pytest.raises(UserError, match="use 4 or more"):
        Replay(3, (1,)).mix(torch.zeros(8, 1), torch.zeros(8, dtype=torch.int64))


def test_four_processes_are_as_one(monkeypatch):
    """Each holds the store of one process, and their shares together are its batch."""
    alone = filled()
    state = {name: value.clone() for name, value in alone.state_dict().items()}
    fakes, labels = torch.rand(8, 1, 2, 2), torch.arange(50, 58)
    torch.manual_seed(1)
    whole, whole_labels = alone.mix(fakes, labels)
    shares = []
    for rank in range(4):
        replay = Replay(12, (1, 2, 2))
        replay.load_state_dict(state)
        share = slice(2 * rank, 2 * rank + 2)
        kept = replay._kept(fakes)
        monkeypatch.setenv("RANK", str(rank))
        monkeypatch.setenv("WORLD_SIZE", "4")
        monkeypatch.setattr(mesh, "gather", lambda x, kept=kept: labels if x.ndim == 1 else kept)
        torch.manual_seed(1)
        shares.append(replay.mix(fakes[share], labels[share]))
        assert torch.equal(replay.examples, alone.examples)
        assert torch.equal(replay.labels, alone.labels)
    assert torch.equal(torch.cat([images for images, _ in shares]), whole)
    assert torch.equal(torch.cat([classes for _, classes in shares]), whole_labels)
