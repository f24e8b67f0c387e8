"""Is figment safe with a stranger's files, with damage, with links, and with two of everything at once?

    python benchmarks/hostile.py [--only WORD]   # of a name; or "two at once"

Trains two tiny runs, then damages copies of them in every way below and runs figment on each: report,
doctor, compare, sample, resume and what else the case names. Prints a table and ends with exit code 1
unless every command ended with 0, 2, 130 or 143, without a traceback, in less than 10 s of processor time
and 1 GiB of memory, and no code of the folder ran and no file outside it changed (Linux).
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import importlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from hostile_data import DATA

SECONDS, MIB = 10.0, 1024
PATIENCE = 30, 1200  # seconds of the processor, and of the day, after which a command is ended
EVIL = "import pathlib; pathlib.Path({mark!r}).write_text('it ran')\nclass X: pass\n"
CODES = (0, 2, 130, 143)
REPORT = ("report RUN", "doctor RUN", "compare RUN OTHER")
DRAW = ("sample RUN --count 4 --out new.png",)
RESUME = ("resume RUN --images 16",)
TINY = "--recipe dcgan --width 4 --batch 4 --images 16 --resolution 32 --features small"
USUAL = REPORT + DRAW + RESUME


class World(NamedTuple):
    """What a case may touch: the run to spoil, one beside it, and what must stay as it is."""

    home: Path
    run: Path
    other: Path
    outside: Path
    mark: Path
    """Written by whatever code of the folder runs."""

    def evil(self, *places: Path) -> None:
        """Lay code there that leaves the mark when it is imported."""
        for place in places:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(EVIL.format(mark=str(self.mark)))


class Case(NamedTuple):
    """A way to spoil a run, and the commands that are then tried."""

    name: str
    spoil: Callable[[World], object]
    """Returns the source of data that commands call DATA, if there is one."""
    commands: tuple[str, ...] = USUAL
    where: str = "."
    """The current folder, below the home."""


class Outcome(NamedTuple):
    """How a command ended."""

    code: int
    text: str
    seconds: float
    mib: float

    def faults(self) -> list[str]:
        """What was wrong with it."""
        found = [] if self.code in CODES else [f"exit code {self.code}"]
        found += ["traceback"] if "Traceback" in self.text else []
        lines = [line for line in self.text.splitlines() if line.startswith("figment: ")]
        found += ["no sentence"] if self.code == 2 and not lines else []
        found += [f"{self.seconds:.0f} s"] if self.seconds > SECONDS else []
        return found + ([f"{self.mib:.0f} MiB"] if self.mib > MIB else [])


# -- ways to spoil ----------------------------------------------------------------------------------------


def edit(file: str, **changes: object) -> Callable[[World], object]:
    """Change values of a JSON file of the run, by dotted names; ``...`` takes one away."""

    def spoil(w: World) -> None:
        path = w.run / file
        whole = json.loads(path.read_text())
        for dotted, value in changes.items():
            *way, last = dotted.split("__")
            part = whole
            for key in way:
                part = part[key]
            if value is ...:
                del part[last]
            else:
                part[last] = value
        path.write_text(json.dumps(whole))

    return spoil


def put(file: str, content: bytes) -> Callable[[World], object]:
    """Replace a file of the run."""
    return lambda w: (w.run / file).write_bytes(content)


def add(file: str, content: bytes) -> Callable[[World], object]:
    """Add to the end of a file of the run."""

    def spoil(w: World) -> None:
        with open(w.run / file, "ab") as opened:
            opened.write(content)

    return spoil


def huge(file: str, gib: float) -> Callable[[World], object]:
    """Make a file so large, with holes."""
    return lambda w: os.truncate(w.run / file, int(gib * 2**30))


def pipe(file: str) -> Callable[[World], object]:
    """Put a pipe that nobody writes to in a file's place."""

    def spoil(w: World) -> None:
        (w.run / file).unlink(missing_ok=True)
        os.mkfifo(w.run / file)

    return spoil


def link(part: str, to: str = "victim.txt", *, hard: bool = False) -> Callable[[World], object]:
    """Put a link to something outside in the place of a part of the run."""

    def spoil(w: World) -> None:
        place, target = w.run / part, Path(to) if to.startswith("/") else w.outside / to
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        place.unlink(missing_ok=True)
        os.link(target, place) if hard else place.symlink_to(target)

    return spoil


def flip(pattern: str, at: float) -> Callable[[World], object]:
    """Flip a bit of a file, so far into it."""

    def spoil(w: World) -> None:
        path = sorted(w.run.glob(pattern))[-1]
        data = bytearray(path.read_bytes())
        data[min(int(at * len(data)), len(data) - 1)] ^= 4
        path.write_bytes(data)

    return spoil


def cut(pattern: str, share: float) -> Callable[[World], object]:
    """Keep the beginning of a file only."""

    def spoil(w: World) -> None:
        path = sorted(w.run.glob(pattern))[-1]
        os.truncate(path, int(share * path.stat().st_size))

    return spoil


def tensors(pattern: str, header: dict, size: float = 0.0) -> Callable[[World], object]:
    """Put a safetensors file with this header, and so many GiB of zeros, in a file's place."""

    def spoil(w: World) -> None:
        path = sorted(w.run.glob(pattern))[-1]
        text = json.dumps(header).encode()
        path.write_bytes(len(text).to_bytes(8, "little") + text)
        os.truncate(path, 8 + len(text) + int(size * 2**30))

    return spoil


def names_evil(recipe: str, *places: str) -> Callable[[World], object]:
    """Let the run and its snapshots name a module, and lay that module there."""

    def spoil(w: World) -> None:
        edit("recipe.json", recipe=recipe)(w)
        w.evil(*(w.home / place for place in places))
        for path in w.run.rglob("*.safetensors"):
            data = path.read_bytes()
            size = int.from_bytes(data[:8], "little")
            header = json.loads(data[8 : 8 + size])
            note = json.loads(header.get("__metadata__", {}).get("figment", "{}"))
            if "recipe" in note:
                header["__metadata__"] = {"figment": json.dumps(note | {"recipe": recipe})}
                text = json.dumps(header).encode()
                path.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + size :])

    return spoil


def pickled(w: World) -> None:
    """Put a pickle that runs code in the place of every file of weights."""
    code = f"cbuiltins\nexec\n(S{EVIL.format(mark=str(w.mark))!r}\ntR.".encode()
    for path in w.run.rglob("*.safetensors"):
        path.write_bytes(code)


def bomb(w: World) -> None:
    """Put a PNG that says 60,000 pixels a side among the grids."""
    path = sorted((w.run / "samples").iterdir())[-1]
    data = path.read_bytes()
    path.write_bytes(data[:16] + (60_000).to_bytes(4, "big") * 2 + data[24:])


DEEP = b"[" * 200_000
NUMBER = b'{"images": ' + b"9" * 4_000 + b"}\n"
META = {"__metadata__": {"figment": "{}"}}


def cases() -> Iterator[Case]:
    """All of them."""
    yield from code()
    yield from texts()
    yield from values()
    yield from weights()
    yield from links()
    yield from data()


def code() -> Iterator[Case]:
    """Python beside the JSON."""
    drawing = (
        "sample RUN --count 4 --out a.png",
        "walk RUN --frames 4 --out a.gif",
        "truncate RUN --out a.png",
        "evolve RUN --out a.png",
        "evaluate RUN --count 64",
        "resume RUN --images 16",
        "train ring --recipe RUN/recipe.json --run new",
    )
    trusting = tuple(f"{command} --trust" for command in drawing)
    for where in (".", "run", "run/snapshots"):
        lays = names_evil("evil:X", "evil.py", "run/evil.py", "run/snapshots/evil.py")
        yield Case(f"code near the run, from {where}", lays, USUAL + drawing, where)
        yield Case(f"code near the run, trusted, from {where}", lays, trusting, where)
    yield Case(
        "a package in the run", names_evil("evil.in:X", "run/evil/in.py", "run/evil/__init__.py")
    )
    for name in ("../evil:X", ".evil:X", "evil", "run/evil.py", "run/recipe.json", "evil:X:Y", ":"):
        yield Case(
            f"recipe named {name}", names_evil(name, "evil.py", "run/evil.py"), (*USUAL, *trusting)
        )
    for name in ("os:system", "figment.__main__:X", "__main__:X", "antigravity:X", "this:s"):
        yield Case(f"recipe named {name}", names_evil(name), USUAL)
    yield Case("pickles for weights", pickled)
    shadows = [
        f"{name}.py" for name in ("numpy", "torch", "json", "msgspec", "tqdm", "PIL/__init__")
    ]
    lay = lambda w: w.evil(*(w.run / name for name in shadows))  # noqa: E731
    yield Case("modules that stand before real ones", lay, USUAL, "run")


def texts() -> Iterator[Case]:
    """Files of JSON that say nothing sensible."""
    read: dict[str, tuple[str, ...]] = {
        "recipe.json": REPORT + DRAW,
        "machine.json": REPORT + DRAW,
        "log.jsonl": REPORT + RESUME,
    }
    read |= {"metrics.jsonl": REPORT + RESUME, "doctor.json": ("report RUN", "compare RUN OTHER")}
    for file, commands in read.items():
        spoilt = {
            "empty": put(file, b""),
            "cut short": put(file, b'{"images": 3, "scores": {"k'),
            "no text": put(file, bytes(range(256)) * 8),
            "a list": put(file, b"[1, 2]\n"),
            "200,000 deep": put(file, DEEP),
            "1 GiB": huge(file, 1.0),
            "a pipe": pipe(file),
            "a device": link(file, "/dev/zero"),
            "gone": lambda w, file=file: (w.run / file).unlink(missing_ok=True),
        }
        for name, spoil in spoilt.items():
            yield Case(f"{file}: {name}", spoil, commands)
    for file in ("evaluation.json", "state/seconds.json", "events.jsonl"):
        yield Case(f"{file}: 200,000 deep", put(file, DEEP), ("report RUN", *RESUME))
        yield Case(f"{file}: a pipe", pipe(file), ("report RUN", *RESUME))
    for line in (
        b"17\n",
        b'"a"\n',
        NUMBER,
        b'{"images": NaN}\n',
        b'{"images": 1e999}\n',
        b"\x00\xff\n",
    ):
        for file in ("log.jsonl", "metrics.jsonl"):
            yield Case(f"{file}: a line {line[:16]!r}", add(file, line), REPORT + RESUME)
    yield Case("log.jsonl: torn", add("log.jsonl", b'{"images": 99, "loss/gener'))
    yield Case("metrics.jsonl: torn", add("metrics.jsonl", b'{"images": 99, "scores": {"k\xc3'))
    odd = {
        "images": 700,
        "rounds": "x",
        "loss/generator": [1],
        "seconds": {},
        "score/real": 10**300,
    }
    yield Case("log.jsonl: wrong types", add("log.jsonl", json.dumps(odd).encode() + b"\n"))
    odd = {"images": 700, "cost": 1, "seconds": 1, "scores": {"kid": {"value": "x", "better": 3}}}
    yield Case("metrics.jsonl: wrong types", add("metrics.jsonl", json.dumps(odd).encode() + b"\n"))
    odd = {
        "images": [],
        "findings": [{"name": 3}, 7, {"name": "a\x1b[2J", "sure": "x", "flags": 1}],
    }
    yield Case("doctor.json: wrong types", put("doctor.json", json.dumps(odd).encode()))
    out = {"images": 1, "scores": 3, "pictures": {"a": "../outside/victim.txt", "b": "/etc/passwd"}}
    yield Case(
        "evaluation.json: pictures outside", put("evaluation.json", json.dumps(out).encode())
    )


def values() -> Iterator[Case]:
    """Values of recipe.json and machine.json that cannot be."""
    for name, value in (("batch", 2**63 - 1), ("latent", 10**30), ("tick", -1), ("images", "x")):
        yield Case(
            f"recipe.json: {name} {value!r}", edit("recipe.json", **{f"fields__{name}": value})
        )
    for name, value in (("seed", None), ("metric_count", 1.5), ("batch", []), ("ema", {"a": 1})):
        yield Case(
            f"recipe.json: {name} {value!r}", edit("recipe.json", **{f"fields__{name}": value})
        )
    yield Case("recipe.json: a million layers", edit("recipe.json", fields__hidden=[8] * 10**6))
    yield Case("recipe.json: layers of 10**9", edit("recipe.json", fields__hidden=[10**9, 10**9]))
    yield Case("recipe.json: another size of layers", edit("recipe.json", fields__hidden=[24]))
    yield Case("recipe.json: a field of the future", edit("recipe.json", fields__warp=9))
    yield Case(
        "recipe.json: a system of the future", edit("recipe.json", recipe="dcgan-9\x1b[31m\nx")
    )
    yield Case("recipe.json: no fields", edit("recipe.json", fields=...))
    for name in ("data", "parameters", "budget", "data__shape", "data__classes", "data__path"):
        for value in (..., "x", [10**30]):
            spoil = edit("machine.json", **{name: value})
            yield Case(f"machine.json: {name} {value!r}"[:60], spoil, REPORT + RESUME)
    yield Case(
        "machine.json: data at a pipe", lambda w: edit("machine.json", data__path=_fifo(w))(w)
    )
    yield Case("machine.json: data at /dev/zero", edit("machine.json", data__path="/dev/zero"))
    yield Case(
        "machine.json: keys of the future", edit("machine.json", warp={"deep": [1, {"a": 2}]})
    )
    yield Case(
        "machine.json: steering letters", edit("machine.json", data__name="a\x1b[2J\nb<script>")
    )
    yield Case("machine.json: budget without end", edit("machine.json", budget={"minutes": 1e300}))


def _fifo(w: World) -> str:
    os.mkfifo(w.home / "fifo")
    return str(w.home / "fifo")


def weights() -> Iterator[Case]:
    """Files of tensors that are damaged, or claim what they do not hold."""
    many = META | {"a": {"dtype": "F32", "shape": [2**28], "data_offsets": [0, 2**30]}}
    lies = META | {"a": {"dtype": "F32", "shape": [2**60], "data_offsets": [0, 4]}}
    deep = {"__metadata__": {"figment": DEEP.decode()}}
    for pattern in ("state/latest.safetensors", "snapshots/*.safetensors", "best.safetensors"):
        spoilt = {f"a bit flipped at {at:g}": flip(pattern, at) for at in (0.0, 0.05, 0.5, 0.999)}
        spoilt |= {
            "cut in half": cut(pattern, 0.5),
            "empty": cut(pattern, 0.0),
            "no tensors": tensors(pattern, META),
            "a header without end": put_last(pattern, b"\xff" * 64),
            "1 GiB of zeros": tensors(pattern, many, 1.0),
            "a shape that lies": tensors(pattern, lies),
            "a note 200,000 deep": tensors(pattern, deep),
            "a pipe": lambda w, p=pattern: pipe(_last(w, p))(w),
        }
        one = "sample snapshots/LAST --count 4 --out new.png"
        for name, spoil in spoilt.items():
            yield Case(f"{pattern}: {name}", spoil, (*DRAW, one, *RESUME))
    grids = "samples/*.png"
    yield Case("samples: a picture that is none", put_last(grids, b"<svg onload=alert(1)>"), REPORT)
    yield Case("samples: a picture of 3.6 gigapixels", bomb, REPORT)
    yield Case("samples: a pipe", lambda w: pipe(_last(w, grids))(w), REPORT)


def put_last(pattern: str, content: bytes) -> Callable[[World], object]:
    """Replace the last file that fits."""
    return lambda w: (w.run / _last(w, pattern)).write_bytes(content)


def _last(w: World, pattern: str) -> str:
    return str(sorted(w.run.glob(pattern))[-1].relative_to(w.run))


def links() -> Iterator[Case]:
    """Links out of the run, and other files where figment writes."""
    every = (*USUAL, "resume RUN --images 320")
    for file in ("lock", "log.jsonl", "events.jsonl", "metrics.jsonl", "report.html", "README.md"):
        yield Case(f"{file}: a link out", link(file), every)
        yield Case(f"{file}: a hard link out", link(file, hard=True), every)
    for part in ("samples", "snapshots", "state", "evaluation"):
        yield Case(f"{part}: a link out", link(part, "folder"), every)
    yield Case("lock: a pipe", pipe("lock"))
    yield Case("lock: a folder", lambda w: ((w.run / "lock").unlink(), (w.run / "lock").mkdir()))
    yield Case("state: a link to a state out", link("state/previous.safetensors"), every)
    mine = ("sample RUN --out outside/000001.png", "sample RUN --count 9 --out outside/folder.zip")
    mine += ("truncate RUN --out outside/000001.png", "walk RUN --out outside/000001.gif")
    mine += ("compare RUN OTHER --out outside/victim.html", "sample RUN --out outside/000001.npy")
    mine += ("data pack flowers:9 --out outside/pack.npz", "evolve RUN --out outside/000001.png")
    yield Case("files of others at --out", lambda w: None, mine)


def data() -> Iterator[Case]:
    """Data that are made to do harm."""
    tried = ("data inspect DATA", "doctor DATA", "data pack DATA --out new.npz --resolution 32")
    tried += ("evaluate DATA --against flowers:64 --features small", f"train DATA {TINY} --run new")
    for name, lay in DATA.items():

        def spoil(w: World, lay: Callable[[Path, Path], Path] = lay) -> Path:
            (w.home / "data").mkdir()
            return lay(w.home / "data", w.mark)

        yield Case(f"data: {name}", spoil, tried)


SIZES = (
    "train flowers --batch 9223372036854775807",
    "train flowers --width 9223372036854775807",
    "train flowers --width 65536 --recipe dcgan",
    "train flowers --latent 9223372036854775807",
    "train flowers --resolution 1073741824",
    "train flowers --recipe cats-mlp --resolution 4096 --hidden 65536 65536",
    "train flowers --images 99999999999999999999999999",
    "train flowers --metric-count 9223372036854775807",
    "train flowers:99999999999999",
    "train ring:99999999999999 --recipe points",
    "train ring --hidden 9223372036854775807",
    "train flowers --minutes 1e300 --batch 65536 --resolution 4096",
    "sample RUN --count 9223372036854775807",
    "sample RUN --count 100000000000000 --out new.npy",
    "sample RUN --count 9223372036854775807 --out new",
    "sample RUN --seed 99999999999999999999999999",
    "truncate IMAGES --count 9223372036854775807 --out new.png",
    "evolve IMAGES --count 9223372036854775807 --out new.png",
    "walk IMAGES --frames 9223372036854775807 --out new.gif",
    "walk IMAGES --fps 9223372036854775807 --out new.gif",
    "evaluate RUN --count 9223372036854775807",
    "sample IMAGES --per-class 9223372036854775807 --out new",
    "data pack flowers --resolution 9223372036854775807 --out new.npz",
    "data pack flowers:99999999999999 --out new.npz",
)
"""Commands whose numbers no machine can serve."""


# -- running ----------------------------------------------------------------------------------------------


def attempt(words: list[str], where: Path) -> Outcome:
    """Run a command in a child of this process, which has imported everything already."""
    with tempfile.TemporaryFile() as said:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.dup2(said.fileno(), 1)
                os.dup2(said.fileno(), 2)
                os.chdir(where)
                resource.setrlimit(resource.RLIMIT_CPU, (PATIENCE[0], PATIENCE[0] + 5))
                signal.alarm(PATIENCE[1])
                from figment.cli import main

                code = main(words)
            except SystemExit as stop:
                code = stop.code if isinstance(stop.code, int) else 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        _, status, used = os.wait4(child, 0)
        said.seek(0)
        text = said.read().decode("utf-8", "replace")
    code = os.waitstatus_to_exitcode(status)
    return Outcome(code, text, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def spread(home: Path, runs: Path) -> World:
    """Return a fresh world in an empty folder."""
    w = World(home, home / "run", home / "other", home / "outside", home / "the code ran")
    shutil.copytree(runs / "ring", w.run)
    shutil.copytree(runs / "ring", w.other)
    (w.outside / "folder").mkdir(parents=True)
    names = ("victim.txt", "victim.html", "000001.png", "000001.gif", "000001.npy", "folder.zip")
    for name in (*names, "pack.npz", "folder/000000016.png"):
        (w.outside / name).write_text("precious")
    return w


def state_of(folder: Path) -> str:
    """Return a digest of all that lies in a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        digest.update(str(path).encode())
        digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()


def judge(case: Case, runs: Path, home: Path) -> tuple[list[str], Outcome]:
    """Return what went wrong in a case, and the dearest outcome."""
    found, worst = [], Outcome(0, "", 0.0, 0.0)
    for command in case.commands:
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        w = spread(home, runs)
        before = state_of(w.outside)
        last = sorted((w.run / "snapshots").iterdir())[-1]
        given = case.spoil(w)
        places = {
            "DATA": str(given),
            "RUN": str(w.run),
            "OTHER": str(w.other),
            "IMAGES": str(runs / "flowers"),
        }
        words = [
            str(places.get(word, word)).replace("RUN/", f"{w.run}/") for word in command.split()
        ]
        words = [word.replace("outside/", f"{w.outside}/") for word in words]
        words = [word.replace("snapshots/LAST", str(last)) for word in words]
        done = attempt(words, home / case.where)
        faults = done.faults()
        faults += ["CODE RAN"] if w.mark.exists() else []
        faults += ["CHANGED OUTSIDE"] if state_of(w.outside) != before else []
        if faults:
            last = (done.text.strip().splitlines() or [""])[-1]
            found.append(f"{command.split()[0]}: {', '.join(faults)}: {last[:300]}")
        worst = Outcome(done.code, "", max(worst.seconds, done.seconds), max(worst.mib, done.mib))
    return found, worst


def make_runs(runs: Path) -> None:
    """Train the two runs that are spoilt."""
    ring = "train ring --hidden 16 --latent 4 --batch 16 --tick 160 --images 640 --metric-every 320"
    pictures = "train flowers:24 --recipe dcgan --resolution 32 --width 4 --batch 4 --images 16"
    pictures += " --tick 8 --metric-every 8 --features small --conditioning concat"
    for name, command in (("ring", ring), ("flowers", pictures)):
        words = [*command.split(), "--metric-count", "64", "--run", str(runs / name)]
        done = attempt(words, runs)
        if done.code:
            sys.exit(done.text)


def twice(runs: Path, home: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield what went wrong when two of a kind begin at once, as real processes."""
    small = "--hidden 16 --latent 4 --batch 16 --images 3200 --metric-count 64"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    w = spread(home, runs)
    trains, resumes = f"train ring {small} --run new", f"resume {w.run} --images 3200"
    reports, evaluates = f"report {w.run}", f"evaluate {w.run} --count 200 --features small"
    samples, inspects = f"sample {w.run} --out same.png", "data inspect flowers:64"
    pairs = {
        "two train": (trains, trains, [0, 2]),
        "two resume": (resumes, resumes, [0, 2]),
        "two reports": (reports, reports, [0, 0]),
        "two evaluations": (evaluates, evaluates, [0, 0]),
        "two packings": (inspects, inspects, [0, 0]),
        "two samples": (samples, samples, [0, 0]),
        "a resume and a train into its run": (resumes, f"train ring {small} --run {w.run}", [0, 2]),
        "a resume and a report": (resumes, reports, [0, 0]),
        "a resume and a sample": (resumes, samples, [0, 0]),
        "a resume and a comparison": (resumes, f"compare {w.run} {w.other}", [0, 0]),
    }
    for name, (one, other, wins) in pairs.items():
        processes = [start(command.split(), home) for command in (one, other)]
        said = [process.communicate(timeout=1200)[0] for process in processes]
        codes = sorted(process.returncode for process in processes)
        found = [] if codes == wins else [f"exit codes {codes}: {said}"]
        found += ["traceback"] if any("Traceback" in text for text in said) else []
        left = [str(path) for path in home.rglob(".*.tmp")]
        yield name, found + ([f"left {left}"] if left else [])


def start(words: list[str], home: Path) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "figment", *words],
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default="", help="cases whose name has this word")
    args = parser.parse_args()
    bad = count = tried = 0
    with tempfile.TemporaryDirectory() as place:
        runs, home = Path(place) / "runs", Path(place) / "home"
        runs.mkdir()
        os.environ |= {"FIGMENT_CACHE": f"{place}/cache", "XDG_CONFIG_HOME": f"{place}/config"}
        for needed in (
            "launch",
            "training.fit",
            "judging.evaluate",
            "report.page",
            "actions.drawing",
        ):
            importlib.import_module(f"figment.{needed}")  # once, for every child

        make_runs(runs)
        sizes = [Case(f"sizes: {words}", lambda w: None, (words,)) for words in SIZES]
        print(f"{'case':60} {'commands':>8} {'s':>6} {'MiB':>5}")
        for case in [*cases(), *sizes]:
            if args.only not in case.name:
                continue
            found, worst = judge(case, runs, home)
            count, tried, bad = count + 1, tried + len(case.commands), bad + bool(found)
            took = f"{worst.seconds:6.1f} {worst.mib:5.0f}"
            print(
                f"{case.name[:60]:60} {len(case.commands):8} {took}",
                *found,
                sep="\n    ",
                flush=True,
            )
        for name, found in twice(runs, home) if args.only in "two at once" else ():
            count, tried, bad = count + 1, tried + 2, bad + bool(found)
            print(f"{name:60} {2:8}", *found, sep="\n    ", flush=True)
    with contextlib.suppress(BrokenPipeError):
        print(f"{count} cases, {tried} commands, {bad} with something wrong")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
