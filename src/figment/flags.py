"""Reading a command's words, by tyro, into a call of its function; a mistake is answered in one line."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from itertools import pairwise
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    NamedTuple,
    NoReturn,
    Required,
    TypedDict,
    get_args,
    get_origin,
    get_type_hints,
)

from figment.errors import UserError, nearest

if TYPE_CHECKING:
    from tyro._errors import ParseErrorEvent

METAVARS = {int: "N", float: "X", str: "NAME"}
"""What help writes for the value of a flag."""


class Word(NamedTuple):
    """What a command takes: a flag, or a bare word."""

    name: str
    """As Python writes it; with an underscore at its end where Python has taken the name (``class_``)."""
    hint: Any
    """Its type."""
    help: str = ""
    default: Any = None
    """What help is to say it is without it; None and empty values are not said."""
    bare: bool = False
    needed: bool = False

    @property
    def said(self) -> str:
        """The word as a user types it, or help names it."""
        name = self.name.removesuffix("_").replace("_", "-")
        return name.upper() if self.bare else f"--{name}"

    @property
    def metavar(self) -> str:
        """What help writes for its value; empty for those that are named themselves."""
        if self.hint is bool or get_origin(self.hint) is Literal:
            return ""
        kinds = [kind for kind in get_args(self.hint) or (self.hint,) if kind is not ...]
        metavar = self.said if self.bare else METAVARS.get(kinds[0], "PATH")
        if self.bare and not self.needed:
            return f"[{metavar}]"
        if get_origin(self.hint) is not tuple:
            return metavar
        return f"{metavar} ..." if ... in get_args(self.hint) else " ".join([metavar] * len(kinds))

    @property
    def kind(self) -> str:
        """What it takes, in words."""
        if get_origin(self.hint) is not tuple:
            return {int: "a whole number", float: "a number"}.get(self.hint, "a value")
        kinds = get_args(self.hint)
        many = {int: "whole numbers", float: "numbers"}.get(kinds[0], "values")
        return many if ... in kinds else f"{len(kinds)} {many}"

    @property
    def flags(self) -> list[str]:
        """The flags that it is typed as."""
        if self.bare:
            return []
        return [self.said, *([f"--no-{self.said[2:]}"] if self.hint is bool else [])]


def call(function: Callable[..., int], words: list[str], *, prog: str) -> int:
    """Return what ``function`` returns for a command's words, read by its signature and docstring.

    Raises UserError, in one line, where the words do not fit. ``--help`` prints and exits with 0.
    """
    takes = words_of(function)
    found = given(words, takes, prog=prog, about=inspect.getdoc(function) or "")
    bare = [found.pop(word.name) for word in takes if word.bare and word.name in found]
    return function(*bare, **found)


def words_of(function: Callable[..., int]) -> list[Word]:
    """Return what a command takes, read off its signature and the Args of its docstring."""
    hints, helps = get_type_hints(function), _args(inspect.getdoc(function) or "")
    found = []
    for name, parameter in inspect.signature(function).parameters.items():
        kinds = [kind for kind in get_args(hints[name]) if kind is not type(None)]
        optional = len(kinds) < len(get_args(hints[name]))
        needed = parameter.default is parameter.empty
        default = None if needed else parameter.default
        bare = parameter.kind is parameter.POSITIONAL_ONLY
        hint = kinds[0] if optional else hints[name]
        found.append(Word(name, hint, helps.get(name, ""), default, bare, needed))
    return found


def given(
    words: list[str], takes: Sequence[Word], *, prog: str, about: str | None = None
) -> dict[str, Any]:
    """Return the values of what is among a command's words, and of nothing else, by name.

    Where their order leaves open whether a word is the bare one, or the last value of a flag that takes any
    number, it is the bare one if there is such a file, or if there has to be a bare one. ``--help`` prints
    what the command is ``about`` and exits with 0, if that is given. Raises UserError for a mistake.
    """
    try:
        found, problem = _read(words, takes, prog, about), None
    except UserError as error:
        found, problem = {}, error
    first = next((word for word in takes if word.bare), None)
    if first is not None and first.name not in found:
        for again, word in _last_values_first(words, takes):
            if os.path.exists(word) or (first.needed and not word.isdecimal()):
                with suppress(UserError):
                    return _read(again, takes, prog, about)
    if problem is not None:
        raise problem
    return found


def some(words: list[str], takes: Sequence[Word], *, prog: str) -> dict[str, Any]:
    """Return the values of those flags that are among a command's words, whatever else is there."""
    import tyro

    with _mistakes([], takes, prog):
        return tyro.cli(
            _table(takes), args=words, prog=prog, add_help=False, return_unknown_args=True
        )[0]


def unknown(kind: str, word: str, words: list[str]) -> UserError:
    """Return the error for a word that is none of ``words``."""
    return UserError(f"there is no {kind} {word}.{nearest(word, words) or ' Try figment --help.'}")


def _read(words: list[str], takes: Sequence[Word], prog: str, about: str | None) -> dict[str, Any]:
    import tyro

    if words[:1] and words[0].startswith("--tyro"):  # its own flags are not figment's
        raise _unknown_flag(words[0], takes, prog)
    _refuse_empty(words, takes)
    with _mistakes(words, takes, prog):
        return tyro.cli(
            _table(takes),
            args=words,
            prog=prog,
            description=None if about is None else about.split("\n\nArgs:")[0],
            add_help=about is not None,
        )


def _refuse_empty(words: list[str], takes: Sequence[Word]) -> None:
    """Refuse a path without a letter, as of a variable that is not set: it would be the current folder."""
    paths = {word.said for word in takes if Path in (word.hint, *get_args(word.hint))}
    for flag, value in pairwise([*words, "..."]):
        name, given, inside = flag.partition("=")
        if name in paths and not (inside if given else value):
            raise UserError(f"{name} is empty: give a path, or leave it out")


def _last_values_first(words: list[str], takes: Sequence[Word]) -> Iterator[tuple[list[str], str]]:
    """For each flag that takes any number of values, the words with its last value before all others."""
    greedy = {word.said for word in takes if ... in get_args(word.hint)}
    for place, word in enumerate(words):
        flag = word.partition("=")[0]
        if flag.replace("_", "-") not in greedy:
            continue
        end = place + 1
        while end < len(words) and not _is_flag(words[end]):
            end += 1
        if end - 1 > place:
            yield [words[end - 1], *words[: end - 1], *words[end:]], words[end - 1]


def _table(takes: Sequence[Word]) -> Any:
    """Return the type that tyro reads the words as: a dictionary of what is there."""
    typed = {word.name: _typed(word) for word in takes}
    return TypedDict("Flags", typed, total=False)  # ty: ignore[invalid-argument-type]


def _typed(word: Word) -> Any:
    """Return a word's type with what tyro is to call it, and to say in its help."""
    import tyro

    about = tyro.conf.arg(
        name=word.name.removesuffix("_"),
        metavar=word.metavar or None,
        help=word.help,
        help_behavior_hint=_default(word.default),
    )
    kind = Annotated[word.hint, about]
    kind = tyro.conf.Positional[kind] if word.bare else kind
    return Required[kind] if word.needed else kind


def _default(value: Any) -> str:
    if value is None or value in ("", ()):
        return ""
    if isinstance(value, bool):
        return f"(default: {'yes' if value else 'no'})"
    return f"(default: {' '.join(map(str, value)) if isinstance(value, tuple) else value})"


def _args(doc: str) -> dict[str, str]:
    """Return what the Args of a docstring say, by name."""
    _, _, listed = doc.partition("Args:\n")
    entries = re.findall(r"^    (\w+): (.*(?:\n {6,}.*)*)", listed, re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in entries}


def _mistakes(words: list[str], takes: Sequence[Word], prog: str) -> AbstractContextManager[None]:
    """Return a context in which tyro's refusals are raised as UserError, in one line.

    tyro hands them over in parts, before it draws a box of them.
    """
    from tyro._errors import on_parse_error

    def refuse(event: ParseErrorEvent) -> NoReturn:
        raise _error(event, words, takes, prog)

    return on_parse_error(refuse)


def _error(event: ParseErrorEvent, words: list[str], takes: Sequence[Word], prog: str) -> UserError:
    from tyro import _errors

    flags = {flag for word in takes for flag in word.flags}
    flags |= {"-h", "--help"}
    for word in words:  # an unknown flag is what is wrong, whatever follows from it
        if _is_flag(word) and word.partition("=")[0].replace("_", "-") not in flags:
            return _unknown_flag(word, takes, prog)
    if isinstance(event, _errors.UnrecognizedArgs):
        return UserError(
            f"{prog} takes no further word {event.tokens[0]}: `{prog} --help` shows its words"
        )
    if isinstance(event, _errors.MissingArgs):
        missing = {each.arg.field.intern_name for each in event.missing_arguments}
        names = [word.said for word in takes if word.name.removesuffix("_") in missing]
        return UserError(f"{prog} needs {' and '.join(names)}: `{prog} --help` says what that is")
    argument = getattr(event, "argument", None)
    dest = argument.field.intern_name if argument is not None else ""
    word = next((word for word in takes if word.name.removesuffix("_") == dest), None)
    if word is None:  # a kind of refusal that this tyro has and the one tested did not
        return UserError(f"{prog} cannot read these words: `{prog} --help` shows how they go")
    if isinstance(event, _errors.InvalidChoice):
        hint = nearest(event.value, event.choices)
        return UserError(
            f"{word.said} is one of {', '.join(event.choices)}, not {event.value!r}.{hint}"
        )
    return UserError(f"{word.said} takes {word.kind}: {word.said} {word.metavar}".rstrip())


def _is_flag(word: str) -> bool:
    """Whether a word is written as a flag is; -inf and -nan are numbers."""
    dashed = word.startswith("-") and word.lstrip("-")[:1].isalpha()
    return dashed and word.lower() not in ("-inf", "-nan", "-infinity")


def _unknown_flag(token: str, takes: Sequence[Word], prog: str) -> UserError:
    flag = token.partition("=")[0]
    hint = nearest(flag, [flag for word in takes for flag in word.flags])
    return UserError(f"{prog} has no flag {flag}.{hint or f' `{prog} --help` lists its flags.'}")
