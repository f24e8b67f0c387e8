"""The command line: which words call which command (``figment.commands``), and what mistakes print.

Only the standard library is imported before a command is known, so that ``figment --help`` answers at
once.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Callable
from typing import Any

from figment.commands import data, drawing, judging, showing, training
from figment.errors import UserError
from figment.flags import call, unknown

COMMANDS: dict[str, Callable[..., Any]] = {
    "train": training.train,
    "resume": training.resume,
    "sample": drawing.sample,
    "walk": drawing.walk,
    "truncate": drawing.truncate,
    "evolve": drawing.evolve,
    "project": drawing.project,
    "evaluate": judging.evaluate,
    "doctor": judging.doctor,
    "report": judging.report,
    "compare": judging.compare,
    "export": showing.export,
    "serve": showing.serve,
    "runs": data.runs,
    "recipes": data.recipes,
    "data": data.data,
    "data inspect": data.inspect_data,
    "data pack": data.pack_data,
}


def main(words: list[str] | None = None) -> int:
    """Run a command and return its exit code: 0, 2 for a user's mistake, 130 or 143 for a signal."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # names of files may hold what is no letter
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        return _dispatch(sys.argv[1:] if words is None else words)
    except UserError as error:
        from figment.data.printing import clean  # names in it may be anybody's

        print(f"figment: {clean(str(error))}", file=sys.stderr)
        return 2
    except SystemExit as stop:  # help has been printed
        return int(stop.code or 0)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        print(f"figment: {_of_file(error)}", file=sys.stderr)
        return 2


def _of_file(error: OSError) -> str:
    """Return in a line which file could not be used, and why; its name may be anybody's."""
    from figment.data.printing import clean, readable

    name = error.filename
    name = os.fsdecode(name) if isinstance(name, str | bytes) and name else "a file"
    cure = ": give a shorter one" if error.errno == errno.ENAMETOOLONG else ""
    return f"{readable(name)}: {clean(error.strerror or str(error))}{cure}"


def _dispatch(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        print(_help())
        return 0
    if words[0] in ("--version", "-V"):
        from importlib.metadata import version

        print("figment", version("figment-gan"))
        return 0
    for length in (2, 1):
        name, rest = " ".join(words[:length]), words[length:]
        if name == "data" and rest and not rest[0].startswith("-"):
            break
        if name in COMMANDS:
            if name == "train":  # whose flags are those of a recipe that its words name
                return training.train(rest)
            return call(COMMANDS[name], rest, prog=f"figment {name}")
    raise unknown("command", " ".join(words[:2]) if words[0] == "data" else words[0], [*COMMANDS])


def _help() -> str:
    first_lines = {
        name: (function.__doc__ or "").split("\n")[0] for name, function in COMMANDS.items()
    }
    listed = "\n".join(f"  {name:<14}{line}" for name, line in first_lines.items())
    return (
        "figment turns a folder of pictures into a generator of new ones.\n\n"
        f"usage: figment COMMAND ...\n\n{listed}\n\n"
        "figment COMMAND --help tells more; figment train --recipe NAME --help lists a recipe's fields.\n"
        "A first try, without any data: figment train flowers --minutes 5"
    )
