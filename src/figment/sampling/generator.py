"""The trained generator as a person uses it: seeds in, pictures out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import nn

from figment.errors import UserError
from figment.players import players
from figment.recipe import Recipe
from figment.sampling.latents import latents_of
from figment.sampling.pictures import Pictures


class Generator:
    """A recipe's generator in evaluation mode, drawn from by seed."""

    def __init__(self, recipe: Recipe, net: nn.Module) -> None:
        self.recipe = recipe
        self.net = net.eval()

    def sample(
        self,
        count: int = 64,
        *,
        seed: int = 0,
        truncation: float | None = None,
        batch: int = 64,
        progress: bool = False,
    ) -> Pictures:
        """Return the pictures of seeds ``seed`` to ``seed + count - 1``.

        uint8 [N, C, R, R], or float32 points [N, 2]. A seed's picture does not depend on the others nor,
        up to rounding, on batch or device. ``truncation`` cuts the latents off at ± that value.
        """
        if count < 1:
            raise UserError(f"count must be above 0, not {count}")
        if seed < 0:
            raise UserError(f"seed must be 0 or more, not {seed}")
        parts = self.batches(range(seed, seed + count), truncation=truncation, batch=batch)
        if progress:
            from tqdm import tqdm

            parts = tqdm(parts, total=-(-count // batch), unit=" batches", desc="sampling")
        return Pictures(torch.cat(list(parts)).numpy())

    @torch.inference_mode()
    def batches(
        self, seeds: Sequence[int], *, truncation: float | None = None, batch: int = 64
    ) -> Iterator[torch.Tensor]:
        """Yield the pictures of the seeds, ``batch`` at a time, on the CPU: uint8 or points."""
        if truncation is not None and not 0 < truncation < math.inf:
            raise UserError(f"truncation must be above 0, not {truncation}")
        device = next(self.net.parameters()).device
        for start in range(0, len(seeds), batch):
            latents = latents_of(seeds[start : start + batch], self.recipe.latent, truncation)
            labels = self.recipe.labels_for(seeds[start : start + batch], device)
            fakes = self.recipe.generate(self.net, latents.to(device), labels).float()
            if self.recipe.kind == "images":
                fakes = fakes.add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
            yield fakes.cpu().contiguous()


def load_generator(path: Path, device: torch.device) -> Generator:
    """Return the generator of a snapshot file, whose metadata hold its recipe.

    Raises UserError for a file that is damaged or no snapshot.
    """
    import json

    from safetensors import SafetensorError, safe_open

    from figment.recipes import recipe_from

    try:
        with safe_open(path, framework="pt") as file:
            _, recipe = recipe_from(json.loads((file.metadata() or {})["figment"]))
            weights = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        net = players(recipe)["generator"]
        net.load_state_dict(weights)
    except (SafetensorError, KeyError, RuntimeError, OSError, ValueError, TypeError) as error:
        reason = f"{error}\n".splitlines()[0]
        raise UserError(f"{path} is not a readable snapshot ({reason})") from None
    return Generator(recipe, net.to(device))
