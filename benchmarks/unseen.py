"""Is the doctor right on cases that none of its bounds was fitted to, at every moment of them?

    python benchmarks/unseen.py DATA_DIR [--out unseen/] [--list third] [--only WORD ...] [--part 0 2]
        [--table] [--again]

Other seeds, sets and systems than ``benchmarks/doctor.py`` has: runs and sets with one planted fault each,
and runs without. Each is trained once (half a minute at most on one core), and asked after every
measurement. A run that came to its end, and what OUT/results.jsonl holds, is not done again;
``--again`` asks the present doctor about the runs that are there. ``--list drawn:7`` is a list that chance
puts together (``unseen_drawn.py``). Prints a table: what is right, what was said from first to last, and
what was said first that is not true.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
import time
from itertools import groupby
from pathlib import Path
from typing import Any

import figment
import unseen_cases
import unseen_drawn
import unseen_fifth
import unseen_fourth
import unseen_second
import unseen_sixth
import unseen_third
from figment.doctor.data import examine
from figment.doctor.finding import Finding
from figment.errors import UserError
from figment.run import findings_of
from unseen_cases import Case
from unseen_data import source

LISTS = {
    "first": unseen_cases.CASES,
    "second": unseen_second.CASES,
    "third": unseen_third.CASES,
    "fourth": unseen_fourth.CASES,
    "fifth": unseen_fifth.CASES,
    "sixth": unseen_sixth.CASES,
}
LOOKS = 12
TICKS = 48
QUIET = frozenset({"good", "note"})
"""Severities that are no alarm."""


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
    parser.add_argument("--list", default="first", help="which cases, or drawn:SEED")
    parser.add_argument("--only", nargs="*", default=[], help="cases whose names hold one of these")
    parser.add_argument("--part", type=int, nargs=2, default=(0, 1), help="which of how many parts")
    parser.add_argument("--again", action="store_true", help="ask again about what is there")
    parser.add_argument("--table", action="store_true", help="only print what is there")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    kept = given.out / "results.jsonl"
    done = [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []
    results = {result["case"]: result for result in done}
    if given.list not in LISTS and not re.fullmatch(r"drawn:\d+", given.list):
        parser.error(f"--list is one of {', '.join(LISTS)}, or drawn:SEED")
    (part, parts), drawn = given.part, given.list.removeprefix("drawn:")
    cases = unseen_drawn.cases(int(drawn)) if drawn.isdecimal() else LISTS[given.list]
    for case in cases[part::parts]:
        wanted = not given.only or any(word in case.name for word in given.only)
        there = case.name in results
        if not wanted or given.table or (there and not given.again):
            continue
        start = time.time()
        if case.recipe and not there and not (home(case, given.out) / "report.html").exists():
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
    print(table([results[case.name] for case in cases if case.name in results]))


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
