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
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from hostile_cases import SIZES, cases
from hostile_ways import Case, World

SECONDS, MIB = 10.0, 1024
PATIENCE = 30, 1200  # seconds of the processor, and of the day, after which a command is ended
CODES = (0, 2, 130, 143)


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
