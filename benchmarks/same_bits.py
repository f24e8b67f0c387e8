"""Does every game still end in the same bits? Digests of what a few rounds of each of them leave.

    python benchmarks/same_bits.py [--only TEXT] [--out before.json] [--against before.json]

Prints a line a case: a digest of all weights and buffers (names and bytes), and one of all scalars that
the last round logged. First a number of techniques and ways to play, three rounds each (SVRE: six); then
every named system in its tiny form, fitted to the data as `figment train` does it, five rounds each. Run
it before a change with --out and after it with --against: the second prints which cases differ, and in
which scalars and tensors, and the exit code is 1 if any does, is missing, or could not be played.
On one thread of one CPU, so that the same code gives the same bits; another machine gives others.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import torch

import figment
from figment.data import look, open_dataset
from figment.recipes import SYSTEMS
from figment.training.trainer import Trainer

CPU = torch.device("cpu")
TECHNIQUES: list[tuple[str, dict[str, Any]]] = [
    ("dcgan", {}),
    ("dcgan", {"lecam": 0.1}),
    ("dcgan", {"replay": 8, "instance_noise": 0.1}),
    ("dcgan", {"packing": 2, "r1": 10.0, "r2": 1.0, "dropout": 0.3}),
    ("dcgan", {"augment": "ada", "augment_p": 0.3, "mirror": True}),
    (
        "dcgan",
        {"objective": "relativistic", "real_target": 1.0, "augment": "diffaugment"}
        | {"consistency": 10.0, "consistency_fake": 10.0, "drift": 1e-3},
    ),
    (
        "dcgan",
        {"latent_consistency": 5.0, "latent_diversity": 0.5, "top_k": 0.5}
        | {"penalty_every": 2, "gradient_penalty": 10.0},
    ),
    ("dcgan", {"feature_matching": 1.0, "adversarial": 0.0}),
    (
        "dcgan",
        {"feature_matching": 1.0, "orthogonal": 1e-4, "off_diagonal": 1e-4}
        | {"historical_averaging": 0.1},
    ),
    ("dcgan", {"augment": "study", "balance": 0.55}),
    ("wgan", {}),
    ("acgan", {}),
    ("sngan-projection", {}),
    ("dcgan-concat", {}),
    ("dcgan-virtual", {}),
    ("goodfellow", {}),
    ("flowers-28-classes", {}),
    ("ssl-mnist", {}),
    ("cats-mlp-unrolled", {}),
    ("fccgan-baseline-svre", {}),
    ("fccgan-baseline-extragradient", {}),
    ("points", {"dragan": 10.0}),
    ("few-shot", {}),
    ("few-shot", {"rate_decay": 0.9, "images": 40}),
    ("sngan", {}),
    ("goodfellow", {"rate_decay": 0.9, "images": 40}),
    ("dcgan", {"play": "optimistic"}),
    ("dcgan", {"guidance": 1.0, "guidance_balance": 0.5, "latent": 8}),
]


@dataclass(frozen=True)
class Case:
    """One game to be played for a few rounds."""

    system: str
    changes: dict[str, Any]
    rounds: int
    fitted: bool = False
    """Fit the recipe to the data as `figment train` does."""

    @property
    def name(self) -> str:
        if self.fitted:
            return f"system {self.system}"
        return " ".join([self.system, *(f"{key}={value}" for key, value in self.changes.items())])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", default="", help="play the cases whose names hold this text")
    parser.add_argument("--out", type=Path, help="a JSON file to write the results to")
    parser.add_argument("--against", type=Path, help="a JSON file to compare them with")
    args = parser.parse_args()
    before = json.loads(args.against.read_text()) if args.against else {}
    torch.set_num_threads(1)
    torch.backends.mkldnn.deterministic = True  # ty: ignore[invalid-assignment]
    print(f"{figment.__file__}, torch {torch.__version__}\n", flush=True)
    results: dict[str, dict[str, Any]] = {}
    for case in cases():
        if args.only not in case.name:
            continue
        results[case.name] = result = played(case)
        print(f"{case.name:58} {brief(result)}", flush=True)
    if args.out:
        args.out.write_text(json.dumps(results, indent=1) + "\n")
    failed = sum("error" in result for result in results.values())
    differing = 0
    if args.against:
        wanted = {name: result for name, result in before.items() if args.only in name}
        differing = compare(wanted, results)
    sys.exit(1 if failed or differing else 0)


def cases() -> list[Case]:
    techniques = [
        Case(system, changes, rounds=6 if "svre" in system else 3) for system, changes in TECHNIQUES
    ]
    return techniques + [Case(system, {}, rounds=5, fitted=True) for system in SYSTEMS]


def played(case: Case) -> dict[str, Any]:
    """Return the digests and the scalars that a case ends with, or the error it ends in."""
    try:
        return digests(*play(case))
    except Exception as error:  # of any kind: the other cases are to be played too
        return {"error": f"{type(error).__name__}: {error}"}


def play(case: Case) -> tuple[Trainer, dict[str, float]]:
    """Return the trainer after the case's rounds, and the scalars of the last of them."""
    recipe = replace(SYSTEMS[case.system].recipe.tiny(), precision="float32", **case.changes)
    if not case.fitted:
        recipe = replace(recipe, batch=8)
    if recipe.classed:
        recipe = replace(recipe, classes=2)
    data = "ring" if recipe.kind == "points" else "flowers:24"
    pinned = frozenset(field.name for field in fields(recipe))
    if case.fitted:
        recipe = recipe.fit_to(look(data), pinned)
    recipe.check()
    dataset = open_dataset(
        data, resolution=recipe.resolution, channels=recipe.channels, progress=False
    )
    if case.fitted:
        recipe = recipe.settle(dataset, pinned)
        recipe.check()
    trainer = Trainer(recipe, dataset, CPU)
    if "lecam" in case.changes:  # it begins late
        trainer.clock = trainer.clock._replace(rounds=1_000)
    seen: dict[str, Any] = {}
    for _ in range(case.rounds):
        seen = trainer.round()
    return trainer, {name: float(value) for name, value in sorted(seen.items())}


def digests(trainer: Trainer, scalars: dict[str, float]) -> dict[str, Any]:
    state = hashlib.sha256()
    tensors: dict[str, str] = {}
    for name, tensor in sorted(trainer.nets.state_dict().items()):
        content = tensor.detach().cpu().contiguous().numpy().tobytes()
        state.update(name.encode())
        state.update(content)
        tensors[name] = hashlib.sha256(content).hexdigest()[:8]
    logged = hashlib.sha256(repr(sorted(scalars.items())).encode())
    return {
        "state": state.hexdigest()[:12],
        "scalars": logged.hexdigest()[:12],
        "logged": {name: repr(value) for name, value in scalars.items()},
        "tensors": tensors,
    }


def brief(result: dict[str, Any]) -> str:
    if "error" in result:
        return f"ERROR {result['error'][:300]}"
    return f"{result['state']} {result['scalars']}"


def compare(before: dict[str, Any], after: dict[str, Any]) -> int:
    """Print the cases that differ, and in what; return how many they are."""
    names = [*before, *(name for name in after if name not in before)]
    differing = [name for name in names if before.get(name) != after.get(name)]
    print(f"\n{len(names)} cases, {len(differing)} differ")
    for name in differing:
        old, new = before.get(name), after.get(name)
        if old is None or new is None:
            print(f"  {name}: only {'after' if old is None else 'before'}")
        elif "error" in old or "error" in new:
            print(f"  {name}: {brief(old)} -> {brief(new)}")
        else:
            print(f"  {name}")
            print_changes("scalars", old["logged"], new["logged"])
            print_changes("tensors", old["tensors"], new["tensors"])
    return len(differing)


def print_changes(what: str, old: dict[str, str], new: dict[str, str], most: int = 6) -> None:
    """Print which entries of one case differ, the first of them with their values."""
    names = [name for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
    if not names:
        return
    print(f"    {len(names)} of {len({*old, *new})} {what}:")
    for name in names[:most]:
        print(f"      {name}: {old.get(name, 'none')} -> {new.get(name, 'none')}")
    if len(names) > most:
        print(f"      and {len(names) - most} more")


if __name__ == "__main__":
    main()
