"""Are samples of the class that was asked for? Told by a linear reading of thumbnails, class by class."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

MOST_CLASSES = 32
"""With more, the thousand reals of a reference hold too few of each."""
FEWEST = 12
"""Reals of a class that it can be told by."""
_WIDTH = 64  # principal components that are read
_RIDGE = 0.1  # weight of the squared coefficients, in units of the mean variance


class Told(NamedTuple):
    """A linear reading of rows that tells their classes."""

    middle: Tensor
    """Mean of the rows [D]."""
    reading: Tensor
    """From a row less the mean to a value a class [D, K]."""
    bias: Tensor
    """Added to these [K]: the shares of the classes."""
    right: Tensor
    """Share of the reals of each class [K] that are told right by the other half of the reals."""
    shares: Tensor
    """Share of the reals that are told as each class [K], by the other half."""

    def classes(self, rows: Tensor) -> Tensor:
        """Return the class [N] that each row [N, D] is told as."""
        return ((rows - self.middle) @ self.reading + self.bias).argmax(1)


def told_apart(rows: Tensor, labels: Tensor) -> Told | None:
    """Return what tells the classes [N] of rows [N, D] apart; None without two that are large enough."""
    count = int(labels.max()) + 1 if len(labels) else 0
    sizes = labels.bincount(minlength=count)
    if not 2 <= count <= MOST_CLASSES or int(sizes.min()) < FEWEST:
        return None
    told = torch.empty_like(labels)
    half = torch.arange(len(rows)) % 2 == 0
    order = labels.argsort(stable=True)  # so that both halves have as many of each class
    half = half[order.argsort()]
    for part in (half, ~half):
        told[~part] = _fit(rows[part], labels[part], count).classes(rows[~part])
    right = torch.stack([(told[labels == k] == k).float().mean() for k in range(count)])
    shares = told.bincount(minlength=count) / len(told)
    return _fit(rows, labels, count)._replace(right=right, shares=shares)


def class_signs(told: Told, rows: Tensor, asked: Tensor | None) -> dict[str, float]:
    """Return what is told of samples [N, D], whose classes [N] were ``asked`` for or not.

    "watch/classes_told" is the mean share of reals that are told right. Where classes were asked for:
    "watch/classes_obeyed", the mean share of samples that are told as asked, over the same of reals; of
    each class k "class/told/k", the share of its reals that are told right, "class/obeyed/k", that of
    samples, and the other class that most of its samples are told as, "class/instead/k", with the share,
    "class/mistaken/k". Where not: "class/share/k", the share of
    samples told as k, over the reals'.
    """
    found = {"watch/classes_told": float(told.right.mean())}
    seen = told.classes(rows)
    count = len(told.right)
    if asked is None:
        shares = seen.bincount(minlength=count) / len(seen) / told.shares.clamp(min=1e-3)
        return found | {f"class/share/{k}": float(share) for k, share in enumerate(shares)}
    obeyed = []
    for k in range(count):
        mine = seen[asked == k]
        if not len(mine):
            continue
        parts = mine.bincount(minlength=count) / len(mine)
        own = float(parts[k])
        parts[k] = -1
        obeyed.append(own)
        found |= {
            f"class/told/{k}": float(told.right[k]),
            f"class/obeyed/{k}": own,
            f"class/instead/{k}": float(parts.argmax()),
            f"class/mistaken/{k}": float(parts.max()),
        }
    mean = sum(obeyed) / max(1, len(obeyed))
    return found | {"watch/classes_obeyed": mean / max(float(told.right.mean()), 1e-3)}


def _fit(rows: Tensor, labels: Tensor, count: int) -> Told:
    """Return the ridge regression of the classes on the rows' principal components."""
    middle = rows.mean(0)
    centred = (rows - middle).double()
    _, sizes, axes = torch.linalg.svd(centred, full_matrices=False)
    width = min(_WIDTH, len(sizes))
    kept, variances = axes[:width], sizes[:width].square()  # [W, D], [W]
    wanted = torch.nn.functional.one_hot(labels, count).double()
    bias = wanted.mean(0)
    slopes = (centred @ kept.T).T @ (wanted - bias)  # [W, K]
    slopes /= (variances + _RIDGE * variances.mean())[:, None]
    nothing = torch.zeros(count)
    return Told(middle, (kept.T @ slopes).to(rows.dtype), bias.to(rows.dtype), nothing, nothing)
