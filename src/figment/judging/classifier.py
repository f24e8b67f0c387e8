"""The classifier that a semi-supervised run has trained: pictures in, classes out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import nn

from figment.data import Dataset, gather, open_dataset
from figment.data.decode import decode_file
from figment.data.names import names_of
from figment.data.square import Form
from figment.errors import UserError
from figment.metrics.intervals import proportion
from figment.metrics.score import Score
from figment.pixels import to_float

if TYPE_CHECKING:
    from figment.rounds import Playable
    from figment.sampling.pictures import Pictures

ACCURACY = "accuracy"
"""Name of the score."""
BATCH = 256


class Classes(NamedTuple):
    """The classes of pictures by a classifier, and how likely each is."""

    names: list[str]
    """The likeliest class of each."""
    probabilities: np.ndarray
    """[N, K] float32; a row adds up to 1."""
    classes: tuple[str, ...]
    """The class of each column."""
    pictures: list[str]
    """What each picture is called: its path below what was given, or its number."""


class Classifier:
    """The classifier of a run, in evaluation mode."""

    def __init__(self, recipe: Playable, net: nn.Module, classes: tuple[str, ...]) -> None:
        self.recipe = recipe
        self.net = net.eval()
        self.classes = classes

    def classify(self, pictures: str | Path | np.ndarray | Pictures) -> Classes:
        """Return the classes of a picture, of a folder, a zip, a packed file, or of pictures in hand.

        Those in hand are uint8 [N, C, R, R] in the run's form; files are brought into it. Raises UserError
        for any others.
        """
        if isinstance(pictures, str | Path):
            images, called = self._opened(Path(pictures))
        else:
            images = np.asarray(pictures)
            called = [str(number) for number in range(len(images))]
            if images.dtype != np.uint8 or images.shape[1:] != self.recipe.shape:
                raise UserError(
                    f"an array of pictures must be uint8 [N, {', '.join(map(str, self.recipe.shape))}], "
                    f"not {images.dtype} {list(images.shape)}: give a path to have files converted"
                )
        probabilities = self.probabilities(images)
        names = [self.classes[number] for number in probabilities.argmax(1)]
        return Classes(names, probabilities, self.classes, called)

    @torch.inference_mode()
    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Return the classes' probabilities [N, K] of pictures uint8 [N, C, R, R]."""
        device = next(self.net.buffers()).device
        parts = [np.empty((0, len(self.classes)), np.float32)]
        for start in range(0, len(images), BATCH):
            pixels = torch.from_numpy(np.array(images[start : start + BATCH])).to(device)
            logits = self.net(to_float(pixels))
            parts.append(logits.float().softmax(1).cpu().numpy())
        return np.concatenate(parts)

    def accuracy(self, dataset: Dataset, rows: np.ndarray, what: str) -> Score:
        """Return the accuracy on these rows of a data set; ``what`` names them in the protocol.

        Raises UserError where the data have classes that the classifier does not know, or none.
        """
        unknown = [name for name in dataset.classes if name not in self.classes]
        if not dataset.classes or unknown:
            held = f"the class {unknown[0]}" if unknown else "no classes"
            raise UserError(
                f"{dataset.source} has {held}: the classes are {', '.join(self.classes)}"
            )
        images, labels = gather(dataset, rows)
        number = np.array([self.classes.index(name) for name in dataset.classes])
        right = self.probabilities(images).argmax(1) == number[labels]
        low, high = proportion(float(right.mean()), len(right))
        protocol = f"accuracy on {len(right):,} {what}"
        return Score(ACCURACY, float(right.mean()), low, high, better="higher", protocol=protocol)

    def _opened(self, path: Path) -> tuple[np.ndarray, list[str]]:
        """Return pictures [N, C, R, R] and what they are called; files that are none are left out."""
        recipe = self.recipe
        if path.is_file() and path.suffix.lower() not in (".zip", ".npy", ".npz"):
            form = Form(recipe.resolution, recipe.channels, recipe.fit)
            return decode_file(path, form)[None], [path.name]
        dataset = open_dataset(
            str(path), resolution=recipe.resolution, channels=recipe.channels, fit=recipe.fit
        )
        return np.asarray(dataset.rows), names_of(dataset)
