"""Random command lines end with 0 or 2, in one line where they fail, and leave nothing half-written."""

from __future__ import annotations

import importlib.util
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "commands.py"


def test_random_command_lines(tmp_path: Path, monkeypatch):
    spec = importlib.util.spec_from_file_location("commands_benchmark", SCRIPT)
    assert spec is not None and spec.loader is not None
    commands = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(commands)
    monkeypatch.chdir(tmp_path)
    commands.prepare(tmp_path)
    ends = [(words, *commands.wrong(words)) for words in commands.lines(40, 1)]
    assert [(words, problem) for words, _, problem in ends if problem] == []
    assert {code for _, code, _ in ends} == {0, 2}
