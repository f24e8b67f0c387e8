"""What is tried on figment by ``hostile.py``: each case, and the commands that no machine can serve."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from hostile_data import DATA
from hostile_ways import (
    DEEP,
    DRAW,
    META,
    NUMBER,
    REPORT,
    RESUME,
    USUAL,
    Case,
    World,
    add,
    bomb,
    cut,
    edit,
    fifo,
    flip,
    huge,
    last,
    link,
    names_evil,
    pickled,
    pipe,
    put,
    put_last,
    tensors,
)

TINY = "--recipe dcgan --width 4 --batch 4 --images 16 --resolution 32 --features small"


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
        "machine.json: data at a pipe", lambda w: edit("machine.json", data__path=fifo(w))(w)
    )
    yield Case("machine.json: data at /dev/zero", edit("machine.json", data__path="/dev/zero"))
    yield Case(
        "machine.json: keys of the future", edit("machine.json", warp={"deep": [1, {"a": 2}]})
    )
    yield Case(
        "machine.json: steering letters", edit("machine.json", data__name="a\x1b[2J\nb<script>")
    )
    yield Case("machine.json: budget without end", edit("machine.json", budget={"minutes": 1e300}))


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
            "a pipe": lambda w, p=pattern: pipe(last(w, p))(w),
        }
        one = "sample snapshots/LAST --count 4 --out new.png"
        for name, spoil in spoilt.items():
            yield Case(f"{pattern}: {name}", spoil, (*DRAW, one, *RESUME))
    grids = "samples/*.png"
    yield Case("samples: a picture that is none", put_last(grids, b"<svg onload=alert(1)>"), REPORT)
    yield Case("samples: a picture of 3.6 gigapixels", bomb, REPORT)
    yield Case("samples: a pipe", lambda w: pipe(last(w, grids))(w), REPORT)


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
