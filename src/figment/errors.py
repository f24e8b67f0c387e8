"""The one exception for mistakes of the user, and the nearest-name helper that its messages use."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """A mistake the user can mend. Its text is one line that says what is wrong and names the cure.

    The command line prints it without a traceback and exits with 2. What it quotes of files that others
    wrote cannot end the line or steer the terminal.
    """

    def __str__(self) -> str:
        text = super().__str__()
        return "".join(c if c.isprintable() else "\ufffd" for c in " ".join(text.splitlines()))

    def _render_traceback_(self) -> list[str]:
        """Return what a notebook prints in place of a traceback: the same line."""
        return [f"figment: {self}"]


def nearest(word: str, words: Iterable[str]) -> str:
    """Return ``" Did you mean X?"`` for the word most like ``word``, or an empty string."""
    close = difflib.get_close_matches(word, list(words), n=1, cutoff=0.65)
    return f" Did you mean {close[0]}?" if close else ""
