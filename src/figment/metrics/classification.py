"""A small classifier of our own, and what it says about samples that carry labels.

It learns from pictures of about 28 to 64 px in a minute on a CPU, needs no weights from elsewhere
and gives the same network again from the same seed. For class-conditional samples it yields the
classification accuracy score in both directions; for stacked MNIST it reads the three digits.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from figment.errors import UserError
from figment.pixels import to_float
from figment.progress import progress_bar
from figment.randomness import seed_of, stream

SIDE = 64
"""Larger pictures are averaged down to this."""
WIDTH = 32
BATCH = 64
STEPS = 1000
"""Steps of training, whatever the number of pictures: 6 rounds of 10,000."""
RATE = 3e-3
DECAY = 0.02
WARM_UP = 0.2
DIGITS = 10


class Classifier(nn.Module):
    """A residual network: strided layers down to 16 px, then a block each at 16, 8 and 4 px."""

    def __init__(self, channels: int, side: int, classes: int):
        super().__init__()
        layers: list[nn.Module] = [_convolution(channels, WIDTH, stride=2)]
        side = math.ceil(min(side, SIDE) / 2)
        while side > 16:
            layers += [_convolution(WIDTH, WIDTH, stride=2)]
            side = math.ceil(side / 2)
        layers += [_Block(WIDTH)]
        for width in (WIDTH, 2 * WIDTH):
            layers += [_convolution(width, 2 * width, stride=2), _Block(2 * width)]
        self.layers = nn.Sequential(*layers)
        self.head = nn.Linear(4 * WIDTH, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits [N, K] of pictures [N, C, H, W] uint8."""
        x = to_float(images)
        if max(x.shape[2:]) > SIDE:
            x = F.adaptive_avg_pool2d(x, (min(SIDE, x.shape[2]), min(SIDE, x.shape[3])))
        return self.head(self.layers(x).mean((2, 3)))


class _Block(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.first = _convolution(width, width)
        self.second = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        nn.init.zeros_(self.norm.weight)  # starts as the identity

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.norm(self.second(self.first(x))))


def _convolution(inner: int, outer: int, stride: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(inner, outer, 3, stride, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outer), nn.ReLU())


def train_classifier(
    images: Tensor,
    labels: Tensor,
    classes: int,
    *,
    steps: int = STEPS,
    seed: int = 0,
    progress: bool = False,
    device: torch.device | str = "cpu",
) -> Classifier:
    """Return a classifier in evaluation mode, trained on ``images`` [N, C, H, W] uint8 with ``labels`` [N].

    ``steps`` batches of 64 (or of all pictures, if fewer), each picture shifted by up to a
    fourteenth of the side; cross entropy, AdamW, the learning rate rising, then falling along a
    cosine. The same arguments, machine and number of threads give the same weights.
    """
    if len(images) < 2 or int(labels.unique().numel()) < 2:
        raise UserError("A classifier needs pictures of at least 2 classes to learn from.")
    with torch.random.fork_rng(devices=[]):  # PyTorch initialises from its global stream only
        torch.manual_seed(seed_of("classifier", seed))
        net = Classifier(images.shape[1], min(images.shape[2:]), classes).to(device).train()
    optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=DECAY)
    batch = min(BATCH, len(images))
    rounds = len(images) // batch
    for step in progress_bar(
        range(steps), unit=" steps", desc="classifier", shown=progress, leave=False
    ):
        if step % rounds == 0:
            random = stream("classifier", seed, step // rounds)
            order = torch.from_numpy(random.permutation(len(images)))
        rows = order[step % rounds * batch :][:batch]
        for group in optimiser.param_groups:
            group["lr"] = RATE * _schedule((step + 1) / steps)
        logits = net(_shifted(images[rows], random).to(device))
        loss = F.cross_entropy(logits, labels[rows].to(device))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return net.eval()


def _schedule(done: float) -> float:
    if done < WARM_UP:
        return done / WARM_UP
    return 0.5 + 0.5 * math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP))


def _shifted(images: Tensor, random: np.random.Generator) -> Tensor:
    """The pictures moved by a few pixels each, edges repeated."""
    n, channels, height, width = images.shape
    reach = max(1, min(height, width) // 14)
    shifts = torch.from_numpy(random.integers(-reach, reach + 1, (2, n)))
    rows = (torch.arange(height) + shifts[0, :, None]).clamp(0, height - 1)  # [N, H]
    columns = (torch.arange(width) + shifts[1, :, None]).clamp(0, width - 1)  # [N, W]
    pictures, planes = torch.arange(n)[:, None, None, None], torch.arange(channels)[:, None, None]
    return images[pictures, planes, rows[:, None, :, None], columns[:, None, None, :]]


@torch.no_grad()
def classify(classifier: Classifier, images: Tensor, *, batch: int = 512) -> Tensor:
    """Return the logits [N, K] float32, on the CPU, of ``images`` [N, C, H, W] uint8."""
    device = classifier.head.weight.device
    parts = [classifier(rows.to(device)).cpu() for rows in images.split(batch)]
    return torch.cat(parts)


def predict(classifier: Classifier, images: Tensor, *, batch: int = 512) -> Tensor:
    """Return the most likely class [N] int64 of each of ``images`` [N, C, H, W] uint8."""
    return classify(classifier, images, batch=batch).argmax(1)


def accuracy(classifier: Classifier, images: Tensor, labels: Tensor) -> float:
    """Return the share of ``images`` [N, C, H, W] uint8 whose predicted class is that of ``labels`` [N]."""
    return float((predict(classifier, images) == labels).double().mean())


class ClassificationAccuracy(NamedTuple):
    """The classification accuracy score in both directions, with the reals' own as the yardstick."""

    gan_train: float
    """Accuracy on held-out reals after learning from samples: low if they are bad or too alike."""
    gan_test: float
    """Accuracy on samples after learning from reals: low if they do not show their class."""
    baseline: float
    """Accuracy on held-out reals after learning from as many reals."""
    count: int
    """Pictures each classifier learnt from."""


def classification_accuracy_score(
    train: tuple[Tensor, Tensor],
    test: tuple[Tensor, Tensor],
    fake: tuple[Tensor, Tensor],
    classes: int,
    *,
    steps: int = STEPS,
    seed: int = 0,
    progress: bool = False,
    device: torch.device | str = "cpu",
) -> ClassificationAccuracy:
    """Return what two small classifiers, of real and of generated pictures, make of the other kind.

    Each set is (images [N, C, H, W] uint8, labels [N]): reals to learn from, held-out reals,
    samples. Both classifiers learn from equally many pictures, drawn at random. Ravuri & Vinyals
    2019; the two directions are GAN-train and GAN-test of Shmelkov et al. 2018.
    """
    count = min(len(train[0]), len(fake[0]))
    on_real, on_fake = (
        train_classifier(
            *_drawn(pictures, count, seed),
            classes,
            steps=steps,
            seed=seed,
            progress=progress,
            device=device,
        )
        for pictures in (train, fake)
    )
    return ClassificationAccuracy(
        gan_train=accuracy(on_fake, *test),
        gan_test=accuracy(on_real, *fake),
        baseline=accuracy(on_real, *test),
        count=count,
    )


def _drawn(pictures: tuple[Tensor, Tensor], count: int, seed: int) -> tuple[Tensor, Tensor]:
    images, labels = pictures
    rows = torch.from_numpy(stream("classified", seed).permutation(len(images))[:count])
    return images[rows], labels[rows]


def stacked_digits(classifier: Classifier, images: Tensor) -> Tensor:
    """Return the number [N] int64, 0 to 999, that stacked digits ``images`` [N, 3, H, W] uint8 show.

    ``classifier`` knows single-channel digits; the first channel is the hundreds. Metz et al. 2016.
    """
    digits = predict(classifier, images.flatten(0, 1)[:, None]).view(-1, 3)  # [N, 3]
    return digits @ torch.tensor([DIGITS**2, DIGITS, 1])
