"""Semi-supervised GANs: losses, labelled pictures, and what they refuse."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from figment.data import Dataset, look, open_dataset
from figment.data.flowers import CLASSES
from figment.data.labelling import read_list
from figment.errors import UserError
from figment.networks.layers.weight_norm import WeightNorm
from figment.networks.semisupervised import Average, Discriminator, Labelled
from figment.recipes.semisupervised import SSL_CIFAR, SSL_MNIST, SemiSupervised
from figment.training.trainer import Trainer

CPU = torch.device("cpu")
TINY = replace(SSL_MNIST.tiny(), precision="float32")
TINY_CONV = replace(SSL_CIFAR.tiny(), precision="float32")
both = pytest.mark.parametrize("recipe", [TINY, TINY_CONV], ids=["mlp", "conv"])


def flowers(recipe: SemiSupervised, count: int = 24) -> Dataset:
    return open_dataset(
        f"flowers:{count}",
        resolution=recipe.resolution,
        channels=recipe.channels,
        progress=False,
    )


def trainer_of(recipe: SemiSupervised, count: int = 24) -> Trainer:
    recipe.check()
    return Trainer(recipe, flowers(recipe, count), CPU)


# -- losses ---------------------------------------------------------------------------------------


@both
def test_losses_of_ten_class_logits_of_zero(recipe: SemiSupervised):
    """.095310 and 2.397895, halved, and 2.302585."""
    trainer = trainer_of(replace(recipe, classes=10, labelled=10))
    torch.nn.init.zeros_(trainer.nets["discriminator"].head[-1].scale)
    batch = trainer.next_batch()
    fakes = recipe.generate(trainer.nets["generator"], batch.latents, None)
    terms = trainer.recipe.discriminator_terms(trainer.nets, batch, fakes, trainer.clock)
    assert terms.losses["adversarial"].item() == pytest.approx((0.095310 + 2.397895) / 2)
    assert terms.penalties["class"].item() == pytest.approx(2.302585, abs=1e-6)
    assert terms.observations["score/real"].item() == pytest.approx(10 / 11)
    assert set(terms.minimised) == {"adversarial", "class"}


def test_weights_of_the_two_losses():
    plain = trainer_of(TINY)
    heavy = trainer_of(replace(TINY, unsupervised=3.0, class_loss=5.0))
    found = []
    for trainer in (plain, heavy):
        torch.nn.init.zeros_(trainer.nets["discriminator"].head[-1].scale)
        batch = trainer.next_batch()
        terms = trainer.recipe.discriminator_terms(trainer.nets, batch, batch.images, trainer.clock)
        found.append({name: value.item() for name, value in terms.minimised.items()})
    assert found[1]["adversarial"] == pytest.approx(3 * found[0]["adversarial"])
    assert found[1]["class"] == pytest.approx(5 * found[0]["class"])


def test_matching_is_squared_for_mnist_and_absolute_for_cifar():
    for recipe, expected in ((SSL_MNIST, 4.0), (SSL_CIFAR, 2.0)):
        real, fake = torch.zeros(3, 2), torch.full((3, 2), 2.0)
        assert recipe.match(real, fake).item() == expected
    trainer = trainer_of(TINY_CONV)
    batch = trainer.next_batch()
    fakes = recipe.generate(trainer.nets["generator"], batch.latents, None)
    trainer.nets.eval()  # without dropout the two passes are one
    terms = TINY_CONV.generator_terms(trainer.nets, batch, fakes, trainer.clock)
    features = trainer.nets["discriminator"].features
    gap = features(fakes).mean(0) - features(batch.images).mean(0)
    assert list(terms.minimised) == ["feature_matching"]
    assert terms.penalties["feature_matching"].item() == pytest.approx(gap.abs().mean().item())


def test_learns_twenty_pictures_by_heart():
    recipe = replace(TINY, labelled=20, batch=20, width=16, noise=(0.0, 0.0))
    recipe = replace(recipe, discriminator_lr=1e-3)  # at .003 the game throws it back now and then
    trainer = trainer_of(recipe, 20 * 2)
    for _ in range(60):
        seen = trainer.round()
    assert seen["score/class"] == 1
    assert seen["penalty/class/discriminator"] < 0.1
    labelled = trainer.nets["labelled"]
    images, labels = labelled.take(torch.arange(20))
    assert torch.equal(trainer.nets["classifier"](images).argmax(1), labels)


# -- before the first move, and after each --------------------------------------------------------


@both
def test_first_weights_are_fitted_to_the_data(recipe: SemiSupervised):
    trainer = trainer_of(recipe)
    with torch.no_grad():
        recipe.begin(trainer)
    spread = []
    layers = [m for m in trainer.nets["discriminator"].modules() if isinstance(m, WeightNorm)]
    for layer in layers:
        layer.register_forward_hook(lambda own, _, y: spread.append(y.std().item() / own.spread))
    trainer.nets["discriminator"](trainer.feed.fetch(trainer.feed.rows)[0])
    assert len(spread) == len(layers)
    assert all(0.5 < value < 2 for value in spread)


def test_a_generator_that_is_fitted_takes_its_average_along():
    trainer = trainer_of(replace(TINY_CONV, ema=100))
    with torch.no_grad():
        TINY_CONV.begin(trainer)
    mine, average = (trainer.nets[name].state_dict() for name in ("generator", "average"))
    assert all(torch.equal(mine[name], average[name]) for name in mine)
    assert mine["layers.10.scale"].max() < 0.9


def test_the_average_is_the_latest_then_a_slow_mean():
    net = Discriminator(shape=(1, 4, 4), classes=2, hidden=(3,))
    average = Average(net)
    assert not list(average.parameters())
    assert {name.removeprefix("net.") for name in average.state_dict()} == {
        "moves",
        *net.state_dict(),
    }
    weight, values = net.head[-1].bias, []
    for move in range(1, 6):
        weight.data.fill_(move)
        average.follow(net, 0.01)
        values.append(average.net.head[-1].bias[0].item())
    assert values[:3] == [1, 2, 3]
    assert values[3] == pytest.approx(3 + 3 / 4)
    assert values[4] == pytest.approx(3.75 + 3 / 5 * 1.25)
    average.moves.fill_(10_000)
    before = values[-1]
    average.follow(net, 0.01)
    assert average.net.head[-1].bias[0].item() == pytest.approx(before + 0.01 * (5 - before))
    assert not average.net.training


def test_rates_fall_over_the_last_share_of_the_training():
    recipe = replace(TINY, images=40, rate_decay=0.5, generator_lr=1e-2, discriminator_lr=2e-2)
    trainer, rates = trainer_of(recipe), []
    trainer.rate_scale = 0.5
    for _ in range(10):
        trainer.round()
        groups = (optimizer.param_groups[0] for optimizer in trainer.optimizers.values())
        rates.append([group["lr"] for group in groups])
    shares = [1, 1, 1, 1, 1, 1, 0.8, 0.6, 0.4, 0.2]
    assert rates == [
        [pytest.approx(0.5e-2 * share), pytest.approx(1e-2 * share)] for share in shares
    ]


def test_gradients_below_epsilon_make_small_steps():
    for epsilon, step in ((1e-4, 3e-3 / 2), (1e-8, 3e-3)):
        trainer = trainer_of(replace(TINY, epsilon=epsilon))
        weight = trainer.nets["generator"].layers[0].weight
        before = weight.detach().clone()
        weight.grad = torch.full_like(weight, 1e-4)
        trainer.step("generator")
        assert (before - weight).mean().item() == pytest.approx(step, rel=1e-3)


# -- labelled pictures ----------------------------------------------------------------------------


def test_as_many_of_each_class_by_the_seed_and_none_that_is_held_out():
    recipe = replace(TINY, labelled=40, held_out=0.2)
    chosen = []
    for seed in (0, 0, 1):
        trainer = trainer_of(replace(recipe, seed=seed), 300)
        with torch.no_grad():
            trainer.recipe.begin(trainer)
        labelled = trainer.nets["labelled"]
        assert labelled.labels.bincount().tolist() == [20, 20]
        kept = {row.tobytes() for row in trainer.feed.dataset.rows[trainer.feed.rows]}
        assert {row.numpy().tobytes() for row in labelled.images} <= kept
        chosen.append(labelled.images)
    assert torch.equal(chosen[0], chosen[1])
    assert not torch.equal(chosen[0], chosen[2])


def test_labelled_pictures_come_in_whole_passes():
    recipe = replace(TINY, labelled=6, batch=4)
    trainer = trainer_of(recipe)
    nets = trainer.nets
    nets["labelled"].labels.copy_(torch.arange(6))
    seen = []
    for _ in range(3):
        trainer.next_batch()
        seen += recipe._labelled_batch(nets, trainer.clock)[1].tolist()
    assert sorted(seen[:6]) == sorted(seen[6:]) == list(range(6))


def test_pictures_in_hand_are_in_range():
    kept = Labelled(2, (1, 2, 2))
    kept.images[1] = 255
    images, labels = kept.take(torch.tensor([1, 0]))
    assert images.flatten(1).tolist() == [[1.0] * 4, [-1.0] * 4]
    assert len(kept) == 2 and labels.tolist() == [0, 0]


def test_too_few_of_a_class():
    recipe = replace(TINY, labelled=30)
    with pytest.raises(UserError, match=r"takes 15 pictures of each class.*at most --labelled 24"):
        trainer_of(recipe).round()


def test_classes_follow_the_data():
    fitted = SSL_MNIST.fit_to(look("flowers:40"))
    assert (fitted.classes, fitted.class_names) == (2, CLASSES)
    assert fitted.held_out == SSL_MNIST.held_out
    with pytest.raises(UserError, match="leave class_names and classes out"):
        replace(SSL_MNIST, classes=3).fit_to(look("flowers:40"), frozenset({"classes"}))
    with pytest.raises(UserError, match="leave class_names and classes out"):
        replace(SSL_MNIST, class_names=("a", "b")).fit_to(look("flowers:40"))


def test_data_without_classes(photos: Path):
    with pytest.raises(UserError, match="has no classes: give each a folder, or name them"):
        SSL_MNIST.fit_to(look(str(photos)))


def test_a_list_of_a_folder_with_classes(tmp_path: Path, flower_files):
    data = flower_files(tmp_path / "data", range(20))
    files = sorted(str(path.relative_to(data)) for path in data.rglob("*.png"))
    (tmp_path / "list.txt").write_text("\n".join(["./" + files[0], "", files[3], files[-1]]))
    recipe = replace(TINY, labelled_list=str(tmp_path / "list.txt"), class_names=())
    fitted = recipe.fit_to(look(str(data)))
    assert (fitted.labelled, fitted.held_out, fitted.class_names) == (3, 0.0, CLASSES)
    fitted.check()
    dataset = open_dataset(str(data), resolution=16, channels=1, progress=False)
    trainer = Trainer(fitted, dataset, CPU)
    trainer.round()
    assert trainer.nets["labelled"].labels.tolist() == [0, 0, 1]
    images = [np.asarray(Image.open(data / files[i]).convert("L")) for i in (0, 3, -1)]
    assert np.array_equal(trainer.nets["labelled"].images[:, 0].numpy(), np.stack(images))


def test_a_list_that_names_the_classes_of_a_flat_folder(tmp_path: Path, flower_files):
    data = flower_files(tmp_path / "data", range(12), flat=True)
    (data / "7.png").write_bytes(b"no picture")
    (tmp_path / "list.tsv").write_text("11.png\tzinnia\n2.png\taster\n8.png\tzinnia\n")
    recipe = replace(TINY, labelled_list=str(tmp_path / "list.tsv")).fit_to(look(str(data)))
    assert recipe.class_names == ("aster", "zinnia")
    dataset = open_dataset(str(data), resolution=16, channels=1, progress=False)
    trainer = Trainer(recipe, dataset, CPU)
    trainer.round()
    assert trainer.nets["labelled"].labels.tolist() == [1, 0, 1]
    third = np.asarray(Image.open(data / "8.png").convert("L"))
    assert np.array_equal(trainer.nets["labelled"].images[2, 0].numpy(), third)


def test_a_list_of_folders_that_are_no_classes(tmp_path: Path, flower_files):
    """Loose pictures come first, which are left out where folders are classes."""
    data = flower_files(tmp_path / "data", range(12))
    loose = flower_files(tmp_path / "loose", range(20, 23), flat=True)
    for path in loose.iterdir():
        path.rename(data / path.name)
    files = sorted(str(path.relative_to(data)) for path in data.rglob("*.png"))
    listed = [files[0], files[5], files[-1]]
    (tmp_path / "list.tsv").write_text(
        "".join(f"{f}\t{c}\n" for f, c in zip(listed, "aba", strict=True))
    )
    recipe = replace(TINY, labelled_list=str(tmp_path / "list.tsv"), folders="none")
    recipe = recipe.fit_to(look(str(data), "none"))
    dataset = open_dataset(str(data), resolution=16, channels=1, folders="none", progress=False)
    trainer = Trainer(recipe, dataset, CPU)
    trainer.round()
    images = [np.asarray(Image.open(data / file).convert("L")) for file in listed]
    assert np.array_equal(trainer.nets["labelled"].images[:, 0].numpy(), np.stack(images))


def test_a_list_of_rows(tmp_path: Path):
    (tmp_path / "list.txt").write_text("5\n0\n1\n2\n")
    recipe = replace(TINY, labelled_list=str(tmp_path / "list.txt")).fit_to(look("flowers:24"))
    trainer = trainer_of(recipe)
    trainer.round()
    expected = trainer.feed.dataset.labels[[5, 0, 1, 2]]
    assert np.array_equal(trainer.nets["labelled"].labels.numpy(), expected)


@pytest.mark.parametrize(
    ("text", "fields", "message"),
    [
        ("", {}, "is empty: write one labelled picture on each line"),
        ("3\n4\n3\n", {}, "names 3 twice"),
        ("24\n3\n", {}, "names 24, which flowers:24 does not hold"),
        ("1\tthistle\n", {}, "has the class 'thistle', not one of"),
        ("0\n1\n2\n", {"labelled": 7}, "labelled says 7, .* names 3: leave labelled out"),
    ],
)
def test_lists_that_are_refused(tmp_path: Path, text: str, fields: dict, message: str):
    (tmp_path / "list.txt").write_text(text)
    recipe = replace(TINY, labelled_list=str(tmp_path / "list.txt"), **fields)
    with pytest.raises(UserError, match=message) as refused:
        trainer_of(recipe.fit_to(look("flowers:24"), frozenset(fields))).round()
    assert "\n" not in str(refused.value)


def test_a_class_that_the_list_forgets(tmp_path: Path):
    rows = np.flatnonzero(flowers(TINY).labels == 0)[:3]
    (tmp_path / "list.txt").write_text("\n".join(map(str, rows)))
    recipe = replace(TINY, labelled_list=str(tmp_path / "list.txt")).fit_to(look("flowers:24"))
    with pytest.raises(UserError, match=f"names no picture of {CLASSES[1]}"):
        trainer_of(recipe).round()


def test_a_listed_picture_that_is_held_out(tmp_path: Path):
    recipe = replace(TINY, held_out=0.5)
    trainer = trainer_of(recipe, 300)
    (tmp_path / "list.txt").write_text(f"{trainer.feed.held_out[0]}\n")
    recipe = replace(recipe, labelled_list=str(tmp_path / "list.txt"))
    fitted = recipe.fit_to(look("flowers:300"), frozenset({"held_out"}))
    with pytest.raises(UserError, match="is labelled, but held out of training: set --held-out 0"):
        trainer_of(fitted, 300).round()


def test_a_list_that_is_not_there(tmp_path: Path):
    with pytest.raises(UserError, match="cannot be read as a list of pictures"):
        read_list(str(tmp_path / "none.txt"))


# -- refusals and numbers -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"labelled": 5}, "as many of each of 2 classes, not 5: try --labelled 4"),
        ({"labelled": 0}, "labelled must be 1 or more"),
        ({"classes": 1}, "classes must be 2 or more"),
        ({"unsupervised": -1.0}, "unsupervised must be 0 or more"),
        ({"averaging": 0.0}, "averaging must be above 0"),
        ({"epsilon": 0.0}, "epsilon must be above 0"),
        ({"rate_decay": 1.5}, "rate_decay must be a share"),
        ({"conditioning": "concat"}, "tells classes already: leave conditioning out"),
        ({"guidance": 1.0}, "would learn from every label: leave guidance out"),
        ({"packing": 2}, "a pack has no single class: leave packing out"),
        ({"minibatch_discrimination": 8}, "leave minibatch_discrimination out"),
        ({"minibatch_stddev": True}, "leave minibatch_stddev out"),
        ({"spectral_norm": "both"}, "normalised already: leave spectral_norm out"),
        ({"dropout": 0.5}, "takes noise, not dropout"),
        ({"noise": (-0.1, 0.5)}, "noise must be 0 or more"),
        ({"network": "conv"}, "takes dropout, not noise: set --noise 0 0"),
        ({"network": "conv", "noise": (0.0, 0.0), "resolution": 20}, "a multiple of 8 from 16 on"),
        ({"width": 0}, "width must be 1 or more"),
    ],
)
def test_refusals(fields: dict, message: str):
    with pytest.raises(UserError, match=message) as refused:
        replace(TINY, **fields).check()
    assert "\n" not in str(refused.value)


def test_the_authors_numbers():
    counts = []
    for recipe in (SSL_MNIST, SSL_CIFAR):
        recipe.check()
        with torch.device("meta"):
            nets = recipe.build()
        counts.append([sum(w.numel() for w in net.parameters()) for net in nets.values()])
    assert counts[0] == [694_568, 1_538_770, 0, 0]
    assert counts[1][1:] == [1_406_804, 0, 0]
    assert (SSL_CIFAR.rate_decay, SSL_MNIST.rate_decay) == (1 / 3, 0)


@pytest.mark.parametrize("play", ["unrolled", "optimistic", "svre"])
@both
def test_rates_that_fall_go_with_other_ways_to_play(recipe: SemiSupervised, play: str):
    trainer = trainer_of(replace(recipe, rate_decay=0.5, play=play))
    seen = trainer.round()
    assert all(torch.isfinite(value) for value in seen.values())


def test_labelled_pictures_are_turned_as_the_others_are(monkeypatch: pytest.MonkeyPatch):
    seen = []
    monkeypatch.setattr("figment.augment.study", lambda images: seen.append(images) or images)
    trainer_of(replace(TINY, augment="study").fit_to(look("flowers:24"))).round()
    assert len(seen) == 2


@both
def test_mirrored_and_noisy_labelled_pictures(recipe: SemiSupervised):
    recipe = replace(recipe, mirror=True, instance_noise=0.1, batch=64, images=6_400)
    trainer = trainer_of(recipe)
    trainer.nets["labelled"].images[..., 0] = 255
    trainer.next_batch()
    images, _ = trainer.recipe._labelled_batch(trainer.nets, trainer.clock)
    left = images[:, 0, 0, 0] > 0
    assert 0.2 < left.float().mean() < 0.8
    assert 0.05 < (images[:, 0, 4, 4] + 1).std() < 0.15
