"""Refusals: what the server answers instead of what was asked for, as one line of JSON."""

from __future__ import annotations

import math


class Refusal(Exception):
    """A request that is not answered as asked: its status, and a sentence that names the cure."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = " ".join(detail.split())
        self.headers = headers or {}


class Busy(Refusal):
    """503: there is more to do than fits; ``seconds`` says when to come again."""

    def __init__(self, detail: str, seconds: float = 1.0) -> None:
        super().__init__(503, detail, {"Retry-After": str(max(1, math.ceil(seconds)))})


class Gone(Exception):
    """The client has closed its connection: nobody reads an answer."""
