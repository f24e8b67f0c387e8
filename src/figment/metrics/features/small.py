"""A small network with fixed random weights, which needs no file: for tests and for regressions.

Random convolutions tell textures, edges and colours apart, though they know nothing of objects (He, Wang,
Hopcroft 2016, "A Powerful Generative Model Using Random Weights"). A Fréchet distance over them
shows whether one version of a program makes other pictures than the last. It is no FID, and no
figure of a paper.
"""

from __future__ import annotations

import functools
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from figment.metrics.features.extractor import Extractor, fitting, place, protocol
from figment.metrics.features.resize import antialiased_bicubic
from figment.randomness import stream

SIDE = 64
CHANNELS = (3, 32, 48, 64, 64)  # of the picture and after each layer, which halves the side
WINDOWS = (5, 3, 3, 3)
LAYOUT = 4  # the picture's colours on a grid of so many by so many
EDGES, COLOURS = 4.0, 0.5
"""Factors on the first layer and on the layout, so that neither drowns the other: on cat faces a blur of .5
px, 10 % less light and JPEG of quality 10 then move a Fréchet distance to 6, 7 and 2 times its floor."""
WIDTH = 2 * sum(CHANNELS[1:]) + 3 * LAYOUT**2


def open_small(device: torch.device, dtype: torch.dtype) -> Extractor:
    """Return the extractor ``small``: 64 px, 464 features, no logits."""
    return Extractor(
        name="small",
        protocol=protocol(
            "small (random weights)", f"{SIDE} px", "antialiased bicubic", dtype=dtype
        ),
        width=WIDTH,
        has_logits=False,
        network=place(Small(), device, dtype),
        resize=functools.partial(antialiased_bicubic, side=SIDE),
        batch=fitting(device, 32),
        device=device,
    )


def orthonormal(rows: np.ndarray) -> np.ndarray:
    """Return float64 [R, N], R <= N: the rows made orthonormal, one after the other (Gram and Schmidt).

    Not by a library's QR, whose signs may differ between machines.
    """
    done = np.array(rows, dtype=np.float64)
    for number, row in enumerate(done):
        for _ in range(2):  # twice, against rounding
            row -= done[:number].T @ (done[:number] @ row)
        row /= math.sqrt(row @ row)
    return done


class Small(nn.Module):
    """Four strided random convolutions: mean and root mean square of each channel, colour layout."""

    def __init__(self) -> None:
        super().__init__()
        self.kernels = nn.ParameterList()
        for number, window in enumerate(WINDOWS):
            wide_in, wide_out = CHANNELS[number : number + 2]
            rows = stream("small features", number).standard_normal((wide_out, wide_in, window**2))
            if number == 0:  # blind to even colour, which the layout sees
                rows -= rows.mean(axis=2, keepdims=True)
            # Rows of length √2 keep the size of what a ReLU halves (He et al. 2015).
            factor = math.sqrt(2) * (EDGES if number == 0 else 1)
            kernel = factor * orthonormal(rows.reshape(wide_out, -1))
            shape = wide_out, wide_in, window, window
            self.kernels.append(nn.Parameter(torch.from_numpy(kernel).float().view(shape)))

    def forward(self, images: Tensor) -> tuple[Tensor, None]:
        """Return features [N, 464] of float pictures [N, 3, 64, 64] in 0..255, and no logits."""
        x = images / 127.5 - 1
        features = [COLOURS * F.adaptive_avg_pool2d(x, LAYOUT).flatten(1)]  # [N, 48]
        x = x.to(self.kernels[0].dtype)
        for kernel in self.kernels:
            x = F.relu(F.conv2d(x, kernel, stride=2, padding=kernel.shape[2] // 2))
            full = x.float()
            features += [full.mean((2, 3)), full.square().mean((2, 3)).sqrt()]  # [N, C] each
        return torch.cat(features, dim=1), None
