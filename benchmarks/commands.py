"""Random command lines: do all end with 0 or 2, in one line where they fail, and nothing half-written?

    python benchmarks/commands.py [--count 300] [--seed 0]

Lines are drawn from all commands and their flags, in any order, with values that are right, wrong, missing
or of another kind, over two small runs, a folder of pictures and the built-in sets. They run one after
another in this process, in a folder that goes with it. `tests/test_commands.py` runs forty of them.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import get_args
from unittest.mock import patch

import numpy as np
from PIL import Image

from figment.cli import COMMANDS, main
from figment.commands.training import WORDS
from figment.errors import UserError
from figment.flags import Word, words_of
from figment.recipes.help import flags_for

OLD = Path(__file__).parents[1] / "tests" / "old_runs"
BARE = [
    "runs/photos",
    "runs/few",
    "photos",
    "flowers:8",
    "ring:60",
    "nowhere",
    "runs",
    "fotos.zip",
    "",
]
SMALL = {"count": "2", "frames": "2", "steps": "1", "starts": "1", "per_class": "1", "images": "4"}
"""Values that keep a line that is right short."""
TINY = ["--images", "4", "--batch", "2", "--metrics", "--device", "cpu", "--recipe"]


def prepare(place: Path) -> None:
    """Put two runs and a folder of six pictures into a folder."""
    for name, old in (("few", "few-shot-classes"), ("photos", "dcgan")):
        shutil.copytree(OLD / old, place / "runs" / name)
    (place / "photos").mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)
    for number, picture in enumerate(pixels):
        Image.fromarray(picture).save(place / "photos" / f"{number}.png")


def lines(count: int, seed: int) -> Iterator[list[str]]:
    """Yield command lines, the same for a seed."""
    rng = random.Random(seed)
    for _ in range(count):
        command = rng.choice(list(COMMANDS))
        takes = [*WORDS, *flags_for(None)] if command == "train" else words_of(COMMANDS[command])
        parts = [[rng.choice(BARE)] for word in takes if word.bare and rng.random() < 0.8]
        flags = [word for word in takes if not word.bare]
        for word in rng.sample(flags, min(len(flags), rng.randrange(4))):
            parts.append(_flag(word, rng))
        if rng.random() < 0.1:
            parts.append([rng.choice(["--help", "--nosuch", "-x", "stray", "--", "--seed="])])
        rng.shuffle(parts)
        tail = [*TINY, "points"] if command == "train" else []  # no long training by chance
        yield [*command.split(), *(part for group in parts for part in group), *tail]


def _flag(word: Word, rng: random.Random) -> list[str]:
    if word.hint is bool:
        return [rng.choice(word.flags)]
    right = SMALL.get(word.name) or {int: "1", float: "0.5", Path: "out.png"}.get(word.hint, "auto")
    choices = [str(each) for each in get_args(word.hint) if isinstance(each, str | int)]
    values = [rng.choice(choices) if choices else right]
    if word.name not in SMALL and rng.random() < 0.4:
        values = rng.choice(
            [[], ["-1"], ["0"], ["many"], ["nan"], ["1", "2"], [""], ["runs/photos"]]
        )
    flag = word.said if rng.random() < 0.9 else word.said[:-1]
    return [f"{flag}={values[0]}"] if values and rng.random() < 0.2 else [flag, *values]


def wrong(words: list[str]) -> tuple[int, str]:
    """Run a line here; return its exit code, and what is wrong with its end, if anything."""
    before = _tree()
    out, err = io.StringIO(), io.StringIO()
    endless = patch("figment.serve.server.run")  # a server that begins does not end by itself
    alone = patch("figment.export.runtime._downloaded", side_effect=UserError("no network here"))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), endless, alone:
        try:
            code = main(words)
        except BaseException as error:  # the very thing that is looked for
            return -1, f"{type(error).__name__}: {error}"
    said = [line for line in err.getvalue().splitlines() if line.startswith("figment: ")]
    left = {path for path in _tree() - before if path.suffix != ".lock" and path.name != "lock"}
    if code not in (0, 2) or "Traceback" in err.getvalue():
        return code, f"exit code {code}"
    if code == 2 and len(said) != 1:
        return code, f"{len(said)} lines: {err.getvalue()[-300:]}"
    if any(path.name.endswith(".tmp") for path in left) or (code == 2 and left):
        return code, f"left behind: {sorted(map(str, left))}"
    return code, ""


def _tree() -> set[Path]:
    return {path for path in Path().rglob("*") if not path.is_relative_to("cache")}


def run() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    ends: Counter[int] = Counter()
    with tempfile.TemporaryDirectory() as place, contextlib.chdir(place):
        os.environ["FIGMENT_CACHE"] = str(Path("cache").absolute())
        prepare(Path())
        for words in lines(args.count, args.seed):
            start = time.perf_counter()
            code, problem = wrong(words)
            ends[code] += 1
            seconds = time.perf_counter() - start
            if problem or seconds > 30:
                print(f"{' '.join(words)}\n    {problem or f'{seconds:.0f} s'}", flush=True)
    print(", ".join(f"{number} ended with {code}" for code, number in sorted(ends.items())))


if __name__ == "__main__":
    run()
