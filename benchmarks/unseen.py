"""Is the doctor right on cases that none of its bounds was fitted to, at every moment of them?

    python benchmarks/unseen.py DATA_DIR [--out unseen/] [--only WORD ...] [--part 0 2] [--table] [--again]

Other seeds, sets and systems than ``benchmarks/doctor.py`` has: runs and sets with one planted fault each,
and runs without. Each is trained once (half a minute at most on one core), and asked after every
measurement; what OUT/results.jsonl holds is not done again, ``--again`` asks the present doctor about the
runs that are there. Prints a table: what is right, what was said from first to last, and what was said
first that is not true.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import figment
from figment.data import open_dataset
from figment.doctor.data import examine
from figment.doctor.finding import Finding
from figment.errors import UserError
from figment.run import findings_of
from unseen_faults import SMALL

LOOKS = 12
TICKS = 48
QUIET = frozenset({"good", "note"})
"""Severities that are no alarm."""


@dataclass(frozen=True)
class Case:
    """A run or a set, what is right to say of it first, and what else is true of it."""

    name: str
    right: frozenset[str]
    """What may be said first in the end; empty: no alarm at all may be raised."""
    also: frozenset[str]
    data: str
    recipe: str = ""
    """"" for a set that is only looked at."""
    images: int = 0
    fields: dict[str, Any] = field(default_factory=dict)


def fault(
    name: str, right: str, data: str, recipe: str, images: int, also: str = "", **fields: Any
) -> Case:
    return Case(name, _names(right), _names(also), data, recipe, images, fields)


def data(name: str, right: str, source: str, also: str = "") -> Case:
    return Case(name, _names(right), _names(also), source)


def healthy(name: str, source: str, recipe: str, images: int, **fields: Any) -> Case:
    return Case(name, frozenset(), frozenset(), source, recipe, images, fields)


def _names(words: str) -> frozenset[str]:
    return frozenset(filter(None, words.split(" | ")))


LOST = (
    "divergence | mode collapse | partial mode collapse | oscillation | discriminator too strong | "
    "generator too strong | checkerboard"
)
"""What is true of a game that is lost, whatever lost it."""
RATES = {"generator_lr": 4e-3, "discriminator_lr": 4e-3}
SCORED: dict[str, Any] = {"metrics": ("kid",), "metric_count": 256}

CASES = (
    fault("critic without a bound", "unbounded critic", "fashion_mnist.zip", "dcgan", 24_000, LOST,
          objective="wasserstein", real_target=1.0, seed=101, **SMALL),
    fault("critic without a bound, points", "unbounded critic", "ring", "points", 250_000, LOST,
          objective="wasserstein", seed=102),
    fault("dropout .95", "extreme dropout", "cifar10.zip", "dcgan", 24_000, LOST, dropout=0.95,
          seed=103, **SMALL),
    fault("both rates x200, C1", "learning rate too high", "fashion_mnist.zip", "cats-mlp-grey",
          16_000, LOST, seed=104, hidden=(64, 128, 256), resolution=28, **RATES),
    fault("both rates /200", "learning rate too low", "cifar10.zip", "fccgan", 16_000, LOST,
          generator_lr=5e-7, discriminator_lr=5e-7, seed=105, width=12),
    fault("generator's rate x200", "learning rate too high", "mnist.zip", "dcgan", 24_000, LOST,
          generator_lr=4e-2, seed=106, **SMALL),
    fault("discriminator's rate /200, grid", "learning rate too low", "grid", "points", 250_000, LOST,
          discriminator_lr=5e-6, seed=107),
    fault("classes swapped in pairs", "classes swapped", "mnist.zip", "unseen_faults:SWAPPED",
          40_000, seed=108),
    fault("classes not obeyed", "classes not obeyed", "fashion_mnist.zip", "unseen_faults:DEAF",
          40_000, seed=109),
    fault("one class not obeyed", "class not obeyed | classes swapped", "mnist.zip",
          "unseen_faults:DEAF_TO_ONE", 40_000, seed=110),
    fault("reals times 3", "wrong normalisation", "cifar10.zip", "unseen_faults:LOUD", 32_000, LOST,
          seed=111),
    fault("reals inverted", "wrong normalisation", "fashion_mnist.zip", "unseen_faults:NEGATIVE",
          32_000, LOST, seed=112),
    fault("discriminator far too strong", "discriminator too strong", "flowers2.zip", "dcgan", 48_000,
          LOST, generator_lr=1e-5, discriminator_lr=2e-3, discriminator_moves=2, real_target=1.0,
          seed=113, **SMALL),
    fault("discriminator far too weak", "generator too strong | learning rate too low",
          "fashion_mnist.zip", "dcgan", 32_000, LOST, discriminator_lr=1e-6, generator_lr=8e-4,
          seed=114, **SMALL),
    fault("generator frozen", "generator stands still | discriminator too strong", "flowers2.zip",
          "unseen_faults:FROZEN", 24_000, LOST, seed=115),
    fault("plain game on the ring", "mode collapse | partial mode collapse | oscillation", "ring",
          "points", 250_000, "still far from your pictures", latent=64, hidden=(128, 128),
          generator_lr=1e-3, seed=116),
    fault("four pictures", "mode collapse", "cifar10.zip", "unseen_faults:FOUR", 32_000, LOST,
          seed=117),
    fault("220 pictures, 220 passes", "discriminator overfitting | memorisation", "some:220", "dcgan",
          48_000, LOST, seed=118, **SMALL),
    fault("twelve pictures", "near-empty data", "some:12", "dcgan", 16_000,
          LOST + " | discriminator overfitting | memorisation", seed=119, **SMALL),
    fault("noise for pictures", "noise for data", "noise", "dcgan", 16_000, LOST, seed=120, **SMALL),
    fault("near-identical pictures", "near-identical pictures | constant data", "nearly", "dcgan",
          16_000, LOST, seed=121, **SMALL),
    fault("grey pictures in colour", "grey pictures in colour", "grey", "dcgan", 24_000, seed=122,
          channels=3, **SMALL),
    fault("stripes", "checkerboard", "flowers2.zip", "unseen_faults:STRIPED", 48_000, seed=123),
    fault("no colours", "colours missing", "cifar10.zip", "unseen_faults:COLOURLESS", 32_000,
          seed=124),
    fault("nothing fine", "blurred samples", "cifar10.zip", "unseen_faults:SMOOTH", 32_000, seed=125),
    fault("overflow after 900 rounds", "divergence", "mnist.zip", "unseen_faults:OVERFLOWING", 40_000,
          seed=126),
    fault("momentum .9 and rate x40", "learning rate too high | divergence | oscillation",
          "fashion_mnist.zip", "dcgan", 32_000, LOST, generator_lr=8e-3, discriminator_lr=8e-3,
          betas=(0.9, 0.999), seed=127, **SMALL),
    fault("batches of 2", "tiny batch", "cifar10.zip", "dcgan", 3_000, LOST, seed=128,
          **SMALL | {"batch": 2}),
    fault("cloud over the ring", "still far from your points", "ring", "points", 100_000,
          "partial mode collapse", packing=2, discriminator_lr=2e-4, seed=129),
    fault("stopped far too early, scored", "still far from your pictures", "flowers2.zip", "dcgan",
          24_000, "checkerboard", seed=130, **SMALL | SCORED),
    data("half of the set repeated", "duplicates | near repeats", "repeated"),
    data("near repeats, as JPEG", "near repeats", "resaved"),
    data("near-identical set", "near-identical pictures | constant data", "nearly"),
    data("noise", "noise for data", "noise"),
    data("twelve pictures, looked at", "near-empty data", "some:12"),
    data("one class of 4 pictures", "tiny classes", "uneven"),
    data("a tenth of the classes swapped", "doubtful classes", "mislabelled"),
    healthy("DCGAN, hinge, R1", "mnist.zip", "dcgan", 32_000, objective="hinge", real_target=1.0,
            r1=1.0, seed=201, **SMALL),
    healthy("DCGAN by class", "fashion_mnist.zip", "dcgan-concat", 32_000, seed=202, **SMALL),
    healthy("DCGAN, relativistic, scored", "flowers2.zip", "dcgan", 32_000,
            objective="relativistic", real_target=1.0, seed=203, **SMALL | SCORED),
    healthy("DCGAN, average far too long", "cifar10.zip", "dcgan", 32_000, ema=100_000_000, seed=204,
            **SMALL),
    healthy("FCC-GAN, smooth", "cifar10.zip", "fccgan-smooth", 24_000, seed=205, width=12,
            batch=32),
    healthy("few-shot", "flowers2.zip", "few-shot", 24_000, seed=206, resolution=32, width=12),
    healthy("few-shot, 251 cats", "grumpy64.zip", "few-shot", 24_000, seed=207, resolution=32,
            width=12),
    healthy("WGAN-GP, flowers-28", "flowers2.zip", "flowers-28", 24_000, seed=208, width=12,
            batch=32, discriminator_moves=1),
    healthy("R1 + R2, ring", "ring", "points", 250_000, r1=1.0, r2=1.0, betas=(0.0, 0.99),
            discriminator_lr=1e-3, generator_lr=1e-3, latent=64, hidden=(128, 128), seed=209),
    healthy("points, grid, least squares", "grid", "points", 250_000, objective="least_squares",
            seed=210),
    healthy("DCGAN, nearest, LSGAN, drawn flowers", "flowers", "dcgan", 32_000, up="nearest",
            objective="least_squares", seed=211, **SMALL),
    healthy("packing 2, ring", "ring", "points", 250_000, packing=2, seed=212),
)  # fmt: skip


def source(wanted: str, shared: Path, out: Path) -> str:
    """Return what to train on or look at; made first where that is a set of its own."""
    if wanted.endswith(".zip"):
        return str(shared / wanted)
    name, _, count = wanted.partition(":")
    make = MADE.get(name)
    if make is None:
        return wanted
    path = out / "data" / f"{name}{count}"
    if not path.exists():
        path.mkdir(parents=True)
        for number, (folder, pixels) in enumerate(make(shared, int(count or 0))):
            (path / folder).mkdir(exist_ok=True)
            Image.fromarray(pixels).save(path / folder / f"{number:05d}.png")
    return str(path)


Drawn = Iterator[tuple[str, np.ndarray]]


def _of(shared: Path, name: str, channels: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Return pictures [N, 32, 32, C] of a set and their classes."""
    found = open_dataset(str(shared / name), resolution=32, channels=channels, progress=False)
    return np.asarray(found.rows).transpose(0, 2, 3, 1), found.labels


def _some(shared: Path, count: int) -> Drawn:
    for pixels in _of(shared, "flowers2.zip")[0][:: 900 // count][:count]:
        yield "", pixels


def _noise(shared: Path, _: int) -> Drawn:
    random = np.random.default_rng(1)
    for _ in range(400):
        yield "", random.integers(0, 256, (32, 32, 3), dtype=np.uint8)


def _nearly(shared: Path, _: int) -> Drawn:
    random, one = np.random.default_rng(2), _of(shared, "grumpy64.zip")[0][77]
    for _ in range(300):
        moved = np.roll(one, random.integers(-1, 2, 2), (0, 1)).astype(float)
        yield (
            "",
            np.clip(moved + random.normal(0, 2) + random.normal(0, 1, moved.shape), 0, 255).astype(
                np.uint8
            ),
        )


def _grey(shared: Path, _: int) -> Drawn:
    for pixels in _of(shared, "fashion_mnist.zip", 1)[0][::20]:
        yield "", np.repeat(pixels, 3, axis=2)


def _repeated(shared: Path, _: int) -> Drawn:
    rows = _of(shared, "cifar10.zip")[0][::50]
    for pixels in (*rows, *rows[:200]):
        yield "", pixels


def _resaved(shared: Path, _: int) -> Drawn:
    rows = _of(shared, "flowers2.zip")[0][:400]
    for number, pixels in enumerate(rows):
        yield "", pixels
        if number % 2:
            file = BytesIO()
            Image.fromarray(pixels).save(file, "JPEG", quality=80)
            yield "", np.asarray(Image.open(file))


def _uneven(shared: Path, _: int) -> Drawn:
    rows, labels = _of(shared, "fashion_mnist.zip", 1)
    for number in range(5):
        for pixels in rows[labels == number][: 4 if number == 3 else 120]:
            yield str(number), pixels[..., 0]


def _mislabelled(shared: Path, _: int) -> Drawn:
    rows, labels = _of(shared, "mnist.zip", 1)
    for number in range(10):
        for place, pixels in enumerate(rows[labels == number][:200]):
            yield str(number if place % 10 else number ^ 1), pixels[..., 0]


MADE = {
    "some": _some,
    "noise": _noise,
    "nearly": _nearly,
    "grey": _grey,
    "repeated": _repeated,
    "resaved": _resaved,
    "uneven": _uneven,
    "mislabelled": _mislabelled,
}
"""Sets with something wrong, by name: pictures with the folder that each lies in."""


def home(case: Case, out: Path) -> Path:
    """Return where the run of a case lies."""
    return out / "runs" / "".join(letter if letter.isalnum() else "-" for letter in case.name)


def train(case: Case, shared: Path, out: Path) -> None:
    """Train a case; one that breaks off leaves what it has."""
    path = home(case, out)
    shutil.rmtree(path, ignore_errors=True)
    batch = case.fields.get("batch", 32)
    plan: dict[str, Any] = {"metrics": (), "tick": max(batch, case.images // TICKS)}
    plan |= {"sample_every": case.images, "snapshot_every": case.images}
    plan["metric_every"] = max(batch, case.images // LOOKS)
    try:
        figment.train(
            source(case.data, shared, out), case.recipe, run=path, images=case.images,
            progress=False, **plan | case.fields,
        )  # fmt: skip
    except UserError as error:
        print(f"     {case.name}: {error}", flush=True)


def ask(case: Case, shared: Path, out: Path) -> list[tuple[int, list[Finding]]]:
    """Return what the doctor says at every look, with the images seen by then."""
    if not case.recipe:
        return [(0, examine(source(case.data, shared, out), progress=False))]
    path = home(case, out)
    lines = [json.loads(text) for text in (path / "log.jsonl").read_text().splitlines()]
    ends = [n for n, line in enumerate(lines) if "watch/diversity" in line or n == len(lines) - 1]
    return [(lines[end]["images"], findings_of(path, lines[: end + 1])) for end in ends]


def judge(case: Case, said: list[tuple[int, list[Finding]]]) -> dict[str, Any]:
    """Return what was right of what was said: the last first finding, and the first untrue alarm."""
    true = case.right | case.also
    untrue = [
        (images, finding.name)
        for images, findings in said
        for finding in findings
        if finding.severity not in QUIET and finding.name not in true
    ]
    names = [findings[0].name for _, findings in said]
    last = said[-1][1]
    praised = [name for name in names if name in ("healthy", "converged")]
    return {
        "first": names[-1] in case.right if case.right else not untrue,
        "named": bool(case.right & {finding.name for finding in last})
        if case.right
        else not untrue,
        "course": [(name, len(list(same))) for name, same in groupby(names)],
        "last": [finding.name for finding in last],
        "untrue": untrue[0] if untrue else None,
        "praised": bool(case.right and praised),
    }


def table(results: list[dict[str, Any]]) -> str:
    """Return the table and the tally in Markdown."""
    lines = [
        "| case | right | said first, from the first look to the last | said last | right first | "
        "first untrue alarm |",
        "|---|---|---|---|---|---|",
    ]
    for result in results:
        course = ", ".join(f"{name} ({count})" for name, count in result["course"])
        untrue = result["untrue"]
        alarm = f"**{untrue[1]}** at {untrue[0]:,}" if untrue else "–"
        verdict = "yes" if result["first"] else "**no**"
        lines.append(
            f"| {result['case']} | {' or '.join(result['right']) or 'no alarm'} | {course} | "
            f"{', '.join(result['last'])} | {verdict} | {alarm} |"
        )
    faults = [result for result in results if result["right"]]
    sound = [result for result in results if not result["right"]]
    first, named = (sum(result[key] for result in faults) for key in ("first", "named"))
    wrong = sum(result["untrue"] is not None for result in faults)
    praised = sum(result["praised"] for result in faults)
    alarms = sum(result["untrue"] is not None for result in sound)
    tally = (
        f"{first} of {len(faults)} faults named first, {named} at all; at some look of {wrong} of them "
        f"something untrue was said, and {praised} were called healthy at some look. "
        f"{alarms} of {len(sound)} healthy runs drew an alarm at any look."
    )
    return "\n".join([*lines, "", tally])


def main() -> None:
    """Do what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("shared", type=Path, help="the folder with cats64.zip, mnist.zip, …")
    parser.add_argument("--out", type=Path, default=Path("unseen"))
    parser.add_argument("--only", nargs="*", default=[], help="cases whose names hold one of these")
    parser.add_argument("--part", type=int, nargs=2, default=(0, 1), help="which of how many parts")
    parser.add_argument("--again", action="store_true", help="ask again about what is there")
    parser.add_argument("--table", action="store_true", help="only print what is there")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    kept = given.out / "results.jsonl"
    done = [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []
    results = {result["case"]: result for result in done}
    part, parts = given.part
    for case in CASES[part::parts]:
        wanted = not given.only or any(word in case.name for word in given.only)
        there = case.name in results
        if not wanted or given.table or (there and not given.again):
            continue
        start = time.time()
        if case.recipe and not there:
            train(case, given.shared, given.out)
        result = {"case": case.name, "right": sorted(case.right)}
        result |= judge(case, ask(case, given.shared, given.out))
        results[case.name] = result | {"seconds": round(time.time() - start)}
        if not given.again:
            with open(kept, "a", encoding="utf-8") as file:
                file.write(json.dumps(results[case.name]) + "\n")
        print(
            f"{results[case.name]['seconds']:4d} s  {case.name}: {', '.join(result['last'])}",
            flush=True,
        )
    print(table([results[case.name] for case in CASES if case.name in results]))


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
