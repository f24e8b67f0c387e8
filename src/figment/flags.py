"""Reading a command's words into a call of its function; mistakes are answered in one line."""

from __future__ import annotations

import contextlib
import inspect
import io
import re
from collections.abc import Callable
from typing import Annotated, Any, get_type_hints

from figment.errors import UserError, nearest


def call(function: Callable[..., int], words: list[str], *, prog: str) -> int:
    """Return what ``function`` returns for a command's words, read by its signature and docstring.

    A parameter that ends in an underscore, since Python has taken its name (``class_``), is a flag
    without. Raises UserError, in one line, where the words do not fit. ``--help`` prints and exits with 0.
    """
    import tyro

    def capture(*args: Any, **kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return args, kwargs

    capture.__doc__ = function.__doc__
    capture.__signature__ = inspect.signature(function)  # ty: ignore[missing-attribute]
    capture.__annotations__ = {
        name: Annotated[hint, tyro.conf.arg(name=name[:-1])] if name.endswith("_") else hint
        for name, hint in get_type_hints(function, include_extras=True).items()
    }
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            flat = (tyro.conf.OmitArgPrefixes,)  # a recipe's fields are flags like any other
            args, kwargs = tyro.cli(capture, args=words, prog=prog, config=flat)
    except SystemExit as stop:
        if not stop.code:
            raise
        raise UserError(_one_line(said.getvalue(), prog)) from None
    return function(*args, **kwargs)


def named_flags(words: list[str]) -> frozenset[str]:
    """Return the names of the flags among a command's words, as Python writes them."""
    named = (re.match(r"--(?:no-)?([a-z][\w-]*)", word) for word in words)
    return frozenset(match[1].replace("-", "_") for match in named if match)


def value_of(flag: str, words: list[str]) -> str | None:
    """Return the value of ``--flag VALUE`` or ``--flag=VALUE`` among a command's words, if it is there."""
    for word, following in zip(words, [*words[1:], ""], strict=False):
        if word == f"--{flag}":
            return following
        if word.startswith(f"--{flag}="):
            return word.partition("=")[2]
    return None


def bare_word(words: list[str]) -> str | None:
    """Return the first of a command's words that is neither a flag nor, as it may be, a flag's value."""
    before = ""
    for word in words:
        if not word.startswith("-") and not before.startswith("--"):
            return word
        before = word
    return None


def unknown(kind: str, word: str, words: list[str]) -> UserError:
    """Return the error for a word that is none of ``words``."""
    return UserError(f"there is no {kind} {word}.{nearest(word, words) or ' Try figment --help.'}")


def _one_line(box: str, prog: str) -> str:
    """Return the first message of tyro's boxed error, with the name it thinks was meant."""
    lines = [line.strip("│|╭╮╰╯+─- ") for line in box.splitlines()]
    parts = [part.split("\n") for part in "\n".join(lines).strip().split("\n\n")]
    if box.startswith(" "):  # without a frame the title is a part of its own
        parts = parts[1:]
    else:
        parts[0] = parts[0][1:]
    text = " ".join(" ".join(parts[0]).split())
    rest = " ".join(" ".join(part) for part in parts[1:])
    meant = re.search(r"Perhaps you meant.*?([a-z][\w-]*)[, ]", rest)
    hint = f" Did you mean --{meant[1]}?" if meant else f" `{prog} --help` lists what it takes."
    return f"{text.rstrip('.')}.{hint}"
